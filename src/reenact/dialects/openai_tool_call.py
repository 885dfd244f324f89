"""Tool calls and tools of OpenAI's chat format as lenses."""

from reenact.dialects.wire import Object, as_json_text, from_json_text, inner, is_same, text
from reenact.domain.message import Json, Tool, ToolUse


def read_tool_call(wire: Object) -> ToolUse:
    """Return a function call or a custom tool's call; `arguments` that are no string are written out as JSON."""
    custom = inner(wire, "custom")
    if custom:
        return ToolUse(id=text(wire, "id"), name=text(custom, "name"), arguments=text(custom, "input"))
    function = inner(wire, "function")
    return ToolUse(
        id=text(wire, "id"),
        name=text(function, "name") or text(wire, "name"),
        arguments=as_json_text(function.get("arguments", "")),
    )


def write_tool_call(use: ToolUse, wire: Object | None = None) -> Object:
    """Return *use* as a tool call, put into *wire* when that is the call it was read from."""
    if wire is None:
        return {"id": use.id, "type": "function", "function": {"name": use.name, "arguments": use.arguments}}
    before = read_tool_call(wire)
    changed = dict(wire)
    if use.id != before.id:
        changed["id"] = use.id
    custom = "custom" in wire
    body = dict(inner(wire, "custom" if custom else "function"))
    if use.name != before.name:
        body["name"] = use.name
    if use.arguments != before.arguments:
        key = "input" if custom else "arguments"
        body[key] = use.arguments if isinstance(body.get(key, ""), str) else from_json_text(use.arguments)
    if (use.name, use.arguments) != (before.name, before.arguments):
        changed["custom" if custom else "function"] = body
    return changed


def read_tool(wire: Object) -> Tool:
    """Return a tool: `{type: function, function: {...}}`, a bare legacy function, or a tool of the provider's own."""
    function = _tool_body(wire)
    return Tool(
        name=text(function, "name") or text(wire, "type"),
        description=text(function, "description"),
        schema=function.get("parameters"),
        origin=wire,
    )


def write_tool(tool: Tool, *, legacy: bool = False) -> Object:
    """Return *tool* as a tool object; a *legacy* one made anew is a bare function."""
    if isinstance(tool.origin, dict):
        return _rewrite_tool(tool, tool.origin)
    function: Object = {"name": tool.name, "description": tool.description, "parameters": tool.schema}
    function = {key: value for key, value in function.items() if value not in (None, "")}
    return function if legacy else {"type": "function", "function": function}


def _rewrite_tool(tool: Tool, wire: Object) -> Object:
    before = read_tool(wire)
    pairs: list[tuple[str, Json, Json]] = [
        ("name", before.name, tool.name),
        ("description", before.description, tool.description),
        ("parameters", before.schema, tool.schema),
    ]
    changes = {key: new for key, old, new in pairs if not is_same(old, new)}
    if not changes:
        return wire
    for key in ("function", "custom"):
        if isinstance(wire.get(key), dict):
            return wire | {key: wire[key] | changes}
    return wire | changes


def _tool_body(wire: Object) -> Object:
    return inner(wire, "function") or inner(wire, "custom") or wire
