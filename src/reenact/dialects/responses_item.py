"""Items of OpenAI's Responses API as a lens: one item is one message, several items may be.

Wire facts: platform.openai.com/docs/api-reference/responses (2026-11). Calls of tools that the provider runs itself stay
Opaque: no agent answers them.
"""

from collections.abc import Sequence

from reenact.dialects.matching import match_parts
from reenact.dialects.openai_message import ROLES
from reenact.dialects.openai_part import read_url, write_url
from reenact.dialects.wire import Object, as_json_text, from_json_text, is_objects, objects, optional_text, text
from reenact.domain.digesting import canonical
from reenact.domain.message import Json, Media, Message, Opaque, Part, Reasoning, Role, Text, ToolResult, ToolUse

_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
_RESULTS = frozenset({"function_call_output", "custom_tool_call_output"})
_TEXTS = {"input_text": "text", "output_text": "text", "text": "text", "refusal": "refusal"}


def read_item(wire: Object) -> Message:
    """Return what an item says."""
    kind = text(wire, "type")
    if kind in ("", "message") and ("role" in wire or "content" in wire):
        role = ROLES.get(text(wire, "role"), Role.USER)
        return Message(role=role, parts=_read_content(wire.get("content")), origin=wire)
    if kind in _CALLS:
        use = ToolUse(text(wire, "call_id"), text(wire, "name"), as_json_text(wire.get(_CALLS[kind], "")))
        return Message(role=Role.ASSISTANT, parts=(use,), origin=wire)
    if kind in _RESULTS:
        result = ToolResult(text(wire, "call_id"), _joined(wire.get("output")))
        return Message(role=Role.TOOL, parts=(result,), origin=wire)
    if kind == "reasoning":
        thought = Reasoning(_thoughts(wire), optional_text(wire, "encrypted_content"))
        return Message(role=Role.ASSISTANT, parts=(thought,), origin=wire)
    return Message(role=Role.ASSISTANT, parts=(Opaque(canonical(wire).decode()),), origin=wire)


def read_output(items: Sequence[Object]) -> Message:
    """Return the items of an answer as one message, their list its origin."""
    parts = tuple(part for item in items for part in read_item(item).parts)
    return Message(role=Role.ASSISTANT, parts=parts, origin=list(items))


def write_items(message: Message) -> list[Object]:
    """Return *message* as items; what is as it was read comes back as it was."""
    origin = message.origin
    if is_objects(origin):
        return list(origin) if read_output(origin) == message else _new_items(message)
    if not isinstance(origin, dict):
        return _new_items(message)
    before = read_item(origin)
    if before == message:
        return [origin]
    changed = _rewrite(origin, before, message)
    return [changed] if changed is not None else _new_items(message)


def _rewrite(wire: Object, before: Message, message: Message) -> Object | None:
    """Return *wire* changed to say *message*; None when one item of its type cannot say that."""
    kind = text(wire, "type")
    if kind in ("", "message") and all(isinstance(part, Text | Media | Opaque) for part in message.parts):
        changed = wire if message.role is before.role else wire | {"role": message.role.value}
        if message.parts == before.parts:
            return changed
        return changed | {"content": _write_content(message, wire.get("content"))}
    if len(message.parts) != 1:
        return None
    part, old = message.parts[0], before.parts[0]
    if kind in _CALLS and isinstance(part, ToolUse) and isinstance(old, ToolUse):
        new = {"call_id": part.id, "name": part.name, _CALLS[kind]: part.arguments}
        was = {"call_id": old.id, "name": old.name, _CALLS[kind]: old.arguments}
        return wire | {key: value for key, value in new.items() if value != was[key]}
    if kind in _RESULTS and isinstance(part, ToolResult) and isinstance(old, ToolResult):
        output = {} if part.text == old.text else {"output": part.text}
        return wire | ({} if part.id == old.id else {"call_id": part.id}) | output
    return None


def _new_items(message: Message) -> list[Object]:
    """Return *message* in the format's normal form: its content as one item, each tool call, result and thought as one."""
    items: list[Object] = []
    content: list[Part] = []
    for part in message.parts:
        if isinstance(part, Reasoning):
            items.append(_new_reasoning(part))
        elif isinstance(part, ToolUse):
            items.append({"type": "function_call", "call_id": part.id, "name": part.name, "arguments": part.arguments})
        elif isinstance(part, ToolResult):
            items.append({"type": "function_call_output", "call_id": part.id, "output": part.text})
        else:
            content.append(part)
    if not content and (items or message.role is Role.TOOL):
        return items
    said = {"role": message.role.value, "content": _write_content(Message(role=message.role, parts=tuple(content)), "")}
    at = next((at for at, item in enumerate(items) if item["type"] != "reasoning"), len(items))
    return [*items[:at], said, *items[at:]]


def _new_reasoning(part: Reasoning) -> Object:
    summary = [{"type": "summary_text", "text": part.text}] if part.text else []
    signed: Object = {} if part.signature is None else {"encrypted_content": part.signature}
    return {"type": "reasoning", "summary": summary} | signed


# --- content -----------------------------------------------------------------------------------------------------------


def _read_content(content: Json) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (Text(content),) if content else ()
    return tuple(_read_part(part) for part in content) if isinstance(content, list) else ()


def _read_part(wire: Json) -> Part:
    kind = text(wire, "type")
    if kind in _TEXTS and isinstance(wire.get(_TEXTS[kind]), str):
        return Text(wire[_TEXTS[kind]])
    if kind == "input_image":
        address = text(wire, "image_url") or text(wire, "file_id")
        return read_url("image", address) if address else Opaque(canonical(wire).decode())
    if kind == "input_file":
        address = text(wire, "file_data") or text(wire, "file_url") or text(wire, "file_id")
        return read_url("file", address) if address else Opaque(canonical(wire).decode())
    return Opaque(canonical(wire).decode())


def _write_content(message: Message, old: Json) -> Json:
    """Return the parts in the form of the *old* content: a string where they are one text, else parts."""
    parts = message.parts
    if not isinstance(old, list) and all(isinstance(part, Text) for part in parts) and len(parts) <= 1:
        return message.text
    said = "output_text" if message.role is Role.ASSISTANT else "input_text"
    wires = old if isinstance(old, list) else []
    return match_parts(parts, wires, _read_part, lambda part, wire: _write_part(part, wire, said))


def _write_part(part: Part, wire: Json, said: str) -> Json:
    if isinstance(part, Opaque):
        return from_json_text(part.json)
    kind = text(wire, "type")
    if isinstance(part, Text):
        return wire | {_TEXTS[kind]: part.text} if kind in _TEXTS else {"type": said, "text": part.text}
    assert isinstance(part, Media)
    if part.kind == "image":
        new: Object = {"type": "input_image", "image_url": write_url(part)}
    else:
        new = {"type": "input_file", "file_id" if part.data_base64 is None else "file_data": write_url(part)}
    return wire | new if kind == new["type"] else new


def _joined(output: Json) -> str:
    """Return the text of a tool's result: a string, or the texts of a list of parts; other shapes as JSON."""
    if not is_objects(output):
        return as_json_text("" if output is None else output)
    return "".join(part.text for part in map(_read_part, output) if isinstance(part, Text))


def _thoughts(wire: Object) -> str:
    """Return the reasoning's own text, else its summary."""
    own = [text(part, "text") for part in objects(wire, "content")]
    return "\n\n".join(filter(None, own or [text(part, "text") for part in objects(wire, "summary")]))
