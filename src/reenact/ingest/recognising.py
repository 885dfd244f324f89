"""Recognising: which format a told call's bodies are in, and where on a gateway the same could be asked again.

A log names neither path nor format (surface 3.10): the bodies' own fields tell.
"""

from reenact.dialects.dialect import Dialect
from reenact.dialects.registry import dialect_named
from reenact.dialects.wire import items, text
from reenact.domain.call import Kind
from reenact.domain.message import Json

EVENTS = {"tool": Kind.TOOL, "vector_db": Kind.VECTOR, "data": Kind.DATA}
"""What `_type` of a request says of a call that asked no model (surface 4.3)."""

_WAYS = {
    "openai_chat": "v1/chat/completions",
    "openai_completions": "v1/completions",
    "openai_embeddings": "v1/embeddings",
    "openai_responses": "v1/responses",
    "anthropic_messages": "v1/messages",
}
_GOOGLE_CHAT = "v1beta/openai/chat/completions"
_ANTHROPIC_EVENTS = ("message_start", "content_block_", "message_delta")


def event_kind(asked: Json) -> Kind | None:
    """Return what sort of event a told request is; None for a model's call."""
    return EVENTS.get(text(asked, "_type"))


def recognise(provider: str, asked: Json, answered: Json) -> Dialect | None:
    """Return the dialect of a told call; None when the bodies are of none.

    Args:
        provider: Lower-case name, which decides where the bodies do not.
        asked: The request as JSON.
        answered: The response as JSON, or the first event of a stream.
    """
    name = _name(provider, asked, answered)
    return dialect_named(name) if name else None


def way_to(dialect: Dialect, provider: str, asked: Json) -> str | None:
    """Return the path, without a slash before it, that asks *provider* in this format; None when the body does not say."""
    if dialect.name == "gemini":
        model = text(asked, "model").removeprefix("models/")
        return f"v1beta/models/{model}:generateContent" if model else None
    return _GOOGLE_CHAT if provider == "google" and dialect.name == "openai_chat" else _WAYS[dialect.name]


def _name(provider: str, asked: Json, answered: Json) -> str | None:
    if not isinstance(asked, dict) or event_kind(asked) is not None:
        return None
    if "contents" in asked:
        return "gemini"
    if isinstance(asked.get("messages"), list):
        return "anthropic_messages" if _is_anthropic(provider, answered) else "openai_chat"
    if "input" in asked:
        return "openai_embeddings" if _is_embedding(asked, answered) else "openai_responses"
    return "openai_completions" if isinstance(asked.get("prompt"), str | list) else None


def _is_anthropic(provider: str, answered: Json) -> bool:
    """Return whether the answer, else the provider, says that these messages are Anthropic's."""
    kind = text(answered, "type")
    if kind == "message" or kind.startswith(_ANTHROPIC_EVENTS):
        return True
    return provider == "anthropic" and not (isinstance(answered, dict) and "choices" in answered)


def _is_embedding(asked: Json, answered: Json) -> bool:
    has_vectors = any(isinstance(one, dict) and "embedding" in one for one in items(answered, "data"))
    return has_vectors or "embed" in text(asked, "model").lower()
