"""Responder: turns whatever a route raised into an answer. No traceback leaves the server; it goes to the log."""

import logging
import re
from collections.abc import Mapping

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, SerializationException, ValidationException
from litestar.types import ExceptionHandlersMap

from reenact.api.failing import failure, invalid, refused
from reenact.domain.message import Json
from reenact.errors import InvalidInput, ReenactError, Unauthenticated

_log = logging.getLogger(__name__)

AnyRequest = Request[object, object, State]

_MISSING = re.compile(r"missing required field `([^`]+)`")


def on_error(_: AnyRequest, error: ReenactError) -> Response[bytes]:
    """Answer one of our own errors."""
    status, body = failure(error)
    sign_in = {"www-authenticate": 'Basic realm="Reenact: the API key is the password", charset="UTF-8"'}
    return _answer(status, body, sign_in if isinstance(error, Unauthenticated) else {})


def on_validation(_: AnyRequest, error: ValidationException) -> Response[bytes]:
    """Answer a body or parameter of the wrong shape, naming each place."""
    return _answer(422, invalid({place: (message, None) for place, message in explained(error)}))


def explained(error: Exception) -> list[tuple[str, str]]:
    """Return what is wrong with a request, place by place: where, and why."""
    if isinstance(error, InvalidInput):
        return [(error.field or "body", error.message)]
    if isinstance(error.__cause__, SerializationException):
        return [("body", "Not valid JSON.")]
    if not isinstance(error, ValidationException):
        return [("body", error.detail if isinstance(error, HTTPException) else "Not understood.")]
    told = [entry for entry in error.extra or [] if isinstance(entry, dict)]
    return [(_place(entry), _message(entry)) for entry in told] or [
        ("query", error.detail.split(" for url", maxsplit=1)[0])
    ]


def on_http(_: AnyRequest, error: HTTPException) -> Response[bytes]:
    """Answer what the framework refused: unknown routes, wrong methods, too large or broken bodies."""
    if isinstance(error.__cause__, SerializationException):
        return _answer(422, invalid({"body": ("Not valid JSON.", None)}))
    return _answer(error.status_code, refused(error.detail), error.headers or {})


def on_depth(_: AnyRequest, error: RecursionError) -> Response[bytes]:
    """Answer a body that is nested deeper than this server reads."""
    return _answer(422, invalid({"body": ("Nested too deep.", None)}))


def on_anything(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Answer a fault of our own; its traceback is for the log only."""
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _answer(500, refused("Internal Server Error"))


HANDLERS: ExceptionHandlersMap = {
    ReenactError: on_error,
    ValidationException: on_validation,
    HTTPException: on_http,
    RecursionError: on_depth,
    Exception: on_anything,
}


def _answer(status: int, body: Json, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    return Response(
        msgspec.json.encode(body), status_code=status, media_type=MediaType.JSON, headers=dict(headers or {})
    )


def _message(entry: Mapping[str, object]) -> str:
    """Return what is wrong; a body that is not there at all is told by the framework as its own parameter's name."""
    message = str(entry.get("message", ""))
    return "A JSON body is expected." if message == "'data'" else message


def _place(entry: Mapping[str, object]) -> str:
    """Return where the fault stands, as the client wrote it."""
    if missing := _MISSING.search(str(entry.get("message"))):
        return missing[1]
    place = str(entry.get("key") or "body")
    return "body" if place == "data" else place
