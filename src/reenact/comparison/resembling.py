"""How much two calls look like the same step of two runs."""

import re

import msgspec
from rapidfuzz.distance import Indel

from reenact.domain.comparison import Turn
from reenact.domain.digesting import message_digest
from reenact.domain.message import Message, Part, Prompt, Reasoning, Role, Text, ToolResult, ToolUse

_MAX_TEXT = 400
"""Characters of a call that are compared: enough to tell two steps apart, and the same cost for every call."""
_FAMILY = re.compile(r"[a-z]+")

NEVER = -1e9


class Trait(msgspec.Struct, frozen=True, kw_only=True):
    """What of a call tells which step of its session it is."""

    kind: str
    path: str
    prompt_id: str | None
    family: str
    """The model's name without version and size."""
    text: str
    """The newest turn of its prompt, cut off at a length."""
    digest: bytes
    """Equal for calls whose newest message is equal and whose history is as long."""


def trait(turn: Turn) -> Trait:
    """Return what identifies *turn* within its session."""
    call = turn.call
    found = _FAMILY.search(call.model.lower())
    messages = turn.prompt.messages if turn.prompt else ()
    return Trait(
        kind=call.kind.value,
        path=call.labels.path,
        prompt_id=call.labels.prompt_id,
        family=found[0] if found else "",
        text=_newest(turn.prompt),
        digest=message_digest(messages[-1]) + len(messages).to_bytes(4) if messages else b"",
    )


def likeness(left: Trait, right: Trait) -> float:
    """Return how much speaks for pairing, from about -1.4 to 1; two gaps cost half a point."""
    if left.kind != right.kind:
        return NEVER
    score = 0.35 if left.path == right.path else -0.6
    if left.prompt_id or right.prompt_id:
        score += 0.15 if left.prompt_id == right.prompt_id else -0.3
    score += 0.05 if left.family == right.family else 0.0
    return score + Indel.normalized_similarity(left.text, right.text) - 0.5


def _newest(prompt: Prompt | None) -> str:
    """Return the text after the last assistant turn, its newest part when it is long."""
    if prompt is None:
        return ""
    words: list[str] = []
    for message in reversed(prompt.messages):
        if message.role is Role.ASSISTANT:
            break
        words.insert(0, _words(message))
        if sum(map(len, words)) > _MAX_TEXT:
            break
    return "\n".join(words)[-_MAX_TEXT:]


def _words(message: Message) -> str:
    return " ".join(map(_part_words, message.parts))


def _part_words(part: Part) -> str:
    match part:
        case Text() | ToolResult() | Reasoning():
            return part.text[-_MAX_TEXT:]
        case ToolUse():
            return part.name
        case _:
            return ""
