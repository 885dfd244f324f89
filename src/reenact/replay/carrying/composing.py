"""Make the messages of one request of a take: what the record shows it was made of, with the take's own answers and results."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from reenact.domain.divergence import Doubt, Rewrite, Unknown
from reenact.domain.message import Answer, Json, Message, Part, Role, Text, ToolResult, ToolUse
from reenact.replay.carrying.echoing import Echo, Echoes, echo
from reenact.replay.carrying.spelling import spell
from reenact.replay.carrying.strand import Kept, Origin, Results, Span, Strand, Turn, Woven
from reenact.replay.carrying.tracing import text_of
from reenact.replay.carrying.valuing import MISSING, Place, argument_at, value_at


class Resolved(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A tool call of the take and what it was given back."""

    use: ToolUse
    text: str
    is_error: bool = False
    form: Woven | None = None
    """The recorded message of a result whose place this one takes."""
    is_recorded: bool = True
    """Whether it stands where its form stood: same result, or the one that belongs to the same tool call."""


class Standing(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What stands in a take for one recorded call: itself asked again, or the call with which its tool loop ended."""

    recorded: Answer | None
    """What the recorded call was answered."""
    answer: Answer | None
    """What stands for that now; None when nothing does."""
    history: tuple[Message, ...] = ()
    """The messages of the request that it answered."""
    uses: Mapping[int, int] = {}
    """The new tool call for each recorded one that has one, by their numbers."""
    length: int = 0
    """How many messages the recorded request had."""
    is_itself: bool = True
    """Whether it is the recorded call asked again, or one that ends its tool loop with an answer of its kind."""


class Standings(Protocol):
    """Looks up what stands for recorded calls."""

    def __call__(self, call: int) -> Standing:
        """Return what stands for the recorded call at this position."""
        ...


class Composed(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The messages of a request, and what was written into them."""

    messages: tuple[Message, ...]
    rewrites: tuple[Rewrite, ...] = ()
    doubts: tuple[Doubt, ...] = ()


def compose(strand: Strand, standing: Standings, results: Sequence[Resolved], echoes: Echoes) -> Composed:
    """Return the messages of *strand* in the take; *results* are those of the tool calls of its parent's new answer."""
    composer = _Composer(strand.recorded.prompt.dialect, standing, echoes)
    messages: list[Message] = []
    for piece in strand.pieces:
        if isinstance(piece, Kept):
            messages += composer.kept(strand, piece)
        elif isinstance(piece, Turn):
            messages += composer.turn(piece, is_parent=piece.call == strand.parent)
        elif isinstance(piece, Results):
            messages += composer.results(piece, results)
        else:
            messages.append(composer.woven(piece))
    return Composed(messages=tuple(messages), rewrites=tuple(composer.rewrites), doubts=tuple(composer.doubts))


def written_results(results: Sequence[Resolved], forms: Sequence[Woven]) -> Iterator[Message]:
    """Yield the messages that give *results* back, in the form that *forms*, messages of recorded results, have.

    Several in one message where the recorded ones were; each in its own otherwise.
    """
    together = any(sum(isinstance(part, ToolResult) for part in woven.message.parts) > 1 for woven in forms) or any(
        not isinstance(part, ToolResult) for woven in forms for part in woven.message.parts
    )
    parts = [ToolResult(one.use.id, one.text, one.is_error) for one in results]
    if together and forms:
        others = tuple(part for part in forms[-1].message.parts if not isinstance(part, ToolResult))
        yield msgspec.structs.replace(forms[0].message, parts=(*parts, *others))
        return
    for one, part in zip(results, parts, strict=True):
        form = one.form or (forms[0] if forms else None)
        yield _result_message(one, part, form)


class _Composer:
    def __init__(self, dialect: str, standing: Standings, echoes: Echoes) -> None:
        self._dialect = dialect
        self._standing = standing
        self._echoes = echoes
        self.rewrites: list[Rewrite] = []
        self.doubts: list[Doubt] = []

    def kept(self, strand: Strand, piece: Kept) -> Sequence[Message]:
        """Return messages of the parent's history: all of it where all was kept; else from its start, or as many of its end."""
        assert strand.parent is not None
        parent = self._standing(strand.parent)
        if strand.is_whole:
            return parent.history
        if len(parent.history) != parent.length:
            self._doubt(Unknown.TRIMMED, "The history has another length, and part of it was left out.", strand.parent)
        if piece.start == 0:
            return parent.history[: piece.stop]
        return parent.history[len(parent.history) - (piece.stop - piece.start) :] if piece.stop > piece.start else ()

    def turn(self, piece: Turn, *, is_parent: bool) -> Sequence[Message]:
        """Return the answer of an earlier call as the agent writes it; none for one whose round this take did without."""
        standing = self._standing(piece.call)
        if not standing.is_itself and not is_parent:
            self._doubt(Unknown.TRIMMED, f"The take has no round for call {piece.call}.", piece.call)
            return ()
        recorded = _said(standing.recorded, piece.alternative)
        new = _said(standing.answer, piece.alternative)
        if recorded is None or new is None:
            self._doubt(Unknown.MISSING_VALUE, f"Nothing stands for the answer of call {piece.call}.", piece.call)
            return piece.messages
        if standing.recorded and standing.recorded.alternatives and new != recorded:
            self._doubt(Unknown.PICK, "The agent took one of several answers, and they changed.", piece.call)
        return echo(self._dialect, Echo(recorded, piece.messages), new, self._echoes)

    def results(self, piece: Results, results: Sequence[Resolved]) -> Iterator[Message]:
        """Yield the messages that give tool results back, in the order in which the agent did."""
        order = {id(woven): place for place, woven in enumerate(piece.woven)}
        known = sorted(
            (one for one in results),
            key=lambda one: order.get(id(one.form), len(order)) if one.is_recorded else len(order),
        )
        yield from written_results(known, [self._plain(woven) for woven in piece.woven])

    def woven(self, woven: Woven) -> Message:
        """Return a message with new values in place of the copies in it."""
        if not woven.spans:
            return woven.message
        parts = tuple(self._part(woven, number, part) for number, part in enumerate(woven.message.parts))
        return msgspec.structs.replace(woven.message, parts=parts)

    def text(self, woven: Woven, number: int) -> str:
        """Return the text of one part of a message with new values in place of the copies in it."""
        before = text_of(woven.message.parts[number]) or ""
        pieces: list[str] = []
        at = 0
        for span in woven.spans.get(number, ()):
            pieces += [before[at : span.start], self._written(woven, number, before, span)]
            at = span.stop
        return "".join([*pieces, before[at:]])

    def _plain(self, woven: Woven) -> Woven:
        """Return a message of results whose other parts, words of the user beside them, are made anew."""
        if all(isinstance(part, ToolResult) for part in woven.message.parts):
            return woven
        return msgspec.structs.replace(woven, message=self.woven(woven))

    def _part(self, woven: Woven, number: int, part: Part) -> Part:
        if number not in woven.spans:
            return part
        text = self.text(woven, number)
        if isinstance(part, Text | ToolResult):
            return msgspec.structs.replace(part, text=text)
        assert isinstance(part, ToolUse)
        return msgspec.structs.replace(part, arguments=text)

    def _written(self, woven: Woven, number: int, text: str, span: Span) -> str:
        """Return what stands in the place of *span*: the new value, or the recorded text with a doubt."""
        before = text[span.start : span.stop]
        found = {origin: self._value(origin) for origin in span.origins}
        news = {new for new in found.values() if new is not None}
        if news == {before} and None not in found.values():
            return before
        origin = span.origins[0]
        if not span.is_sure:
            self._doubt(
                Unknown.AMBIGUOUS,
                f"{before!r} may be a copy of {origin.place} of call {origin.call}, which is another now.",
                origin.call,
            )
            return before
        if origin.place.kind == "beginning":
            self._doubt(Unknown.TRUNCATED, f"The answer of call {origin.call} was cut at a length.", origin.call)
            return before
        if not news:
            self._doubt(Unknown.MISSING_VALUE, f"Call {origin.call} has no {origin.place} now.", origin.call)
            return before
        if len(news) > 1 or None in found.values():
            self._doubt(
                Unknown.AMBIGUOUS, f"{before[:60]!r} may come from several places, which differ now.", origin.call
            )
            return before
        (new,) = news
        self.rewrites.append(
            Rewrite(
                place=f"/messages/{woven.place}/parts/{number}",
                before=before,
                after=new,
                source=origin.call,
                source_place=str(origin.place),
                rule=span.rule,
            )
        )
        return new

    def _value(self, origin: Origin) -> str | None:
        """Return what stands at *origin* in the take, in its spelling; None when nothing does."""
        standing = self._standing(origin.call)
        value = value_in(standing, origin.place)
        return None if value is MISSING else spell(origin.spelling, value)

    def _doubt(self, unknown: Unknown, detail: str, source: int) -> None:
        doubt = Doubt(unknown=unknown, detail=detail, source=source)
        if doubt not in self.doubts:
            self.doubts.append(doubt)


def carried_text(woven: Woven, number: int, standing: Standings) -> tuple[str, tuple[Rewrite, ...], tuple[Doubt, ...]]:
    """Return the text of one part of a recorded message with new values in place of the copies in it."""
    composer = _Composer("", standing, {})
    return composer.text(woven, number), tuple(composer.rewrites), tuple(composer.doubts)


def value_in(standing: Standing, place: Place) -> Json:
    """Return the value at *place* of what stands for a call; MISSING when it has none."""
    if standing.answer is None or not standing.is_itself:
        return MISSING
    if place.kind != "tool_use":
        return value_at(standing.answer, place)
    number = standing.uses.get(place.number)
    uses = standing.answer.message.tool_uses if standing.answer.message else ()
    return MISSING if number is None else argument_at(uses[number].arguments, place.steps)


def _said(answer: Answer | None, alternative: int) -> Message | None:
    if answer is None or alternative == 0:
        return answer.message if answer else None
    others = answer.alternatives
    return others[alternative - 1] if alternative <= len(others) else None


def _result_message(one: Resolved, part: ToolResult, form: Woven | None) -> Message:
    if form is None:
        return Message(role=Role.TOOL, parts=(part,))
    message = form.message
    name = one.use.name if message.name is not None else None
    return msgspec.structs.replace(message, parts=(part,), name=name)
