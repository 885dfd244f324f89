"""PartKeeper: keeps each part of a session's request bodies once, and numbers it."""

import sqlite3
from collections import OrderedDict
from collections.abc import Sequence

import zstandard

from reenact.domain.digesting import digest
from reenact.store.packing import pack_part
from reenact.store.sqlite.schema import PARTS

_DIGESTS = "SELECT digest, part % ? FROM parts WHERE part >= ? AND part < ? ORDER BY part"
_MOST_SESSIONS = 256
"""Whose digests are remembered; a session that comes back after so many others is read again."""


def span(session: int) -> tuple[int, int]:
    """Return the first number that a part of *session* may have in its table, and the first of the next session."""
    return session * PARTS, (session + 1) * PARTS


class PartKeeper:
    """Knows which parts its database holds. Used under the writer's lock, inside its transaction.

    Parts are never shared between sessions, let alone organisations: nobody can learn from a size what others have sent.
    """

    def __init__(self, connection: sqlite3.Connection, compressor: zstandard.ZstdCompressor) -> None:
        self._connection = connection
        self._compressor = compressor
        self._known: OrderedDict[int, dict[bytes, int]] = OrderedDict()

    def numbers(self, session: int, parts: Sequence[bytes]) -> list[int]:
        """Return the number of each of *parts*, those that are new kept first."""
        known = self._digests(session)
        last = next(reversed(known.values()), 0)  # parts can be freed again, so that counting them is not enough
        numbers, rows = [], []
        for part in parts:
            name = digest(part)
            number = known.get(name)
            if number is None:
                number = known[name] = last = last + 1
                rows.append((session * PARTS + number, name, pack_part(part, self._compressor)))
            numbers.append(number)
        if rows:
            self._connection.executemany("INSERT INTO parts VALUES (?, ?, ?)", rows)
        return numbers

    def forget(self) -> None:
        """Read everything anew: parts that seemed kept may not be: a transaction was rolled back, or they were freed."""
        self._known.clear()

    def _digests(self, session: int) -> dict[bytes, int]:
        """Return the numbers of a session's parts by digest, ascending."""
        known = self._known.get(session)
        if known is None:
            rows = self._connection.execute(_DIGESTS, (PARTS, *span(session)))
            known = self._known[session] = dict(rows)
            if len(self._known) > _MOST_SESSIONS:
                self._known.popitem(last=False)
        self._known.move_to_end(session)
        return known
