"""Saying: which words a filter asks for in any case, and what it asks for beside them."""

from collections.abc import Sequence

import msgspec

from reenact.domain.filter import COLUMNS, All, AnyOf, Condition, Filter, Kind
from reenact.domain.filtering import POSITIVE, check, words
from reenact.store.rolling import apart, time_in
from reenact.store.sqlite.compiling import SIDES, compile_words


class Said(msgspec.Struct, frozen=True):
    """A filter taken apart: calls that said these words, and of which the rest holds."""

    match: str
    """The words, as the index of words is asked for them."""
    sides: frozenset[int]
    """On one of which they all were said."""
    rest: Filter
    from_us: int
    to_us: int
    """What time the rest lets through, `to_us` not in it any more."""


class _Spoken(msgspec.Struct, frozen=True):
    words: frozenset[str]
    sides: frozenset[int]


def said(where: Filter) -> Said | None:
    """Return the words that a call must have said for *where* to hold, on one side or on either; None when it asks for none.

    Raises:
        InvalidFilter: as `compile_query`.
    """
    times, beside = apart(where)
    spoken = [(part, found) for part in beside if (found := _spoken(part)) and found.words]
    if not spoken:
        return None
    sides = min((found.sides for _, found in spoken), key=len)
    chosen = _chosen(spoken, sides)
    from_us, to_us = time_in(times)
    return Said(
        match=compile_words(sorted({word for _, found in chosen for word in found.words})),
        sides=sides,
        rest=All((*times, *(part for part in beside if part not in [part for part, _ in chosen]))),
        from_us=from_us,
        to_us=to_us,
    )


def _chosen(spoken: Sequence[tuple[Filter, _Spoken]], sides: frozenset[int]) -> Sequence[tuple[Filter, _Spoken]]:
    """Return what one entry of the index answers together: everything that was said on one side, or one part of either."""
    alike = [one for one in spoken if one[1].sides == sides]
    return alike if len(sides) == 1 else alike[:1]


def _spoken(part: Filter) -> _Spoken | None:
    """Return what *part* asks for, when that is words alone: on one side, or the same ones on either."""
    if isinstance(part, Condition) and COLUMNS.get(part.column) is Kind.SEARCH and part.operator not in POSITIVE:
        check(part)
        return _Spoken(frozenset(words(str(part.value))), frozenset({SIDES[part.column]}))
    if isinstance(part, AnyOf) and part.of:
        each = [_spoken(one) for one in part.of]
        known = [one for one in each if one is not None]
        if len(known) == len(each) and len({one.words for one in known}) == 1:
            return _Spoken(known[0].words, frozenset().union(*(one.sides for one in known)))
    return None
