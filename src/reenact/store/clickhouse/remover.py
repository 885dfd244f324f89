"""Remover: takes calls out of every answer, and later out of the files.

Removing adds rows that say so; sweeping rewrites the parts of the tables that hold removed calls. The engine deletes the
files before that within seconds, by itself.
"""

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from reenact.store.clickhouse.binding import Binder
from reenact.store.clickhouse.compiling import ORGANISATION
from reenact.store.clickhouse.connector import Connector, Rows
from reenact.store.clickhouse.settler import Settler
from reenact.store.clickhouse.ticker import Ticker
from reenact.store.clickhouse.writer import Writer, read_places
from reenact.store.objects.keeper import ObjectKeeper
from reenact.store.upkeep import Removal, Removed, Scope

_AT_ONCE = 1000
"""Ids in one statement."""
_COLUMNS = {Scope.CALL: "c.id", Scope.SESSION: "c.session_id", Scope.USER: "c.user_id"}
_PENDING = """
SELECT organisation_id, id, session_key, is_discarded FROM removals FINAL WHERE is_done = 0 ORDER BY organisation_id, id
"""
# The last removals of a call that was saved again since say nothing any more: its rows are newer.
_ROWS_OF_CALLS = {"calls": "id", "call_keys": "id", "bodies": "id", "annotations": "call_id", "object_uses": "id"}
_UNUSED_PARTS = f"""
{ORGANISATION} AND session_key IN {{sessions}} AND (session_key, digest) NOT IN (
  SELECT session_key, arrayJoin(part_digests) FROM {{bodies}} WHERE {ORGANISATION} AND session_key IN {{sessions}}
)
"""


_LAST_USES = f"""
SELECT DISTINCT key FROM object_uses WHERE {ORGANISATION} AND id IN {{ids}} AND key NOT IN (
  SELECT key FROM object_uses WHERE {ORGANISATION} AND id NOT IN {{ids}} AND key IN (
    SELECT key FROM object_uses WHERE {ORGANISATION} AND id IN {{ids}}))
"""


