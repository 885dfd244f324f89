"""Where calls stand on a session's time line: busy time to scale, long silences folded."""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from reenact.domain.call import Call

WIDTH = 1000
"""Of the time line, in its own units."""
_MIN_BAR = 3
_FOLD_SHARE, _FOLD_US = 0.08, 2_000_000
"""A silence longer than this share of the session, and than this, is folded to a fixed width."""
_FOLDED = 20


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One call's place on the line, in units of WIDTH."""

    x: int
    width: int
    waiting: int
    """How much of the width passed before the first byte of a streamed answer; 0 when that is not known."""


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch in which no call ran, folded."""

    x: int
    width: int
    duration_us: int


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """All bars of a session by call id, and the silences that are folded."""

    bars: dict[str, Bar]
    silences: tuple[Silence, ...]
    duration_us: int


class _Scale:
    """A line of points, rising on both sides, that takes a time to its place."""

    def __init__(self, points: Sequence[tuple[int, float]]) -> None:
        self._times = [time for time, _ in points]
        self._places = [place for _, place in points]

    def place(self, time: int) -> float:
        at = min(max(bisect_right(self._times, time) - 1, 0), len(self._times) - 2)
        start, end = self._times[at], self._times[at + 1]
        low, high = self._places[at], self._places[at + 1]
        return low + (high - low) * (time - start) / ((end - start) or 1)


def time_line(calls: Sequence[Call]) -> Timeline:
    """Return where each of *calls*, given oldest first, stands."""
    if not calls:
        return Timeline(bars={}, silences=(), duration_us=0)
    start = calls[0].created_us
    end = max(call.created_us + call.duration_us for call in calls)
    gaps = _silences(calls, max(_FOLD_US, int((end - start) * _FOLD_SHARE)))
    scale, folded = _scale(start, end, gaps)
    return Timeline(bars={call.id: _bar(call, scale) for call in calls}, silences=folded, duration_us=end - start)


def _silences(calls: Sequence[Call], longest: int) -> list[tuple[int, int]]:
    """Return from when to when nothing ran for longer than *longest*."""
    found: list[tuple[int, int]] = []
    reached = calls[0].created_us
    for call in calls:
        if call.created_us - reached > longest:
            found.append((reached, call.created_us))
        reached = max(reached, call.created_us + call.duration_us)
    return found


def _scale(start: int, end: int, gaps: Sequence[tuple[int, int]]) -> tuple[_Scale, tuple[Silence, ...]]:
    busy = (end - start - sum(until - since for since, until in gaps)) or 1
    unit = (WIDTH - _FOLDED * len(gaps)) / busy
    points: list[tuple[int, float]] = [(start, 0.0)]
    folded: list[Silence] = []
    for since, until in gaps:
        x = points[-1][1] + (since - points[-1][0]) * unit
        folded.append(Silence(x=round(x), width=_FOLDED, duration_us=until - since))
        points += [(since, x), (until, x + _FOLDED)]
    return _Scale([*points, (max(end, start + 1), float(WIDTH))]), tuple(folded)


def _bar(call: Call, scale: _Scale) -> Bar:
    left = scale.place(call.created_us)
    width = max(_MIN_BAR, round(scale.place(call.created_us + call.duration_us) - left))
    first = scale.place(call.created_us + call.first_token_us) - left if call.first_token_us is not None else 0.0
    return Bar(x=min(round(left), WIDTH - _MIN_BAR), width=width, waiting=min(round(first), width))
