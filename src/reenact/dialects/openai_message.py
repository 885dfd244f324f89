"""One message of OpenAI's chat format as a lens: read into a Message, written back into the object it was read from.

Wire facts: platform.openai.com/docs/api-reference/chat (2026-11); `reasoning_content` is DeepSeek's, `reasoning` OpenRouter's
and Groq's.
"""

from collections.abc import Sequence

from reenact.dialects.matching import match_parts
from reenact.dialects.openai_part import read_part, write_part
from reenact.dialects.openai_tool_call import read_tool_call, write_tool_call
from reenact.dialects.wire import Object, inner, is_object, objects, optional_text, text
from reenact.domain.message import Json, Media, Message, Part, Reasoning, Role, Text, ToolResult, ToolUse
from reenact.errors import InvalidInput

ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "human": Role.USER,
    "assistant": Role.ASSISTANT,
    "model": Role.ASSISTANT,
    "ai": Role.ASSISTANT,
    "tool": Role.TOOL,
    "function": Role.TOOL,
}
_REASONING_FIELDS = ("reasoning_content", "reasoning")


def read_message(wire: Object) -> Message:
    """Return what a message object says, whatever its shape."""
    role = ROLES.get(text(wire, "role"), Role.USER)
    parts: list[Part] = []
    if role is Role.TOOL:
        link = text(wire, "tool_call_id") or text(wire, "name")
        parts.append(ToolResult(id=link, text=_joined(wire.get("content"))))
    else:  # a session says every message again with each call: fields are looked for before they are read
        if "reasoning_content" in wire or "reasoning" in wire:
            parts += _read_reasoning(wire)
        parts += [read_part(part) for part in _content(wire)]
        parts += [part for field in ("refusal", "audio") if field in wire for part in _read_aside(wire, field)]
        if "tool_calls" in wire or "function_call" in wire:
            parts += _read_tool_uses(wire)
    return Message(role=role, parts=tuple(parts), name=optional_text(wire, "name"), origin=wire)


def write_message(message: Message) -> Object:
    """Return *message* as a message object; what is as it was read comes back as it was.

    Raises:
        InvalidInput: it holds several tool results, which this format writes as several messages.
    """
    wire = message.origin
    if is_object(wire):
        before = read_message(wire)
        if before == message:
            return wire
        return _rewrite(dict(wire), before, message)
    return _rewrite({"role": message.role.value}, Message(role=message.role, parts=()), message)


def _rewrite(wire: Object, before: Message, message: Message) -> Object:
    """Return *wire*, which says *before*, changed to say *message*."""
    if message.role is not before.role:
        wire["role"] = message.role.value
    if message.name != before.name:
        _put(wire, "name", message.name)
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    if results:
        return _rewrite_result(wire, before, results)
    wire.pop("tool_call_id", None)
    _rewrite_reasoning(wire, message)
    _rewrite_content(wire, message)
    _rewrite_tool_uses(wire, before, message)
    return wire


def _put(wire: Object, key: str, value: Json) -> None:
    """Set *key*, or remove it for None."""
    if value is None:
        wire.pop(key, None)
    else:
        wire[key] = value


# --- content -----------------------------------------------------------------------------------------------------------


def _content(wire: Object) -> list[Json]:
    """Return the content as a list of parts; a string is one text, an empty string and null are none."""
    content = wire.get("content")
    if isinstance(content, list):
        return content
    if isinstance(content, str):
        return [content] if content else []  # read as a text part is
    return [] if content is None else [content]


def _joined(content: Json) -> str:
    """Return the text of a tool's result, a string or a list of text parts."""
    if isinstance(content, str):
        return content
    parts = (read_part(part) for part in _content({"content": content}))
    return "".join(part.text for part in parts if isinstance(part, Text))


def _read_aside(wire: Object, field: str) -> list[Part]:
    """Return what stands beside the content: a refusal as text, a spoken answer as its sound and its transcript."""
    if field == "refusal":
        refusal = text(wire, "refusal")
        return [Text(refusal)] if refusal else []
    audio = wire.get("audio")
    if not isinstance(audio, dict):
        return []
    sound = Media(kind="audio", data_base64=optional_text(audio, "data"))
    transcript = text(audio, "transcript")
    return [sound, Text(transcript)] if transcript else [sound]


