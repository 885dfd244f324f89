"""Tell the agent's own words in a text from what it put among them, by other texts that it made of the same template.

What stands in none of them was put there by a program or a person. Beside a copy of an answer that is another one now it may be
another, too: what tests said of code, a date that follows from an estimate, a count. Which it is, no record tells.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from reenact.replay.carrying.strand import Span, Strand, flat, woven_in
from reenact.replay.carrying.tape import Recorded, Tape
from reenact.replay.carrying.tracing import text_of

_TOKEN = re.compile(r"\w+|[^\w\s]")

_COUNTER = re.compile(r"(?:[-*•#(\[]|\s)*\Z")
_COUNTED = re.compile(r"[.):\]]")
_NEXT = re.compile(r"(\w+ )(\d{1,4})")
_ASKED = re.compile(r"\b(?:question|query|task|goal|topic|request|user|customer)\W{0,4}\Z", re.IGNORECASE)
"""How a prompt announces what somebody asked."""

Token = tuple[int, int, str]


class Stretch(msgspec.Struct, frozen=True):
    """Words of a request that are neither a copy nor the template's."""

    text: str
    sent_us: int
    """When they were first sent."""


class Templates:
    """The words that stand beside one another in the requests of each kind of call, session by session."""

    def __init__(self, sessions: Iterable[Iterable[Recorded]]) -> None:
        self._pairs: dict[str, list[set[tuple[str, str]]]] = defaultdict(list)
        for calls in sessions:
            pairs: dict[str, set[tuple[str, str]]] = defaultdict(set)
            seen: set[tuple[str, str]] = set()  # histories repeat what was said before
            for call in calls:
                new = {(call.family, text) for text in _texts(call)} - seen
                seen |= new
                for _, text in new:
                    words = [word for _, _, word in _tokens(text, ())]
                    pairs[call.family].update(zip(["", *words], [*words, ""], strict=True))
            for family, found in pairs.items():
                self._pairs[family].append(found)

    def foreign(self, family: str, text: str, spans: Sequence[Span]) -> Iterator[str]:
        """Yield the words in a row of *text* that are no copies, and that most sessions have not in requests of this kind.

        Not what a prompt announces as asked by somebody, nor what numbers its line: neither is made of answers.
        """
        for start, stop in self._rows(family, text, spans):
            if not _is_expected(text, start, stop):
                yield text[start:stop]

    def _rows(self, family: str, text: str, spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
        known = self._pairs.get(family)
        if not known:
            return
        tokens = _tokens(text, spans)
        start = stop = -1
        for at, (begin, end, word) in enumerate(tokens):
            before = tokens[at - 1][2] if at else ""
            after = tokens[at + 1][2] if at + 1 < len(tokens) else ""
            is_own = not word or self._is_common(known, before, word) or self._is_common(known, word, after)
            if is_own or not word.isalnum():
                if start >= 0:
                    yield start, stop
                start = -1
            else:
                start, stop = begin if start < 0 else start, end
        if start >= 0:
            yield start, stop

    @staticmethod
    def _is_common(known: Sequence[set[tuple[str, str]]], first: str, second: str) -> bool:
        """Return whether two words stand beside one another in at least half of the sessions; a copy is beside anything."""
        return "" not in (first, second) and 2 * sum((first, second) in one for one in known) >= len(known)


def _is_expected(text: str, start: int, stop: int) -> bool:
    line, words = text[text.rfind("\n", 0, start) + 1 : start], text[start:stop]
    is_number = words.isdecimal() and _COUNTED.match(text, stop) is not None
    counted = _NEXT.fullmatch(words)  # `Result 4` after `Result 3`
    is_next = counted is not None and f"{counted[1]}{int(counted[2]) - 1}" in text[:start]
    return is_next or (is_number and _COUNTER.match(line) is not None) or _ASKED.search(line) is not None


def foreign_in(strands: Mapping[int, Strand], kin: Sequence[Tape]) -> dict[int, tuple[Stretch, ...]]:
    """Return what each request holds beside copies of answers that is not of its template, as other sessions show that.

    What somebody said by itself, in a message without copies, is said again as it was, and follows from nothing; so is what
    stands alike beside copies of different answers.
    """
    templates = Templates(kin)
    free = [text for strand in strands.values() for text in _free(strand)]
    beside: dict[str, set[frozenset[int]]] = defaultdict(set)
    found: dict[int, list[Stretch]] = defaultdict(list)
    for index, strand in strands.items():
        for woven in woven_in(strand.pieces):
            for number, spans in woven.spans.items():
                text = text_of(woven.message.parts[number]) or ""
                copied = frozenset(origin.call for span in flat(spans) if span.is_sure for origin in span.origins)
                for words in templates.foreign(strand.recorded.family, text, spans) if copied else ():
                    beside[words].add(copied)
                    found[index].append(Stretch(words, strand.recorded.started_us))
    return {
        index: kept
        for index, stretches in found.items()
        if (kept := tuple(one for one in stretches if not _stands_by_itself(one.text, free, beside[one.text])))
    }


def _stands_by_itself(words: str, free: Sequence[str], beside: Collection[frozenset[int]]) -> bool:
    """Return whether words were said in messages without copies, or stand as they are beside copies of different answers."""
    return any(words in text for text in free) or (len(beside) > 1 and not frozenset.intersection(*beside))


def _free(strand: Strand) -> Iterator[str]:
    """Yield the texts of a request's new messages that hold no copies."""
    for woven in woven_in(strand.pieces):
        for number, part in enumerate(woven.message.parts):
            if not any(span.is_sure for span in flat(woven.spans.get(number, ()))) and (text := text_of(part)):
                yield text


def _texts(call: Recorded) -> Iterator[str]:
    for message in call.prompt.messages:
        for part in message.parts:
            if text := text_of(part):
                yield text


def _tokens(text: str, spans: Sequence[Span]) -> list[Token]:
    """Return the words and signs of a text, each with its place; an empty one stands for each copy."""
    found: list[Token] = []
    at = 0
    for start, stop in [*((span.start, span.stop) for span in spans), (len(text), len(text))]:
        found += [(one.start(), one.end(), one[0]) for one in _TOKEN.finditer(text, at, start)]
        found.append((start, stop, ""))
        at = stop
    return found
