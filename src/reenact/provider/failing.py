"""Errors as each provider words them."""

import msgspec

from reenact.domain.message import Json

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_GEMINI_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_CODES = {401: "invalid_api_key", 404: "unknown_url", 429: "rate_limit_exceeded"}
_SENTENCES = {
    401: "Incorrect API key provided.",
    403: "You are not allowed to use this model.",
    429: "Rate limit reached. Please try again later.",
    500: "The server had an error while processing your request. Sorry about that!",
    503: "The server is overloaded or not ready yet.",
}


def write_error(dialect: str, status: int, message: str = "", field: str = "") -> bytes:
    """Return the body of an error in the shape of *dialect*'s provider, OpenAI's for those that are not known.

    Sources (2026-11): platform.openai.com/docs/guides/error-codes, docs.anthropic.com/en/api/errors,
    cloud.google.com/apis/design/errors.
    """
    sentence = message or _SENTENCES.get(status, f"The scripted provider answers {status}.")
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
    body: Json
    if dialect == "anthropic_messages":
        body = {"type": "error", "error": {"type": kind, "message": sentence}}
    elif dialect == "gemini":
        body = {"error": {"code": status, "message": sentence, "status": _GEMINI_STATUSES.get(status, "UNKNOWN")}}
    else:
        kind = "server_error" if status >= 500 else kind
        body = {"error": {"message": sentence, "type": kind, "param": field or None, "code": _CODES.get(status)}}
    return msgspec.json.encode(body)
