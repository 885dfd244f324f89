"""Find what a message says on the wire that the vocabulary has no word for, such as a mark for the provider's cache."""

from collections.abc import Iterator, Mapping
from typing import Any

from reenact.domain.message import Json

Known = Mapping[str, Any]
"""The fields that are understood: None for one that is as a whole, else those of the objects in it."""


def remaining(dialect: str, wire: Json, place: str) -> Iterator[str]:
    """Yield the places of the fields of a message's *wire* object that are not understood and say something."""
    known = _KNOWN[dialect]
    yield from _unknown(
        wire, known["content"] if isinstance(wire, list) else known, place
    )  # a list: Anthropic's system


def _unknown(value: Json, known: Known | None, place: str) -> Iterator[str]:
    if known is None:
        return
    if isinstance(value, list):
        for at, one in enumerate(value):
            yield from _unknown(one, known, f"{place}/{at}")
    if isinstance(value, dict):
        for key, one in value.items():
            if key in known:
                yield from _unknown(one, known[key], f"{place}/{key}")
            elif one not in (None, "", [], {}):
                yield f"{place}/{key}"


def _leaves(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names)


_CHAT_PART = {
    **_leaves("type", "text", "refusal"),
    "image_url": _leaves("url"),
    "input_audio": _leaves("data", "format"),
    "file": _leaves("file_data", "file_id", "filename"),
}
_CHAT_CALL = {**_leaves("id", "type", "index"), "function": _leaves("name", "arguments")}
_BLOCK: dict[str, Any] = {
    **_leaves("type", "text", "id", "name", "input", "tool_use_id", "is_error", "thinking", "signature", "data"),
    "content": _leaves("type", "text"),
    "source": _leaves("type", "media_type", "data", "url"),
}
_GEMINI_CALL = _leaves("id", "name", "args")
_GEMINI_RESPONSE = _leaves("id", "name", "response")
_KNOWN: dict[str, Known] = {
    "openai_chat": {
        **_leaves("role", "tool_call_id", "refusal", "reasoning_content", "reasoning", "function_call"),
        "content": _CHAT_PART,
        "tool_calls": _CHAT_CALL,
    },
    "openai_responses": {
        **_leaves("type", "role", "id", "status", "call_id", "name", "arguments", "summary", "encrypted_content"),
        "output": _leaves("type", "text"),
        "content": _leaves("type", "text", "image_url", "file_data", "file_url", "filename", "refusal", "annotations"),
    },
    "anthropic_messages": {**_leaves("role"), "content": _BLOCK},
    "gemini": {
        **_leaves("role"),
        "parts": {
            **_leaves("text", "thought", "thoughtSignature", "thought_signature"),
            **dict.fromkeys(("functionCall", "function_call"), _GEMINI_CALL),
            **dict.fromkeys(("functionResponse", "function_response"), _GEMINI_RESPONSE),
            **dict.fromkeys(("inlineData", "inline_data"), _leaves("mimeType", "mime_type", "data")),
            **dict.fromkeys(("fileData", "file_data"), _leaves("mimeType", "mime_type", "fileUri", "file_uri")),
        },
    },
}
