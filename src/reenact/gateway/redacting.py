"""What is taken out of an exchange before it is written anywhere: keys, in headers and addresses. Bodies stay as they are."""

import re
from collections.abc import Callable, Iterable
from urllib.parse import unquote_to_bytes

from reenact.domain.exchange import Header

_Redact = Callable[[Header], Header]

_known: dict[bytes, _Redact | None] = {}
"""What is done with headers of names seen before; None for those that hold no secret."""
_MOST_KNOWN = 2000

MARK = b"REDACTED"
"""Stands where a secret stood. A header with this value cannot be sent again."""

_SECRETS = frozenset(
    {
        b"authentication",
        b"cookie",
        b"helicone-fallbacks",
        b"helicone-jwt",
        b"reenact-fallbacks",
        b"set-cookie",
    }
)
_SECRET_ENDINGS = tuple(b"-auth authorization -credential -key apikey -password -secret -signature -token".split(b" "))
"""Ends of names that are those of secrets."""
_URLS = frozenset(
    {b"helicone-openai-api-base", b"helicone-target-url", b"reenact-openai-api-base", b"reenact-target-url"}
)
"""Hold URLs, in which secrets may stand."""
_PROTOCOL = b"sec-websocket-protocol"
_KEY_IN_PROTOCOL = re.compile(rb"(openai-insecure-api-key\.)[^,\s]+")
"""Where browsers, which can set no other header, put a key."""
_PUBLIC = frozenset({b"idempotency-key", b"sec-websocket-key"})
"""End like a secret and are none."""

_USER = re.compile(rb"^(\s*[a-zA-Z0-9+.-]*:?//)[^/?#]*@")
"""The user name and password before a URL's host."""
_ADDRESS = re.compile(rb"\s*([a-zA-Z0-9+.-]*:)?//")
"""How a URL begins."""
_SECRET_WORDS = re.compile(
    rb"(^|[_.-])(auth|authorization|credential|key|apikey|password|passwd|secret|sig|signature|token)$"
)
"""Last words of the names of query parameters that are secrets: `key`, `api_key`, `X-Amz-Signature`."""
_SECRET_PARAMETERS = frozenset({b"code"})
"""Others: the key of an Azure function."""


def redact_headers(headers: Iterable[Header]) -> tuple[Header, ...]:
    """Return *headers* with the values of the secret ones replaced by MARK; names in lower case."""
    redacted = []
    for header in headers:
        redact = _known.get(header[0], _know)
        redacted.append(header if redact is None else redact(header))
    return tuple(redacted)


def redact_target(target: bytes) -> bytes:
    """Return a path or URL with the values of secret query parameters replaced by MARK; all else is untouched."""
    if b"?" not in target:
        return target
    path, _, query = target.partition(b"?")
    if b"=" not in query:
        return target
    return path + b"?" + b"&".join(_redact_parameter(parameter) for parameter in query.split(b"&"))


def _redact_url(header: Header) -> Header:
    name, value = header
    value = _USER.sub(rb"\1", value)
    if b"@" in value and _ADDRESS.match(value) is None:
        return name, MARK  # no URL, but it may hold one, and a password in it
    return name, redact_target(value)


def _mark(header: Header) -> Header:
    return header[0], MARK


def _redact_protocol(header: Header) -> Header:
    return header[0], _KEY_IN_PROTOCOL.sub(rb"\1" + MARK, header[1])


def _know(header: Header) -> Header:
    """Return *header* redacted, and remember what is done with its name: the same few come with every call."""
    name = header[0]
    redact: _Redact | None = None
    if name in _SECRETS or (name.endswith(_SECRET_ENDINGS) and name not in _PUBLIC):
        redact = _mark
    elif name in _URLS:
        redact = _redact_url
    elif name == _PROTOCOL:
        redact = _redact_protocol
    if len(_known) < _MOST_KNOWN:
        _known[name] = redact
    return header if redact is None else redact(header)


def _redact_parameter(parameter: bytes) -> bytes:
    name, equals, _ = parameter.partition(b"=")
    read = (unquote_to_bytes(name) if b"%" in name else name).lower()
    is_secret = read in _SECRET_PARAMETERS or _SECRET_WORDS.search(read) is not None
    return name + equals + MARK if equals and is_secret else parameter
