"""Find where the texts of earlier values stand in a text: every occurrence, with how much it says."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from reenact.replay.carrying.linking import precedes
from reenact.replay.carrying.spelling import spellings
from reenact.replay.carrying.tape import Recorded
from reenact.replay.carrying.valuing import WHOLE, Place, Value, pieces_of, values_of
from reenact.replay.carrying.weighing import Weight, is_word_there, stands_alone, weigh

_SHORTEST_BEGINNING = 32
_QUOTED = frozenset({"JSON", "ASCII JSON", "Python"})


class Known(msgspec.Struct, frozen=True, eq=False):
    """A text that an earlier value may stand as."""

    text: str
    call: Recorded
    place: Place
    spellings: tuple[str, ...]
    """The names of those that give this text."""
    weight: Weight
    has_edges: bool = False
    """Whether the value has space around it, so that trimming it would show."""


class Hit(msgspec.Struct, frozen=True, eq=False):
    """One occurrence."""

    start: int
    stop: int
    known: Known
    weight: Weight
    """That of the text, raised where it stands by itself."""


class Answered(msgspec.Struct, frozen=True, eq=False):
    """The values of one answer: whole ones and fields, and pieces of its text."""

    call: Recorded
    whole: tuple[Known, ...]
    pieces: tuple[Known, ...]


def answered(call: Recorded) -> Answered | None:
    """Return the texts that the values of a call's answer may stand as; None when it was not answered."""
    if call.answer is None:
        return None
    pieces = pieces_of(call.answer.message) if call.answer.message else []
    return Answered(
        call,
        tuple(known for value in values_of(call.answer) for known in _known(call, value)),
        tuple(
            known
            for value in pieces
            for known in _known(call, value)
            if known.weight >= Weight.PHRASE and known.spellings[0] == "plain"
        ),
    )


def hits_of(source: Answered, text: str) -> Iterator[Hit]:
    """Yield where the values of an answer stand in *text*; pieces of it only where it does not stand as a whole."""
    found = [hit for known in source.whole for hit in _find(text, known)]
    yield from found
    if not any(hit.known.place == WHOLE for hit in found):
        cut = [hit for known in source.pieces for hit in _find(text, known)]
        yield from cut
        yield from _beginning(source.call, text, [*found, *cut])


def chosen(hits: Sequence[Hit], taken: Sequence[tuple[int, int]] = ()) -> list[list[Hit]]:
    """Return the hits to take, those at the same place together: strong ones first, then long ones, none overlapping.

    Those that cut into what is *taken* are left out.
    """
    together: dict[tuple[int, int], list[Hit]] = defaultdict(list)
    for hit in hits:
        together[hit.start, hit.stop].append(hit)
    order = sorted(together.items(), key=lambda one: (-max(hit.weight for hit in one[1]), one[0][0] - one[0][1]))
    occupied = list(taken)
    places: list[tuple[int, int]] = []
    for (start, stop), _ in order:
        if all(stop <= begin or start >= end for begin, end in occupied):
            occupied.append((start, stop))
            places.append((start, stop))
    return [sorted(together[place], key=lambda hit: -hit.weight) for place in sorted(places)]


def fitting(text: str, hit: Hit) -> str:
    """Return the spelling that fits the surroundings, of those that give the same text."""
    names = hit.known.spellings
    after = text[hit.stop : hit.stop + 1]
    if text[hit.start - 1 : hit.start] == '"' == after and _is_json_there(text, hit.start - 1, hit.stop + 1):
        return next((name for name in names if name.startswith("escaped")), names[0])
    return names[0]


def _known(call: Recorded, value: Value) -> Iterator[Known]:
    if value.value is None or isinstance(value.value, bool):
        return
    has_edges = isinstance(value.value, str) and value.value != value.value.strip()
    for text, names in spellings(value.value).items():
        weight = weigh(text)
        if weight is not Weight.NOTHING or value.place == WHOLE:
            yield Known(text, call, value.place, tuple(names), weight, has_edges)


def _find(text: str, known: Known) -> Iterator[Hit]:
    start = text.find(known.text)
    while start >= 0:
        stop = start + len(known.text)
        is_all = known.place == WHOLE and len(text.strip()) <= stop - start
        if is_all or (known.weight and _is_possible(text, start, stop, known)):
            is_raised = known.weight is Weight.PHRASE and stands_alone(text, start, stop)
            yield Hit(start, stop, known, Weight.TEXT if is_all or is_raised else known.weight)
        start = text.find(known.text, stop)


def _beginning(source: Recorded, text: str, found: Sequence[Hit]) -> Iterator[Hit]:
    """Yield the beginning of an answer that was cut at a length, unless what is found covers it."""
    answer = source.answer.message.text.strip() if source.answer and source.answer.message else ""
    start = text.find(answer[:_SHORTEST_BEGINNING]) if len(answer) > _SHORTEST_BEGINNING else -1
    if start < 0:
        return
    length = _shared(answer, text[start:])
    if any(hit.start <= start and hit.stop >= start + length - 3 for hit in found):
        return
    known = Known(answer[:length], source, Place("beginning", length), ("plain",), Weight.TEXT)
    yield Hit(start, start + length, known, Weight.TEXT)


def _is_possible(text: str, start: int, stop: int, known: Known) -> bool:
    """Return whether *known* may stand there: short ones only as words, quoted ones only among JSON's or Python's own signs."""
    if known.text[0] in "\"'" and known.spellings[0] in _QUOTED:
        before, after = text[:start].rstrip()[-1:], text[stop:].lstrip()[:1]
        return before in {":", "[", ",", "(", "{"} and after in {",", "]", "}", ")", ":"}
    return known.weight is Weight.TEXT or is_word_there(text, start, stop)


def _is_json_there(text: str, start: int, stop: int) -> bool:
    """Return whether the quoted text from *start* to *stop* stands as a value in JSON."""
    before, after = text[:start].rstrip(), text[stop:].lstrip()
    return before[-1:] in {":", "[", ","} and '"' in before + after and after[:1] in {",", "}", "]"}


def _shared(left: str, right: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


def sources_before(known: Sequence[Answered], call: Recorded) -> list[Answered]:
    """Return the answers that came before *call* was asked."""
    return [one for one in known if precedes(one.call, call)]
