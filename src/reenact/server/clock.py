"""Clock: the time of a server's records, which never goes back."""

import time

_STEP_US = 1_000_000
"""The wall clock has to be this far ahead before it is followed: after a suspension, or when somebody set it forward."""
_LOOK_NS = 100_000_000
"""How often the wall clock is looked at: gateways ask for the time at every chunk."""


class Clock:
    """Gives microseconds since the epoch; runs on evenly when the wall clock is set back: no call ends before it began."""

    def __init__(self) -> None:
        self._offset_us = time.time_ns() // 1000 - time.monotonic_ns() // 1000
        self._look_ns = 0

    def __call__(self) -> int:
        """Return the time; any thread may ask."""
        ticks_ns = time.monotonic_ns()
        if ticks_ns >= self._look_ns:
            self._look_ns = ticks_ns + _LOOK_NS
            ahead_us = (time.time_ns() - ticks_ns) // 1000
            if ahead_us > self._offset_us + _STEP_US:
                self._offset_us = ahead_us
        return ticks_ns // 1000 + self._offset_us
