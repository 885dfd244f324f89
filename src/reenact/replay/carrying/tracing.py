"""Find copies of earlier answers inside texts: whole, a field, a line, in any spelling, with the evidence for each."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from reenact.domain.message import Part, Text, ToolResult, ToolUse
from reenact.replay.carrying.linking import precedes
from reenact.replay.carrying.spelling import spellings
from reenact.replay.carrying.strand import Origin, Span
from reenact.replay.carrying.tape import Recorded
from reenact.replay.carrying.valuing import WHOLE, Place, Value, pieces_of, values_of
from reenact.replay.carrying.weighing import Weight, is_word_there, stands_alone, weigh

_SHORTEST_BEGINNING = 32
_CONTEXT = 12
_QUOTED = frozenset({"JSON", "ASCII JSON", "Python"})
_PRIVATE = "\uf8ff"
"""Stands for what is known to be a copy, in the texts that are searched for words of the prompt's own."""


class _Known(msgspec.Struct, frozen=True, eq=False):
    """A text that an earlier value may stand as."""

    text: str
    call: Recorded
    place: Place
    spelling: tuple[str, ...]
    weight: Weight


class _Hit(msgspec.Struct, frozen=True, eq=False):
    start: int
    stop: int
    known: _Known
    reach: Weight
    """Its weight, less what the surroundings take from it."""


def text_of(part: Part) -> str | None:
    """Return the text of a part in which copies may stand; None for parts that have none."""
    if isinstance(part, Text | ToolResult):
        return part.text
    return part.arguments if isinstance(part, ToolUse) else None


class Tracer:
    """Finds copies in texts, call after call in the order of the session."""

    def __init__(self) -> None:
        self._values: list[tuple[Recorded, list[_Known], list[_Known]]] = []
        self._own: dict[int, list[str]] = {}
        self._constants: dict[str, int] = {}
        """Texts without their copies, each with when it was first sent."""
        self._places: dict[tuple[str, ...], set[str]] = defaultdict(set)
        """What stood in a place that short values are copied to: by family, place and surroundings."""

    def learn(self, call: Recorded) -> None:
        """Take the values of *call*'s answer, and the texts of its request as what it may have repeated."""
        self._own[call.index] = [
            text for message in call.prompt.messages for part in message.parts if (text := text_of(part))
        ]
        if call.answer is None:
            return
        whole = [known for value in values_of(call.answer) for known in _known(call, value)]
        pieces = [
            known
            for value in (pieces_of(call.answer.message) if call.answer.message else ())
            for known in _known(call, value)
            if known.weight >= Weight.PHRASE and known.spelling[0] == "plain"
        ]
        self._values.append((call, whole, pieces))

    def trace(self, call: Recorded, text: str) -> tuple[Span, ...]:
        """Return the copies of earlier values in *text*, which stands in the request of *call*, in their order."""
        hits = list(self._hits(call, text))
        chosen = _chosen(hits)
        spans = tuple(self._span(text, together) for together in chosen)
        masked = text
        for span in reversed(spans):
            if span.is_sure:
                masked = masked[: span.start] + _PRIVATE + masked[span.stop :]
        self._constants.setdefault(masked, call.started_us)
        return spans

    def settle(self, text: str, spans: Sequence[Span]) -> tuple[Span, ...]:
        """Return *spans* of a text with short values made sure where their place repeats with other values."""
        return tuple(
            msgspec.structs.replace(span, is_sure=True, rule=f"{span.rule}, at a place that repeats")
            if not span.is_sure and len(self._places[_place_key(text, span)]) > 1
            else span
            for span in spans
        )

    def _hits(self, call: Recorded, text: str) -> Iterator[_Hit]:
        for source, whole, pieces in self._values:
            if not precedes(source, call):
                continue
            found = [hit for known in whole for hit in self._find(text, known)]
            yield from found
            if not any(hit.known.place == WHOLE for hit in found):
                cut = [hit for known in pieces for hit in self._find(text, known)]
                yield from cut
                yield from self._beginnings(source, text, [*found, *cut])

    def _find(self, text: str, known: _Known) -> Iterator[_Hit]:
        start = text.find(known.text)
        if start < 0 or self._is_older(known):
            return
        while start >= 0:
            stop = start + len(known.text)
            is_all = known.place == WHOLE and len(text.strip()) <= stop - start
            if (known.weight and _is_possible(text, start, stop, known)) or is_all:
                alone = stands_alone(text, start, stop)
                reach = Weight.TEXT if (known.weight is Weight.PHRASE and alone) or is_all else known.weight
                yield _Hit(start, stop, known, reach)
            start = text.find(known.text, stop)

    def _is_older(self, known: _Known) -> bool:
        """Return whether the text stood in a request that was sent before the answer came, by another way than as a copy."""
        if known.place != WHOLE and any(known.text in text for text in self._own[known.call.index]):
            return True
        ended = known.call.ended_us
        return any(sent < ended and known.text in text for text, sent in self._constants.items())

    def _beginnings(self, source: Recorded, text: str, found: Sequence[_Hit]) -> Iterator[_Hit]:
        """Yield the beginning of an answer that was cut at a length, unless what is found covers it."""
        answer = source.answer.message.text.strip() if source.answer and source.answer.message else ""
        head = answer[:_SHORTEST_BEGINNING]
        start = text.find(head) if len(answer) > _SHORTEST_BEGINNING else -1
        if start < 0 or any(head in own for own in self._own[source.index]):
            return
        length = _shared(answer, text[start:])
        if any(hit.start <= start and hit.stop >= start + length - 3 for hit in found):
            return
        known = _Known(answer[:length], source, Place("beginning", length), ("plain",), Weight.TEXT)
        yield _Hit(start, start + length, known, Weight.TEXT)

    def _span(self, text: str, together: Sequence[_Hit]) -> Span:
        first = together[0]
        is_sure = first.reach is Weight.TEXT
        origins = tuple(Origin(hit.known.call.index, hit.known.place, _fitting(text, hit)) for hit in together)
        span = Span(
            start=first.start,
            stop=first.stop,
            origins=origins,
            rule=f"{origins[0].spelling}, {'long and unique' if is_sure else 'short'}",
            is_sure=is_sure,
        )
        if not is_sure:
            for hit in together:
                self._places[_place_key(text, span)].add(hit.known.text)
        return span


