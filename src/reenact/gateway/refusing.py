"""The answers that the gateway makes itself, in Helicone's shapes (surface 1.8)."""

import msgspec

from reenact.domain.exchange import Ending, Header
from reenact.errors import UpstreamFailed

_TIMEOUT = "timeout"
_OWN_FAULT = "internal_error"
_DISALLOWED = "disallowed"
_ENDINGS = {_TIMEOUT: Ending.TIMED_OUT, _DISALLOWED: Ending.REFUSED}


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in place of the provider's."""

    status: int
    headers: tuple[Header, ...]
    body: bytes
    ending: Ending
    detail: str


def refuse(status: int, kind: str, message: str) -> Refusal:
    """Return the answer to a call that the gateway does not relay; *kind* names the reason for programs."""
    body = {
        "error": {"message": message, "type": kind, "code": kind},
        "helicone-message": message,
        "helicone-error": message,
        "support": "",
    }
    return _refusal(status, kind, body, Ending.REFUSED, message)


def limited(message: str) -> Refusal:
    """Return the answer to a call over its rate limit."""
    return _refusal(429, "rate_limited", {"message": message}, Ending.REFUSED, message)


def report(failure: UpstreamFailed, target_url: str) -> Refusal:
    """Return the answer to a call whose provider gave none: 504 for a timeout, 502 otherwise, 500 for a fault of ours."""
    status = {_TIMEOUT: 504, _OWN_FAULT: 500, _DISALLOWED: 403}.get(failure.kind, 502)
    body = {
        "error": failure.message,
        "code": status,
        "message": failure.message,
        "helicone-message": failure.message,
        "helicone-error-type": failure.kind,
        "support": "",
        "provider-url": target_url,
        "error-trace": "",
    }
    ending = _ENDINGS.get(failure.kind, Ending.UNREACHED)
    return _refusal(status, failure.kind, body, ending, failure.message)


def _refusal(status: int, kind: str, body: object, ending: Ending, detail: str) -> Refusal:
    content = msgspec.json.encode(body)
    headers = (
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(content)),
        (b"helicone-error", b"true"),
        (b"x-helicone-error-type", kind.encode()),
    )
    return Refusal(status=status, headers=headers, body=content, ending=ending, detail=detail)
