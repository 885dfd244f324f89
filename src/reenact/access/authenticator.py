"""Authenticator: finds out who holds a key, without asking the database for every call."""

from collections.abc import Callable

from reenact.access.keys import KeyRecord, hash_key, principal_of
from reenact.access.principal import Principal

_MOST_REMEMBERED = 10_000
"""Keys; strangers who try many must not fill the memory."""


class Authenticator:
    """Remembers for a moment who holds which key. Any thread may call it: each step on the dict is atomic."""

    def __init__(
        self, find: Callable[[bytes], KeyRecord | None], *, clock: Callable[[], float], remember_s: float = 2.0
    ) -> None:
        """Take the parts.

        Args:
            find: looks a key up by its hash.
            clock: seconds that never run backwards.
            remember_s: how long an answer is used again: a new or a deleted key may be taken for what it was so long.
        """
        self._find = find
        self._clock = clock
        self._remember_s = remember_s
        self._known: dict[bytes, tuple[float, KeyRecord | None]] = {}

    def holder(self, key: str) -> Principal | None:
        """Return who holds *key*; None for a key that is not known."""
        name, now = hash_key(key), self._clock()
        known = self._known.get(name)
        if known is None or now >= known[0]:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            known = self._known[name] = (now + self._remember_s, self._find(name))
        return principal_of(key, known[1])
