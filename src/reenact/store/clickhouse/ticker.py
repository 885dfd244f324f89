"""Ticker: versions of rows, each greater than the one before; of two rows with one key the greater version stays."""

import threading
import time


class Ticker:
    """Nanoseconds since the epoch that never stand still nor go back within this process.

    Servers that write into one database must have clocks that agree: of two writes to one call, the one with the later
    time wins.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def __call__(self) -> int:
        """Return the next version."""
        with self._lock:
            self._last = max(time.time_ns(), self._last + 1)
            return self._last
