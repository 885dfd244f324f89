"""OpenAI's Responses API.

Wire facts: platform.openai.com/docs/api-reference/responses (2026-11).
"""

import re
from collections.abc import Sequence

from msgspec import UNSET

from reenact.dialects.openai_answer import read_error, read_usage
from reenact.dialects.openai_tool_call import read_tool, write_tool
from reenact.dialects.responses_item import read_item, read_output, write_items
from reenact.dialects.responses_stream import merge_responses
from reenact.dialects.wire import (
    Object,
    compose,
    inner,
    is_objects,
    kept,
    need_object,
    need_objects,
    objects,
    optional_text,
)
from reenact.domain.message import Answer, Json, Message, Prompt, Role, Text, Tool

_PATH = re.compile(r"(^|/)responses/?$")
_TYPED = frozenset({"model", "instructions", "input", "tools", "stream"})


class OpenAIResponses:
    """`POST .../responses` of OpenAI, Azure and those who followed."""

    name = "openai_responses"

    def reads(self, provider: str, method: str, path: str) -> bool:
        """Return whether *path* ends as the format's does, whatever prefix the provider puts before it."""
        return method.upper() == "POST" and _PATH.search(path) is not None

    def read_prompt(self, body: Json) -> Prompt:
        """Return what a request body says: instructions first, then one message for each item of the input.

        Raises:
            InvalidInput: the body is not an object, or `input` is neither a string nor a list of objects.
        """
        wire = need_object(body)
        return Prompt(
            dialect=self.name,
            model=optional_text(wire, "model"),
            messages=(*_read_instructions(wire), *_read_input(wire)),
            tools=_read_tools(wire),
            stream=wire.get("stream") is True,
            parameters={key: value for key, value in wire.items() if key not in _TYPED},
            origin=wire,
        )

    def write_prompt(self, prompt: Prompt) -> Json:
        """Return *prompt* as a request body; what was not changed since reading comes back as it was."""
        origin: Object = prompt.origin if isinstance(prompt.origin, dict) else {}
        instructions = [message for message in prompt.messages if _is_instructions(message)]
        turns = [message for message in prompt.messages if not _is_instructions(message)]
        had_tools = bool(_read_tools(origin))
        fields: dict[str, Json] = {
            "model": kept(origin, "model", prompt.model, optional_text(origin, "model")),
            "instructions": _write_instructions(instructions, origin),
            "input": _write_input(turns, origin),
            "tools": [_write_tool(tool) for tool in prompt.tools]
            or (UNSET if had_tools else origin.get("tools", UNSET)),
            "stream": kept(origin, "stream", prompt.stream, origin.get("stream") is True),
        }
        return compose(origin, fields | prompt.parameters)

    def read_answer(self, body: Json) -> Answer:
        """Return what a response body says, errors included; all its items are one message.

        Raises:
            InvalidInput: the body is not an object.
        """
        wire = need_object(body)
        output = objects(wire, "output")
        status = optional_text(wire, "status")
        return Answer(
            model=optional_text(wire, "model") or None,
            message=read_output(output) if output else None,
            stop_reason=optional_text(inner(wire, "incomplete_details"), "reason") or status,
            usage=read_usage(wire.get("usage")),
            error=read_error(wire),
            response_id=optional_text(wire, "id") or None,
            origin=wire,
        )

    def merge(self, events: Sequence[Json]) -> Json:
        """Return the response that the events add up to; broken streams give what came."""
        return merge_responses(events)


def _is_instructions(message: Message) -> bool:
    """Return whether *message* belongs into `instructions`; a system item of the input stays there."""
    return message.role is Role.SYSTEM and not isinstance(message.origin, dict)


def _read_instructions(wire: Object) -> tuple[Message, ...]:
    given = wire.get("instructions")
    return (Message(role=Role.SYSTEM, parts=(Text(given),), origin=given),) if isinstance(given, str) else ()


def _write_instructions(messages: Sequence[Message], origin: Object) -> Json:
    if tuple(messages) == _read_instructions(origin):
        return origin.get("instructions", UNSET)
    return "\n\n".join(message.text for message in messages) if messages else UNSET


def _read_input(wire: Object) -> tuple[Message, ...]:
    given = wire.get("input")
    if isinstance(given, str):
        return (Message(role=Role.USER, parts=(Text(given),), origin=given),)
    return tuple(read_item(item) for item in need_objects(wire, "input"))


def _write_input(messages: Sequence[Message], origin: Object) -> Json:
    """Return the input: a string where it was one and one text of the user is left, else items."""
    given = origin.get("input", UNSET)
    is_text = len(messages) == 1 and messages[0].role is Role.USER and len(messages[0].parts) == 1
    if isinstance(given, str) and is_text and isinstance(messages[0].parts[0], Text):
        return messages[0].text
    if not messages and given is UNSET:
        return UNSET
    return [item for message in messages for item in write_items(message)]


def _read_tools(wire: Object) -> tuple[Tool, ...]:
    tools = wire.get("tools")
    return tuple(read_tool(tool) for tool in tools) if is_objects(tools) else ()


def _write_tool(tool: Tool) -> Object:
    flat = write_tool(tool, legacy=True)
    return flat if tool.origin is not None else {"type": "function", **flat}