class Remover:
    """Any thread may use it."""

    def __init__(
        self, connector: Connector, writer: Writer, ticker: Ticker, objects: ObjectKeeper, settler: Settler
    ) -> None:
        self._connector = connector
        self._settler = settler
        self._objects = objects
        self._writer = writer
        self._ticker = ticker
        self._sweeping = threading.Lock()

    def remove(self, organisation_id: str, removal: Removal) -> Removed:
        """Remove calls; their ids are kept until they are wiped."""
        calls = self._find(organisation_id, removal)
        self._take_out(organisation_id, list(calls), is_discarded=False)
        if removal.scope is Scope.ORGANISATION:
            self._connector.delete("gaps", ORGANISATION, {"organisation": organisation_id})
        return Removed(calls=len(calls), session_ids=tuple(sorted({session for session in calls.values() if session})))

    def discard(self, organisation_id: str, call_ids: Sequence[str]) -> None:
        """Remove these calls, which nobody waits to see wiped."""
        self._take_out(organisation_id, call_ids, is_discarded=True)

    def removed(self) -> list[str]:
        """Return the ids of calls that are to be wiped."""
        return sorted(call_id for _, call_id, _, is_discarded in self._connector.query(_PENDING) if not is_discarded)

    def sweep(self, *, only_discarded: bool = True) -> None:
        """Rewrite what holds removed calls: those that were discarded, or all."""
        with self._sweeping:
            pending = [row for row in self._connector.query(_PENDING) if row[3] or not only_discarded]
            for organisation_id in sorted({row[0] for row in pending}):
                self._sweep(organisation_id, [row for row in pending if row[0] == organisation_id])

    def _find(self, organisation_id: str, removal: Removal) -> dict[str, str | None]:
        """Return the calls that *removal* is about with their sessions, the takes of these and the takes of the takes."""
        binder = Binder(organisation=organisation_id)
        column = _COLUMNS.get(removal.scope)
        found = self._sessions_of(binder, f"{column} = {binder.text(removal.id)}" if column else "1")
        sources = {session for session in found.values() if session}
        while sources and removal.scope in {Scope.SESSION, Scope.USER}:
            binder = Binder(organisation=organisation_id)
            takes = self._sessions_of(binder, f"c.source_session_id IN {binder.texts(sorted(sources))}")
            sources = {session for call_id, session in takes.items() if call_id not in found and session}
            found |= takes
        return found

    def _sessions_of(self, binder: Binder, condition: str) -> dict[str, str | None]:
        """Return the calls that a condition holds for, each with its session."""
        text = f"SELECT c.id, c.session_id FROM calls AS c FINAL WHERE c.{ORGANISATION} AND {condition}"
        return dict(self._connector.query(text, binder.values))  # type: ignore[arg-type]

    def _take_out(self, organisation_id: str, call_ids: Sequence[str], *, is_discarded: bool) -> None:
        """Let no query find these calls, nor anything that was said of them."""
        for ids in _chunks(list(dict.fromkeys(call_ids))):
            with self._writer.exclusively():
                places = read_places(self._connector, organisation_id, ids)
                keys = [
                    {
                        "organisation_id": organisation_id, "id": call_id, "created_us": place.created_us,
                        "session_key": place.session_key, "version": self._ticker(),
                    }
                    for call_id, place in places.items()
                ]  # fmt: skip
                noted = [
                    {name: key[name] for name in ("organisation_id", "id", "session_key", "version")}
                    | {"is_discarded": int(is_discarded), "is_done": 0}
                    for key in keys
                ]
                gone = [key | {"is_deleted": 1} for key in keys]
                with self._settler.changing([(organisation_id, place.created_us) for place in places.values()]):
                    for table, rows in (("removals", noted), ("calls", gone), ("call_keys", gone)):
                        self._insert(table, rows)

    def _insert(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows of the same columns, if there are any."""
        if rows:
            self._connector.insert(table, {name: [row[name] for row in rows] for name in rows[0]})

    def _sweep(self, organisation_id: str, pending: Rows) -> None:
        """Delete the rows of removed calls, and the parts that no call of their sessions is made of any more."""
        for rows in _chunks(list(pending)):
            with self._writer.exclusively():
                living = read_places(self._connector, organisation_id, [row[1] for row in rows])
                ids = [row[1] for row in rows if row[1] not in living]
                self._free_objects(organisation_id, ids)
                for table, name in _ROWS_OF_CALLS.items():
                    binder = Binder(organisation=organisation_id)
                    condition = f"{ORGANISATION} AND {name} IN {binder.texts(ids)}"
                    if ids:
                        self._connector.delete(table, condition, binder.values)
                binder = Binder(organisation=organisation_id)
                sessions = binder.texts(sorted({row[2] for row in rows}))
                unused = _UNUSED_PARTS.replace("{sessions}", sessions).replace(
                    "{bodies}", self._connector.local("bodies")
                )
                self._connector.delete("parts", unused, binder.values)
                done = {"is_discarded": 1, "is_done": 1}
                names = ("organisation_id", "id", "session_key")
                self._insert(
                    "removals",
                    [dict(zip(names, row[:3], strict=True)) | done | {"version": self._ticker()} for row in rows],
                )

    def _free_objects(self, organisation_id: str, ids: Sequence[str]) -> None:
        """Delete the objects that only these calls are made of, whose rows go after that: a kill is made good."""
        binder = Binder(organisation=organisation_id)
        text = _LAST_USES.replace("{ids}", binder.texts(list(ids)))
        with self._objects.exclusively():
            keys = [key for (key,) in self._connector.query(text, binder.values)] if ids else []
            self._objects.remove(organisation_id, keys)


def _chunks(values: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield *values* in pieces that one statement can bind."""
    for start in range(0, len(values), _AT_ONCE):
        yield list(values[start : start + _AT_ONCE])
