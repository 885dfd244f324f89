"""Remembering what was received, without its secrets, for tests that count upstream calls."""

from collections.abc import Iterable

import msgspec

_SECRET_WORDS = ("auth", "key", "token", "secret", "cookie", "password")
REDACTED = "[redacted]"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it was received."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: str


def redacted(method: str, path: str, query: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Seen:
    """Return a request to keep, with no value of a header or query field whose name sounds like a secret's."""
    return Seen(
        method=method,
        path=path,
        query="&".join(_field(pair) for pair in query.decode("latin-1").split("&") if pair),
        headers=[_header(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers],
        body=body.decode("utf-8", "replace"),
    )


def _header(name: str, value: str) -> tuple[str, str]:
    return name, REDACTED if _is_secret(name) else value


def _field(pair: str) -> str:
    name, _, _ = pair.partition("=")
    return f"{name}={REDACTED}" if _is_secret(name) else pair


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)
