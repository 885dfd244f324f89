"""Find what every request of a session was made of: turns that it keeps, answers, tool results, copies in its texts."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from reenact.domain.message import Message, Role, ToolResult
from reenact.replay.carrying.habits import Habits
from reenact.replay.carrying.keeping import with_boards
from reenact.replay.carrying.linking import AT_ONCE_US, CLOCK_SLACK_US, Link, Linker, turns_in
from reenact.replay.carrying.neighbouring import near_calls
from reenact.replay.carrying.prosing import prose_action
from reenact.replay.carrying.steering import steering
from reenact.replay.carrying.strand import (
    Kept,
    Piece,
    Results,
    Span,
    Strand,
    Turn,
    Woven,
    filtered,
    flat,
    resettled,
    without_copies,
    woven_in,
)
from reenact.replay.carrying.tape import Recorded, Tape
from reenact.replay.carrying.tracing import Tracer, text_of
from reenact.replay.carrying.valuing import PIECES


def weave(tape: Tape) -> tuple[dict[int, Strand], Habits]:
    """Return the strand of every call, by its position, and how the agent was seen to treat texts."""
    weaver = _Weaver()
    strands = {call.index: weaver.add(call) for call in tape}
    weaver.learn()
    settled = {index: weaver.settle(strand) for index, strand in strands.items()}
    return steering(tape, with_boards(settled), weaver.rivals()), weaver.habits


_COMPLAINT = re.compile(
    r"\b(invalid|not (a )?valid|no (valid )?json|not json|error|exception|failed|try again|could ?n[o']t be parsed|parse|retry|"
    r"wrong|incorrect|must be|expected|missing|does not match|again)\b",
    re.IGNORECASE,
)

_LISTED = re.compile(r"\s*(?:\[\w{1,3}\]|\d{1,3}[.)]|[-*•])\s")
_FAILURE = re.compile(r"\b(error|exception|traceback|failed|failure)\b", re.IGNORECASE)
"""What tells a complaint of a program's where a model's words stand in it, too: those may ask for another try themselves."""


class _Weaver:
    def __init__(self) -> None:
        self._linker = Linker()
        self._tracer = Tracer()
        self._calls: dict[int, Recorded] = {}
        self._histories: dict[int, frozenset[int]] = {}
        self._ended_us = 0
        """When the agent was last answered."""

    @property
    def habits(self) -> Habits:
        """How the agent was seen to treat texts."""
        return self._tracer.habits

    def add(self, call: Recorded) -> Strand:
        """Return the strand of the next call."""
        link = self._linker.link(call)
        pieces = tuple(self._pieces(call, link))
        self._tracer.learn(call)
        self._calls[call.index] = call
        is_at_once = call.started_us - self._ended_us < AT_ONCE_US
        self._ended_us = max(self._ended_us, call.ended_us)
        parent = self._calls.get(link.parent) if link else None
        is_prose = parent is not None and _answers_in_words(pieces, parent)
        return Strand(
            recorded=call,
            pieces=pieces,
            is_prose=is_prose,
            complains=parent is not None and not is_prose and is_at_once and _complains(pieces),
            parent=link.parent if link else None,
            is_round=link is not None and _is_round(pieces),
            is_whole=link is not None and link.is_whole and not link.is_held,
            state_of=link.parent if link and link.is_held else None,
        )

    def rivals(self) -> set[int]:
        """Return the calls that ask what another call asks too."""
        return self._linker.rivals()

    def learn(self) -> None:
        """Learn what only all requests together show."""
        self._tracer.learn_ends()

    def settle(self, strand: Strand) -> Strand:
        """Return *strand* with its copies judged by all that was seen, and the calls that it depends on."""
        spans = [span for woven in woven_in(strand.pieces) for found in woven.spans.values() for span in found]
        near = frozenset(near_calls(spans)) | {piece.call for piece in strand.pieces if isinstance(piece, Turn)}
        pieces = tuple(self._settled(piece, near) for piece in strand.pieces)
        said = self._said_in(strand)
        pieces = tuple(_without_quotes(piece, said) if isinstance(piece, Woven) else piece for piece in pieces)
        return msgspec.structs.replace(
            strand,
            pieces=pieces,
            sources=frozenset(_sources(pieces, strand.parent)),
            copied_from=frozenset(_sources(pieces, strand.parent, sure=True)),
        )

    def _said_in(self, strand: Strand) -> frozenset[int]:
        """Return the calls whose answers are turns of the request's own history."""
        turns = {piece.call for piece in strand.pieces if isinstance(piece, Turn)}
        before = self._histories.get(strand.parent, frozenset()) if strand.parent is not None else frozenset()
        self._histories[strand.index] = frozenset(turns | before)
        return self._histories[strand.index]

    def _pieces(self, call: Recorded, link: Link | None) -> Iterator[Piece]:
        messages = call.prompt.messages
        if link is None:
            yield from self._rest(call, 0, len(messages))
            return
        if link.is_held:
            yield from self._news(call, link)
            return
        if link.is_whole:
            yield Kept(start=0, stop=link.kept_from + link.turn - link.back)
        else:
            front = min(link.front, link.back, link.kept_from)
            yield Kept(start=0, stop=front)
            yield from self._rest(call, front, link.back)
            yield Kept(start=link.kept_from, stop=link.kept_from + link.turn - link.back)
        yield Turn(call=link.parent, alternative=link.alternative, messages=messages[link.turn : link.turn_end])
        yield from self._news(call, link)

    def _news(self, call: Recorded, link: Link) -> Iterator[Piece]:
        """Yield what a request says after the answer that it continues: its tools' results together, the rest by itself."""
        messages = call.prompt.messages
        at = link.turn_end
        while at < len(messages):
            end = at
            while end < len(messages) and _gives_results(messages[end]):
                end += 1
            if end > at:
                found = tuple(self._result(call, place, self._calls[link.parent]) for place in range(at, end))
                yield Results(call=link.parent, woven=found)
            else:
                yield self._woven(call, at)
            at = max(end, at + 1)

    def _rest(self, call: Recorded, start: int, end: int) -> Iterator[Piece]:
        """Yield messages that are no part of the parent's history: turns of other calls, and new messages."""
        at = start
        for first, last in turns_in(call, start, end):
            source = self._linker.source_of(call, first, last)
            if source is None:
                continue
            for place in range(at, first):
                yield self._woven(call, place)
            yield Turn(call=source[0], alternative=source[1], messages=call.prompt.messages[first:last])
            at = last
        for place in range(at, end):
            yield self._woven(call, place)

    def _woven(self, call: Recorded, place: int) -> Woven:
        message = call.prompt.messages[place]
        spans = {
            number: self._tracer.trace(call, text)
            for number, part in enumerate(message.parts)
            if (text := text_of(part))
        }
        return Woven(message=message, place=place, spans={number: found for number, found in spans.items() if found})

    def _result(self, call: Recorded, place: int, asker: Recorded) -> Woven:
        """Return a message of tool results with the copies of what was said after *asker* asked for them, as a sub-agent does.

        What stood in a result before may be the world's own: the tool gives the same for the same arguments.
        """
        woven = self._woven(call, place)
        since_us = asker.ended_us - CLOCK_SLACK_US
        spans = {
            number: found
            if not isinstance(woven.message.parts[number], ToolResult)
            else self._made(found, asker, since_us)
            for number, found in woven.spans.items()
        }
        return msgspec.structs.replace(woven, spans={number: found for number, found in spans.items() if found})

    def _made(self, spans: Sequence[Span], asker: Recorded, since_us: int) -> tuple[Span, ...]:
        """Return the copies in a result of what was said since; with them those of the call's own arguments."""

        def is_since(span: Span) -> bool:
            return all(self._calls[origin.call].started_us >= since_us for origin in span.origins)

        if not any(is_since(span) for span in flat(spans)):
            return ()
        return tuple(
            kept
            for span in spans
            if (kept := filtered(span, lambda one: is_since(one) or {o.call for o in one.origins} == {asker.index}))
        )

    def _settled(self, piece: Piece, near: frozenset[int]) -> Piece:
        if isinstance(piece, Results):
            woven = tuple(self._settled_message(one, near) for one in piece.woven)
            return msgspec.structs.replace(piece, woven=woven)
        return self._settled_message(piece, near) if isinstance(piece, Woven) else piece

    def _settled_message(self, woven: Woven, near: frozenset[int]) -> Woven:
        spans = {
            number: self._tracer.settle(found, text_of(woven.message.parts[number]) or "", near)
            for number, found in woven.spans.items()
        }
        return msgspec.structs.replace(woven, spans=spans)


