"""The tools of a prompt in another format."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reenact.dialects.translating.schema import json_schema
from reenact.dialects.wire import Object, inner, text
from reenact.domain.message import Json, Lost, Message, Tool
from reenact.errors import InvalidInput

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
"""What OpenAI and Anthropic take; Gemini takes more."""
_NOTHING: Object = {"type": "object", "properties": {}}
"""The schema of a tool without arguments, for the formats that demand one."""
_KNOWN = {
    "openai_chat": frozenset({"name", "description", "parameters", "strict"}),
    "openai_responses": frozenset({"type", "name", "description", "parameters", "strict"}),
    "anthropic_messages": frozenset({"type", "name", "description", "input_schema", "strict"}),
    "gemini": frozenset(
        {"name", "description", "parameters", "parametersJsonSchema", "parameters_json_schema", "propertyOrdering"}
    ),
}


def offered(tool: Tool, place: str, source: str, target: str) -> tuple[Tool, list[Lost]]:
    """Return *tool* of a prompt of *source* for one of *target*, and what of it is lost.

    Raises:
        InvalidInput: the provider runs it itself, or the other format cannot name it; `field` is its place.
    """
    wire: Object = tool.origin if isinstance(tool.origin, dict) else {"name": tool.name}
    body = _function(wire, source)
    if body is None:
        raise InvalidInput(
            f"{place} ({tool.name}) is a tool of the provider's own; the edit drop_tool leaves it out", place
        )
    if target != "gemini" and not _NAME.match(tool.name):
        raise InvalidInput(f"{place} is named {tool.name!r}, which the format {target} does not take", f"{place}/name")
    told = body | {"strict": body.get("strict")}
    lost = [
        Lost(f"{place}/{key}", "the other format has no word for it")
        for key, value in told.items()
        if (key not in _KNOWN[source] or (key == "strict" and target == "gemini"))
        and value not in (None, False, "", [], {})
    ]
    schema = json_schema(tool.schema) if source == "gemini" else tool.schema
    return Tool(
        name=tool.name, description=tool.description, schema=schema, origin=_WRITERS[target](tool, schema, body)
    ), lost


def demanded(messages: tuple[Message, ...]) -> Iterator[Tool]:
    """Yield a bare tool for each that the history asks for: Anthropic takes no such history without."""
    names = dict.fromkeys(use.name for message in messages for use in message.tool_uses)
    for name in names:
        yield Tool(name=name, schema=_NOTHING, origin={"name": name, "input_schema": _NOTHING})


def _function(wire: Object, source: str) -> Object | None:
    """Return the object that describes a function of the agent's; None for other tools."""
    kind = text(wire, "type")
    if source == "openai_chat":
        return inner(wire, "function") if kind == "function" else wire if not kind and "name" in wire else None
    if source == "gemini":
        return wire if "name" in wire else None
    return wire if kind in ("", "function" if source == "openai_responses" else "custom") else None


def _described(tool: Tool) -> Object:
    return {"name": tool.name} | ({"description": tool.description} if tool.description else {})


def _strict(body: Mapping[str, Any]) -> Object:
    return {"strict": True} if body.get("strict") is True else {}


def _chat(tool: Tool, schema: Json, body: Object) -> Object:
    given = {} if schema is None else {"parameters": schema}
    return {"type": "function", "function": _described(tool) | given | _strict(body)}


def _responses(tool: Tool, schema: Json, body: Object) -> Object:
    """Return the tool; one that does not say is strict in this format and in no other."""
    strict = {"strict": body.get("strict") is True}
    return {"type": "function"} | _described(tool) | {"parameters": _NOTHING if schema is None else schema} | strict


def _anthropic(tool: Tool, schema: Json, body: Object) -> Object:
    return _described(tool) | {"input_schema": _NOTHING if schema is None else schema} | _strict(body)


def _gemini(tool: Tool, schema: Json, _: Object) -> Object:
    return _described(tool) | ({} if schema is None else {"parametersJsonSchema": schema})


_WRITERS = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic_messages": _anthropic,
    "gemini": _gemini,
}
