"""Clock: the time of a server's records, which never goes back."""

import time

_STEP_US = 1_000_000
"""The wall clock has to be this far ahead before it is followed: after a suspension, or when somebody set it forward."""


class Clock:
    """Gives microseconds since the epoch; runs on evenly when the wall clock is set back: no call ends before it began."""

    def __init__(self) -> None:
        self._offset_us = time.time_ns() // 1000 - time.monotonic_ns() // 1000

    def __call__(self) -> int:
        """Return the time; any thread may ask."""
        ticks_us = time.monotonic_ns() // 1000
        ahead_us = time.time_ns() // 1000 - ticks_us
        if ahead_us > self._offset_us + _STEP_US:
            self._offset_us = ahead_us
        return ticks_us + self._offset_us
