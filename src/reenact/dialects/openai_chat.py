"""OpenAI's chat completions, the format that most providers speak.

Wire facts: platform.openai.com/docs/api-reference/chat (2026-11).
"""

import re
from collections.abc import Sequence

from msgspec import UNSET

from reenact.dialects.openai_answer import read_error, read_usage, usage_of
from reenact.dialects.openai_message import read_message, write_message
from reenact.dialects.openai_stream import merge_chat
from reenact.dialects.openai_tool_call import read_tool, write_tool
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
from reenact.domain.message import Answer, Json, Prompt, Tool

_PATH = re.compile(r"(^|/)chat/completions/?$")
_TYPED = frozenset({"model", "messages", "stream"})


class OpenAIChat:
    """`POST .../chat/completions` of OpenAI, Azure, Groq, Mistral, DeepSeek, Together, OpenRouter, vLLM and many more."""

    name = "openai_chat"

    def reads(self, provider: str, method: str, path: str) -> bool:
        """Return whether *path* ends as the format's does, whatever prefix the provider puts before it."""
        return method.upper() == "POST" and _PATH.search(path) is not None

    def read_prompt(self, body: Json) -> Prompt:
        """Return what a request body says.

        Raises:
            InvalidInput: the body is not an object, or `messages` is not a list of objects.
        """
        wire = need_object(body)
        tools_key = _tools_key(wire)
        return Prompt(
            dialect=self.name,
            model=optional_text(wire, "model"),
            messages=tuple(read_message(message) for message in need_objects(wire, "messages")),
            tools=_read_tools(wire),
            stream=wire.get("stream") is True,
            parameters={key: value for key, value in wire.items() if key not in _TYPED and key != tools_key},
            origin=wire,
        )

    def write_prompt(self, prompt: Prompt) -> Json:
        """Return *prompt* as a request body; what was not changed since reading comes back as it was."""
        origin: Object = prompt.origin if isinstance(prompt.origin, dict) else {}
        before = self.read_prompt(origin)
        tools_key = _tools_key(origin)
        legacy = tools_key == "functions"
        fields: dict[str, Json] = {
            "model": kept(origin, "model", prompt.model, before.model),
            "messages": [write_message(message) for message in prompt.messages]
            if prompt.messages or "messages" in origin
            else UNSET,
            tools_key: [write_tool(tool, legacy=legacy) for tool in prompt.tools]
            or (UNSET if before.tools else origin.get(tools_key, UNSET)),
            "stream": kept(origin, "stream", prompt.stream, before.stream),
        }
        return compose(origin, fields | prompt.parameters)

    def read_answer(self, body: Json) -> Answer:
        """Return what a response body says, errors included.

        Raises:
            InvalidInput: the body is not an object.
        """
        wire = need_object(body)
        choices = objects(wire, "choices")
        messages = [read_message({"role": "assistant"} | inner(choice, "message")) for choice in choices]
        return Answer(
            model=optional_text(wire, "model") or None,
            message=messages[0] if messages else None,
            alternatives=tuple(messages[1:]),
            stop_reason=optional_text(choices[0], "finish_reason") if choices else None,
            usage=read_usage(usage_of(wire)),
            error=read_error(wire),
            response_id=optional_text(wire, "id") or None,
            origin=wire,
        )

    def merge(self, events: Sequence[Json]) -> Json:
        """Return the `chat.completion` that the chunks add up to; broken streams give what came."""
        return merge_chat(events)


def _tools_key(wire: Object) -> str:
    """Return the field that the tools are in: `functions` in bodies of the format's first version."""
    return "functions" if is_objects(wire.get("functions")) and not is_objects(wire.get("tools")) else "tools"


def _read_tools(wire: Object) -> tuple[Tool, ...]:
    """Return the tools; none for a field of another shape, which is kept as it is."""
    tools = wire.get(_tools_key(wire))
    return tuple(read_tool(tool) for tool in tools) if is_objects(tools) else ()
