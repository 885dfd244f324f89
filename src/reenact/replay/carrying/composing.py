"""Make the messages of one request of a take: what the record shows it was made of, with the take's own answers and results.

Long, since every piece that a request can be woven of is written here, and each may doubt what another one wrote.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from reenact.domain.divergence import Doubt, Rewrite, Unknown
from reenact.domain.message import Answer, Json, Message, Part, Role, Text, ToolResult, ToolUse
from reenact.replay.carrying.echoing import Echo, Echoes, echo, example_for, is_copied_whole, shape_of
from reenact.replay.carrying.habits import Habits
from reenact.replay.carrying.keeping import told
from reenact.replay.carrying.measuring import MEASURE, measure_of
from reenact.replay.carrying.rewriting import escapings_in, is_rewriting
from reenact.replay.carrying.spelling import ASCII_TWINS, rivals, spell
from reenact.replay.carrying.strand import UNKNOWN_WAY, Board, Kept, Origin, Packed, Results, Span, Strand, Turn, Woven
from reenact.replay.carrying.surrounding import is_run, names_another_line, reckoned_beside, tells_outcome
from reenact.replay.carrying.tracing import text_of
from reenact.replay.carrying.unpacking import Steps, replaced
from reenact.replay.carrying.valuing import MISSING, WHOLE, Place, argument_at, document_in, value_at
from reenact.replay.carrying.wrapping import PLAIN, is_wrapping, may_wrap, signs_before, ways
from reenact.replay.differing import same


class Resolved(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A tool call of the take and what it was given back."""

    use: ToolUse
    text: str
    is_error: bool = False
    form: Woven | None = None
    """The recorded message of a result whose place this one takes."""
    link: str = ""
    """The id under which the agent writes the tool call, when it is another than the answer's."""
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
    family: str = ""
    """The recorded call's."""
    length: int = 0
    """How many messages the recorded request had."""
    is_itself: bool = True
    """Whether it is the recorded call asked again, or one that ends its tool loop with an answer of its kind."""


class Standings(Protocol):
    """Looks up what stands for recorded calls."""

    def __call__(self, call: int) -> Standing:
        """Return what stands for the recorded call at this position."""
        ...


