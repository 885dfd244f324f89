"""Contents and parts of Gemini's format as lenses. Field names come in camel case and, from older clients, in snake case.

Wire facts: ai.google.dev/api/generate-content (2026-11).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeGuard

import msgspec

from reenact.dialects.matching import match_parts
from reenact.dialects.wire import Object, from_json_text, inner, items, optional_text, text
from reenact.domain.digesting import canonical
from reenact.domain.message import Json, Media, Message, Opaque, Part, Reasoning, Role, Text, ToolResult, ToolUse

_ROLES = {"user": Role.USER, "model": Role.ASSISTANT, "function": Role.TOOL}
_WORDS = {Role.USER: "user", Role.ASSISTANT: "model", Role.TOOL: "user", Role.SYSTEM: "user"}
_SPELLINGS = {
    "functionCall": "function_call",
    "functionResponse": "function_response",
    "inlineData": "inline_data",
    "fileData": "file_data",
}
_KINDS = ("image", "audio")
_SIGNATURES = ("thoughtSignature", "thought_signature")
_SIGNED = (Text, ToolUse, Reasoning)
_NUMBER = "#"
"""No function's name holds it."""


def read_content(wire: Object, role: Role | None = None) -> Message:
    """Return what a content says; one of nothing but function responses is a tool's. *role* goes before its own."""
    parts = _numbered(read_part(part) for part in items(wire, "parts"))
    if role is None:
        role = _ROLES.get(text(wire, "role"), Role.USER)
        if role is Role.USER and parts and all(isinstance(part, ToolResult) for part in parts):
            role = Role.TOOL
    return Message(role=role, parts=parts, origin=wire)


def write_content(message: Message) -> Object:
    """Return *message* as a content; what is as it was read comes back as it was."""
    wire = message.origin
    fixed = Role.SYSTEM if message.role is Role.SYSTEM else None
    if not isinstance(wire, dict):
        said = {"parts": [write_part(part) for part in message.parts]}
        return said if fixed else {"role": _WORDS[message.role], **said}
    before = read_content(wire, fixed)
    if before == message:
        return wire
    changed = dict(wire)
    if message.role is not before.role:
        changed["role"] = _WORDS[message.role]
    if message.parts != before.parts:
        changed["parts"] = match_parts(message.parts, items(wire, "parts"), read_part, write_part)
    return changed


def link_id(name: str, number: int) -> str:
    """Return the link id of a call that the format gives none: the function's name, with its number from the second on."""
    return name if number == 1 else f"{name}{_NUMBER}{number}"


def linked_name(link: str) -> str:
    """Return the function of a made link id; another id as it is."""
    name, mark, number = link.rpartition(_NUMBER)
    return name if mark and number.isdecimal() else link