def _known(call: Recorded, value: Value) -> Iterator[_Known]:
    if value.value is None or isinstance(value.value, bool):
        return
    for text, names in spellings(value.value).items():
        weight = weigh(text)
        if weight is not Weight.NOTHING or value.place == WHOLE:
            yield _Known(text, call, value.place, tuple(names), weight)


def _chosen(hits: Sequence[_Hit]) -> list[list[_Hit]]:
    """Return the hits to take, those at the same place together: strong ones first, then long ones, none overlapping."""
    together: dict[tuple[int, int], list[_Hit]] = defaultdict(list)
    for hit in hits:
        together[hit.start, hit.stop].append(hit)
    order = sorted(together.items(), key=lambda one: (-max(hit.reach for hit in one[1]), one[0][0] - one[0][1]))
    taken: list[tuple[int, int]] = []
    for (start, stop), _ in order:
        if all(stop <= begin or start >= end for begin, end in taken):
            taken.append((start, stop))
    return [sorted(together[place], key=lambda hit: -hit.reach) for place in sorted(taken)]


def _fitting(text: str, hit: _Hit) -> str:
    """Return the spelling that fits the surroundings, of those that give the same text."""
    names = hit.known.spelling
    before, after = text[: hit.start].rstrip(" ")[-1:], text[hit.stop : hit.stop + 1]
    if text[hit.start - 1 : hit.start] == '"' == after and _is_json_there(text, hit.start - 1, hit.stop + 1):
        return next((name for name in names if name in ("escaped", "escaped to ASCII")), names[0])
    if names[0] in ("JSON", "ASCII JSON") and "Python" in names and before == ":" and "'" in text[: hit.start]:
        return "Python"
    return names[0]


def _is_possible(text: str, start: int, stop: int, known: _Known) -> bool:
    """Return whether *known* may stand there: short ones only as words, quoted ones only among JSON's or Python's own signs."""
    if known.text[0] in "\"'" and known.spelling[0] in _QUOTED:
        before, after = text[:start].rstrip()[-1:], text[stop:].lstrip()[:1]
        return before in {":", "[", ",", "(", "{"} and after in {",", "]", "}", ")", ":"}
    return known.weight is Weight.TEXT or is_word_there(text, start, stop)


def _is_json_there(text: str, start: int, stop: int) -> bool:
    """Return whether the quoted text from *start* to *stop* stands as a value in JSON."""
    before, after = text[:start].rstrip(), text[stop:].lstrip()
    return before[-1:] in {":", "[", ","} and '"' in before + after and after[:1] in {",", "}", "]"}


def _place_key(text: str, span: Span) -> tuple[str, ...]:
    origin = origin_family(span)
    return (*origin, text[max(0, span.start - _CONTEXT) : span.start], text[span.stop : span.stop + _CONTEXT])


def origin_family(span: Span) -> tuple[str, ...]:
    """Return what names the kind of place that a span was copied from: list positions left out."""
    place = span.origins[0].place
    steps = "/".join("*" if isinstance(step, int) else step for step in place.steps)
    return (place.kind, steps)


def _shared(left: str, right: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
