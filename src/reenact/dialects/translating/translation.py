"""Translation: a prompt in another format, with what it says less than before; an answer in the words of the first one."""

from collections.abc import Sequence
from typing import Any

import msgspec

from reenact.dialects.translating.depicting import depicted, hindrance
from reenact.dialects.translating.offering import demanded, offered
from reenact.dialects.translating.placing import places_of
from reenact.dialects.translating.reading import read_settings
from reenact.dialects.translating.remaining import remaining
from reenact.dialects.translating.turning import linked, turns, unwrapped, wrapped
from reenact.dialects.translating.writing import write_settings
from reenact.dialects.wire import from_json_text
from reenact.domain.message import (
    Answer,
    Json,
    Lost,
    Media,
    Message,
    Opaque,
    Part,
    Prompt,
    Reasoning,
    Role,
    Text,
    Tool,
    ToolResult,
    ToolUse,
)
from reenact.errors import InvalidInput

TRANSLATED = frozenset({"openai_chat", "openai_responses", "anthropic_messages", "gemini"})
"""The formats that prompts can be translated between."""


def translated(prompt: Prompt, dialect: str, model: str, *, provider: str, stream: bool | None = None) -> Prompt:
    """Return *prompt* in the format *dialect*; `lost` tells what it says less.

    Args:
        prompt: without the opaque state of models other than the one that will be asked (`stating`).
        dialect: the other format.
        model: who will be asked.
        provider: whom it will be asked of.
        stream: whether the answer is to be streamed; None: as *prompt* says, which Gemini's does not.

    Raises:
        InvalidInput: what it says cannot be said in *dialect*; `field` is its place in the body of *prompt*.
    """
    for name in (prompt.dialect, dialect):
        if name not in TRANSLATED:
            raise InvalidInput(f"Requests of the format {name} cannot be translated into others, nor others into it.")
    lost = list(prompt.lost)
    messages = _messages(prompt, dialect, lost)
    tools = _tools(prompt, dialect, lost)
    parameters = _parameters(prompt, dialect, provider, lost)
    if dialect == "anthropic_messages" and not tools and (tools := tuple(demanded(messages))):
        parameters["tool_choice"] = {"type": "none"}
        lost.append(
            Lost("/tools", "the history asks for tools that are not offered; this format has them offered, not chosen")
        )
    is_streamed = prompt.stream if stream is None else stream
    if is_streamed and dialect == "openai_chat":
        parameters["stream_options"] = {"include_usage": True}
    return Prompt(
        dialect=dialect,
        model=model,
        messages=messages,
        tools=tools,
        stream=is_streamed and dialect != "gemini",
        parameters=parameters,
        lost=tuple(lost),
    )


def retold(answer: Answer, dialect: str) -> Answer:
    """Return an answer of another format as *dialect* would give it: its wire object left out, its ending in other words."""
    return msgspec.structs.replace(
        answer,
        message=None if answer.message is None else _retold(answer.message),
        alternatives=tuple(map(_retold, answer.alternatives)),
        stop_reason=_ending(answer, dialect),
    )


def _retold(message: Message) -> Message:
    return msgspec.structs.replace(message, name=None, origin=None)


# --- endings -----------------------------------------------------------------------------------------------------------

ENDINGS = {
    "stop": "end", "end_turn": "end", "stop_sequence": "end", "completed": "end", "STOP": "end", "eos": "end",
    "tool_calls": "tools", "tool_use": "tools", "function_call": "tools",
    "length": "length", "max_tokens": "length", "incomplete": "length", "MAX_TOKENS": "length", "max_output_tokens": "length",
    "content_filter": "refused", "refusal": "refused", "SAFETY": "refused",
}  # fmt: skip
"""Each provider's word for why an answer ended, in one vocabulary."""

_WORDS = {
    "openai_chat": {"end": "stop", "tools": "tool_calls", "length": "length", "refused": "content_filter"},
    "openai_responses": {
        "end": "completed", "tools": "completed", "length": "max_output_tokens", "refused": "content_filter",
    },
    "anthropic_messages": {"end": "end_turn", "tools": "tool_use", "length": "max_tokens", "refused": "refusal"},
    "gemini": {"end": "STOP", "tools": "STOP", "length": "MAX_TOKENS", "refused": "SAFETY"},
}  # fmt: skip


def _ending(answer: Answer, dialect: str) -> str | None:
    """Return why an answer ended in the words of *dialect*; a word that is not known stays."""
    if answer.stop_reason is None:
        return None
    asks = answer.message is not None and bool(answer.message.tool_uses)
    ending = ENDINGS.get(answer.stop_reason)
    ending = "tools" if asks and ending in ("end", "tools") else ending
    return answer.stop_reason if ending is None else _WORDS.get(dialect, {}).get(ending, answer.stop_reason)


# --- messages ----------------------------------------------------------------------------------------------------------


