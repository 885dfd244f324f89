"""What OpenAI's answers share: usage and errors, in the shapes that OpenAI-compatible providers give them."""

from collections.abc import Sequence

from reenact.dialects.wire import Object, inner, optional_text, text, whole
from reenact.domain.message import Json, Usage


def read_usage(wire: Json) -> Usage:
    """Return a `usage` object: chat's and completions' names, the Responses API's, embeddings'.

    Source: platform.openai.com/docs/api-reference (2026-11); `prompt_cache_hit_tokens` is DeepSeek's, `cache_write_tokens`
    OpenRouter's.
    """
    return Usage(
        input_tokens=_first(wire, ("prompt_tokens",), ("input_tokens",)),
        output_tokens=_first(wire, ("completion_tokens",), ("output_tokens",)),
        cache_read_tokens=_first(
            wire,
            ("prompt_tokens_details", "cached_tokens"),
            ("input_tokens_details", "cached_tokens"),
            ("prompt_cache_hit_tokens",),
        ),
        cache_write_tokens=_first(wire, ("prompt_tokens_details", "cache_write_tokens")),
        input_audio_tokens=_first(wire, ("prompt_tokens_details", "audio_tokens")),
        output_audio_tokens=_first(wire, ("completion_tokens_details", "audio_tokens")),
        reasoning_tokens=_first(
            wire, ("completion_tokens_details", "reasoning_tokens"), ("output_tokens_details", "reasoning_tokens")
        ),
    )


def usage_of(body: Object) -> Json:
    """Return the usage object of an answer; Groq's streams keep theirs under `x_groq` (console.groq.com, 2026-11)."""
    return body.get("usage") or inner(body, "x_groq").get("usage")


def read_error(body: Object) -> str | None:
    """Return the provider's error message; None when the answer is no error.

    OpenAI: `{error: {message}}`; vLLM and Mistral: `{object: error, message}`; others: `{detail}`.
    """
    error = body.get("error")
    if isinstance(error, dict):
        return text(error, "message") or text(error, "code") or text(error, "type") or "The provider answered an error."
    if isinstance(error, str) and error:
        return error
    if text(body, "object") == "error" or "choices" not in body:
        return optional_text(body, "message") or optional_text(body, "detail")
    return None


def _first(wire: Json, *paths: Sequence[str]) -> int | None:
    return next((found for path in paths if (found := whole(wire, *path)) is not None), None)
