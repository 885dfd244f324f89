"""Words of earlier answers in texts that are no copies of them: an answer rewritten by the agent on its way.

Four words in a row, small ones not counted, that an answer has and nothing before it had are no accident. Where a way of rewriting gives the very text,
the copy can be made anew; where none does, that the text is made of the answer is known, and how is not.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from reenact.replay.carrying.linking import precedes
from reenact.replay.carrying.rewriting import rewritings
from reenact.replay.carrying.strand import Origin
from reenact.replay.carrying.tape import Recorded
from reenact.replay.carrying.valuing import WHOLE, Value, pieces_of, values_of

UNKNOWN_WAY = "in a way that no record shows"
"""The spelling of a text that is made of an answer, nobody knows how."""

_WORD = re.compile(r"[^\W_]+")
_SMALL = frozenset(
    "a an and are as at be been but by can could did do does for from had has have he her here his how if in into is it its may me "
    "might more most must my no not of on one or our she should so some such than that the their them then there these they this "
    "those to too us very was we were what when where which who why will with would you your about also all any each only other "
    "quot amp lt gt".split()
)
"""Words that any two texts have in a row, and what signs are escaped as."""
_ROW = 4
_LETTERS = 16
_SHORTEST = 12
_MOST_SOURCES = 4
_MOST_VALUES = 60
_GAP = 3
"""Words between two rows that may be the agent's own: escaped signs."""

Row = tuple[str, ...]
Word = tuple[int, int, str]


class Likeness(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a text that has words of answers in a row."""

    start: int
    stop: int
    origins: tuple[Origin, ...]
    is_known: bool
    """Whether a way of rewriting gives the very text."""


class Resemblances:
    """The rows of words of all answers so far, and those of all that was sent."""

    def __init__(self) -> None:
        self._answered: dict[Row, list[Recorded]] = defaultdict(list)
        self._sent: dict[Row, int] = {}

    def learn(self, call: Recorded) -> None:
        """Take the words of *call*'s answer."""
        for text in _texts(call):
            for row in {row for row, _, _ in _rows(_words(text, []))}:
                if len(known := self._answered[row]) < _MOST_SOURCES and call not in known:
                    known.append(call)

    def find(self, call: Recorded, text: str, taken: Sequence[tuple[int, int]], until_us: int) -> Iterator[Likeness]:
        """Yield where *text*, but for what is *taken*, has words of answers that came before *call* and until *until_us*.

        What is no copy in it is no evidence for later answers any more.
        """
        rows = list(_rows(_words(text, taken)))
        hits: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        calls: dict[int, Recorded] = {}
        for at, (row, start, stop) in enumerate(rows):
            for source in self._answered.get(row, ()):
                is_before = source.ended_us <= until_us and precedes(source, call)
                if is_before and self._sent.get(row, source.ended_us) >= source.ended_us:
                    hits[source.index].append((at, start, stop))
                    calls[source.index] = source
        for row, _, _ in rows:
            self._sent.setdefault(row, call.started_us)
        yield from _merged(
            [
                _likeness(text, calls[index], start, stop, taken)
                for index, found in hits.items()
                for start, stop in _regions(found)
            ]
        )


def _likeness(text: str, source: Recorded, start: int, stop: int, taken: Sequence[tuple[int, int]]) -> Likeness:
    """Return what the words from *start* to *stop* are of *source*'s answer: rewritten, or made of it in some way."""
    words = " ".join(word for _, _, word in _words(text[start:stop], [])[:_ROW])
    best: tuple[int, int] | None = None
    origins: tuple[Origin, ...] = ()
    for value in _values(source, words):
        for there, names in rewritings(value.value).items():
            at = text.find(there, max(start - len(there), 0), stop + len(there)) if len(there) >= _SHORTEST else -1
            end = at + len(there)
            is_free = at >= 0 and at <= start and end >= stop and all(end <= a or at >= b for a, b in taken)
            if is_free and (best is None or end - at > best[1] - best[0]):
                best, origins = (at, end), (Origin(source.index, value.place, names[0]),)
    if best is None:
        unknown = (Origin(source.index, WHOLE, UNKNOWN_WAY),)
        return Likeness(start=start, stop=stop, origins=unknown, is_known=False)
    return Likeness(start=best[0], stop=best[1], origins=origins, is_known=True)


def _merged(found: Sequence[Likeness]) -> Iterator[Likeness]:
    """Yield likenesses that do not overlap: known ones first; of the same place together."""
    places: list[Likeness] = []
    for one in sorted(found, key=lambda one: (not one.is_known, one.start - one.stop)):
        same = next((n for n, other in enumerate(places) if (other.start, other.stop) == (one.start, one.stop)), None)
        if same is not None:
            origins = tuple(dict.fromkeys([*places[same].origins, *one.origins]))
            places[same] = msgspec.structs.replace(places[same], origins=origins)
        elif all(one.stop <= other.start or one.start >= other.stop for other in places):
            places.append(one)
    yield from places


def _regions(hits: Sequence[tuple[int, int, int]]) -> Iterator[tuple[int, int]]:
    """Yield start and end of rows that follow one another."""
    at, start, stop = hits[0]
    for place, begin, end in hits[1:]:
        if place > at + _ROW + _GAP:
            yield start, stop
            start = begin
        at, stop = place, end
    yield start, stop


def _texts(call: Recorded) -> list[str]:
    if call.answer is None or call.answer.message is None:
        return []
    message = call.answer.message
    return [message.text, *(use.arguments for use in message.tool_uses)]


def _values(call: Recorded, words: str) -> list[Value]:
    """Return the texts in an answer that have these words in a row, its whole text first."""
    assert call.answer is not None
    found = values_of(call.answer) + (pieces_of(call.answer.message) if call.answer.message else [])
    texts = [one for one in found if isinstance(one.value, str)]
    return [one for one in texts if words in " ".join(word for _, _, word in _words(one.value, []))][:_MOST_VALUES]


def _words(text: str, taken: Sequence[tuple[int, int]]) -> list[Word]:
    """Return the words of a text that count, in small letters, each with its place; an empty one stands for what is *taken*."""
    found: list[Word] = []
    at = 0
    for start, stop in [*taken, (len(text), len(text))]:
        there = [(one.start(), one.end(), one[0].casefold()) for one in _WORD.finditer(text, at, start)]
        found += [word for word in there if len(word[2]) > 1 and word[2] not in _SMALL]
        found.append((start, stop, ""))
        at = stop
    return found


def _rows(words: Sequence[Word]) -> Iterator[tuple[Row, int, int]]:
    """Yield every row of words that says something, with its start and end."""
    for at in range(len(words) - _ROW + 1):
        row = tuple(word for _, _, word in words[at : at + _ROW])
        if "" not in row and sum(map(len, row)) >= _LETTERS:
            yield row, words[at][0], words[at + _ROW - 1][1]