def _messages(prompt: Prompt, dialect: str, lost: list[Lost]) -> tuple[Message, ...]:
    said = [
        msgspec.structs.replace(message, parts=tuple(_parts(message, place, prompt.dialect, dialect, lost)))
        for message, place in zip(prompt.messages, places_of(prompt), strict=True)
    ]
    _check_places(prompt, dialect, lost)
    by_name = dialect == "gemini"
    found = linked(turns(said), by_name=by_name, keep=prompt.dialect != "gemini")
    if dialect in ("anthropic_messages", "gemini"):
        found = _with_system_first(found)
        if not any(message.role is Role.USER for message in found):
            raise InvalidInput(f"/messages holds none of the user, which the format {dialect} needs.", "/messages")
    return tuple(one for at, message in enumerate(found) for one in _written(message, dialect, is_first=at == 0))


def _parts(message: Message, place: str, source: str, target: str, lost: list[Lost]) -> "list[Part]":
    """Return the parts of a message that the other format has words for."""
    lost += (Lost(one, "the other format has no word for it") for one in remaining(source, message.origin, place))
    parts: list[Part] = []
    for at, part in enumerate(message.parts):
        if isinstance(part, Reasoning) and part.signature is None:
            lost.append(Lost(place, "what another model thought aloud is not given to this one"))
        else:
            parts.append(_part(part, message.role, f"{place} (part {at + 1})", source, target, lost))
    return parts


def _part(part: Part, role: Role, place: str, source: str, target: str, lost: list[Lost]) -> Part:
    if isinstance(part, Opaque):
        raise InvalidInput(f"{place} is something that only the format {source} has words for.", place)
    if isinstance(part, Media):
        if why_not := hindrance(part, role, target):
            raise InvalidInput(f"{place} is {why_not}.", place)
        return depicted(part, source, target)
    if isinstance(part, ToolUse) and not target.startswith("openai") and not _has_object(part):
        raise InvalidInput(f"{place} calls {part.name} with arguments that are no JSON object.", place)
    if isinstance(part, ToolResult):
        said = unwrapped(part) if source == "gemini" else part
        if said.is_error and target.startswith("openai"):
            lost.append(Lost(place.partition(" ")[0], "that the result is an error; its words stay"))
            said = msgspec.structs.replace(said, is_error=False)
        return wrapped(said) if target == "gemini" else said
    return part


def _has_object(use: ToolUse) -> bool:
    return isinstance(from_json_text(use.arguments or "{}"), dict)


def _check_places(prompt: Prompt, dialect: str, lost: list[Lost]) -> None:
    """Tell of system messages in the middle of the conversation, where the other format has none."""
    if dialect not in ("anthropic_messages", "gemini"):
        return
    places = places_of(prompt)
    began = False
    for at, message in enumerate(prompt.messages):
        began = began or message.role is not Role.SYSTEM
        if began and message.role is Role.SYSTEM:
            lost.append(Lost(places[at], "its place: this format has system texts before the conversation only"))


def _with_system_first(messages: Sequence[Message]) -> tuple[Message, ...]:
    system = [message for message in messages if message.role is Role.SYSTEM]
    return turns([*system, *(message for message in messages if message.role is not Role.SYSTEM)])


def _written(message: Message, dialect: str, *, is_first: bool) -> list[Message]:
    """Return a turn as the messages that the format says it in."""
    if message.role is Role.TOOL and dialect == "openai_chat":
        return [msgspec.structs.replace(message, parts=(part,)) for part in message.parts]
    if message.role is Role.SYSTEM and dialect == "openai_responses":
        texts = [part.text for part in message.parts if isinstance(part, Text)]
        if len(texts) > 1 or not is_first:  # `instructions` is one text, before all
            content: Json = [{"type": "input_text", "text": text} for text in texts]
            return [msgspec.structs.replace(message, origin={"type": "message", "role": "system", "content": content})]
    return [message]


# --- tools and parameters ------------------------------------------------------------------------------------------------


def _tools(prompt: Prompt, dialect: str, lost: list[Lost]) -> tuple[Tool, ...]:
    found: list[Tool] = []
    for at, tool in enumerate(prompt.tools):
        new, gone = offered(tool, f"/tools/{at}", prompt.dialect, dialect)
        found.append(new)
        lost += gone
    return tuple(found)


def _parameters(prompt: Prompt, dialect: str, provider: str, lost: list[Lost]) -> dict[str, Any]:
    understood = read_settings(prompt)
    usual = {"max_output_tokens": "/max_tokens"}  # where none is set, one is told of
    try:
        parameters, gone = write_settings(understood.settings, dialect, is_openai=provider == "openai")
    except InvalidInput as error:
        place = understood.places[error.field or ""]
        raise InvalidInput(f"{place}: {error.message}.", place) from error
    lost += understood.lost
    lost += (Lost(understood.places.get(name, usual.get(name, "")), why) for name, why in gone.items())
    return parameters
