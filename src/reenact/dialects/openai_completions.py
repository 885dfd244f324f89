"""OpenAI's text completions, the format before chat, which vLLM, Together and others still speak.

Wire facts: platform.openai.com/docs/api-reference/completions (2026-11).
"""

import re
from collections.abc import Sequence

from msgspec import UNSET

from reenact.dialects.openai_answer import read_error, read_usage, usage_of
from reenact.dialects.openai_input import read_input, write_input
from reenact.dialects.openai_stream import merge_text
from reenact.dialects.wire import Object, compose, kept, need_object, objects, optional_text, text
from reenact.domain.message import Answer, Json, Message, Prompt, Role, Text

_PATH = re.compile(r"(^|/)(?<!chat/)completions/?$")
_TYPED = frozenset({"model", "prompt", "stream"})


class OpenAICompletions:
    """`POST .../completions`, not under `chat/`."""

    name = "openai_completions"

    def reads(self, provider: str, method: str, path: str) -> bool:
        """Return whether *path* ends as the format's does, whatever prefix the provider puts before it."""
        return method.upper() == "POST" and _PATH.search(path) is not None

    def read_prompt(self, body: Json) -> Prompt:
        """Return what a request body says: one user message for each text to complete.

        Raises:
            InvalidInput: the body is not an object.
        """
        wire = need_object(body)
        return Prompt(
            dialect=self.name,
            model=optional_text(wire, "model"),
            messages=read_input(wire.get("prompt")),
            stream=wire.get("stream") is True,
            parameters={key: value for key, value in wire.items() if key not in _TYPED},
            origin=wire,
        )

    def write_prompt(self, prompt: Prompt) -> Json:
        """Return *prompt* as a request body; what was not changed since reading comes back as it was."""
        origin: Object = prompt.origin if isinstance(prompt.origin, dict) else {}
        fields: dict[str, Json] = {
            "model": kept(origin, "model", prompt.model, optional_text(origin, "model")),
            "prompt": write_input(prompt.messages, origin.get("prompt", UNSET)),
            "stream": kept(origin, "stream", prompt.stream, origin.get("stream") is True),
        }
        return compose(origin, fields | prompt.parameters)

    def read_answer(self, body: Json) -> Answer:
        """Return what a response body says, errors included.

        Raises:
            InvalidInput: the body is not an object.
        """
        wire = need_object(body)
        choices = objects(wire, "choices")
        messages = [
            Message(role=Role.ASSISTANT, parts=(Text(text(choice, "text")),), origin=choice) for choice in choices
        ]
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
        """Return the `text_completion` that the chunks add up to; broken streams give what came."""
        return merge_text(events)
