"""Recorded messages as a conversation: what each part says, cut where it is long, repeated history shown once."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from reenact.comparison.comparing import answer_text
from reenact.domain.call import Call
from reenact.domain.comparison import Turn
from reenact.domain.digesting import message_digest
from reenact.domain.message import Answer, Media, Message, Part, Reasoning, Role, Text, ToolResult, ToolUse


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a message, ready to be read."""

    kind: str
    """`text`, `reasoning`, `tool_use`, `tool_result`, `media`, `opaque` or `error`: one of the page's styles."""
    title: str
    """The tool's name, the kind of media; empty for text."""
    text: str
    picture: str = ""
    """Where the image is that this is, on this server or in the page; empty for all else."""
    left_out: int = 0
    """Characters that are not shown here."""
    is_error: bool = False


class Bubble(msgspec.Struct, frozen=True, kw_only=True):
    """One message."""

    role: str
    name: str | None
    pieces: tuple[Piece, ...]

    @property
    def characters(self) -> int:
        """How long it is, what is left out included."""
        return sum(len(piece.text) + piece.left_out for piece in self.pieces)


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """One call in a transcript: the messages that are new with it, and its answer."""

    number: int
    call: Call
    repeated: int
    """Messages of its history that earlier calls have shown."""
    asked: tuple[Bubble, ...]
    answered: tuple[Bubble, ...]
    is_readable: bool
    """Whether its request could be read as messages."""


def transcript(turns: Iterable[Turn], *, first: int, skip: int = 0, limit: int) -> list[Scene]:
    """Return the scenes of *turns*, the first of which has the number *first*, each message shown once.

    Args:
        turns: In order of creation.
        first: The position in the session of the first turn, counted from 1.
        skip: How many turns to only look at: their messages count as shown.
        limit: Characters of one part that are shown.
    """
    seen: set[bytes] = set()
    scenes: list[Scene] = []
    for number, turn in enumerate(turns, start=first):
        messages = turn.prompt.messages if turn.prompt else ()
        fresh = _fresh(messages, seen)
        if number - first >= skip:
            scenes.append(
                Scene(
                    number=number,
                    call=turn.call,
                    repeated=len(messages) - len(fresh),
                    asked=bubbles(fresh, limit),
                    answered=answer_bubbles(turn.answer, limit),
                    is_readable=bool(messages),
                )
            )
        seen.update(map(message_digest, messages))
        if turn.answer and turn.answer.message:
            seen.add(message_digest(turn.answer.message))
    return scenes


def _fresh(messages: Sequence[Message], seen: set[bytes]) -> list[Message]:
    """Return the messages from the first new turn on; a new system message does not make old turns new."""
    fresh: list[Message] = []
    is_history = True
    for message in messages:
        if is_history and message_digest(message) in seen:
            continue
        is_history = is_history and message.role is Role.SYSTEM
        fresh.append(message)
    return fresh


def no_picture(_: Media) -> str:
    """Show no picture."""
    return ""


def bubbles(
    messages: Iterable[Message], limit: int, picture: Callable[[Media], str] = no_picture
) -> tuple[Bubble, ...]:
    """Return *messages* ready to be read, each part cut at *limit* characters; *picture* says where an image is."""
    return tuple(
        Bubble(
            role=message.role.value,
            name=message.name,
            pieces=tuple(_piece(part, limit, picture) for part in message.parts if part != Text("")),
        )
        for message in messages
    )


def answer_bubbles(
    answer: Answer | None, limit: int, picture: Callable[[Media], str] = no_picture
) -> tuple[Bubble, ...]:
    """Return what was answered: every choice, and the error; the JSON itself when it has neither."""
    if answer is None:
        return ()
    found = bubbles(filter(None, (answer.message, *answer.alternatives)), limit, picture)
    if answer.error is not None:
        return (*found, _said("error", answer.error, limit))
    return found or (_said("opaque", answer_text(answer), limit),)


def _said(kind: str, text: str, limit: int) -> Bubble:
    piece = _cut(Piece(kind=kind, title="", text=text, is_error=kind == "error"), limit)
    return Bubble(role="assistant", name=None, pieces=(piece,))


def _piece(part: Part, limit: int, picture: Callable[[Media], str]) -> Piece:
    match part:
        case Text():
            piece = Piece(kind="text", title="", text=part.text)
        case Reasoning():
            piece = Piece(kind="reasoning", title="", text=part.text)
        case ToolUse():
            piece = Piece(kind="tool_use", title=part.name, text=pretty(part.arguments))
        case ToolResult():
            piece = Piece(kind="tool_result", title="", text=pretty(part.text), is_error=part.is_error)
        case Media():
            title = part.media_type or part.kind
            piece = Piece(kind="media", title=title, text=_place(part), picture=picture(part))
        case _:
            piece = Piece(kind="opaque", title="", text=pretty(part.json))
    return _cut(piece, limit)


def _place(media: Media) -> str:
    """Return where a medium is, as plain text: a page never loads or links what was recorded."""
    if media.url is not None:
        return media.url
    return f"inline, {len(media.data_base64 or '') * 3 // 4:,} bytes"


def _cut(piece: Piece, limit: int) -> Piece:
    if len(piece.text) <= limit:
        return piece
    return msgspec.structs.replace(piece, text=piece.text[:limit], left_out=len(piece.text) - limit)


def pretty(text: str, limit: int = 1_000_000) -> str:
    """Return JSON objects and lists indented; other text, and text longer than *limit*, as it is."""
    if len(text) > limit or not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return text
