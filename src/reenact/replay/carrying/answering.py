"""Find what the record gives back for a tool call: same tool, same arguments, by assignment, then in order of occurrence.

A recorded failure and a recorded nothing are results like any other; a miss is None.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from reenact.domain.message import ToolResult, ToolUse
from reenact.replay.carrying.matching import canonical_arguments
from reenact.replay.carrying.strand import Results, Strand, Turn, Woven, flat, woven_in


class RecordedResult(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One recorded tool call and its result."""

    call: int
    """The call whose answer asked for it."""
    number: int
    """Which of that answer's tool calls, counted from 0."""
    name: str
    arguments: str
    """Canonical."""
    form: Woven | None
    """The message that gave the result back; None when none did."""
    part: int = 0
    """Which part of that message."""
    is_made: bool = False
    """Whether the result is made of other calls' answers, as a sub-agent's is."""
    changes_frame: bool = False
    """Whether the agent went on with other instructions or tools, as after a hand-over."""
    feeds: bool = False
    """Whether its arguments stand in other requests, as a sub-agent's task does."""

    @property
    def result(self) -> ToolResult | None:
        """The result; None when none was given back."""
        found = self.form.message.parts[self.part] if self.form else None
        return found if isinstance(found, ToolResult) else None


class Shelf:
    """The recorded results of a session, each given out once before any is given out twice."""

    def __init__(self, strands: Mapping[int, Strand]) -> None:
        self._by_call: dict[int, list[RecordedResult]] = defaultdict(list)
        self._by_action: dict[tuple[str, str], list[RecordedResult]] = defaultdict(list)
        self._given: set[tuple[int, int]] = set()
        for one in sorted(_recorded(strands), key=lambda one: (one.call, one.number)):
            self._by_call[one.call].append(one)
            if one.form is not None:
                self._by_action[one.name, one.arguments].append(one)

    @property
    def ending_tools(self) -> frozenset[str]:
        """The tools whose calls were never answered: asking for them is how the agent's loops end."""
        answered = {one.name for calls in self._by_call.values() for one in calls if one.form is not None}
        return frozenset(one.name for calls in self._by_call.values() for one in calls) - answered

    def assign(self, call: int, uses: Sequence[ToolUse]) -> dict[int, RecordedResult]:
        """Return the recorded tool call for each new one of the answer that stands for *call*, by the new one's number.

        Same tool and arguments first, in order; then, for tools that are played by other calls of the session, the same tool.
        """
        free = list(self._by_call.get(call, ()))
        found: dict[int, RecordedResult] = {}
        for number, use in enumerate(uses):
            same = [one for one in free if (one.name, one.arguments) == action_of(use)]
            if same:
                found[number] = same[0]
                free.remove(same[0])
        for number, use in enumerate(uses):
            carried = [one for one in free if one.name == use.name and (one.is_made or one.feeds)]
            if number not in found and carried:
                found[number] = carried[0]
                free.remove(carried[0])
        return found

    def give(self, one: RecordedResult) -> None:
        """Note that this result is given out."""
        self._given.add((one.call, one.number))

    def find(self, use: ToolUse) -> RecordedResult | None:
        """Return the result recorded elsewhere for the same tool and arguments; None for a miss.

        Asked more often than it was recorded, a tool gives the same again when it always gave the same, else it is a miss.
        """
        known = [one for one in self._by_action.get(action_of(use), ()) if not one.is_made and not one.changes_frame]
        fresh = [one for one in known if (one.call, one.number) not in self._given]
        if fresh:
            return fresh[0]
        said = {(one.result.text, one.result.is_error) for one in known if one.result is not None}
        return known[-1] if len(said) == 1 else None

    def made(self, name: str) -> list[RecordedResult]:
        """Return the results of a tool that are made of other calls' answers."""
        return [one for calls in self._by_call.values() for one in calls if one.name == name and one.is_made]

    def forms(self) -> tuple[Woven, ...]:
        """Return a recorded message that gives a result back, as the form of others; none when no result was recorded."""
        return next(((one.form,) for calls in self._by_call.values() for one in calls if one.form is not None), ())


def action_of(use: ToolUse) -> tuple[str, str]:
    """Return the tool and its canonical arguments."""
    return use.name, canonical_arguments(use.arguments)


def _recorded(strands: Mapping[int, Strand]) -> Iterator[RecordedResult]:
    """Yield every tool call of the session, with its result where one was given back."""
    results = _results(strands)
    links = _links(strands)
    rounds = {strand.parent: strand for strand in strands.values() if strand.is_round}
    feeding = _feeding(strands)
    for strand in strands.values():
        answer = strand.recorded.answer
        uses = answer.message.tool_uses if answer and answer.message else ()
        written = links.get(strand.index, ())
        for number, use in enumerate(uses):
            link = written[number] if len(written) == len(uses) else use.id
            form, part = results.get((strand.index, link), (None, 0))
            made = form is not None and any(
                span.is_sure and any(origin.call != strand.index for origin in span.origins)
                for span in flat(form.spans.get(part, ()))
            )
            name, arguments = action_of(use)
            yield RecordedResult(
                call=strand.index,
                number=number,
                name=name,
                arguments=arguments,
                form=form,
                part=part,
                is_made=made,
                changes_frame=strand.index in rounds and rounds[strand.index].frame != strand.frame,
                feeds=(strand.index, number) in feeding,
            )


def _links(strands: Mapping[int, Strand]) -> dict[int, tuple[str, ...]]:
    """Return the link ids under which the agent writes the tool calls of each answer; some agents make their own."""
    found: dict[int, tuple[str, ...]] = {}
    for strand in strands.values():
        for piece in strand.pieces:
            if isinstance(piece, Turn) and not piece.alternative:
                found.setdefault(piece.call, tuple(use.id for message in piece.messages for use in message.tool_uses))
    return found


def _results(strands: Mapping[int, Strand]) -> dict[tuple[int, str], tuple[Woven, int]]:
    found: dict[tuple[int, str], tuple[Woven, int]] = {}
    for strand in strands.values():
        for piece in strand.pieces:
            if isinstance(piece, Results):
                for woven in piece.woven:
                    for number, part in enumerate(woven.message.parts):
                        if isinstance(part, ToolResult):
                            found.setdefault((piece.call, part.id), (woven, number))
    return found


def _feeding(strands: Mapping[int, Strand]) -> set[tuple[int, int]]:
    """Return the tool calls whose arguments stand in other requests, by call and number."""
    return {
        (origin.call, origin.place.number)
        for strand in strands.values()
        for woven in woven_in(strand.pieces)
        for spans in woven.spans.values()
        for span in flat(spans)
        if span.is_sure
        for origin in span.origins
        if origin.place.kind == "tool_use"
    }