def _rewrite_content(wire: Object, message: Message) -> None:
    """Write all parts but reasoning and tools: a plain text as a string where it was one, else as a list of parts."""
    parts = [part for part in message.parts if not isinstance(part, Reasoning | ToolUse | ToolResult)]
    for field in ("audio", "refusal"):
        aside = _read_aside(wire, field)
        if not aside:
            continue
        if parts[-len(aside) :] == aside:
            del parts[-len(aside) :]
        else:
            wire[field] = None
    content = wire.get("content")
    if parts == [read_part(part) for part in _content(wire)] and "content" in wire:
        return
    if isinstance(content, list):
        wire["content"] = match_parts(parts, content, read_part, write_part)
    elif len(parts) == 1 and isinstance(parts[0], Text):
        wire["content"] = parts[0].text
    elif parts:
        wire["content"] = [write_part(part) for part in parts]
    else:
        wire["content"] = None if message.role is Role.ASSISTANT else ""


# --- reasoning ---------------------------------------------------------------------------------------------------------


def _reasoning_field(wire: Object) -> str:
    """Return the field that holds the reasoning; the first of them when none does."""
    return next((field for field in _REASONING_FIELDS if text(wire, field)), _REASONING_FIELDS[0])


def _read_reasoning(wire: Object) -> list[Part]:
    reasoning = text(wire, _reasoning_field(wire))
    return [Reasoning(reasoning)] if reasoning else []


def _rewrite_reasoning(wire: Object, message: Message) -> None:
    reasoning = [part for part in message.parts if isinstance(part, Reasoning)]
    if reasoning != _read_reasoning(wire):
        _put(wire, _reasoning_field(wire), "".join(part.text for part in reasoning) or None)


# --- tools -------------------------------------------------------------------------------------------------------------


def _read_tool_uses(wire: Object) -> list[Part]:
    """Return the tool calls, or the one `function_call` of the format's first version, whose link id is its name."""
    calls: list[Part] = [read_tool_call(call) for call in objects(wire, "tool_calls")]
    legacy = inner(wire, "function_call")
    return calls or ([read_tool_call({"id": text(legacy, "name"), "function": legacy})] if legacy else [])


def _rewrite_tool_uses(wire: Object, before: Message, message: Message) -> None:
    """Write the tool calls, each into the call it was read from when it is at the same place or has the same id."""
    uses = message.tool_uses
    if uses == before.tool_uses:
        return
    if len(uses) == 1 and inner(wire, "function_call") and not objects(wire, "tool_calls"):
        wire["function_call"] = wire["function_call"] | {"name": uses[0].name, "arguments": uses[0].arguments}
        return
    wire.pop("function_call", None)
    old = objects(wire, "tool_calls")
    calls = [write_tool_call(use, _former(old, place, use.id, len(uses))) for place, use in enumerate(uses)]
    _put(wire, "tool_calls", calls or None)


def _former(old: Sequence[Object], place: int, link: str, count: int) -> Object | None:
    """Return the call that one was read from: with its id, else at its place when there are as many as before."""
    same_id = [call for call in old if text(call, "id") == link]
    return same_id[0] if len(same_id) == 1 else old[place] if len(old) == count else None


def _rewrite_result(wire: Object, before: Message, results: Sequence[ToolResult]) -> Object:
    if len(results) > 1:
        raise InvalidInput(
            "A message of this format gives back one tool result; write one message for each.", "messages"
        )
    old = next((part for part in before.parts if isinstance(part, ToolResult)), ToolResult(id="", text=""))
    result = results[0]
    if result.id != old.id or "role" not in wire:
        wire["name" if wire.get("role") == "function" else "tool_call_id"] = result.id
    if result.text != old.text or "content" not in wire:
        as_list = isinstance(wire.get("content"), list)
        wire["content"] = [{"type": "text", "text": result.text}] if as_list else result.text
    return wire
