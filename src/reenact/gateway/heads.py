"""Heads: requests' heads seen lately, by their very bytes, so that what a client sends with every call is read once.

An agent's calls differ in their bodies; their heads are the same but for the body's length. A head is known when the parser has
found it good and all of its bytes but the digits of its one `Content-Length` are the same: then it says the same. Only heads
that leave no question about the request's end are kept: HTTP/1.1, one length, no coding, no upgrade, a connection that stays.

Heads hold keys. They are held in this process's memory only, a few hundred of them, as long as they are among the latest.
"""

import re

from reenact.domain.exchange import Header
from reenact.gateway.scope import Scope

LARGEST_BYTES = 4096
"""A longer head is read anew each time."""
_MOST = 256
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: ?([0-9]{1,15})\r\n")
KNOWN = "reenact.known"
"""Where a scope holds its Known."""
LENGTH = "reenact.length"
"""Where it holds the digits of the body's length, too."""


class Found:
    """A head at the beginning of some bytes, perhaps one of a request."""

    __slots__ = ("body_at", "digits", "key")

    def __init__(self, key: bytes, digits: bytes, body_at: int) -> None:
        self.key = key
        self.digits = digits
        """Of the body's length."""
        self.body_at = body_at


class Known:
    """What a head says."""

    __slots__ = ("_headers", "_length_at", "_scope", "reading")

    def __init__(self, scope: Scope, length_at: int) -> None:
        self._scope = dict(scope)
        self._headers: list[Header] = scope["headers"]
        self._length_at = length_at
        self.reading: object = None
        """What its reader made of it and wants to be given with the next request that has it."""

    def scope(self, digits: bytes, client: tuple[str, int] | None) -> Scope:
        """Return the scope of a request that has this head and a body of so many bytes."""
        scope = self._scope.copy()
        scope["headers"] = headers = self._headers.copy()
        headers[self._length_at] = (b"content-length", digits)
        scope["client"] = client
        return self.mark(scope, digits)

    def mark(self, scope: Scope, digits: bytes) -> Scope:
        """Return *scope*, which has this head, so that its reader may know."""
        scope[KNOWN] = self
        scope[LENGTH] = digits
        return scope


class Heads:
    """The latest ones; when there are too many, those that were not used since the last time are forgotten."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._new: dict[bytes, Known] = {}
        self._old: dict[bytes, Known] = {}

    def find(self, key: bytes) -> Known | None:
        """Return what is known of a head."""
        known = self._new.get(key)
        if known is None and (known := self._old.get(key)) is not None:
            self._put(key, known)
        return known

    def keep(self, found: Found, scope: Scope) -> Known | None:
        """Remember that the parser read *found* as *scope*, and return what is known now; None for a head that is not kept."""
        lengths = [at for at, (name, _) in enumerate(scope["headers"]) if name == b"content-length"]
        if len(lengths) != 1 or any(name in _OPEN for name, _ in scope["headers"]):
            return None
        known = Known(scope, lengths[0])
        self._put(found.key, known)
        return known

    def _put(self, key: bytes, known: Known) -> None:
        if len(self._new) >= self._most:
            self._old, self._new = self._new, {}
        self._new[key] = known


_OPEN = frozenset({b"expect", b"transfer-encoding", b"upgrade"})


def find_head(data: bytes) -> Found | None:
    """Return the head that *data*, where a request begins, begins with; None if it is long, torn or has no length."""
    end = data.find(_END, 0, LARGEST_BYTES)
    if end < 0 or (length := _LENGTH.search(data, 0, end + 2)) is None:
        return None
    start, stop = length.span(1)
    # No good head holds a NUL: the key tells where the digits stood.
    return Found(b"%b\0%b" % (data[:start], data[stop:end]), data[start:stop], end + len(_END))