def _without_quotes(woven: Woven, said: frozenset[int]) -> Woven:
    """Return a message with pieces of answers that stand in its own history unsure: people quote what they were told."""
    if woven.message.role is not Role.USER:
        return woven

    def judge(_: str, span: Span) -> Span:
        is_quote = any(origin.call in said and origin.place.kind in PIECES for origin in span.origins)
        return msgspec.structs.replace(span, is_sure=span.is_sure and not is_quote)

    spans = {number: tuple(resettled(span, judge, "") for span in found) for number, found in woven.spans.items()}
    return msgspec.structs.replace(woven, spans=spans)


def _sources(pieces: Sequence[Piece], parent: int | None, *, sure: bool = False) -> Iterator[int]:
    if parent is not None:
        yield parent
    for piece in pieces:
        if isinstance(piece, Turn | Results):
            yield piece.call
    for woven in woven_in(pieces):
        for spans in woven.spans.values():
            yield from (origin.call for span in flat(spans) if span.is_sure or not sure for origin in span.origins)


def _is_round(pieces: Sequence[Piece]) -> bool:
    """Return whether the last piece gives tool results back, and says nothing besides."""
    last = pieces[-1]
    return isinstance(last, Results) and all(
        isinstance(part, ToolResult) for woven in last.woven for part in woven.message.parts
    )


def _answers_in_words(pieces: Sequence[Piece], parent: Recorded) -> bool:
    """Return whether a request says one thing after an answer that asked for something in words."""
    said = parent.answer.message if parent.answer else None
    if said is None or said.tool_uses or len(pieces) < 2 or prose_action(said.text) is None:
        return False
    return isinstance(pieces[-1], Woven) and isinstance(pieces[-2], Turn)


def _complains(pieces: Sequence[Piece]) -> bool:
    """Return whether a request tells its parent that the answer will not do."""
    last = pieces[-1]
    if not isinstance(last, Woven):
        return False
    words = _FAILURE if any(span.is_sure for spans in last.spans.values() for span in spans) else _COMPLAINT
    return last.message.role is Role.USER and any(words.search(line) for line in _edges(_own_text(last)))


def _own_text(woven: Woven) -> str:
    """Return the texts of a message without what surely is a copy."""
    parts = enumerate(woven.message.parts)
    return "".join(without_copies(text_of(part) or "", woven.spans.get(number, ())) for number, part in parts)


def _edges(text: str) -> tuple[str, ...]:
    """Return the first line and the last: what stands between, or in a list, may be quoted, or found somewhere."""
    lines = text.strip().splitlines()
    return tuple(line for line in (*lines[:1], *lines[-1:]) if _LISTED.match(line) is None)


def _gives_results(message: Message) -> bool:
    return message.role is not Role.ASSISTANT and any(isinstance(part, ToolResult) for part in message.parts)
