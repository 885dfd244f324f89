"""Content blocks of Anthropic's Messages API as a lens.

Wire facts: docs.anthropic.com/en/api/messages (2026-11). Blocks of tools that the provider runs itself stay Opaque: no agent
answers them.
"""

from collections.abc import Sequence

import msgspec

from reenact.dialects.wire import Object, from_json_text, inner, optional_text, text
from reenact.domain.digesting import canonical
from reenact.domain.message import Json, Media, Opaque, Part, Reasoning, Text, ToolResult, ToolUse

_KINDS = {"image": "image", "document": "file"}


def read_block(wire: Json) -> Part:
    """Return one content block."""
    kind = text(wire, "type")
    if kind == "text" and isinstance(wire.get("text"), str):
        return Text(wire["text"])
    if kind == "tool_use":
        given = wire.get("input")
        arguments = given if isinstance(given, str) else msgspec.json.encode(given).decode()
        return ToolUse(text(wire, "id"), text(wire, "name"), arguments)
    if kind == "tool_result":
        return ToolResult(text(wire, "tool_use_id"), _joined(wire.get("content")), wire.get("is_error") is True)
    if kind == "thinking":
        return Reasoning(text(wire, "thinking"), optional_text(wire, "signature"))
    return _read_media(kind, inner(wire, "source")) or Opaque(canonical(wire).decode())


def _read_media(kind: str, source: Object) -> Media | None:
    if kind not in _KINDS or not source:
        return None
    if text(source, "type") == "base64":
        return Media(
            kind=_KINDS[kind],
            media_type=optional_text(source, "media_type"),
            data_base64=optional_text(source, "data"),
        )
    address = text(source, "url") or text(source, "file_id")
    return Media(kind=_KINDS[kind], url=address) if address else None


def _joined(content: Json) -> str:
    """Return the text of a tool's result, a string or a list of blocks."""
    if isinstance(content, str):
        return content
    parts = (read_block(block) for block in content) if isinstance(content, list) else ()
    return "".join(part.text for part in parts if isinstance(part, Text))


def are_results_in_blocks(wires: Sequence[Json]) -> bool:
    """Return whether the results of tools among *wires* have their texts in blocks, one each, as some agents write them."""
    contents = [wire.get("content") for wire in wires if isinstance(wire, dict) and wire.get("type") == "tool_result"]
    return bool(contents) and all(_is_one_text(content) for content in contents)


def write_block(part: Part, wire: Json = None, *, results_in_blocks: bool = False) -> Json:
    """Return *part* as a block; into *wire* when that is a block of the same type, so that its other fields stay.

    A tool's result is a string, or with *results_in_blocks* a text block in a list.
    """
    if isinstance(part, Opaque):
        return from_json_text(part.json)
    new = _new_block(part)
    if isinstance(part, ToolResult) and results_in_blocks:
        new["content"] = [{"type": "text", "text": part.text}]
    if not isinstance(wire, dict) or wire.get("type") != new["type"]:
        return new
    before = read_block(wire)
    if isinstance(part, ToolResult) and isinstance(before, ToolResult) and part.text == before.text:
        new.pop("content")
    if isinstance(part, ToolUse) and isinstance(before, ToolUse) and part.arguments == before.arguments:
        new.pop("input")
    return wire | new


def _is_one_text(content: Json) -> bool:
    """Return whether *content* is a list of one text block that says nothing but its text."""
    only = content[0] if isinstance(content, list) and len(content) == 1 else None
    return isinstance(only, dict) and only.keys() == {"type", "text"}


def _new_block(part: Part) -> Object:
    """Return *part* in the format's normal form; arguments that are no JSON are kept as text."""
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, ToolUse):
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": from_json_text(part.arguments or "{}")}
    if isinstance(part, ToolResult):
        block: Object = {"type": "tool_result", "tool_use_id": part.id, "content": part.text}
        return block | {"is_error": True} if part.is_error else block
    if isinstance(part, Reasoning):
        signed: Object = {} if part.signature is None else {"signature": part.signature}
        return {"type": "thinking", "thinking": part.text} | signed
    assert isinstance(part, Media)
    kind = "image" if part.kind == "image" else "document"
    if part.data_base64 is None:
        return {"type": kind, "source": {"type": "url", "url": part.url}}
    return {
        "type": kind,
        "source": {"type": "base64", "media_type": part.media_type, "data": part.data_base64},
    }
