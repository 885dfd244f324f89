"""Say in full what a request of OpenAI's Responses API only names: the history that the provider holds for it.

`previous_response_id` stands for the input of that response and what it put out, and so on back; its instructions are not among
it (platform.openai.com/docs/guides/conversation-state, 2026-11). Thoughts are left out: what
makes them readable is not recorded.
"""

from collections.abc import Callable

import msgspec

from reenact.dialects.openai_responses import OpenAIResponses
from reenact.dialects.responses_item import read_item
from reenact.dialects.wire import objects, text
from reenact.domain.call import Bodies, Call
from reenact.domain.message import Lost, Message, Prompt, Role
from reenact.errors import InvalidInput
from reenact.ingest.unpacking import unpack

FIELD = "previous_response_id"
_DIALECT = OpenAIResponses()
_OF_THE_RECORD = frozenset({"id", "status"})
"""Fields of items that name what the provider keeps."""
_MOST_RESPONSES = 10_000
"""How far back a history may go; a circle of ids ends here."""

Earlier = Callable[[str], tuple[Call, Bodies] | None]
"""Looks up the recorded call that was answered with a response id."""


class _Names(msgspec.Struct):
    previous_response_id: str | None = None


def names(call: Call, bodies: Bodies | None) -> str | None:
    """Return the response that the request of a call goes on from; None when it goes on from none."""
    if call.dialect != _DIALECT.name or bodies is None:
        return None
    try:
        return msgspec.json.decode(unpack(bodies.request, bodies.request_headers), type=_Names).previous_response_id
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def expanded(prompt: Prompt, earlier: Earlier) -> Prompt | None:
    """Return *prompt* with the history that it names; None when a part of that was not recorded."""
    histories: list[tuple[Message, ...]] = []
    named = prompt.parameters.get(FIELD)
    lost = False
    for _ in range(_MOST_RESPONSES):
        if named is None:
            break
        found = earlier(str(named))
        part = _part(*found) if found is not None else None
        if part is None:
            return None
        messages, named, has_thoughts = part
        histories.append(messages)
        lost = lost or has_thoughts
    own = [message for message in prompt.messages if _is_instructions(message)]
    turns = [message for message in prompt.messages if not _is_instructions(message)]
    before = [message for history in reversed(histories) for message in history]
    told = (Lost(f"/{FIELD}", "what the model thought before is held by the provider"),) if lost else ()
    return msgspec.structs.replace(
        prompt,
        messages=(*own, *before, *turns),
        parameters={key: value for key, value in prompt.parameters.items() if key != FIELD},
        lost=(*prompt.lost, *told),
    )


def _part(call: Call, bodies: Bodies) -> tuple[tuple[Message, ...], str | None, bool] | None:
    """Return what one response adds: its input and output, the one before it, and whether it thought."""
    try:
        prompt = _DIALECT.read_prompt(msgspec.json.decode(unpack(bodies.request, bodies.request_headers)))
    except (InvalidInput, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    output = objects(bodies.answer, "output")
    if call.status >= 400 or not output:
        return None
    said = [item for item in output if text(item, "type") != "reasoning"]
    turns = tuple(message for message in prompt.messages if not _is_instructions(message))
    answered = tuple(read_item({k: v for k, v in item.items() if k not in _OF_THE_RECORD}) for item in said)
    return (*turns, *answered), prompt.parameters.get(FIELD), len(said) < len(output)


def _is_instructions(message: Message) -> bool:
    return message.role is Role.SYSTEM and not isinstance(message.origin, dict)
