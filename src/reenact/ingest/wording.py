"""What is searched for: the texts of the newest turn and of the answer."""

from collections.abc import Iterable, Sequence

from reenact.dialects.wire import as_json_text
from reenact.domain.message import Answer, Json, Message, Part, Prompt, Reasoning, Role, Text, ToolResult, ToolUse

MOST_CHARACTERS = 20_000
"""Of one side of a call; what stands behind is not found by search."""


def prompt_text(prompt: Prompt) -> str:
    """Return what *prompt* says that no earlier call of its session said: the messages after the last reply."""
    return _joined(newest_turn(prompt.messages))


def answer_text(answer: Answer) -> str:
    """Return what *answer* says, and the error it tells."""
    messages = [answer.message] if answer.message is not None else []
    said = _joined([*messages, *answer.alternatives])
    return f"{said}\n{answer.error}".strip() if answer.error else said


def event_text(body: Json) -> str:
    """Return the words of an event that asked no model: its JSON, bounded."""
    return "" if body is None else as_json_text(body)[:MOST_CHARACTERS]


def with_name(said: str, name: str | None) -> str:
    """Return *said* with the *name* of what the call goes on in, by which it is found as well."""
    return f"{name}\n{said}".strip() if name else said


def newest_turn(messages: Sequence[Message]) -> Sequence[Message]:
    """Return the messages after the last one of the assistant; a prefilled beginning of the reply counts to the turn."""
    replies = [index for index, message in enumerate(messages[:-1]) if message.role is Role.ASSISTANT]
    return messages[replies[-1] + 1 :] if replies else messages


def _joined(messages: Iterable[Message]) -> str:
    """Return the texts of *messages*, cut where they are too long."""
    pieces, left = [], MOST_CHARACTERS
    for message in messages:
        for part in message.parts:
            piece = _text(part)[:left]
            pieces.append(piece)
            left -= len(piece)
    return "\n".join(piece for piece in pieces if piece)


def _text(part: Part) -> str:
    """Return the words of one part."""
    match part:
        case Text(text) | Reasoning(text) | ToolResult(text=text):
            return text
        case ToolUse(name=name, arguments=arguments):
            return f"{name} {arguments}"
        case _:
            return ""
