"""Which earlier answer a request's history ends with, and how much of that call's own history it keeps.

Told by what messages say, never by which call came before in time: parallel branches and sub-agents each have their own chain.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import compress, count
from operator import ne

import msgspec

from reenact.replay.carrying.matching import Key, key_of, last_turn, said, spoken, turn_start
from reenact.replay.carrying.tape import Recorded, Tape

AT_ONCE_US = 1_500_000
"""Within so much time after an answer an agent goes on by itself; people take longer."""
CLOCK_SLACK_US = 250_000
"""An agent may go on before the gateway has seen the last byte leave."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """How a request continues an earlier call.

    The request's messages are: *front* ones of the parent's, others, then those of the parent from *kept_from* on (which
    begin at *back* in the request), then the parent's answer from *turn* to *turn_end*, then what is new.
    """

    parent: int
    alternative: int
    """Which of the parent's answers; 0 unless it was asked for several."""
    front: int
    back: int
    kept_from: int
    turn: int
    turn_end: int

    @property
    def is_held(self) -> bool:
        """Whether the provider holds the history, and the request only names the answer that it follows."""
        return self.turn == self.turn_end

    @property
    def is_whole(self) -> bool:
        """Whether the parent's whole history is kept."""
        return self.back == self.kept_from and self.front >= self.back


class Linker:
    """Finds links, call after call in the order of the session: each answer is continued once before any is continued twice."""

    def __init__(self) -> None:
        self._answers: dict[Key, list[tuple[Recorded, int]]] = defaultdict(list)
        self._by_id: dict[str, Recorded] = {}
        self._numbers: dict[Key, int] = {}
        """A number for all that messages said so far, so that long histories are compared by numbers."""
        self._histories: dict[int, tuple[int, ...]] = {}
        """What each request says, message by message."""
        self._continued: dict[tuple[int, int], int] = defaultdict(int)

    def link(self, call: Recorded) -> Link | None:
        """Return how *call* continues an earlier one; None when its history ends with no known answer."""
        numbers = self._numbers
        history = tuple(numbers.setdefault(key_of(message), len(numbers)) for message in call.prompt.messages)
        self._histories[call.index] = history
        found = self._by_response_id(call) or self._by_turn(call, history)
        if found:
            self._continued[found.parent, found.alternative] += 1
        self._learn(call)
        return found

    def source_of(self, call: Recorded, start: int, end: int) -> tuple[int, int] | None:
        """Return the call and the alternative that said the messages from *start* to *end* of a request; None when none did."""
        said_there = spoken(call.prompt.messages[start:end])
        known = [one for one in self._answers.get(said_there, ()) if precedes(one[0], call)]
        if not said_there or not known:
            return None
        before = self._histories[call.index][:start]
        best = max(known, key=lambda one: (_shared_end(before, self._histories[one[0].index]), -one[0].index))
        return best[0].index, best[1]

    def rivals(self) -> set[int]:
        """Return the calls that ask what another call asks too, so that the agent may take one answer and leave the others."""
        asked: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, history in self._histories.items():
            asked[history].append(index)
        return {index for calls in asked.values() if len(calls) > 1 for index in calls}

    def _by_turn(self, call: Recorded, history: tuple[int, ...]) -> Link | None:
        """Return the link by the last thing that the assistant said in the request."""
        turn = last_turn(call.prompt.messages)
        if turn is None:
            return None
        start, end = turn
        said_there = spoken(call.prompt.messages[start:end])
        before = history[:start]
        links = [
            self._link(before, parent, alternative, end)
            for parent, alternative in self._answers.get(said_there, ())
            if said_there and precedes(parent, call)
        ]
        return max(links, key=self._preference, default=None)

    def _preference(self, link: Link) -> tuple[int, ...]:
        """Return how well a link fits, better ones higher: most history shared, not yet continued, first asked."""
        return (
            link.is_whole,
            link.turn - link.back,
            link.front,
            -self._continued[link.parent, link.alternative],
            -link.parent,
        )

    def _link(self, before: tuple[int, ...], parent: Recorded, alternative: int, turn_end: int) -> Link:
        theirs = self._histories[parent.index]
        shared = _shared_end(before, theirs)
        return Link(
            parent=parent.index,
            alternative=alternative,
            front=_shared_start(before, theirs),
            back=len(before) - shared,
            kept_from=len(theirs) - shared,
            turn=len(before),
            turn_end=turn_end,
        )

    def _by_response_id(self, call: Recorded) -> Link | None:
        """Return the link by the provider's own id of the answer that is continued (OpenAI's Responses API)."""
        parent = self._by_id.get(str(call.prompt.parameters.get("previous_response_id")))
        if parent is None or not precedes(parent, call):
            return None
        return Link(parent=parent.index, alternative=0, front=0, back=0, kept_from=0, turn=0, turn_end=0)

    def _learn(self, call: Recorded) -> None:
        if call.answer is None:
            return
        if call.answer.response_id:
            self._by_id[call.answer.response_id] = call
        messages = [call.answer.message, *call.answer.alternatives]
        for alternative, message in enumerate(messages):
            if message is not None and (key := said(message.parts)):
                self._answers[key].append((call, alternative))


def precedes(one: Recorded, other: Recorded) -> bool:
    """Return whether *one* was answered before *other* was asked."""
    return one.index < other.index and one.ended_us <= other.started_us + CLOCK_SLACK_US


def links_of(tape: Tape) -> dict[int, Link]:
    """Return the link of each call that has one, by its position."""
    linker = Linker()
    found = {call.index: linker.link(call) for call in tape}
    return {index: link for index, link in found.items() if link is not None}


def turns_in(call: Recorded, start: int, end: int) -> list[tuple[int, int]]:
    """Return the runs of the assistant's messages between *start* and *end* of a request."""
    runs: list[tuple[int, int]] = []
    messages = call.prompt.messages[:end]
    while (turn := last_turn(messages)) is not None and turn[1] > start:
        first = max(start, turn_start(messages, turn[1]))
        runs.insert(0, (first, turn[1]))
        messages = messages[:first]
    return runs


def _shared_start(left: Sequence[int], right: Sequence[int]) -> int:
    return _shared(left, right, min(len(left), len(right)))


def _shared_end(left: Sequence[int], right: Sequence[int]) -> int:
    return _shared(reversed(left), reversed(right), min(len(left), len(right)))


def _shared(left: Iterable[int], right: Iterable[int], most: int) -> int:
    """Return after how many the two differ, without a step of Python's own for each that they share."""
    return next(compress(count(), map(ne, left, right)), most)
