"""Understand the server's answers: values out of their envelope, refusals out of their several shapes."""

from typing import Generic, TypeVar

import msgspec

from reenact.domain.message import Json
from reenact.errors import ServerRefused

T = TypeVar("T")


class _Envelope(msgspec.Struct, Generic[T], frozen=True):
    data: T


def understood(status: int, content: bytes, kind: type[T]) -> T:
    """Return the value of *kind* that an answer holds.

    Raises:
        ServerRefused: the answer is an error, or holds something else.
    """
    if status >= 400:
        raise refusal(status, content)
    try:
        return msgspec.json.decode(content, type=_Envelope[kind]).data  # type: ignore[valid-type]
    except msgspec.MsgspecError as error:
        raise ServerRefused(
            f"The server's answer is not what this version of Reenact expects ({error}); "
            "is it a Reenact server of the same version?",
            status,
        ) from error


def refusal(status: int, content: bytes) -> ServerRefused:
    """Return the error that an answer of *status* says, its place in the input with it where the server names one."""
    try:
        body = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = content[:200].decode("utf-8", "replace")
    message, field = _said(body)
    if status == 401:
        message += " Give a key with --key, or as Client(key=...)."
    if field:
        message += f" (at {field})"
    return ServerRefused(message or f"The server answered with status {status} and no reason.", status, field)


def _said(body: Json) -> tuple[str, str]:
    """Return message and field out of the three shapes of failures: a validation's details, an envelope, plain text."""
    if not isinstance(body, dict):
        return str(body).strip(), ""
    if isinstance(details := body.get("details"), dict) and details:
        field, detail = next(iter(details.items()))
        message = detail.get("message") if isinstance(detail, dict) else detail
        return str(message), "" if field == "body" else field
    error = body.get("error") or body.get("message") or body.get("detail")
    return error if isinstance(error, str) else str(msgspec.json.encode(error), "utf-8") if error else "", ""
