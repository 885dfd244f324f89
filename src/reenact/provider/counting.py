"""Tokens, counted by a rule that anybody can repeat: a word costs one token for each six letters, a sign costs one."""

import re
from collections.abc import Iterable

from reenact.domain.digesting import canonical
from reenact.domain.message import Message, Prompt, Text, ToolResult, ToolUse

_PIECE = re.compile(r"\s*(?:\w{1,6}|[^\w\s])|\s+")
_MESSAGE_OVERHEAD_TOKENS = 3
_MEDIA_TOKENS = 85


def pieces(text: str) -> list[str]:
    """Return *text* cut into its tokens; joined they are *text* again."""
    return _PIECE.findall(text)


def count_text(text: str) -> int:
    """Return how many tokens *text* is."""
    return sum(1 for _ in _PIECE.finditer(text))


def count_prompt(prompt: Prompt) -> int:
    """Return how many tokens a prompt is: its messages and its tools."""
    tools = sum(count_text(tool.name + tool.description) + count_text(_json(tool.schema)) for tool in prompt.tools)
    return tools + sum(_count_message(message) for message in prompt.messages)


def count_tool_uses(uses: Iterable[ToolUse]) -> int:
    """Return how many tokens it takes to ask for tools."""
    return sum(count_text(use.name) + count_text(use.arguments) for use in uses)


def _count_message(message: Message) -> int:
    count = _MESSAGE_OVERHEAD_TOKENS
    for part in message.parts:
        if isinstance(part, Text | ToolResult):
            count += count_text(part.text)
        elif isinstance(part, ToolUse):
            count += count_tool_uses([part])
        else:
            count += _MEDIA_TOKENS
    return count


def _json(value: object) -> str:
    return "" if value is None else canonical(value).decode()
