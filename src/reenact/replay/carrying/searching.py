"""Find where the texts of earlier values stand in a text: every occurrence, with how much it says."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from reenact.replay.carrying.linking import precedes
from reenact.replay.carrying.spelling import spellings, spellings_as_is
from reenact.replay.carrying.tape import Recorded
from reenact.replay.carrying.valuing import PIECES, WHOLE, Place, Value, pieces_of, values_of
from reenact.replay.carrying.weighing import Weight, is_word_there, stands_alone, weigh
from reenact.replay.carrying.wrapping import PLAIN, wrapped_at

_SHORTEST_BEGINNING = 32
_BEGINNINGS = (10, 3, 1)
"""By how many letters texts are looked up; the longest that a text has."""
_QUOTED = frozenset({"JSON", "ASCII JSON", "Python"})


class Known(msgspec.Struct, frozen=True, eq=False):
    """A text that an earlier value may stand as."""

    text: str
    call: Recorded
    place: Place
    spellings: tuple[str, ...]
    """The names of those that give this text."""
    weight: Weight
    value: str = ""
    """The value, where it is a text that stands there as it is or trimmed."""

    @property
    def has_edges(self) -> bool:
        """Whether the value has space around it, so that trimming it would show."""
        return self.value != self.value.strip()

    @property
    def beginning(self) -> int:
        """How many letters of it stand together wherever it stands: those of its first line, which may stand by itself."""
        first = len(self.text.split("\n", 1)[0].rstrip())
        return first if first >= _BEGINNINGS[1] else len(self.text)


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
        tuple(known for value in pieces if (known := _piece(call, value)).weight >= Weight.PHRASE),
    )


class Index:
    """The texts of all answers so far, found by how they begin: one walk over a text finds them all."""

    def __init__(self) -> None:
        self._by_beginning: dict[int, dict[str, list[Known]]] = {length: defaultdict(list) for length in _BEGINNINGS}

    def add(self, one: Answered) -> None:
        """Take the texts of one answer."""
        for known in (*one.whole, *one.pieces, *_cut_short(one.call)):
            length = _looked_up(known.beginning)
            self._by_beginning[length][known.text[:length]].append(known)

    def hits(self, text: str, asked: Recorded, until_us: int) -> Iterator[Hit]:
        """Yield where answers stand in *text* that came before *asked* and until *until_us*.

        Pieces of an answer only where it does not stand as a whole, and its cut beginning only where no piece covers it.
        """
        by_call: dict[int, list[Hit]] = defaultdict(list)
        for hit in self._all(text):
            call = hit.known.call
            if call.ended_us <= until_us and precedes(call, asked):
                by_call[call.index].append(hit)
        for found in by_call.values():
            yield from _worth(found)

    def _all(self, text: str) -> Iterator[Hit]:
        for length, known_texts in self._by_beginning.items():
            if not known_texts:
                continue
            ends = range(length, len(text) + 1)
            for end in [end for end in ends if text[end - length : end] in known_texts]:
                for known in known_texts[text[end - length : end]]:
                    hit = _hit(text, end - length, known)
                    if hit is not None:
                        yield hit


def _looked_up(beginning: int) -> int:
    """Return by how many letters a text is looked up of which so many stand together."""
    longest, middle, shortest = _BEGINNINGS
    return longest if beginning >= longest else middle if beginning >= middle else shortest


def _worth(found: Sequence[Hit]) -> Iterator[Hit]:
    """Yield the hits of one answer that say something beside the others."""
    pieces = [hit for hit in found if hit.known.place.kind in PIECES]
    cut = [hit for hit in found if hit.known.place.kind == "beginning"]
    whole = [hit for hit in found if hit.known.place.kind not in PIECES and hit.known.place.kind != "beginning"]
    yield from whole
    if any(hit.known.place == WHOLE for hit in whole):
        return
    yield from pieces
    for hit in cut:
        if not any(one.start <= hit.start and one.stop >= hit.stop - 3 for one in (*whole, *pieces)):
            yield hit


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
    for text, names in spellings(value.value).items():
        weight = weigh(text)
        if weight is not Weight.NOTHING or value.place == WHOLE:
            own = value.value if isinstance(value.value, str) and names[0] in PLAIN else ""
            yield Known(text, call, value.place, tuple(names), weight, own)


def _piece(call: Recorded, value: Value) -> Known:
    """Return a piece of a text, which stands elsewhere as it is if at all."""
    text = str(value.value)
    return Known(text, call, value.place, tuple(spellings_as_is(text)), weigh(text), text)


def _hit(text: str, start: int, known: Known) -> Hit | None:
    """Return the occurrence of *known* at *start*; None when it does not stand there, or only as part of a word."""
    if known.place.kind == "beginning":
        length = _shared(known.text, text[start : start + len(known.text)])
        if length < _SHORTEST_BEGINNING or length == len(known.text):
            return None
        place = Place("beginning", length)
        cut = Known(known.text[:length], known.call, place, known.spellings, Weight.TEXT)
        return Hit(start, start + length, cut, Weight.TEXT)
    if not text.startswith(known.text, start):
        return _wrapped_hit(text, start, known) if "\n" in known.text and known.value else None
    stop = start + len(known.text)
    is_all = known.place == WHOLE and len(text.strip()) <= stop - start
    if not is_all and not (known.weight and _is_possible(text, start, stop, known)):
        return None
    is_raised = known.weight is Weight.PHRASE and stands_alone(text, start, stop)
    return Hit(start, stop, known, Weight.TEXT if is_all or is_raised else known.weight)


def _wrapped_hit(text: str, start: int, known: Known) -> Hit | None:
    """Return the occurrence of a text of several lines that is set line by line, each behind the same signs."""
    found = wrapped_at(text, start, known.value)
    if found is None:
        return None
    there = Known(found[0], known.call, known.place, found[1], Weight.TEXT, known.value)
    return Hit(start, start + len(found[0]), there, Weight.TEXT)


def _cut_short(call: Recorded) -> Iterator[Known]:
    """Yield a long answer's text as one that may stand cut at a length."""
    text = call.answer.message.text.strip() if call.answer and call.answer.message else ""
    if len(text) > _SHORTEST_BEGINNING:
        yield Known(text, call, Place("beginning", len(text)), ("plain",), Weight.TEXT)


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
