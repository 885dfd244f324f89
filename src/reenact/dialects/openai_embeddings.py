"""OpenAI's embeddings, also of Azure, Mistral, Voyage, vLLM and others.

Wire facts: platform.openai.com/docs/api-reference/embeddings (2026-11).
"""

import re
from collections.abc import Sequence

from msgspec import UNSET
from msgspec.structs import replace

from reenact.dialects.openai_answer import read_error, read_usage
from reenact.dialects.openai_input import read_input, write_input
from reenact.dialects.wire import Object, compose, kept, need_object, optional_text, whole
from reenact.domain.message import Answer, Json, Prompt

_PATH = re.compile(r"(^|/)embeddings/?$")


class OpenAIEmbeddings:
    """`POST .../embeddings`."""

    name = "openai_embeddings"

    def reads(self, provider: str, method: str, path: str) -> bool:
        """Return whether *path* ends as the format's does, whatever prefix the provider puts before it."""
        return method.upper() == "POST" and _PATH.search(path) is not None

    def read_prompt(self, body: Json) -> Prompt:
        """Return what a request body says: one user message for each text to embed.

        Raises:
            InvalidInput: the body is not an object.
        """
        wire = need_object(body)
        return Prompt(
            dialect=self.name,
            model=optional_text(wire, "model"),
            messages=read_input(wire.get("input")),
            parameters={key: value for key, value in wire.items() if key not in ("model", "input")},
            origin=wire,
        )

    def write_prompt(self, prompt: Prompt) -> Json:
        """Return *prompt* as a request body; what was not changed since reading comes back as it was."""
        origin: Object = prompt.origin if isinstance(prompt.origin, dict) else {}
        fields: dict[str, Json] = {
            "model": kept(origin, "model", prompt.model, optional_text(origin, "model")),
            "input": write_input(prompt.messages, origin.get("input", UNSET)),
        }
        return compose(origin, fields | prompt.parameters)

    def read_answer(self, body: Json) -> Answer:
        """Return model, usage and error of a response body; vectors are no message.

        Raises:
            InvalidInput: the body is not an object.
        """
        wire = need_object(body)
        usage = read_usage(wire.get("usage"))
        if usage.input_tokens is None:  # Voyage counts the total alone, and all of it is input
            usage = replace(usage, input_tokens=whole(wire, "usage", "total_tokens"))
        return Answer(
            model=optional_text(wire, "model") or None,
            usage=replace(usage, output_tokens=None),
            error=read_error(wire),
            response_id=optional_text(wire, "id") or None,
            origin=wire,
        )

    def merge(self, events: Sequence[Json]) -> Json:
        """Return the last event: embeddings are not streamed."""
        return events[-1] if events else {}
