"""Numbers that programs make of answers: how many words, letters, lines or items, sums and means of what they say.

Such a number in a later text is no copy, and no rule is taken for granted that makes it again; but that it would be another one
now can be told.
"""

import re
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from reenact.domain.message import Answer, Json
from reenact.replay.carrying.linking import CLOCK_SLACK_US, precedes
from reenact.replay.carrying.strand import UNKNOWN_WAY, Origin
from reenact.replay.carrying.tape import Recorded
from reenact.replay.carrying.valuing import MISSING, Place, document_in

Steps = tuple[str | int, ...]

MEASURE = "measure"
"""The kind of place that such a number has."""

_NUMBER = re.compile(r"(?<![\w.,$€£/:-])(?<!\d[,;/|])(?<!\d[,;/|] )\d{1,7}(?:\.\d{1,4})?(?![\w/%-]|[.,:]\d|[,;/|] ?\d)")
"""Those that stand in a row with others are left out."""
_COUNTER = re.compile(r"[.)\]]\s")
_WORD = re.compile(r"\w+")
_SENTENCE = re.compile(r"[.!?]+(?:\s|$)")
_BULLET = re.compile(r"[ \t]*(?:[-*•]|\d{1,3}[.):])[ \t]+")
_BLANK = re.compile(r"\n\s*\n")
_COUNTED = tuple(
    Place(MEASURE, 0, steps)
    for steps in (
        ("words", "between spaces"),
        ("words", "of letters"),
        ("letters", "all"),
        ("letters", "trimmed"),
        ("lines", "all"),
        ("lines", "with words"),
        ("sentences", "all"),
        ("paragraphs", "all"),
        ("items", "of a list"),
    )
)
"""What is counted in every text."""
_NEAR = 24
_CONTEXT = 12
_RECENT = 32
"""The calls before a request of which a number in it may be made, beside those whose answers stand beside it."""
_SMALL = 10
_MOST_LISTS = 50
_UNITS = {
    "words": r"\bwords?\b",
    "letters": r"\b(characters?|chars?|letters?|length|long|size)\b",
    "lines": r"\blines?\b",
    "sentences": r"\bsentences?\b",
    "paragraphs": r"\bparagraphs?\b",
    "items": r"^ [a-z]|\b(of|all|the) $|\b(number|count|total)\W{0,3}$",
    "numbers": r"\b(average|mean|avg|total|sum|max|maximum|min|minimum|highest|lowest|best|worst|scores?|rating|rated)\b",
}
_NAMES = {kind: re.compile(words, re.IGNORECASE) for kind, words in _UNITS.items()}
_LARGE_ENOUGH = frozenset({"words", "letters", "numbers"})
"""What is no accident by its size alone."""


class Measures:
    """Says what numbers of a text may be made of: answers that stand beside them, or came lately."""

    def __init__(self) -> None:
        self._calls: dict[int, Recorded] = {}
        self._latest: deque[Recorded] = deque(maxlen=_RECENT)
        self._fields: dict[int, dict[Steps, float]] = {}
        """The numbers in the JSON answers so far."""
        self._measured: dict[int, Mapping[str, Sequence[Place]]] = {}
        """The measures of the answers so far that were asked for, by how each is written."""
        self._sent: dict[tuple[str, str], int] = {}
        """Numbers with what stands before them that nothing was known to make, each with when it was first sent."""

    def learn(self, call: Recorded) -> None:
        """Take *call*'s answer."""
        self._calls[call.index] = call
        self._latest.append(call)
        if fields := _fields_of(call.answer):
            self._fields[call.index] = fields

    def find(
        self, call: Recorded, text: str, taken: Sequence[tuple[int, int]], near: Collection[int], until_us: int
    ) -> Iterator[tuple[int, int, tuple[Origin, ...]]]:
        """Yield where a number stands in *text*, but for what is *taken*, with all that it may be made of.

        With nothing, once, where nothing makes it.

        Answers that came until *until_us* and before the number was first sent by itself: those of the calls *near*, whose
        copies stand in the text, and the one that came last.
        """
        lately = dict.fromkeys([*self._latest, *(self._calls[index] for index in near)])
        earlier = [one for one in lately if one.ended_us <= until_us and precedes(one, call)]
        material: dict[int, _Material] = {}
        plain: set[tuple[str, str]] = set()
        for start, stop in _numbers_in(text, taken):
            name = (text[max(start - _CONTEXT, 0) : start], text[start:stop])
            if name in plain:
                continue
            until = min(until_us, self._sent.get(name, call.started_us) + CLOCK_SLACK_US)
            if until not in material:  # most numbers of a text are first sent with it
                material[until] = self._material([one for one in earlier if one.ended_us <= until], near)
            there = material[until]
            is_known = name[1] in there.written or there.summed
            origins = there.origins(text, start, stop) if is_known else ()
            if origins or name not in self._sent:
                yield start, stop, origins
            if not origins:
                self._sent.setdefault(name, call.started_us)
            if not is_known:
                plain.add(name)

    def _material(self, known: Sequence[Recorded], near: Collection[int]) -> "_Material":
        """Return what a number may be made of that was first sent when these calls were answered."""
        last = max(known, key=lambda one: one.ended_us, default=None)
        fields: dict[tuple[str, Place], list[tuple[int, float]]] = defaultdict(list)
        for one in known:
            for steps, value in self._fields.get(one.index, {}).items():
                fields[one.family, Place("json", 0, steps)].append((one.index, value))
        measured = tuple(
            (one.index, self._measures_of(one.index, one.answer))
            for one in known
            if one.answer is not None and (one.index in near or one is last)
        )
        return _Material(
            measured=measured,
            written=frozenset(number for _, measures in measured for number in measures),
            summed=tuple((place, tuple(found)) for (_, place), found in fields.items() if len(found) > 1),
        )

    def _measures_of(self, index: int, answer: Answer) -> Mapping[str, Sequence[Place]]:
        if index not in self._measured:
            found: dict[str, list[Place]] = defaultdict(list)
            for place, value in _measures(answer):
                found[value].append(place)
            self._measured[index] = dict(found)
        return self._measured[index]


