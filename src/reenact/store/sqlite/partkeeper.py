"""PartKeeper: keeps each part of a session's request bodies once, and numbers it."""

import sqlite3
from collections import OrderedDict
from collections.abc import Sequence

import msgspec
import zstandard

from reenact.domain.digesting import digest
from reenact.store.packing import pack_part
from reenact.store.splitting import Split, split, split_like
from reenact.store.sqlite.schema import PARTS

_DIGESTS = "SELECT digest, part % ? FROM parts WHERE part >= ? AND part < ? ORDER BY part"
_MOST_SESSIONS = 256
"""That are remembered; a session that comes back after so many others is read again."""
_MOST_DIGESTS = 50_000
"""Of their parts, each about 150 bytes of memory."""
_MOST_BYTES = 32 * 1024 * 1024
"""Of their newest bodies."""
_MOST_BODY_BYTES = 4 * 1024 * 1024
"""Of a body that is worth remembering."""


def span(session: int) -> tuple[int, int]:
    """Return the first number that a part of *session* may have in its table, and the first of the next session."""
    return session * PARTS, (session + 1) * PARTS


class PartKeeper:
    """Knows which parts its database holds. Used under the writer's lock, inside its transaction.

    Parts are never shared between sessions, let alone organisations: nobody can learn from a size what others have sent.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        compressor: zstandard.ZstdCompressor,
        *,
        most_digests: int = _MOST_DIGESTS,
    ) -> None:
        self._connection = connection
        self._compressor = compressor
        self._known: OrderedDict[int, _Known] = OrderedDict()
        self._newest_bytes = 0
        self._digests = 0
        self._most_digests = most_digests

    def keep(self, session: int, body: bytes) -> tuple[tuple[bytes, ...], list[int]]:
        """Return the literals of a request body and the numbers of its parts, those that are new kept first."""
        known = self._session(session)
        cut, shared = split_like(body, known.newest, known.cut) if known.newest else (split(body), 0)
        numbers = known.numbers[:shared] + self._numbers(session, known.digests, cut.parts[shared:])
        self._remember(known, body if len(body) <= _MOST_BODY_BYTES else b"", cut, numbers)
        return cut.literals, numbers

    def forget(self) -> None:
        """Read everything anew: parts that seemed kept may not be: a transaction was rolled back, or they were freed."""
        self._known.clear()
        self._newest_bytes = self._digests = 0

    def _numbers(self, session: int, digests: dict[bytes, int], parts: Sequence[bytes]) -> list[int]:
        """Return the number of each of *parts*."""
        last = next(reversed(digests.values()), 0)  # parts can be freed again, so that counting them is not enough
        numbers, rows = [], []
        for part in parts:
            name = digest(part)
            number = digests.get(name)
            if number is None:
                number = digests[name] = last = last + 1
                rows.append((session * PARTS + number, name, pack_part(part, self._compressor)))
            numbers.append(number)
        self._digests += len(rows)
        if rows:
            self._connection.executemany("INSERT INTO parts VALUES (?, ?, ?)", rows)
        return numbers

    def _session(self, session: int) -> "_Known":
        """Return what is known of a session."""
        known = self._known.get(session)
        if known is None:
            rows = self._connection.execute(_DIGESTS, (PARTS, *span(session)))
            known = self._known[session] = _Known(digests=dict(rows))
            self._digests += len(known.digests)
        self._known.move_to_end(session)
        return known

    def _remember(self, known: "_Known", newest: bytes, cut: Split, numbers: list[int]) -> None:
        """Remember a body that the next of its session begins like, and forget sessions that were not met for long."""
        self._newest_bytes += len(newest) - len(known.newest)
        known.newest, known.cut, known.numbers = newest, cut, numbers
        while len(self._known) > 1 and self._holds_much:
            _, forgotten = self._known.popitem(last=False)
            self._newest_bytes -= len(forgotten.newest)
            self._digests -= len(forgotten.digests)

    @property
    def _holds_much(self) -> bool:
        """Whether more is remembered than is worth it."""
        return (
            len(self._known) > _MOST_SESSIONS or self._newest_bytes > _MOST_BYTES or self._digests > self._most_digests
        )


class _Known(msgspec.Struct):
    """What is known of one session."""

    digests: dict[bytes, int]
    """The number of each of its parts by digest, ascending."""
    newest: bytes = b""
    """The request body that was kept last; empty when there is none, or it is too long to be held in memory."""
    cut: Split = Split(literals=(), parts=())
    numbers: list[int] = []
    """Of its parts."""
