"""What a message says, loosely: what SDKs and agents change when they write an answer into the next request is left out.

Left out are link ids, reasoning, space around texts, empty texts, how arguments are spaced, names and unknown keys.
"""

from collections.abc import Iterable, Sequence

import msgspec

from reenact.domain.digesting import canonical
from reenact.domain.message import Message, Part, Reasoning, Role, Text, ToolResult, ToolUse

Key = tuple[str, ...]
"""What some parts say; equal keys say the same."""


def key_of(message: Message) -> Key:
    """Return what one message says, its role first."""
    if len(message.parts) == 1 and isinstance(one := message.parts[0], Text):  # most of them, and histories are long
        words = one.text.strip()
        return (message.role.value, f"text:{words}") if words else (message.role.value,)
    return (message.role.value, *said(message.parts))


def said(parts: Iterable[Part]) -> Key:
    """Return what *parts* say: texts that follow one another are one."""
    words: list[str] = []
    texts: list[str] = []
    for part in parts:
        if isinstance(part, Text):
            texts.append(part.text)
        elif not isinstance(part, Reasoning):
            _close(texts, words)
            words.append(_word(part))
    _close(texts, words)
    return tuple(words)


def spoken(messages: Iterable[Message]) -> Key:
    """Return what a run of messages of one speaker says, however it is cut into messages."""
    return said(part for message in messages for part in message.parts)


def canonical_arguments(arguments: str) -> str:
    """Return tool arguments as JSON with sorted keys and no spacing; the text itself when it is no JSON."""
    try:
        return canonical(msgspec.json.decode(arguments or "{}")).decode()
    except msgspec.DecodeError:
        return arguments.strip()


def last_turn(messages: Sequence[Message]) -> tuple[int, int] | None:
    """Return start and end of the last run of the assistant's messages; None when it said nothing."""
    end = len(messages)
    while end and messages[end - 1].role is not Role.ASSISTANT:
        end -= 1
    return (turn_start(messages, end), end) if end else None


def turn_start(messages: Sequence[Message], end: int) -> int:
    """Return where the run of the assistant's messages that ends at *end* starts."""
    start = end
    while start and messages[start - 1].role is Role.ASSISTANT:
        start -= 1
    return start


def _close(texts: list[str], words: list[str]) -> None:
    joined = "".join(texts).strip()
    if joined:
        words.append(f"text:{joined}")
    texts.clear()


def _word(part: Part) -> str:
    if isinstance(part, ToolUse):
        return f"use:{part.name}:{canonical_arguments(part.arguments)}"
    if isinstance(part, ToolResult):
        return f"result:{part.text.strip()}"
    return canonical(msgspec.to_builtins(part)).decode()
