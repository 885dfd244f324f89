"""What stands beside a copy, on its line or in its place elsewhere, and tells what it is a copy of, or that it is none."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from reenact.replay.carrying.strand import Origin, Span, flat
from reenact.replay.carrying.valuing import Place
from reenact.replay.carrying.weighing import is_set_off

Row = tuple[int, Place]
"""An object in the answer of a call."""

_LONGEST_FILLING = 60
_WORD = re.compile(r"\w+")


def beside(span: Span, spans: Sequence[Span], text: str) -> Span:
    """Return *span* judged by what its line surely holds besides: other fields of one object, or another part of one answer.

    Of all that it may be a copy of, it is one of that object or that answer; set off by signs, it surely is.
    """
    if not span.origins:
        return span
    start, stop = text.rfind("\n", 0, span.start) + 1, text.find("\n", span.stop)
    line = [one for one in spans if one is not span and start <= one.start and (stop < 0 or one.stop <= stop)]
    rows = _rows(line)
    of_row = tuple(one for one in span.origins if _row_of(one) in rows)
    if of_row:
        is_sure = span.is_sure or is_set_off(text, span.start, span.stop)
        rule = span.rule if span.is_sure or not is_sure else f"{span.rule}, beside others of its object"
        return msgspec.structs.replace(span, origins=of_row, is_sure=is_sure, rule=rule)
    calls = {origin.call for origin in span.origins}
    there = near_calls(line) & calls
    if len(calls) < 2 or len(there) != 1:
        return span
    return msgspec.structs.replace(span, origins=tuple(one for one in span.origins if one.call in there))


def _rows(spans: Sequence[Span]) -> set[Row]:
    """Return the objects of which *spans* surely hold a field that no other object has."""
    found = ({_row_of(origin) for origin in span.origins} for span in spans if span.is_sure)
    return {row for rows in found if len(rows) == 1 for row in rows if row is not None}


def _row_of(origin: Origin) -> Row | None:
    """Return the object that a value is a field of; None when it is of none."""
    place = origin.place
    if place.kind not in ("json", "tool_use") or not place.steps or isinstance(place.steps[-1], int):
        return None
    return origin.call, msgspec.structs.replace(place, steps=place.steps[:-1])


def near_calls(spans: Sequence[Span]) -> set[int]:
    """Return the calls of which *spans* surely hold something that no other call said."""
    return {
        span.origins[0].call for span in flat(spans) if span.is_sure and len({one.call for one in span.origins}) == 1
    }


def on_line(before: str) -> str:
    """Return what stands before a copy, without the line before it where its own line has a word: lists begin somewhere."""
    line = before[before.rfind("\n") + 1 :]
    return f"\n{line}" if len(line) < len(before) and any(sign.isalpha() for sign in line) else before


def words_around(text: str, start: int, stop: int) -> tuple[str, ...]:
    """Return the words beside a piece of a text on its line, two on each side."""
    before, after = text[text.rfind("\n", 0, start) + 1 : start], text[stop:].split("\n", 1)[0]
    return (*_WORD.findall(before)[-2:], "", *_WORD.findall(after)[:2])


def between(before: str, after: str, text: str) -> Iterator[str]:
    """Yield what stands between two texts on one line of *text*, wherever it does; not what is long."""
    at = text.find(before)
    while at >= 0:
        start = at + len(before)
        stop = text.find(after, start + 1, start + _LONGEST_FILLING) if after else len(text)
        if stop >= 0 and "\n" not in text[start:stop]:
            yield text[start:stop]
        at = text.find(before, at + 1)
