"""Reader: answers every question about calls, each from one moment of the database."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from reenact.domain.call import Bodies, Call
from reenact.domain.exchange import Cursor, Exchange, Gap, Unreadable
from reenact.domain.filter import Filter, Sort
from reenact.domain.filtering import LABEL_KEYS
from reenact.domain.total import BY_TIME, TOGETHER
from reenact.errors import FolderUnusable
from reenact.store.objects.keeper import ObjectKeeper
from reenact.store.packing import Kept, Whole, to_bodies, to_exchange, unpack, unpack_part, whole
from reenact.store.rolling import roll
from reenact.store.sqlite.compiling import compile_query, compile_sort
from reenact.store.sqlite.pool import ReaderPool, Reading
from reenact.store.sqlite.rows import CALL_COLUMNS, FORM_COLUMNS, to_call
from reenact.store.sqlite.schema import PARTS
from reenact.store.sqlite.totaller import Page, totals
from reenact.store.sqlite.wordwalker import walk_words

_ABSENT = -1
"""The number of an organisation that has no rows."""
_MOST_BOUND = 10_000
"""Values in one statement; SQLite takes 32766."""


class Reader:
    """Reads from any number of threads."""

    def __init__(self, path: Path, objects: ObjectKeeper) -> None:
        self._objects = objects
        self._pool = ReaderPool(path)

    def cursor(self, spool: str) -> Cursor:
        """Return how far *spool* has been saved; the beginning when never."""
        with self._pool.snapshot() as reading:
            found = "SELECT segment, offset_bytes FROM cursors WHERE spool = ?"
            row = reading.connection.execute(found, (spool,)).fetchone()
        return Cursor(*row) if row else Cursor()

    def find(self, organisation_id: str, where: Filter, sort: Sort, offset: int, limit: int) -> list[Call]:
        """Return a page of calls."""
        with self._pool.snapshot() as reading:
            organisation = organisation_number(reading.connection, organisation_id)
            said = walk_words(reading.connection, organisation, where, sort, offset + limit)
            if said is not None:
                return _calls(reading.connection, organisation_id, said[offset:])
            query = compile_query(organisation, where)
            order = compile_sort(sort, query.created)
            text = f"SELECT c.call FROM {query.source} WHERE {query.where.text} ORDER BY {order.text} LIMIT ? OFFSET ?"
            rows = reading.connection.execute(text, (*query.where.values, *order.values, limit, offset))
            return _calls(reading.connection, organisation_id, [number for (number,) in rows])

    def count(self, organisation_id: str, where: Filter) -> int:
        """Return how many calls match."""
        with self._pool.snapshot() as reading:
            organisation = organisation_number(reading.connection, organisation_id)
            if roll(where, TOGETHER) is not None:
                return totals(reading.connection, organisation, where, TOGETHER, Page(BY_TIME, 0, 1))[0].calls
            query = compile_query(organisation, where)
            text = f"SELECT count(*) FROM {query.source} WHERE {query.where.text}"
            return int(reading.connection.execute(text, query.where.values).fetchone()[0])

    def get(self, organisation_id: str, call_ids: Sequence[str]) -> list[Call]:
        """Return the calls with these ids in the order asked."""
        with self._pool.snapshot() as reading:
            numbers = _numbers(reading.connection, organisation_id, call_ids)
            found = {call.id: call for call in _calls(reading.connection, organisation_id, list(numbers.values()))}
        return [found[call_id] for call_id in call_ids if call_id in found]

    def session(self, organisation_id: str, session_id: str) -> list[Call]:
        """Return all calls of a session, oldest first."""
        with self._pool.snapshot() as reading:
            key = (organisation_number(reading.connection, organisation_id), session_id)
            text = "SELECT call FROM calls WHERE organisation = ? AND session_id = ? ORDER BY created_us, id"
            rows = reading.connection.execute(text, key)
            return _calls(reading.connection, organisation_id, [number for (number,) in rows])

    def bodies(self, organisation_id: str, call_ids: Sequence[str]) -> Mapping[str, Bodies]:
        """Return the bodies of these calls byte for byte."""
        return {call_id: to_bodies(one, bodies) for call_id, one, bodies in self._whole(organisation_id, call_ids)}

    def exchanges(self, organisation_id: str, call_ids: Sequence[str]) -> list[Exchange]:
        """Return the exchanges as they were recorded, in the order asked."""
        kept = self._whole(organisation_id, call_ids)
        found = {call_id: to_exchange(one, call_id, organisation_id, bodies) for call_id, one, bodies in kept}
        return [found[call_id] for call_id in call_ids if call_id in found]

    def gaps(self, organisation_id: str) -> list[Gap]:
        """Return what was lost, newest first."""
        with self._pool.snapshot() as reading:
            key = (organisation_number(reading.connection, organisation_id),)
            text = "SELECT first_us, last_us, count, reason FROM gaps WHERE organisation = ? ORDER BY 2 DESC, 1 DESC"
            rows = reading.connection.execute(text, key).fetchall()
        return [
            Gap(organisation_id=organisation_id, first_us=first, last_us=last, count=count, reason=reason)
            for first, last, count, reason in rows
        ]

    def unreadables(self) -> list[Unreadable]:
        """Return the records that could not be read as exchanges, of whatever organisation they were."""
        with self._pool.snapshot() as reading:
            rows = reading.connection.execute("SELECT raw, reason FROM unreadables ORDER BY digest").fetchall()
            return [Unreadable(raw=reading.decompressor.decompress(raw), reason=reason) for raw, reason in rows]

    def _whole(self, organisation_id: str, call_ids: Sequence[str]) -> Iterator[tuple[str, Kept, Whole]]:
        """Yield each call's id, its exchange and its bodies."""
        with self._pool.snapshot() as reading:
            kept = list(_kept(reading, _numbers(reading.connection, organisation_id, call_ids)))
            contents = self._objects.contents(organisation_id, [one for _, one, _ in kept])
            for call_id, one, parts in kept:
                yield call_id, one, whole(one, one.part_numbers, parts, contents)

    def snapshot(self) -> AbstractContextManager[Reading]:
        """Lend a connection for a question that is asked elsewhere."""
        return self._pool.snapshot()

    def noticed(self) -> list[str]:
        """Return what was damaged that reading met, each kind once."""
        return sorted(self._pool.noticed)

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.close()


