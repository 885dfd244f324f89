"""Remover: takes calls out of the database, gives their room back, and wipes what is left of their bytes."""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from reenact.store.objects.keeper import ObjectKeeper
from reenact.store.packing import decompressor, unpack
from reenact.store.sqlite.partkeeper import span
from reenact.store.sqlite.pool import Reading
from reenact.store.sqlite.schema import PARTS
from reenact.store.sqlite.wordsweeper import sweep_words
from reenact.store.sqlite.writer import Writer
from reenact.store.upkeep import Removal, Removed, Scope

_AT_ONCE = 100
"""Calls in one transaction: ingest waits for no more than that."""
_TABLES = ("words", "scores", "properties", "object_uses", "bodies", "calls")
_NOTE = (
    "INSERT OR REPLACE INTO removals (call, organisation, id, session, wiping) "
    "SELECT c.call, c.organisation, c.id, b.session, {wiping} FROM calls c LEFT JOIN bodies b ON b.call = c.call "
    "WHERE c.call IN "
)
_FIT_NAMES = """
UPDATE session_names SET (first_us, latest_us) = (
  SELECT coalesce(min(c.created_us), first_us), coalesce(max(c.created_us), latest_us) FROM calls c
  JOIN sessions s ON s.session = session_names.session AND c.organisation = s.organisation AND c.session_id = s.session_id
  WHERE coalesce(c.session_name, '') = session_names.name
) WHERE session IN (SELECT session FROM removals)
"""
_DROP_NAMES = """
DELETE FROM session_names WHERE organisation IN (SELECT organisation FROM removals) AND NOT EXISTS (
  SELECT 1 FROM calls c JOIN sessions s ON c.organisation = s.organisation AND c.session_id = s.session_id
  WHERE s.session = session_names.session AND coalesce(c.session_name, '') = session_names.name
)
"""
_UNUSED = """
SELECT o.object, r.id, o.key FROM objects o JOIN organisations r USING (organisation)
WHERE NOT EXISTS (SELECT 1 FROM object_uses u WHERE u.object = o.object)
"""
_UNUSED_FORMS = "SELECT form FROM forms WHERE form NOT IN (SELECT form FROM calls)"
_DROP_SESSIONS = """
DELETE FROM sessions WHERE organisation IN (SELECT organisation FROM removals)
  AND NOT EXISTS (SELECT 1 FROM session_names n WHERE n.session = sessions.session)
  AND NOT EXISTS (SELECT 1 FROM bodies b WHERE b.session = sessions.session)
"""


class Remover:
    """Any thread may use it. Removing is quick; sweeping and wiping go through the whole file."""

    def __init__(
        self,
        path: Path,
        writer: Writer,
        snapshot: Callable[[], AbstractContextManager[Reading]],
        objects: ObjectKeeper,
    ) -> None:
        self._path = path
        self._objects = objects
        self._writer = writer
        self._snapshot = snapshot
        self._sweeping = threading.Lock()

    def remove(self, organisation_id: str, removal: Removal) -> Removed:
        """Remove calls in small transactions; their ids are kept until they are wiped."""
        with self._snapshot() as reading:
            found = _find(reading.connection, organisation_id, removal)
        for chunk in _chunks(found.calls):
            with self._writer.transaction() as connection:
                _take_out(connection, chunk, wiping=1)
        if removal.scope is Scope.ORGANISATION:
            self._forget_organisation(organisation_id)
        return Removed(calls=len(found.calls), session_ids=tuple(sorted(found.session_ids)))

    def discard(self, organisation_id: str, call_ids: Sequence[str]) -> None:
        """Remove these calls in one transaction."""
        with self._writer.transaction() as connection:
            organisation = self._writer.organisation(organisation_id)
            marks = ", ".join("?" * len(call_ids))
            text = f"SELECT call FROM calls WHERE organisation = ? AND id IN ({marks})"
            _take_out(connection, _firsts(connection.execute(text, (organisation, *call_ids))), wiping=0)

    def removed(self) -> list[str]:
        """Return the ids of calls that are to be wiped."""
        with self._snapshot() as reading:
            return _firsts(reading.connection.execute("SELECT id FROM removals WHERE wiping ORDER BY id"))

    def sweep(self) -> None:
        """Free what no call refers to any more, and let the file shrink."""
        with self._sweeping:
            self._sweep()
            with self._writer.transaction() as connection:
                connection.execute("DELETE FROM removals WHERE NOT wiping")
            self._writer.shrink()

    def wipe(self) -> None:
        """Sweep, and write the database and its log anew."""
        with self._sweeping:
            with self._snapshot() as reading:
                numbers = _firsts(reading.connection.execute("SELECT call FROM removals"))
            self._sweep()
            self._writer.rewrite()
            for copy in self._path.parent.glob(f"{self._path.name}.before-*"):
                copy.unlink(missing_ok=True)  # made before the tables were migrated
            with self._writer.transaction() as connection:
                for chunk in _chunks(numbers):
                    connection.execute(f"DELETE FROM removals WHERE call IN {_listed(chunk)}")
            self._writer.checkpoint()

    def _sweep(self) -> None:
        """Free parts and words that no call refers to, and sessions without calls."""
        with self._snapshot() as reading:
            sessions = _firsts(
                reading.connection.execute("SELECT DISTINCT session FROM removals WHERE session IS NOT NULL")
            )
        for session in sessions:
            with self._writer.transaction() as connection:
                _free_parts(connection, session)
                self._writer.forget_parts()
        with self._writer.transaction() as connection:
            for text in (_FIT_NAMES, _DROP_NAMES, _DROP_SESSIONS):
                connection.execute(text)
        while not self._free_forms():
            pass  # a batch failed meanwhile: look again
        sweep_words(self._path, self._writer)
        self._free_objects()

    def _free_forms(self) -> bool:
        """Delete what no call has in common any more, found without keeping ingest waiting; return whether it was."""
        with self._writer.transaction():
            watched = self._writer.watch_forms()
        with self._snapshot() as reading:
            unused = _firsts(reading.connection.execute(_UNUSED_FORMS))
        with self._writer.transaction():
            return self._writer.free_forms(unused, watched)

    def _free_objects(self) -> None:
        """Delete the objects that no call is made of any more, and then their rows: a kill between the two is made good."""
        with self._objects.exclusively():
            with self._snapshot() as reading:
                unused = reading.connection.execute(_UNUSED).fetchall()
            for organisation_id in {row[1] for row in unused}:
                self._objects.remove(organisation_id, [key for _, owner, key in unused if owner == organisation_id])
            with self._writer.transaction() as connection:
                connection.executemany("DELETE FROM objects WHERE object = ?", [(row[0],) for row in unused])

    def _forget_organisation(self, organisation_id: str) -> None:
        """Remove what an organisation has beside its calls."""
        with self._writer.transaction() as connection:
            organisation = self._writer.organisation(organisation_id)
            connection.execute("DELETE FROM gaps WHERE organisation = ?", (organisation,))
            name = organisation_id.encode()
            decompress = decompressor().decompress
            rows = connection.execute("SELECT digest, raw FROM unreadables").fetchall()
            concerned = [(one,) for one, raw in rows if name in decompress(raw)]
            connection.executemany("DELETE FROM unreadables WHERE digest = ?", concerned)


