"""Take out of prompts what only the model that said it accepts: signed thoughts, encrypted reasoning, signatures of parts.

A signature says who thought a thing. Another model refuses it (Anthropic, Gemini: 400) or cannot read it (OpenAI).
"""

from collections.abc import Collection

import msgspec

from reenact.dialects.translating.placing import places_of
from reenact.dialects.wire import from_json_text, text
from reenact.domain.message import Lost, Message, Opaque, Part, Prompt, Reasoning, Text, ToolUse

_WHY = "only the model that thought it can read it"
_HIDDEN = "redacted_thinking"
"""Anthropic's thoughts that nobody but the model can read."""


def signatures(message: Message) -> frozenset[str]:
    """Return the opaque state in a message."""
    return frozenset(state for part in message.parts if (state := _state(part)) is not None)


def without_state(prompt: Prompt, own: Collection[str] | None = None, foreign: Collection[str] = ()) -> Prompt:
    """Return *prompt* without the opaque state of other models, which is told as lost.

    Args:
        prompt: what is to be sent to a model.
        own: the state that this model made; None: all that is not *foreign*.
        foreign: the state that other models made.
    """

    def is_kept(state: str) -> bool:
        return state in own if own is not None else state not in foreign

    lost: list[Lost] = []
    messages: list[Message] = []
    for at, message in enumerate(prompt.messages):
        gone = frozenset(state for state in signatures(message) if not is_kept(state))
        if not gone:
            messages.append(message)
            continue
        lost.append(Lost(places_of(prompt)[at], _WHY))
        parts = tuple(kept for part in message.parts if (kept := _without(part, gone)) is not None)
        if parts:
            messages.append(msgspec.structs.replace(message, parts=parts))
    return msgspec.structs.replace(prompt, messages=tuple(messages), lost=(*prompt.lost, *lost)) if lost else prompt


def _state(part: Part) -> str | None:
    if isinstance(part, Text | ToolUse | Reasoning):
        return part.signature
    if isinstance(part, Opaque) and text(wire := from_json_text(part.json), "type") == _HIDDEN:
        return text(wire, "data")
    return None


def _without(part: Part, gone: Collection[str]) -> Part | None:
    """Return *part* without its state: a thought whose signature is gone is worth nothing."""
    if _state(part) not in gone:
        return part
    return msgspec.structs.replace(part, signature=None) if isinstance(part, Text | ToolUse) else None