def organisation_number(connection: sqlite3.Connection, organisation_id: str) -> int:
    """Return the number of an organisation; one that no row has when it is not known."""
    row = connection.execute("SELECT organisation FROM organisations WHERE id = ?", (organisation_id,)).fetchone()
    return int(row[0]) if row else _ABSENT


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield *values* in pieces that one statement can bind."""
    for start in range(0, len(values), _MOST_BOUND):
        yield values[start : start + _MOST_BOUND]


def _select(connection: sqlite3.Connection, text: str, values: Sequence[Any], *first: Any) -> Iterator[Any]:
    """Yield the rows of *text*, which ends in `IN`, for all *values*; *first* are bound before them."""
    for chunk in _chunks(values):
        yield from connection.execute(f"{text} ({', '.join('?' * len(chunk))})", (*first, *chunk))


def _numbers(connection: sqlite3.Connection, organisation_id: str, call_ids: Sequence[str]) -> dict[str, int]:
    """Return the numbers of an organisation's calls by id; unknown ids are left out."""
    text = "SELECT id, call FROM calls WHERE organisation = ? AND id IN"
    return dict(_select(connection, text, call_ids, organisation_number(connection, organisation_id)))


def _calls(connection: sqlite3.Connection, organisation_id: str, numbers: Sequence[int]) -> list[Call]:
    """Return the calls with these numbers, in this order."""
    properties = _maps(
        _select(connection, "SELECT call, coalesce(key, key_lower), value FROM properties WHERE call IN", numbers)
    )
    scores = _maps(_select(connection, "SELECT call, name, value FROM scores WHERE call IN", numbers))
    found = {}
    columns = ", ".join((*CALL_COLUMNS, *FORM_COLUMNS))
    for chunk in _chunks(numbers):
        cursor = connection.cursor()
        cursor.row_factory = sqlite3.Row
        for row in _select_rows(
            cursor, f"SELECT call, {columns} FROM calls JOIN forms USING (form) WHERE call IN", chunk
        ):
            number = row["call"]
            shown = {key: value for key, value in properties[number].items() if key.lower() not in LABEL_KEYS}
            found[number] = to_call(row, organisation_id, shown, scores[number])
    return [found[number] for number in numbers]


def _select_rows(cursor: sqlite3.Cursor, text: str, values: Sequence[int]) -> Iterable[sqlite3.Row]:
    """Return rows by name."""
    return cursor.execute(f"{text} ({', '.join('?' * len(values))})", values)


def _maps(rows: Iterable[tuple[int, str, Any]]) -> defaultdict[int, dict[str, Any]]:
    """Return keys and values by call."""
    gathered: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    for number, key, value in rows:
        gathered[number][key] = value
    return gathered


def _kept(reading: Reading, numbers: Mapping[str, int]) -> Iterator[tuple[str, Kept, Mapping[int, bytes]]]:
    """Yield each call's id, its exchange and its session's parts, which are read once for all its calls."""
    text = "SELECT call, session, content FROM bodies WHERE call IN"
    rows = _select(reading.connection, text, list(numbers.values()))
    unpacked = {call: (session, _unpacked(reading, content)) for call, session, content in rows}
    needed: defaultdict[int, set[int]] = defaultdict(set)
    for session, kept in unpacked.values():
        if session is not None:
            needed[session].update(kept.part_numbers)
    parts = {session: _parts(reading, session, sorted(wanted)) for session, wanted in needed.items()}
    for call_id, number in numbers.items():
        if number not in unpacked:
            raise FolderUnusable("The database is damaged: what was recorded of a call is missing")
        session, kept = unpacked[number]
        yield call_id, kept, parts.get(session, {})


def _unpacked(reading: Reading, content: bytes) -> Kept:
    """Return what is kept of a call.

    Raises:
        FolderUnusable: it is not what was written.
    """
    try:
        return unpack(reading.decompressor.decompress(content))
    except (zstandard.ZstdError, msgspec.MsgspecError) as error:
        raise FolderUnusable("The database is damaged: what was recorded of a call cannot be read") from error


def _parts(reading: Reading, session: int, wanted: Sequence[int]) -> dict[int, bytes]:
    """Return these parts of a session by number."""
    first = session * PARTS
    text = "SELECT part - ?, content FROM parts WHERE part IN"
    rows = _select(reading.connection, text, [first + number for number in wanted], first)
    try:
        return {number: unpack_part(content, reading.decompressor) for number, content in rows}
    except zstandard.ZstdError as error:
        raise FolderUnusable("The database is damaged: a part of a recorded body cannot be read") from error
