"""Errors as providers word them, and what makes a request one that they refuse."""

import msgspec

from reenact.domain.message import Json, Prompt

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_SENTENCES = {
    401: "Incorrect API key provided.",
    403: "You are not allowed to use this model.",
    429: "Rate limit reached. Please try again later.",
    500: "The server had an error while processing your request. Sorry about that!",
    503: "The server is overloaded or not ready yet.",
}


def write_error(status: int, message: str = "", *, param: str | None = None, code: str | None = None) -> bytes:
    """Return the body of an error in OpenAI's shape (platform.openai.com/docs/guides/error-codes, 2026-11)."""
    error: Json = {
        "message": message or _SENTENCES.get(status, f"The scripted provider answers {status}."),
        "type": _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error"),
        "param": param,
        "code": code or {401: "invalid_api_key", 429: "rate_limit_exceeded"}.get(status),
    }
    return msgspec.json.encode({"error": error})


def find_missing(prompt: Prompt) -> str | None:
    """Return the field that a request must have and has not, None when all is there."""
    if not prompt.model:
        return "model"
    field = {"openai_chat": "messages", "openai_embeddings": "input", "openai_completions": "prompt"}.get(
        prompt.dialect
    )
    return field if field is not None and not prompt.messages else None
