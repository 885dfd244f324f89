"""The answer cache: what makes two calls the same, which slot answers, and what may be kept (surface 5.3)."""

import hashlib
from collections.abc import Sequence

import msgspec

from reenact.domain.exchange import Ending, Exchange, Header
from reenact.gateway.ask import Ask
from reenact.gateway.controls import CacheUse
from reenact.gateway.redacting import MARK

_TELLING = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"anthropic-beta",
        b"anthropic-version",
        b"api-key",
        b"authorization",
        b"helicone-auth",
        b"helicone-fallbacks",
        b"helicone-gateway-body-mapping",
        b"openai-organization",
        b"openai-project",
        b"reenact-auth",
        b"reenact-fallbacks",
        b"reenact-gateway-body-mapping",
        b"x-api-key",
        b"x-goog-api-key",
    }
)
"""Headers that decide what a caller may see, who answers, or in what form."""
_SHORT_LIVED = b"ya29."
"""How Google's access tokens begin: each is valid for an hour, so that they would part equal calls."""
_UNKEPT = frozenset({b"set-cookie", b"date", b"age", b"alt-svc", b"connection", b"keep-alive", b"transfer-encoding"})


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A kept answer."""

    call_id: str
    """Of the call that it was given to first."""
    expires_s: float
    """Since the epoch."""
    status: int
    headers: tuple[Header, ...]
    chunks: tuple[bytes, ...]
    """The body in the pieces in which it came."""

    @property
    def body_bytes(self) -> int:
        """How large the body is."""
        return sum(map(len, self.chunks))


def cache_key(ask: Ask, use: CacheUse) -> str:
    """Return what all calls have in common that may be given each other's answers: 64 hex digits."""
    told = sorted({*use.headers, *(header for header in (*ask.headers, *(ask.received or ())) if _tells(header))})
    parts = (
        ask.organisation_id.encode(),
        use.seed.encode(),
        ask.method.encode(),
        ask.origin.encode() + ask.target,
        without_keys(ask.body, use.ignored_keys),
        msgspec.json.encode([[name.decode("latin-1"), value.decode("latin-1")] for name, value in told]),
    )
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(len(part).to_bytes(8, "big") + part)
    return hashed.hexdigest()


def without_keys(body: bytes, keys: Sequence[str]) -> bytes:
    """Return a JSON object without some of its keys, the others' bytes untouched; any other *body* as it is."""
    if not keys:
        return body
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body
    return msgspec.json.encode({key: value for key, value in fields.items() if key not in keys})


def to_entry(exchange: Exchange, use: CacheUse, now_s: float) -> Entry | None:
    """Return what may be kept of an exchange: a whole answer with a status of 2xx; None for any other."""
    if exchange.ending is not Ending.ANSWERED or not 200 <= exchange.status < 300:
        return None
    pieces: list[bytes] = []
    at = 0
    for chunk in exchange.chunks:
        pieces.append(exchange.response_body[at : at + chunk.body_bytes])
        at += chunk.body_bytes
    return Entry(
        call_id=exchange.id,
        expires_s=now_s + use.max_age_s,
        status=exchange.status,
        headers=tuple(
            (name, value) for name, value in exchange.response_headers if name not in _UNKEPT and value != MARK
        ),
        chunks=tuple(pieces),
    )


def hit_headers(slot: int, latency_ms: int) -> tuple[Header, ...]:
    """Return what the agent is told of an answer out of *slot* (surface 1.7)."""
    return (
        (b"helicone-cache", b"HIT"),
        (b"helicone-cache-bucket-idx", b"%d" % slot),
        (b"helicone-cache-latency", b"%d" % latency_ms),
    )


MISS_HEADERS: tuple[Header, ...] = ((b"helicone-cache", b"MISS"),)


def _tells(header: Header) -> bool:
    name, value = header
    return name in _TELLING and not (name == b"authorization" and _SHORT_LIVED in value)
