"""Anthropic's Messages API.

Wire facts: docs.anthropic.com/en/api/messages (2026-11).
"""

import re
from collections.abc import Sequence

from msgspec import UNSET

from reenact.dialects.anthropic_message import (
    is_system,
    read_content,
    read_message,
    read_system,
    read_tool,
    write_message,
    write_system,
    write_tool,
)
from reenact.dialects.anthropic_stream import merge_messages
from reenact.dialects.wire import (
    Object,
    compose,
    inner,
    is_objects,
    kept,
    need_object,
    need_objects,
    optional_text,
    text,
    whole,
)
from reenact.domain.message import Answer, Json, Message, Prompt, Role, Tool, Usage

_PATH = re.compile(
    r"(^|/)v1/messages(/count_tokens)?/?$|/publishers/anthropic/models/[^/]+:(rawPredict|streamRawPredict)$"
)
_TYPED = frozenset({"model", "system", "messages", "tools", "stream"})


class AnthropicMessages:
    """`POST /v1/messages`, its `count_tokens`, and the same on Vertex AI."""

    name = "anthropic_messages"

    def reads(self, provider: str, method: str, path: str) -> bool:
        """Return whether *path* ends as the format's does; messages of OpenAI's threads are others."""
        return method.upper() == "POST" and "/threads/" not in path and _PATH.search(path) is not None

    def read_prompt(self, body: Json) -> Prompt:
        """Return what a request body says, the system field as the first message.

        Raises:
            InvalidInput: the body is not an object, or `messages` is not a list of objects.
        """
        wire = need_object(body)
        messages = tuple(read_message(message) for message in need_objects(wire, "messages"))
        return Prompt(
            dialect=self.name,
            model=optional_text(wire, "model"),
            messages=(*read_system(wire.get("system")), *messages),
            tools=_read_tools(wire),
            stream=wire.get("stream") is True,
            parameters={key: value for key, value in wire.items() if key not in _TYPED},
            origin=wire,
        )

    def write_prompt(self, prompt: Prompt) -> Json:
        """Return *prompt* as a request body; what was not changed since reading comes back as it was."""
        origin: Object = prompt.origin if isinstance(prompt.origin, dict) else {}
        system = [message for message in prompt.messages if is_system(message)]
        turns = [write_message(message) for message in prompt.messages if not is_system(message)]
        had_tools = bool(_read_tools(origin))
        fields: dict[str, Json] = {
            "model": kept(origin, "model", prompt.model, optional_text(origin, "model")),
            "system": write_system(system, origin.get("system", UNSET)),
            "messages": turns if turns or "messages" in origin else UNSET,
            "tools": [write_tool(tool) for tool in prompt.tools]
            or (UNSET if had_tools else origin.get("tools", UNSET)),
            "stream": kept(origin, "stream", prompt.stream, origin.get("stream") is True),
        }
        return compose(origin, fields | prompt.parameters)

    def read_answer(self, body: Json) -> Answer:
        """Return what a response body says, errors included.

        Raises:
            InvalidInput: the body is not an object.
        """
        wire = need_object(body)
        error = wire.get("error")
        has_message = isinstance(wire.get("content"), list)
        message = Message(role=Role.ASSISTANT, parts=read_content(wire.get("content")), origin=_echo(wire))
        return Answer(
            model=optional_text(wire, "model") or None,
            message=message if has_message else None,
            stop_reason=optional_text(wire, "stop_reason"),
            usage=_read_usage(wire),
            error=None
            if not error
            else text(error, "message") or text(error, "type") or "The provider answered an error.",
            response_id=optional_text(wire, "id") or None,
            origin=wire,
        )

    def merge(self, events: Sequence[Json]) -> Json:
        """Return the message that the events add up to; broken streams give what came."""
        return merge_messages(events)


def _echo(wire: Object) -> Object:
    """Return the part of an answer that goes into the next request as it is."""
    return {"role": wire.get("role", "assistant"), "content": wire.get("content")}


def _read_tools(wire: Object) -> tuple[Tool, ...]:
    tools = wire.get("tools")
    return tuple(read_tool(tool) for tool in tools) if is_objects(tools) else ()


def _read_usage(wire: Object) -> Usage:
    """Return the usage; Anthropic's `input_tokens` leave out what was read from and written to the cache."""
    usage = inner(wire, "usage") or wire
    plain = whole(usage, "input_tokens")
    read, written = whole(usage, "cache_read_input_tokens"), whole(usage, "cache_creation_input_tokens")
    return Usage(
        input_tokens=None if plain is None else plain + (read or 0) + (written or 0),
        output_tokens=whole(usage, "output_tokens"),
        cache_read_tokens=read,
        cache_write_tokens=written,
    )
