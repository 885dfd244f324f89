"""What stood at the places of prompts: it tells whether a short value there is a copy, or filled in by a program.

A place is what stands around a value. With other values of its kind there it is a copy; with what no answer said it is none.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import cached_property

import msgspec

from reenact.replay.carrying.measuring import MEASURE
from reenact.replay.carrying.neighbouring import between, words_around
from reenact.replay.carrying.strand import UNKNOWN_WAY, Span
from reenact.replay.carrying.valuing import Place

Context = tuple[str, ...]

COPY = "\uf8ff"
"""Stands for what is known to be a copy, in the texts that are searched for words of the prompt's own."""
_LEAST_AROUND = 5
"""Letters around a place that make it one."""
_MOST_LOOKED = 50_000_000
"""Characters that are looked through for what stands at places: under a tenth of a second."""


class Places:
    """Takes what stands at places while texts are traced, and judges when all are."""

    def __init__(self, sent: Collection[str]) -> None:
        """Begin; *sent* are the texts that were sent, with COPY in place of what is a copy in them, and may still grow."""
        self._sent = sent
        self._values: dict[tuple[str, ...], set[str]] = defaultdict(set)
        """What stood in a place that short values may be copied to: by kind of value and surroundings."""
        self._counts: dict[Context, list[tuple[str, frozenset[Place]]]] = defaultdict(list)
        """By the words around: numbers that may be made of answers, each with the ways to make it."""
        self._numbers: list[tuple[str, int, int]] = []
        """Numbers in texts that are made of nothing."""
        self._fillings: dict[tuple[str, str], frozenset[str]] = {}
        """What stands between two texts, wherever they stand."""
        self._looked = 0
        """Characters looked through for that."""

    def note(self, place: Place, context: Context, text: str) -> None:
        """Take a value of an answer that stands, as *text*, in *context*."""
        self._values[(*_kind(place), *context)].add(text)

    def note_count(self, context: Context, number: str, ways: frozenset[Place]) -> None:
        """Take a number that may be made of answers in these *ways*."""
        self._counts[context].append((number, ways))

    def note_number(self, text: str, start: int, stop: int) -> None:
        """Take a number of a text that is made of nothing."""
        self._numbers.append((text, start, stop))

    def judged(self, span: Span) -> Span:
        """Return *span* as sure where its place repeats: with other values, or in the same words with other numbers."""
        if span.is_sure or not span.origins:
            return span
        if span.context[:1] == (MEASURE,):
            return self._counted(span)
        seen = self._values.get((*_kind(span.origins[0].place), *span.context), set())
        if len(seen) < 2 or not any(span.context):
            return span
        return msgspec.structs.replace(span, is_sure=True, rule=f"{span.rule}, at a place that repeats")

    def _counted(self, span: Span) -> Span:
        """Return *span* as surely a count where several stand in the same words, and one way to count gives them all."""
        seen = self._counts.get(span.context, [])
        ways = frozenset.intersection(*(places for _, places in seen)) if seen else frozenset()
        origins = tuple(origin for origin in span.origins if origin.place in ways)
        is_told = len({number for number, _ in seen}) > 1 and span.context not in self._plain_numbers
        if not origins or not is_told:
            return span
        return msgspec.structs.replace(
            span, origins=origins, is_sure=True, rule=f"{span.rule}, as others in such words"
        )

    @cached_property
    def _plain_numbers(self) -> dict[tuple[str, ...], set[str]]:
        """The numbers that are made of nothing by the words around; asked for when all texts are traced."""
        found: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for text, start, stop in self._numbers:
            found[MEASURE, *words_around(text, start, stop)].add(text[start:stop])
        return dict(found)

    def is_filled_by_others(self, span: Span, text: str) -> bool:
        """Return whether, at the place of a short value, stands elsewhere what no answer said: a program fills it then."""
        if span.is_sure or span.document is not None or span.origins[0].spelling == UNKNOWN_WAY:
            return False
        if span.context[:1] == (MEASURE,):
            return _counts_on(text[span.start : span.stop], self._plain_numbers.get(span.context, frozenset()))
        if len(span.context) != 2:
            return False
        place = _on_its_line(span.context)
        if sum(sign.isalnum() for sign in "".join(place)) < _LEAST_AROUND:
            return False
        if place not in self._fillings:
            self._fillings[place] = frozenset(self._standing_at(*place))
        return bool(self._fillings[place] - self._said_at.get(place, set()))

    def _standing_at(self, before: str, after: str) -> Iterator[str]:
        """Yield what stands between two texts in all that was sent and is no copy; nothing once too much was looked through."""
        self._looked += sum(map(len, self._sent))
        if self._looked <= _MOST_LOOKED:
            for text in self._sent:
                yield from (found for found in between(before, after, text) if COPY not in found)

    @cached_property
    def _said_at(self) -> dict[tuple[str, str], set[str]]:
        """What stood at each place, on its line, that an answer had said; asked for when all texts are traced."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for at, texts in self._values.items():
            if len(at) == len(("kind", "way", "before", "after")):
                found[_on_its_line(at[2:])] |= texts
        return dict(found)


def _on_its_line(context: tuple[str, ...]) -> tuple[str, str]:
    """Return what stands before a value on its line and after it, from the line's beginning where that is near."""
    before, after = context
    return before[max(before.rfind("\n"), 0) :], after


def _counts_on(number: str, others: Collection[str]) -> bool:
    """Return whether a number comes one or two after another, as in `Part 3`."""
    return number.isdecimal() and bool({str(int(number) - 1), str(int(number) - 2)} & set(others))


def _kind(place: Place) -> tuple[str, str]:
    """Return what names the kind of a value: list positions left out."""
    return place.kind, "/".join("*" if isinstance(step, int) else step for step in place.steps)