class Manner(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """How the agent writes, as the session shows it."""

    echoes: Echoes
    habits: Habits


class Composed(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The messages of a request, and what was written into them."""

    messages: tuple[Message, ...]
    rewrites: tuple[Rewrite, ...] = ()
    doubts: tuple[Doubt, ...] = ()


def compose(strand: Strand, standing: Standings, results: Sequence[Resolved], manner: Manner) -> Composed:
    """Return the messages of *strand* in the take; *results* are those of the tool calls of its parent's new answer."""
    composer = _Composer(strand.recorded.prompt.dialect, standing, manner)
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


_TOGETHER = frozenset({"anthropic_messages", "gemini"})
"""Formats that want the results of one answer's tool calls in one message."""


def written_results(dialect: str, results: Sequence[Resolved], forms: Sequence[Woven]) -> Iterator[Message]:
    """Yield the messages that give *results* back, in the form that *forms*, messages of recorded results, have."""
    parts = [ToolResult(one.link or one.use.id, one.text, one.is_error) for one in results]
    if dialect in _TOGETHER and parts:
        if not forms:
            yield Message(role=Role.TOOL, parts=tuple(parts))
            return
        others = tuple(part for part in forms[-1].message.parts if not isinstance(part, ToolResult))
        yield msgspec.structs.replace(forms[0].message, parts=(*parts, *others))
        return
    for one, part in zip(results, parts, strict=True):
        form = one.form or (forms[0] if forms else None)
        yield _result_message(one, part, form)


class _Composer:
    def __init__(self, dialect: str, standing: Standings, manner: Manner) -> None:
        self._habits = manner.habits
        self._dialect = dialect
        self._standing = standing
        self._echoes = manner.echoes
        self._links: dict[str, str] = {}
        self._around = ""
        self._spans: Sequence[Span] = ()
        self._place: tuple[str, ...] = ()
        """What is around the copy that is written, which tells whether the same place came before."""
        self._signs = ""
        """What stands on its line before the copy that is written."""
        self._is_end = False
        """Whether a text ends with the copy that is written, and may have been trimmed as a whole."""
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
        if new is not None and not piece.messages:
            return self._new_turn(new, standing.family)
        if recorded is None or new is None:
            self._doubt(Unknown.MISSING_VALUE, f"Nothing stands for the answer of call {piece.call}.", piece.call)
            return piece.messages
        if standing.recorded and standing.recorded.alternatives and new != recorded:
            self._doubt(Unknown.PICK, "The agent took one of several answers, and they changed.", piece.call)
        if _has_edges(new) and not _has_edges(recorded) and not is_copied_whole(Echo(recorded, piece.messages)):
            new = _trimmed(new) if self._trims(standing.family, piece.call) else new
        shape = shape_of(self._dialect, standing.family, new)
        return self._linked(new, echo(shape, Echo(recorded, piece.messages), new, self._echoes))

    def _linked(self, new: Message, written: Sequence[Message]) -> Sequence[Message]:
        """Return *written*, and note under which ids its tool calls stand there: their results name those."""
        uses = [use for message in written for use in message.tool_uses]
        if len(uses) == len(new.tool_uses):
            self._links |= {use.id: there.id for use, there in zip(new.tool_uses, uses, strict=True)}
        return written

    def _new_turn(self, new: Message, family: str) -> Sequence[Message]:
        """Return an answer that no recorded one stands for as the agent writes others of its shape."""
        shape = shape_of(self._dialect, family, new)
        example = example_for(shape, self._echoes) or Echo(new, (new,))
        return self._linked(new, echo(shape, example, new, self._echoes))

    def results(self, piece: Results, results: Sequence[Resolved]) -> Iterator[Message]:
        """Yield the messages that give tool results back: in the order of their calls, or in the agent's own."""
        order = {id(woven): place for place, woven in enumerate(piece.woven)}
        if not self._are_in_order(piece):
            known = [one for one in results if one.is_recorded]
            results = [
                *sorted(known, key=lambda one: order.get(id(one.form), len(order))),
                *(one for one in results if not one.is_recorded),
            ]
        named = [msgspec.structs.replace(one, link=self._links.get(one.use.id, one.use.id)) for one in results]
        yield from written_results(self._dialect, named, [self._plain(woven) for woven in piece.woven])

    def _are_in_order(self, piece: Results) -> bool:
        """Return whether the recorded results stand in the order of their calls."""
        answer = self._standing(piece.call).recorded
        uses = answer.message.tool_uses if answer and answer.message else ()
        given = [part.id for woven in piece.woven for part in woven.message.parts if isinstance(part, ToolResult)]
        return given == [use.id for use in uses if use.id in given]

    def woven(self, woven: Woven) -> Message:
        """Return a message with new values in place of the copies in it."""
        if not woven.spans:
            return woven.message
        parts = tuple(self._part(woven, number, part) for number, part in enumerate(woven.message.parts))
        return msgspec.structs.replace(woven.message, parts=parts)

    def text(self, woven: Woven, number: int) -> str:
        """Return the text of one part of a message with new values in place of the copies in it."""
        place = f"/messages/{woven.place}/parts/{number}"
        return self._text(text_of(woven.message.parts[number]) or "", woven.spans.get(number, ()), place)

    def _text(self, before: str, spans: Sequence[Span], place: str, *, is_inside: bool = False) -> str:
        pieces: list[str] = []
        at = 0
        for span in spans:
            there = before[span.start : span.stop]
            self._around, self._spans, self._place = before, spans, span.context
            self._signs = signs_before(before, span.start)
            self._is_end = 0 < span.start and span.stop == len(before) and not is_inside
            new = self._at(there, span, place)
            pieces += [before[at : span.start], new]
            at = span.stop
            if new != there and span.origins and span.board is None:
                self._doubt_name(span, new)
        return "".join([*pieces, before[at:]])

    def _at(self, there: str, span: Span, place: str) -> str:
        """Return what stands in the place of *span*."""
        if span.board is not None:
            return self._set_lines(there, span.board, place, span.rule)
        return self._unpacked(there, span.document, place) if span.document else self._written(there, span, place)

    def _set_lines(self, before: str, board: Board, place: str, rule: str) -> str:
        """Return the lines of a board after what the take's answers set."""
        updates: list[tuple[Json, Json]] = []
        for update in board.updates:
            standing = self._standing(update.call)
            pair = (value_in(standing, update.name), value_in(standing, update.value))
            if all(isinstance(one, str) and "\n" not in one for one in pair):
                updates.append(pair)
            else:
                self._doubt(
                    Unknown.MISSING_VALUE,
                    f"Call {update.call} has no {update.name} and {update.value} now, each on one line.",
                    update.call,
                )
        after = told(board, updates)
        if after != before:
            last = board.updates[-1]
            self.rewrites.append(
                Rewrite(
                    place=place, before=before, after=after, source=last.call, source_place=str(last.value), rule=rule
                )
            )
        return after

    def _unpacked(self, before: str, packed: Packed, place: str) -> str:
        """Return a literal with new values in it, in the form that it was written in."""
        changes: dict[Steps, Json] = {}
        names: dict[Steps, str] = {}
        for part in packed.parts:
            inner = f"{place}/{'/'.join(map(str, part.steps))}"
            if part.is_key:
                names[part.steps] = self._text(part.text, part.spans, inner, is_inside=True)
                continue
            if part.copy is None:
                changes[part.steps] = self._text(part.text, part.spans, inner, is_inside=True)
                continue
            values = [value_in(self._standing(origin.call), origin.place) for origin in part.copy.origins]
            if values[0] is MISSING or any(not same(values[0], value) for value in values):
                origin = part.copy.origins[0]
                self._doubt(Unknown.MISSING_VALUE, f"Call {origin.call} has no {origin.place} now.", origin.call)
            else:
                changes[part.steps] = _parsed(values[0], part.copy.origins[0].place)
        value = replaced(packed.value, changes, names)
        if same(value, packed.value):
            return before
        return self._spelled(packed.spelling, value) or before

    def _spelled(self, name: str, value: Json) -> str | None:
        """Return *value* in a spelling, its letters outside ASCII as the agent was seen to write them."""
        written = spell(name, value)
        twin = spell(ASCII_TWINS[name], value) if name in ASCII_TWINS else written
        if twin == written:
            return written
        if len(self._habits.ascii) != 1:
            self._doubt(Unknown.SPACING, "Whether the agent escapes letters outside ASCII is in no record.", 0)
        return twin if True in self._habits.ascii else written

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

    def _written(self, before: str, span: Span, place: str) -> str:
        """Return what stands in the place of *span*: the new value, or the recorded text with a doubt."""
        found = {origin: self._value(origin, before) for origin in span.origins}
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
        self._doubt_findings(span)
        self._doubt_lines(span, before, new)
        self._doubt_reckoned(span)
        self.rewrites.append(
            Rewrite(
                place=place,
                before=before,
                after=new,
                source=origin.call,
                source_place=str(origin.place),
                rule=span.rule,
            )
        )
        return new

    def _doubt_findings(self, span: Span) -> None:
        """Note that what an agent found with a value stands beside it, when that value changes: a query and its passages."""
        origin = span.origins[0]
        if is_run(origin.place) and tells_outcome(self._around, span):
            self._doubt(
                Unknown.TOOL_RESULT,
                f"What the agent found with {origin.place} of call {origin.call} is in no record.",
                origin.call,
            )

    def _doubt_reckoned(self, span: Span) -> None:
        """Note that a date or an amount on the line of a number that is another now may have been worked out of it."""
        found = reckoned_beside(self._around, span, self._spans)
        if found is not None:
            origin = span.origins[0]
            detail = f"{found!r} may follow from {origin.place} of call {origin.call}, which is another now."
            self._doubt(Unknown.DERIVED, detail, origin.call)

    def _doubt_name(self, span: Span, new: str) -> None:
        """Note that a line of named ones gets a name that another one has: programs keep one value for each."""
        if names_another_line(self._around, span, new):
            origin = span.origins[0]
            detail = f"{new!r} of call {origin.call} is the name of another line already: which one it changes is in no record."
            self._doubt(Unknown.DECISION, detail, origin.call)

    def _doubt_lines(self, span: Span, before: str, new: str) -> None:
        """Note that lines were asked for and several come now, on a line that held one: an agent may take the first."""
        origin = span.origins[0]
        line = self._around.partition(before)
        is_inside = line[0][-1:] not in ("", "\n") and span.context not in self._habits.whole_at
        is_longer = "\n" in new.strip() and "\n" not in before.strip()
        if origin.place == WHOLE and is_longer and is_inside and origin.call in self._habits.asked_for_lines:
            detail = f"Whether the agent takes all lines of the answer of call {origin.call} is in no record."
            self._doubt(Unknown.SPACING, detail, origin.call)

    def _value(self, origin: Origin, before: str) -> str | None:
        """Return what stands at *origin* in the take, spelled as *before* was; None when nothing does."""
        standing = self._standing(origin.call)
        value = value_in(standing, origin.place)
        if value is MISSING:
            return None
        recorded = _value_of(standing.recorded, origin.place)
        spelling = origin.spelling
        if spelling == UNKNOWN_WAY:
            return before if recorded is not MISSING and same(value, recorded) else None
        if isinstance(value, str) and value == recorded and spell(spelling, value) == before:
            return before
        end = before[len(before.rstrip()) :]
        if isinstance(value, str) and (is_wrapping(spelling) or self._may_be_wrapped(spelling, value, end)):
            return self._wrapped(origin, value, end)
        has_new_edges = _has_edges_in(value) and isinstance(recorded, str) and not _has_edges_in(recorded)
        has_edges_at_end = self._is_end and _has_edges_in(value)
        if (has_new_edges or has_edges_at_end) and spelling in PLAIN:
            spelling = "trimmed" if self._trims(standing.family, origin.call, is_end=self._is_end) else "plain"
        elif has_new_edges and not is_rewriting(spelling) and self._trims(standing.family, origin.call):
            value = value.strip()
        written = self._spelled(spelling, value)
        if written is not None and spelling in PLAIN and isinstance(recorded, str):
            written = self._escaped(origin, recorded, written)
        seen = self._habits.rewritings.get(self._place)
        others = [one for one in rivals(spelling, recorded, before) if not seen or one in seen]
        if any(spell(name, value) != written for name in others):
            self._doubt(
                Unknown.SPACING,
                f"How the agent rewrites the answer of call {origin.call} is in no record.",
                origin.call,
            )
        return written

    def _escaped(self, origin: Origin, recorded: str, written: str) -> str:
        """Return a text escaped for HTML where others in the same prompt are and the recorded one had nothing to escape."""
        ways = escapings_in(self._around)
        if any(spell(way, recorded) != recorded for way in ways):
            return written
        escaped = [spell(way, written) or written for way in ways]
        if len(set(escaped)) > 1:
            detail = f"Whether quotes of the answer of call {origin.call} are escaped for HTML is in no record."
            self._doubt(Unknown.SPACING, detail, origin.call)
        return escaped[0] if escaped else written

    def _may_be_wrapped(self, spelling: str, value: str, end: str) -> bool:
        """Return whether a text of several lines, or in place of one, comes behind signs that programs set before each.

        One line and the end of it are as many where the agent was seen to set lines so.
        """
        if spelling not in PLAIN or not may_wrap(self._signs):
            return False
        fit = self._habits.wraps.get(self._signs, frozenset())
        is_line_by_line = bool(fit) and fit.isdisjoint(PLAIN)
        return "\n" in (value if is_line_by_line else value.strip()) or "\n" in end

    def _wrapped(self, origin: Origin, value: str, end: str) -> str | None:
        """Return *value* set behind the signs before it by the way that fits all that was seen, with a doubt where several do.

        Set line by line, a text has no space at its *end*; what stands there is the prompt's own.
        """
        fit = self._habits.wraps.get(self._signs, frozenset())
        names = [name for name in ways(self._signs) if name in fit]
        written = [(spell(name, value) or "") + (end if is_wrapping(name) else "") for name in names]
        if len(set(written)) != 1:
            detail = f"How the agent sets several lines behind {self._signs!r} is in no record."
            self._doubt(Unknown.SPACING, detail, origin.call)
        return written[0] if written else value

    def _trims(self, family: str, call: int, *, is_end: bool = False) -> bool:
        """Return whether the agent trims the answers of a kind of call, with a doubt where no record shows."""
        seen = self._habits.trims.get(family) or self._habits.may_keep.get(family, set())
        if is_end and seen != {True}:
            seen = self._habits.trims_at_end.get(family, set())
        if len(seen) != 1:
            self._doubt(Unknown.SPACING, f"Whether the agent trims the answer of call {call} is in no record.", call)
        return seen == {True}

    def _doubt(self, unknown: Unknown, detail: str, source: int) -> None:
        doubt = Doubt(unknown=unknown, detail=detail, source=source)
        if doubt not in self.doubts:
            self.doubts.append(doubt)


def carried_text(
    woven: Woven, number: int, standing: Standings, manner: Manner
) -> tuple[str, tuple[Rewrite, ...], tuple[Doubt, ...]]:
    """Return the text of one part of a recorded message with new values in place of the copies in it."""
    composer = _Composer("", standing, manner)
    return composer.text(woven, number), tuple(composer.rewrites), tuple(composer.doubts)


def value_in(standing: Standing, place: Place) -> Json:
    """Return the value at *place* of what stands for a call; MISSING when it has none."""
    if standing.answer is None or not standing.is_itself:
        return MISSING
    if place.kind != "tool_use":
        return _value_of(standing.answer, place)
    number = standing.uses.get(place.number)
    uses = standing.answer.message.tool_uses if standing.answer.message else ()
    return MISSING if number is None else argument_at(uses[number].arguments, place.steps)


def _value_of(answer: Answer | None, place: Place) -> Json:
    if answer is None:
        return MISSING
    return measure_of(answer, place) if place.kind == MEASURE else value_at(answer, place)


def _said(answer: Answer | None, alternative: int) -> Message | None:
    if answer is None or alternative == 0:
        return answer.message if answer else None
    others = answer.alternatives
    return others[alternative - 1] if alternative <= len(others) else None


def _has_edges(message: Message) -> bool:
    return _has_edges_in(message.text)


def _has_edges_in(value: Json) -> bool:
    return isinstance(value, str) and value != value.strip()


def _trimmed(message: Message) -> Message:
    """Return a turn without the space around its text; its wire object says so too."""
    parts = tuple(
        msgspec.structs.replace(part, text=part.text.strip()) if isinstance(part, Text) else part
        for part in message.parts
    )
    origin = message.origin
    if isinstance(origin, dict) and isinstance(origin.get("content"), str):
        origin = origin | {"content": origin["content"].strip()}
    return msgspec.structs.replace(message, parts=parts, origin=origin)


def _parsed(value: Json, place: Place) -> Json:
    """Return a value that was parsed where it is put: a tool call's arguments as a whole are JSON text."""
    return document_in(value) if isinstance(value, str) and place.kind == "tool_use" and not place.steps else value


def _result_message(one: Resolved, part: ToolResult, form: Woven | None) -> Message:
    if form is None:
        return Message(role=Role.TOOL, parts=(part,))
    message = form.message
    name = one.use.name if message.name is not None else None
    return msgspec.structs.replace(message, parts=(part,), name=name)