def _numbered(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Return the parts of one content with the made link ids of several calls of one function told apart by their order."""
    seen: Counter[str] = Counter()
    numbered: list[Part] = []
    for part in parts:
        if isinstance(part, ToolUse | ToolResult):
            seen[part.id] += 1
            is_again = seen[part.id] > 1
            numbered.append(msgspec.structs.replace(part, id=link_id(part.id, seen[part.id])) if is_again else part)
        else:
            numbered.append(part)
    return tuple(numbered)


def read_part(wire: Json) -> Part:
    """Return one part."""
    if not isinstance(wire, dict):
        return Opaque(canonical(wire).decode())
    signature = optional_text(wire, "thoughtSignature") or optional_text(wire, "thought_signature")
    if isinstance(wire.get("text"), str):
        return Reasoning(wire["text"], signature) if wire.get("thought") is True else Text(wire["text"], signature)
    call, response = _found(wire, "functionCall"), _found(wire, "functionResponse")
    if call:
        name = text(call, "name")
        return ToolUse(text(call, "id") or name, name, _as_text(call.get("args", {})), signature)
    if response:
        return ToolResult(text(response, "id") or text(response, "name"), _as_text(response.get("response")))
    return _read_media(wire) or Opaque(canonical(wire).decode())


def _found(wire: Object, field: str) -> Object:
    return inner(wire, field) or inner(wire, _SPELLINGS[field])


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _read_media(wire: Object) -> Media | None:
    data, file = _found(wire, "inlineData"), _found(wire, "fileData")
    either = data or file
    media_type = optional_text(either, "mimeType") or optional_text(either, "mime_type")
    kind = next((kind for kind in _KINDS if (media_type or "").startswith(kind)), "file")
    if data:
        return Media(kind=kind, media_type=media_type, data_base64=optional_text(data, "data"))
    address = optional_text(file, "fileUri") or optional_text(file, "file_uri")
    return Media(kind=kind, url=address, media_type=media_type) if address else None


def write_part(part: Part, wire: Json = None) -> Json:
    """Return *part* as a part; into *wire* when that is of the same kind, so that its other fields stay."""
    if isinstance(part, Opaque):
        return from_json_text(part.json)
    new = _new_part(part)
    field = next(iter(new))
    if not isinstance(wire, dict):
        return {field: _without_id(new[field])} if isinstance(part, ToolResult) else new
    spelled = field if field in wire else _SPELLINGS.get(field, field)
    if spelled not in wire or type(read_part(wire)) is not type(part):
        return write_part(part)
    rest = {key: value for key, value in wire.items() if key not in _SIGNATURES} if _is_unsigned(part, wire) else wire
    signed = {key: value for key, value in new.items() if key in _SIGNATURES and key not in rest}
    if isinstance(new[field], dict):
        return rest | {spelled: _changed(part, inner(wire, spelled), new[field])} | signed
    return rest | {field: new[field]} | signed


def _without_id(response: Object) -> Object:
    """Return a response that no recorded one was the form of: what it answers is told by its name and its place."""
    return {key: value for key, value in response.items() if key != "id"}


def _is_unsigned(part: Part, wire: Object) -> bool:
    """Return whether the signature in *wire* is not that of *part*."""
    before = read_part(wire)
    return isinstance(part, _SIGNED) and isinstance(before, _SIGNED) and part.signature != before.signature


def _changed(part: Part, old: Object, new: Object) -> Object:
    """Return the object *old* with what *part* says otherwise; ids and names that were never there are not made up."""
    same: set[str] = set()
    if isinstance(part, ToolUse) and part.arguments == _as_text(old.get("args", {})):
        same.add("args")
    if isinstance(part, ToolResult):
        same.add("name")
        if part.text == _as_text(old.get("response")):
            same.add("response")
        if "id" not in old and linked_name(part.id) == old.get("name"):
            same.add("id")
    return old | {key: value for key, value in new.items() if key not in same}


def _new_part(part: Part) -> Object:
    """Return *part* in the format's normal form."""
    signed: Object = {_SIGNATURES[0]: part.signature} if isinstance(part, _SIGNED) and part.signature else {}
    if isinstance(part, Text):
        return {"text": part.text, **signed}
    if isinstance(part, Reasoning):
        return {"text": part.text, "thought": True, **signed}
    if isinstance(part, ToolUse):
        linked = {} if linked_name(part.id) in ("", part.name) else {"id": part.id}
        args = from_json_text(part.arguments or "{}")
        return {"functionCall": {**linked, "name": part.name, "args": args}, **signed}
    if isinstance(part, ToolResult):
        given = from_json_text(part.text)
        response = given if isinstance(given, dict) else {"result": part.text}
        return {"functionResponse": {"id": part.id, "name": linked_name(part.id), "response": response}}
    assert isinstance(part, Media)
    typed: Object = {"mimeType": part.media_type} if part.media_type else {}
    if part.data_base64 is None:
        return {"fileData": {**typed, "fileUri": part.url}}
    return {"inlineData": {**typed, "data": part.data_base64}}


def joined_parts(parts: Sequence[Json]) -> list[Json]:
    """Return the parts of a stream with pieces of one text put together."""
    joined: list[Json] = []
    for part in parts:
        last = joined[-1] if joined else None
        if _is_text(part) and _is_text(last) and part.get("thought") == last.get("thought"):
            joined[-1] = last | part | {"text": last["text"] + part["text"]}
        else:
            joined.append(part)
    return joined


def _is_text(part: Json) -> TypeGuard[Object]:
    return isinstance(part, dict) and isinstance(part.get("text"), str)
