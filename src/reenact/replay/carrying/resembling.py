"""Words of earlier answers in texts that are no copies of them: an answer rewritten by the agent on its way.

Four words in a row, small ones not counted, that an answer has and nothing before it had are no accident. Where a way of
rewriting gives the very text, the copy can be made anew; where none does, that the text is made of the answer is known, and how
is not.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from reenact.replay.carrying.linking import precedes
from reenact.replay.carrying.rewriting import rewritings
from reenact.replay.carrying.strand import UNKNOWN_WAY, Origin
from reenact.replay.carrying.tape import Recorded
from reenact.replay.carrying.unpacking import nodes_of
from reenact.replay.carrying.valuing import MISSING, WHOLE, Value, document_in, pieces_of, values_of

_WORD = re.compile(r"[^\W\d_][^\W_]+")
_SMALL = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been but by can could did do does for from had has have he her here his how if in into is it "
        "its may me might more most must my no not of on one or our she should so some such than that the their them then "
        "there these they this those to too us very was we were what when where which who why will with would you your about "
        "also all any each only other don doesn didn isn aren wasn weren won couldn wouldn shouldn ll ve re quot amp lt gt "
        "x27 x2f",
    )
)
"""Words that any two texts have in a row, and what signs are escaped as."""
_ROW = 4
_LETTERS = 16
_SHORTEST = 12
_MOST_SOURCES = 4
_MOST_VALUES = 60
_GAP = 3
"""Words between two rows that may be the agent's own: escaped signs."""

_FACTOR = 1_000_003
_SPREAD = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
_BITS = 24
"""As many bits tell which rows were sent: 2 MB, however long the session is; one that is set by accident hides a row."""


Copy = tuple[int, int, int]
"""Where a copy stands in a text, and the call of whose answer it is a piece; -1 when it is none."""


class Likeness(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a text that has words of answers in a row."""

    start: int
    stop: int
    origins: tuple[Origin, ...]
    is_known: bool
    """Whether a way of rewriting gives the very text."""


class Resemblances:
    """The rows of words of all answers so far, and which rows were sent."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = dict.fromkeys(_SMALL, -1)
        self._answered: dict[int, list[Recorded]] = {}
        self._sent = bytearray(1 << (_BITS - 3))

    def learn(self, call: Recorded) -> None:
        """Take the words of *call*'s answer, but for rows that were sent before."""
        for text in _texts(call):
            for row in dict.fromkeys(self._rows(text, ())):
                if row and not self._was_sent(row):
                    known = self._answered.setdefault(row, [])
                    if len(known) < _MOST_SOURCES and call not in known:
                        known.append(call)

    def find(self, call: Recorded, text: str, copies: Sequence[Copy], until_us: int) -> Iterator[Likeness]:
        """Yield where *text*, but for *copies* in it, has words of answers that came before *call* and until *until_us*.

        What is no copy in it is no evidence for later answers any more, nor for those that came at the same time. A text that a
        known way gives may have copies of pieces of the same answer in it, which are then no copies of their own.
        """
        taken = [(start, stop) for start, stop, _ in copies]
        rows = self._rows(text, taken)
        hits: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        calls: dict[int, Recorded] = {}
        found = [at for at, row in enumerate(rows) if row in self._answered]
        places = self._places(text, taken) if found else []
        for at in found:
            row = rows[at]
            for source in self._answered[row]:
                if source.ended_us <= until_us and precedes(source, call):
                    hits[source.index].append((at, places[at][0], places[at + _ROW - 1][1]))
                    calls[source.index] = source
                else:
                    self._answered[row] = [one for one in self._answered[row] if one is not source]
        self._note(rows)
        yield from _merged(
            [
                _likeness(text, calls[index], start, stop, copies)
                for index, found in hits.items()
                for start, stop in _regions(found)
                if sum(map(str.isalpha, text[start:stop])) >= _LETTERS
            ]
        )

    def may_have_been_sent(self, text: str) -> bool:
        """Return whether every row of a text was sent, other than as a copy; true for a text too short to tell."""
        return all(self._was_sent(row) for row in self._rows(text, ()) if row)

    def _was_sent(self, row: int) -> bool:
        bit = row >> (64 - _BITS)
        return bool(self._sent[bit >> 3] & (1 << (bit & 7)))

    def _note(self, rows: Sequence[int]) -> None:
        sent = self._sent
        for row in rows:
            bit = row >> (64 - _BITS)
            sent[bit >> 3] |= 1 << (bit & 7)

    def _rows(self, text: str, taken: Sequence[tuple[int, int]]) -> list[int]:
        """Return what names each word that counts, with those after it; 0 for a row that has something taken out in it."""
        known = self._numbers
        numbers: list[int] = []
        for at, begin, _ in _between(text, taken):
            for word in _WORD.findall(text, at, begin):
                number = known.setdefault(word.casefold(), len(known))
                if number > 0:
                    numbers.append(number)
            numbers.append(0)
        following = zip(numbers, numbers[1:], numbers[2:], numbers[3:], strict=False)
        return [
            (((a * _FACTOR + b) * _FACTOR + c) * _FACTOR + d) * _SPREAD & _MASK if a and b and c and d else 0
            for a, b, c, d in following
        ]

    def _places(self, text: str, taken: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return where the words that count stand, and what is taken out among them."""
        found: list[tuple[int, int]] = []
        for at, begin, end in _between(text, taken):
            words = _WORD.finditer(text, at, begin)
            found += [word.span() for word in words if self._numbers[word[0].casefold()] > 0]
            found.append((begin, end))
        return found


def _between(text: str, taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """Yield where each piece of *text* that is not *taken* starts and ends, and where what is taken after it does."""
    at = 0
    for begin, end in [*taken, (len(text), len(text))]:
        yield at, begin, end
        at = end


def _likeness(text: str, source: Recorded, start: int, stop: int, copies: Sequence[Copy]) -> Likeness:
    """Return what the words from *start* to *stop* are of *source*'s answer: rewritten, or made of it in some way."""
    words = " ".join(_plain_words(text[start:stop])[:_ROW])
    taken = [(begin, end) for begin, end, piece_of in copies if piece_of != source.index]
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


def _texts(call: Recorded) -> Iterator[str]:
    """Yield what an answer says; of JSON the texts in it, since its names are the request's own words."""
    if call.answer is None or call.answer.message is None:
        return
    message = call.answer.message
    for text in (message.text, *(use.arguments for use in message.tool_uses)):
        document = document_in(text) if text.lstrip()[:1] in ("{", "[") else MISSING
        if document is MISSING:
            yield text
        else:
            yield from (value for _, value in nodes_of(document) if isinstance(value, str))


def _values(call: Recorded, words: str) -> list[Value]:
    """Return the texts in an answer that have these words in a row, its whole text first."""
    assert call.answer is not None
    found = values_of(call.answer) + (pieces_of(call.answer.message) if call.answer.message else [])
    texts = [one for one in found if isinstance(one.value, str)]
    return [one for one in texts if words in " ".join(_plain_words(one.value))][:_MOST_VALUES]


def _plain_words(text: str) -> list[str]:
    words = (word.casefold() for word in _WORD.findall(text))
    return [word for word in words if word not in _SMALL]
