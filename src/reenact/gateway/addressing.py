"""Where a call belongs by the address that its agent called: a session, or a take of a replay.

An agent that can be told nothing but a base URL is told one of these, and any provider's own path may follow:

    /v1/session/SESSION/gateway/oai/v1             its calls are recorded as SESSION's
    /v1/replay/REPLAY/takes/1/gateway/oai/v1       its calls are those of take 1 of REPLAY

A Helicone key may stand before them, as before any path (surface 1.1). The header `Reenact-Take: REPLAY/1` says the same.
"""

import re
from urllib.parse import quote, unquote_to_bytes

import msgspec

_PREFIXES = (b"/v1/session/", b"/v1/replay/")
_IN_SESSION = re.compile(rb"/v1/session/(?P<session>[^/]+)/gateway(?:/|$)")
_IN_TAKE = re.compile(rb"/v1/replay/(?P<replay>[^/]+)/takes/(?P<take>[^/]+)/gateway(?:/|$)")
_KEY_PREFIXES = (b"/sk-helicone-", b"/pk-helicone-")


class TakeName(msgspec.Struct, frozen=True):
    """Which take."""

    replay_id: str
    number: int
    """Counted from 1; 0 in a name that could not be read, which no take has."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A path, and what stood before it."""

    path: bytes
    """From `/v1/gateway/` on, when something stood before it."""
    session_id: str | None = None
    take: TakeName | None = None


def read_address(raw_path: bytes) -> Address:
    """Return what *raw_path*, percent-encoded and without a query, says; most say nothing. A key before it stays there."""
    key, path = cut_key(raw_path)
    if not path.startswith(_PREFIXES):
        return Address(path=raw_path)
    found = _IN_TAKE.match(path) or _IN_SESSION.match(path)
    if found is None:
        return Address(path=raw_path)
    inner = (b"/" + key.encode("latin-1") if key else b"") + b"/v1/gateway/" + path[found.end() :]
    names = found.groupdict()
    if "session" in names:
        return Address(path=inner, session_id=_text(names["session"]))
    return Address(path=inner, take=_take(_text(names["replay"]), _text(names["take"])))


def cut_key(raw_path: bytes) -> tuple[str | None, bytes]:
    """Split a Helicone key off the front of a path: `/sk-helicone-.../v1/x` is `/v1/x` (surface 1.1)."""
    if not raw_path.startswith(_KEY_PREFIXES):
        return None, raw_path
    key, _, rest = raw_path[1:].partition(b"/")
    return key.decode("latin-1"), b"/" + rest


def read_take(text: str) -> TakeName:
    """Return the take that the header's value names."""
    replay_id, _, number = text.strip().rpartition("/")
    return _take(replay_id, number)


def session_path(session_id: str) -> str:
    """Return what stands before a provider's name so that calls are recorded as a session's."""
    return f"/v1/session/{quote(session_id, safe='')}/gateway"


def take_path(take: TakeName) -> str:
    """Return what stands before a provider's name so that calls are those of a take."""
    return f"/v1/replay/{quote(take.replay_id, safe='')}/takes/{take.number}/gateway"


def _take(replay_id: str, number: str) -> TakeName:
    is_number = number.isascii() and number.isdigit() and len(number) < 10
    return TakeName(replay_id, int(number) if is_number else 0)


def _text(segment: bytes) -> str:
    return unquote_to_bytes(segment).decode("utf-8", "replace")
