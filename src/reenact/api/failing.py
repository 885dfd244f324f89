"""Failing: one table from an error's code to an HTTP status, and the few shapes that failures have (surface 3.1)."""

from reenact.domain.message import Json
from reenact.errors import InvalidInput, ReenactError, Unauthenticated, UpstreamFailed

STATUSES: dict[str, int] = {
    "invalid_input": 422,
    "invalid_filter": 422,
    "invalid_patch": 422,
    "not_found": 404,
    "unauthenticated": 401,
    "forbidden": 403,
    "too_large": 413,
    "upstream_failed": 502,
    "spool_failed": 500,
}
"""Codes outside of it are our own faults: 500."""

_SHOWN_CHARACTERS = 200


def failure(error: ReenactError) -> tuple[int, Json]:
    """Return the status and the JSON body for *error*."""
    status = STATUSES.get(error.code, 500)
    if isinstance(error, InvalidInput):
        return status, invalid({error.field or "body": (error.message, error.value)})
    if isinstance(error, Unauthenticated):
        return status, {"error": error.message, "trace": "isAuthenticated.error"}
    if isinstance(error, UpstreamFailed) and error.kind == "timeout":
        status = 504
    return status, refused(error.message)


def refused(message: str) -> Json:
    """Return the envelope of a failure."""
    return {"data": None, "error": message}


def invalid(details: dict[str, tuple[str, object]]) -> Json:
    """Return the body of a validation failure: per place what is wrong and what stands there."""
    shown = {place: {"message": message, "value": _short(value)} for place, (message, value) in details.items()}
    return {"message": "Validation Failed", "details": shown}


def _short(value: object) -> Json:
    """Return *value* when it is short enough to be told back."""
    if isinstance(value, str):
        return value if len(value) <= _SHOWN_CHARACTERS else value[:_SHOWN_CHARACTERS] + "..."
    return value if value is None or isinstance(value, bool | int | float) else None