class _Found:
    """Calls to be removed, by number, and the sessions they are of."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.session_ids: set[str] = set()

    def take(self, rows: Iterable[tuple[int, str | None]]) -> set[str]:
        """Take calls that are not taken yet; return the sessions among them that are new."""
        known, before = set(self.calls), set(self.session_ids)
        for number, session_id in rows:
            if number not in known:
                self.calls.append(number)
            if session_id:
                self.session_ids.add(session_id)
        return self.session_ids - before


def _find(connection: sqlite3.Connection, organisation_id: str, removal: Removal) -> _Found:
    """Return the calls that *removal* is about, the takes of its sessions and the takes of those among them."""
    condition = {
        Scope.CALL: "id = :id",
        Scope.SESSION: "session_id = :id",
        Scope.USER: "user_id = :id",
        Scope.ORGANISATION: "1",
    }[removal.scope]
    row = connection.execute("SELECT organisation FROM organisations WHERE id = ?", (organisation_id,)).fetchone()
    asked = {"organisation": row[0] if row else -1, "id": removal.id}
    chosen = f"SELECT call, session_id FROM calls WHERE organisation = :organisation AND {condition}"
    found = _Found()
    sources = found.take(connection.execute(chosen, asked))
    takes = "SELECT call, session_id FROM calls WHERE organisation = ? AND source_session_id = ?"
    while sources and removal.scope in {Scope.SESSION, Scope.USER}:
        key = (asked["organisation"], sources.pop())
        sources |= found.take(connection.execute(takes, key))
    return found


def _take_out(connection: sqlite3.Connection, numbers: Sequence[int], *, wiping: int) -> None:
    """Delete these calls and note that they were there."""
    connection.execute(_NOTE.format(wiping=wiping) + _listed(numbers))
    for table in _TABLES:
        connection.execute(f"DELETE FROM {table} WHERE call IN {_listed(numbers)}")


def _free_parts(connection: sqlite3.Connection, session: int) -> None:
    """Delete the parts of a session that none of its calls is made of any more."""
    decompress = decompressor().decompress
    used: set[int] = set()
    for (content,) in connection.execute("SELECT content FROM bodies WHERE session = ?", (session,)):
        used.update(unpack(decompress(content)).part_numbers)
    kept = _firsts(connection.execute("SELECT part FROM parts WHERE part >= ? AND part < ?", span(session)))
    free = [(part,) for part in kept if part % PARTS not in used]
    connection.executemany("DELETE FROM parts WHERE part = ?", free)


def _chunks(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), _AT_ONCE):
        yield numbers[start : start + _AT_ONCE]


def _listed(numbers: Sequence[int]) -> str:
    """Return numbers of our own as SQL."""
    return f"({', '.join(map(str, numbers))})"


def _firsts(rows: Iterable[tuple[object, ...]]) -> list:  # type: ignore[type-arg]
    return [row[0] for row in rows]