class _Material(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a number may be made of."""

    measured: tuple[tuple[int, Mapping[str, Sequence[Place]]], ...]
    """Calls with the measures of their answers."""
    written: frozenset[str]
    """All of these measures, as they are written."""
    summed: tuple[tuple[Place, tuple[tuple[int, float], ...]], ...]
    """Numbers at one place of the answers of one kind, each with its call."""

    def origins(self, text: str, start: int, stop: int) -> tuple[Origin, ...]:
        """Return all that the number from *start* to *stop* of a text may be made of."""
        number = text[start:stop]
        measured = tuple(
            Origin(index, place, "plain")
            for index, measures in self.measured
            if number in measures
            for place in _measures_at(text, start, stop, measures[number])
        )
        return measured or self._summed(text, start, stop)

    def _summed(self, text: str, start: int, stop: int) -> tuple[Origin, ...]:
        """Return the numbers in answers of one kind that a number of a text is a sum or a mean of."""
        for place, found in self.summed:
            if _sums_at(text, start, stop, [value for _, value in found]):
                return tuple(Origin(index, place, UNKNOWN_WAY) for index, _ in found)
        return ()


def _numbers_in(text: str, taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield where numbers stand in a text, but for what is *taken* and those that number things or stand in a row."""
    for found in _NUMBER.finditer(text):
        start, stop = found.span()
        is_counter = _COUNTER.match(text, stop) and not text[text.rfind("\n", 0, start) + 1 : start].strip(" [(#")
        if not is_counter and not any(begin < stop and start < end for begin, end in taken):
            yield start, stop


def _measures_at(text: str, start: int, stop: int, places: Sequence[Place]) -> list[Place]:
    """Return those measures of an answer, written as the number from *start* to *stop* of a text is, that it may be.

    A number of one digit says something only beside a word for what is counted, and so does one that counts few things.
    """
    number = text[start:stop]
    return [
        place
        for place in places
        if number != "0"
        and (
            _is_named(text, start, stop, kind := str(place.steps[0]))
            or (kind in _LARGE_ENOUGH and float(number) >= _SMALL)
        )
    ]


def _sums_at(text: str, start: int, stop: int, values: Sequence[float]) -> bool:
    """Return whether a number of a text is a sum or a mean of *values*, and no accident."""
    number = text[start:stop]
    is_told = float(number) >= _SMALL or _is_named(text, start, stop, "numbers")
    return is_told and number in {form for form, _ in _sums(values)}


def measure_of(answer: Answer | None, place: Place) -> Json:
    """Return the measure at *place* of another answer, as it is written; MISSING when it has none."""
    return next((value for one, value in _measures(answer) if one == place), MISSING) if answer else MISSING


def _fields_of(answer: Answer | None) -> dict[Steps, float]:
    """Return the numbers of a JSON answer by the way to each; positions in lists are left out."""
    document = document_in(answer.message.text) if answer and answer.message else MISSING
    return {steps: value for steps, value in _nodes(document) if _is_number(value)}


def _is_named(text: str, start: int, stop: int, kind: str) -> bool:
    before = text[max(start - _NEAR, text.rfind("\n", 0, start) + 1) : start]
    return any(_NAMES[kind].search(side) for side in (before, text[stop : stop + _NEAR].split("\n", maxsplit=1)[0]))


def _measures(answer: Answer) -> Iterator[tuple[Place, str]]:
    text = answer.message.text if answer.message else ""
    lines = text.splitlines()
    full = [line for line in lines if line.strip()]
    counts = (
        len(text.split()),
        len(_WORD.findall(text)),
        len(text),
        len(text.strip()),
        len(lines),
        len(full),
        len(_SENTENCE.findall(text)),
        len([part for part in _BLANK.split(text) if part.strip()]),
        sum(_BULLET.match(line) is not None for line in full),
    )
    yield from zip(_COUNTED, map(str, counts), strict=True)
    document = document_in(text)
    lists = [(steps, value) for steps, value in _nodes(document) if isinstance(value, list)]
    for steps, value in lists[:_MOST_LISTS]:
        yield Place(MEASURE, 0, ("items", *steps)), str(len(value))
        numbers = [one for one in value if _is_number(one)]
        if len(numbers) > 1:
            yield from ((Place(MEASURE, 0, ("numbers", name, *steps)), form) for form, name in _sums(numbers))


def _sums(values: Sequence[float]) -> Iterator[tuple[str, str]]:
    """Yield sum, mean, highest and lowest of some numbers as they may be written, each with its name."""
    mean = sum(values) / len(values)
    for name, value in {"sum": sum(values), "mean": mean, "highest": max(values), "lowest": min(values)}.items():
        yield str(value), name
        if value != int(value):
            yield from ((f"{value:.{digits}f}", f"{name}, {digits} digits") for digits in (0, 1, 2))
        elif isinstance(value, float):
            yield str(int(value)), f"{name}, whole"


def _nodes(document: Json) -> list[tuple[Steps, Json]]:
    """Return the values of a JSON document with the names on the way to each."""
    queue: list[tuple[Steps, Json]] = [] if document is MISSING else [((), document)]
    for way, value in queue:
        if isinstance(value, dict) and len(queue) < _MOST_LISTS * 8:
            queue += [((*way, name), child) for name, child in value.items()]
    return queue


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
