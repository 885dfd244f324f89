"""Messages, the system field and tools of Anthropic's format as lenses."""

from collections.abc import Sequence
from functools import partial

from msgspec import UNSET

from reenact.dialects.anthropic_block import are_results_in_blocks, read_block, write_block
from reenact.dialects.matching import match_parts
from reenact.dialects.wire import Object, is_same, text
from reenact.domain.message import Json, Message, Part, Role, Text, Tool, ToolResult

_ROLES = {"assistant": Role.ASSISTANT, "system": Role.SYSTEM, "user": Role.USER}
_WORDS = {Role.ASSISTANT: "assistant", Role.SYSTEM: "system", Role.USER: "user", Role.TOOL: "user"}


def read_message(wire: Object) -> Message:
    """Return what a message says; a user's message of nothing but tool results is a tool's."""
    parts = read_content(wire.get("content"))
    role = _ROLES.get(text(wire, "role"), Role.USER)
    if role is Role.USER and parts and all(isinstance(part, ToolResult) for part in parts):
        role = Role.TOOL
    return Message(role=role, parts=parts, origin=wire)


def write_message(message: Message) -> Object:
    """Return *message* as a message object; what is as it was read comes back as it was."""
    wire = message.origin
    if not isinstance(wire, dict):
        return {"role": _WORDS[message.role], "content": write_content(message.parts, "")}
    before = read_message(wire)
    if before == message:
        return wire
    changed = dict(wire)
    if message.role is not before.role:
        changed["role"] = _WORDS[message.role]
    if message.parts != before.parts:
        changed["content"] = write_content(message.parts, wire.get("content"))
    return changed


def read_content(content: Json) -> tuple[Part, ...]:
    """Return the parts of a string or of a list of blocks."""
    if isinstance(content, str):
        return (Text(content),) if content else ()
    return tuple(read_block(block) for block in content) if isinstance(content, list) else ()


def write_content(parts: Sequence[Part], old: Json) -> Json:
    """Return *parts* as content in the form of the *old* one: a string where they are one text, else blocks."""
    if isinstance(old, list):
        write = partial(write_block, results_in_blocks=are_results_in_blocks(old))
        return match_parts(parts, old, read_block, write)
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], Text):
        return parts[0].text
    return [write_block(part) for part in parts]


def read_system(system: Json) -> tuple[Message, ...]:
    """Return the system field as one message, none when it is absent."""
    if not isinstance(system, str | list):
        return ()
    return (Message(role=Role.SYSTEM, parts=read_content(system), origin=system),)


def is_system(message: Message) -> bool:
    """Return whether *message* belongs into the system field; one read from `messages` stays there."""
    return message.role is Role.SYSTEM and not isinstance(message.origin, dict)


def write_system(messages: Sequence[Message], old: Json) -> Json:
    """Return the system field for *messages*; UNSET when there are none."""
    if tuple(messages) == read_system(old):
        return old
    if not messages:
        return UNSET
    parts = [part for message in messages for part in message.parts]
    return write_content(parts, old)


def read_tool(wire: Object) -> Tool:
    """Return a tool of the agent's or of the provider's own."""
    return Tool(
        name=text(wire, "name") or text(wire, "type"),
        description=text(wire, "description"),
        schema=wire.get("input_schema"),
        origin=wire,
    )


def write_tool(tool: Tool) -> Object:
    """Return *tool* as a tool object; what is as it was read comes back as it was."""
    new: Object = {"name": tool.name, "description": tool.description, "input_schema": tool.schema}
    if not isinstance(tool.origin, dict):
        return {key: value for key, value in new.items() if value not in (None, "")}
    before = read_tool(tool.origin)
    old: Object = {"name": before.name, "description": before.description, "input_schema": before.schema}
    changes = {key: value for key, value in new.items() if not is_same(value, old[key])}
    return tool.origin | changes if changes else tool.origin
