"""Rolling: which sums stand ready for a question, and which calls at its edges have to be looked at."""

import math
from collections.abc import Iterator, Sequence

import msgspec

from reenact.domain.filter import All, Condition, Everything, Filter, OneOf, Operator
from reenact.domain.filtering import check, flatten
from reenact.domain.grouping import STEP_US
from reenact.domain.total import Grouping, Step

HOUR_US, DAY_US = STEP_US[Step.HOUR], STEP_US[Step.DAY]
ROLLED = frozenset({"model", "provider", "status"})
"""What sums are kept apart by, beside time."""
_FIRST_US, _LAST_US = -(2**63), 2**63 - 1


class Piece(msgspec.Struct, frozen=True):
    """A time that is answered from sums of one length, or from the calls themselves."""

    span_us: int | None
    """None: from the calls."""
    from_us: int
    to_us: int
    """Not in it any more."""


class Rolled(msgspec.Struct, frozen=True):
    """A question taken apart."""

    where: Filter
    """What must hold beside the time."""
    pieces: tuple[Piece, ...]


def roll(where: Filter, grouping: Grouping) -> Rolled | None:
    """Return how *where* is answered from sums; None when it has to be answered from the calls.

    Raises:
        InvalidFilter: as `compile_query`.
    """
    times, rest = apart(where)
    coarsest = _coarsest(grouping)
    if coarsest is None or not all(map(_is_rolled, rest)):
        return None
    from_us, to_us = time_in(times)
    pieces = tuple(_pieces(from_us, to_us, [span for span in (DAY_US, HOUR_US) if span <= coarsest]))
    if not any(piece.span_us for piece in pieces):
        return None
    return Rolled(where=All(rest), pieces=pieces)


def time_span(where: Filter) -> tuple[int, int] | None:
    """Return the time that *where* asks for, from and to, the latter not in it; None when it asks for anything else.

    Raises:
        InvalidFilter: as `compile_query`.
    """
    times, rest = apart(where)
    return None if any(not isinstance(part, Everything) for part in rest) else time_in(times)


def apart(where: Filter) -> tuple[list[Condition], tuple[Filter, ...]]:
    """Return what *where* says of the time of creation, and what must hold beside it."""
    flat = flatten(where)
    parts = flat.of if isinstance(flat, All) else (flat,)
    times = [part for part in parts if isinstance(part, Condition) and part.column == "created_us"]
    return times, tuple(part for part in parts if part not in times)


def time_in(times: Sequence[Condition]) -> tuple[int, int]:
    """Return the time in which all of *times* hold."""
    bounds = [_bounds(time) for time in times]
    return max((first for first, _ in bounds), default=_FIRST_US), min((last for _, last in bounds), default=_LAST_US)


def _is_rolled(where: Filter) -> bool:
    """Return whether sums that are kept apart tell which calls match."""
    match where:
        case Everything():
            return True
        case Condition(column=column) | OneOf(column=column):
            return column in ROLLED
        case _:
            return all(map(_is_rolled, where.of))


def _coarsest(grouping: Grouping) -> int | None:
    """Return the longest sums that do not reach over the edge of a piece of local time; None: too fine for any."""
    if grouping.count_distinct or (grouping.column is not None and grouping.column not in ROLLED):
        return None
    if grouping.step is None:
        return DAY_US
    if grouping.step is Step.MINUTE or grouping.offset_minutes % 60:
        return None
    return HOUR_US if grouping.step is Step.HOUR or grouping.offset_minutes % (24 * 60) else DAY_US


def _bounds(time: Condition) -> tuple[int, int]:
    """Return the first microsecond that *time* lets through, and the first that it does not any more."""
    check(time)
    value = float(time.value or 0)
    if not math.isfinite(value) or abs(value) >= 2**53:
        lets_all = (value > 0) == (time.operator in {Operator.LT, Operator.LTE})
        return (_FIRST_US, _LAST_US) if lets_all and time.operator is not Operator.EQUALS else (0, 0)
    low, high = math.floor(value), math.ceil(value)
    match time.operator:
        case Operator.GTE:
            return high, _LAST_US
        case Operator.GT:
            return low + 1, _LAST_US
        case Operator.LTE:
            return _FIRST_US, low + 1
        case Operator.LT:
            return _FIRST_US, high
        case _:
            return (low, low + 1) if low == high else (0, 0)


def _pieces(from_us: int, to_us: int, spans_us: list[int]) -> Iterator[Piece]:
    """Yield a time in pieces: the longest sums in the middle, shorter ones and calls beside them."""
    if from_us >= to_us:
        return
    if not spans_us:
        yield Piece(None, from_us, to_us)
        return
    longest, *shorter = spans_us
    begun = from_us if from_us == _FIRST_US else -(-from_us // longest) * longest
    ended = to_us if to_us == _LAST_US else to_us // longest * longest
    if begun >= ended:
        yield from _pieces(from_us, to_us, shorter)
        return
    yield from _pieces(from_us, begun, shorter)
    yield Piece(longest, begun, ended)
    yield from _pieces(ended, to_us, shorter)
