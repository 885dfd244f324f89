"""What is taken out of an exchange before it is written anywhere: keys, in headers and addresses. Bodies stay as they are."""

import re
from collections.abc import Iterable

from reenact.domain.exchange import Header

_known: dict[bytes, bool] = {}
"""Names seen before, and whether their values are secrets: the same few come with every call."""
_MOST_KNOWN = 2000

MARK = b"REDACTED"
"""Stands where a secret stood. A header with this value cannot be sent again."""

_SECRETS = frozenset(
    {
        b"authorization",
        b"cookie",
        b"helicone-auth",
        b"helicone-fallbacks",
        b"helicone-jwt",
        b"proxy-authorization",
        b"reenact-auth",
        b"reenact-fallbacks",
        b"set-cookie",
        b"x-amz-signature",
    }
)
_SECRET_ENDINGS = (b"-key", b"-token", b"-secret", b"-authorization", b"apikey")
_URLS = frozenset(
    {b"helicone-openai-api-base", b"helicone-target-url", b"reenact-openai-api-base", b"reenact-target-url"}
)
"""Hold URLs, in which secrets may stand."""
_PUBLIC = frozenset({b"idempotency-key", b"sec-websocket-key"})
"""End like a secret and are none."""

_USER = re.compile(rb"^(\s*[a-zA-Z0-9+.-]*:?//)[^/?#]*@")
"""The user name and password before a URL's host."""
_SECRET_PARAMETERS = frozenset(
    {b"key", b"api_key", b"api-key", b"apikey", b"access_token", b"token", b"sig", b"signature"}
)


def redact_headers(headers: Iterable[Header]) -> tuple[Header, ...]:
    """Return *headers* with the values of the secret ones replaced by MARK; names in lower case."""
    return tuple(
        (header[0], MARK) if _is_secret(header[0]) else header if header[0] not in _URLS else _redact_url(header)
        for header in headers
    )


def redact_target(target: bytes) -> bytes:
    """Return a path or URL with the values of secret query parameters replaced by MARK; all else is untouched."""
    path, mark, query = target.partition(b"?")
    if not mark or b"=" not in query:
        return target
    return path + b"?" + b"&".join(_redact_parameter(parameter) for parameter in query.split(b"&"))


def _redact_url(header: Header) -> Header:
    name, value = header
    return name, redact_target(_USER.sub(rb"\1", value))


def _is_secret(name: bytes) -> bool:
    is_secret = name in _SECRETS or (name.endswith(_SECRET_ENDINGS) and name not in _PUBLIC)
    if len(_known) < _MOST_KNOWN:
        _known[name] = is_secret
    return is_secret


def _redact_parameter(parameter: bytes) -> bytes:
    name, equals, _ = parameter.partition(b"=")
    return name + equals + MARK if equals and name.lower() in _SECRET_PARAMETERS else parameter
