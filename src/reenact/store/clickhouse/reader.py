"""Reader: answers every question about calls, right at any moment, whether or not rows have been merged.

A question costs a few queries, each of which sees a later moment than the one before: what a list's first query found may
be gone or changed for the second. Every answer leaves out what is gone by then.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reenact.domain.call import Bodies, Call
from reenact.domain.exchange import Cursor, Exchange, Gap, Unreadable
from reenact.domain.filter import Filter, Sort
from reenact.domain.filtering import flatten
from reenact.store.clickhouse.binding import Binder
from reenact.store.clickhouse.compiling import ORGANISATION, Compiler, columns_of, narrowed
from reenact.store.clickhouse.connector import Connector, Rows
from reenact.store.clickhouse.rows import NOTHING_SAID, READ_COLUMNS, Annotations, to_call
from reenact.store.clickhouse.writer import Place, read_cursor, read_places
from reenact.store.objects.keeper import ObjectKeeper
from reenact.store.packing import Kept, Whole, to_bodies, to_exchange, unpack, whole

_MOST_NARROWED = 5000
"""Calls whose keys are named in one statement."""
_ID = READ_COLUMNS.index("id")
_READ = ", ".join(f"c.{name}" for name in READ_COLUMNS)
_SAID = """
SELECT call_id, kind, key_lower, argMax((key, number, text), version) FROM annotations
WHERE organisation_id = {{organisation:String}} AND created_us IN {created} AND call_id IN {ids}
GROUP BY call_id, kind, key_lower ORDER BY call_id, kind, key_lower
"""
_CONTENTS = """
SELECT id, session_key, part_digests, content FROM bodies
WHERE organisation_id = {{organisation:String}} AND session_key IN {sessions} AND created_us IN {created} AND id IN {ids}
ORDER BY version DESC LIMIT 1 BY id
"""
_PARTS = """
SELECT session_key, digest, content FROM parts
WHERE organisation_id = {{organisation:String}} AND session_key IN {sessions}{named}
"""
_MOST_NAMED = 5000
"""Digests in one statement; when more are needed all parts of their sessions are read."""
_EDITED = f"SELECT DISTINCT key_lower FROM annotations WHERE {ORGANISATION} AND kind = 'property'"
_PROPERTY_COLUMNS = frozenset({"properties", "property_values", "property_key"})


class Reader:
    """Reads from any number of threads."""

    def __init__(self, connector: Connector, objects: ObjectKeeper) -> None:
        self._connector = connector
        self._objects = objects

    def compiler(self, binder: Binder, where: Filter, column: str | None = None) -> Compiler:
        """Return what compiles a question about an organisation's calls: a filter, and a column to sort or group by."""
        mentioned = {*columns_of(flatten(where)), column}
        return Compiler(binder, self.edited(binder) if mentioned & _PROPERTY_COLUMNS else set())

    def edited(self, binder: Binder) -> set[str]:
        """Return the keys, lower-cased, of properties that were set on calls of the organisation since they were recorded."""
        return {key for (key,) in self._connector.query(_EDITED, binder.values)}

    def cursor(self, spool: str) -> Cursor:
        """Return how far *spool* has been saved; the beginning when never."""
        return read_cursor(self._connector, spool)

    def find(self, organisation_id: str, where: Filter, sort: Sort, offset: int, limit: int) -> list[Call]:
        """Return a page of calls."""
        binder = Binder(organisation=organisation_id)
        compiler = self.compiler(binder, where, sort.column)
        matching = compiler.where(where)
        joined, order = compiler.order(sort)
        text = (
            f"SELECT c.created_us, c.id FROM calls AS c FINAL {joined} WHERE c.{ORGANISATION} AND {matching} {{narrow}}"
            f"ORDER BY {order} LIMIT {int(limit)} OFFSET {int(offset)}"
        )
        rows: Rows = []
        narrow, is_whole = "", False
        if sort.column == "created_us" and offset + limit <= _MOST_NARROWED:
            direction = "ASC" if sort.ascending else "DESC"
            narrow, is_whole = self._narrow(binder, matching, direction, 2 * (offset + limit) + 16)
            rows = self._connector.query(text.replace("{narrow}", narrow), binder.values)
        if not narrow or (len(rows) < limit and not is_whole):
            rows = self._connector.query(text.replace("{narrow}", ""), binder.values)
        return self._at(organisation_id, rows)

    def count(self, organisation_id: str, where: Filter) -> int:
        """Return how many calls match."""
        binder = Binder(organisation=organisation_id)
        matching = self.compiler(binder, where).where(where)
        text = f"SELECT count() FROM calls AS c FINAL WHERE c.{ORGANISATION} AND {matching}"
        return int(self._connector.query(text, binder.values)[0][0])

    def get(self, organisation_id: str, call_ids: Sequence[str]) -> list[Call]:
        """Return the calls with these ids in the order asked."""
        places = self._places(organisation_id, call_ids)
        calls = self._at(organisation_id, [(place.created_us, call_id) for call_id, place in places.items()])
        found = {call.id: call for call in calls}
        return [found[call_id] for call_id in call_ids if call_id in found]

    def session(self, organisation_id: str, session_id: str) -> list[Call]:
        """Return all calls of a session, oldest first."""
        binder = Binder(organisation=organisation_id)
        belonging = f"c.session_id = {binder.text(session_id)}"
        text = (
            f"SELECT c.created_us, c.id FROM calls AS c FINAL WHERE c.{ORGANISATION} AND {belonging} "
            f"AND {narrowed(belonging)} ORDER BY c.created_us, c.id"
        )
        return self._at(organisation_id, self._connector.query(text, binder.values))

    def bodies(self, organisation_id: str, call_ids: Sequence[str]) -> Mapping[str, Bodies]:
        """Return the bodies of these calls byte for byte."""
        kept = self._kept(organisation_id, call_ids)
        return {call_id: to_bodies(one, bodies) for call_id, one, bodies in kept}

    def exchanges(self, organisation_id: str, call_ids: Sequence[str]) -> list[Exchange]:
        """Return the exchanges as they were recorded, in the order asked."""
        kept = self._kept(organisation_id, call_ids)
        found = {call_id: to_exchange(one, call_id, organisation_id, bodies) for call_id, one, bodies in kept}
        return [found[call_id] for call_id in call_ids if call_id in found]

    def gaps(self, organisation_id: str) -> list[Gap]:
        """Return what was lost, newest first."""
        text = (
            f"SELECT first_us, last_us, count, reason FROM gaps FINAL WHERE {ORGANISATION} "
            "ORDER BY last_us DESC, first_us DESC, reason"
        )
        rows = self._connector.query(text, {"organisation": organisation_id})
        return [
            Gap(organisation_id=organisation_id, first_us=first, last_us=last, count=count, reason=reason)
            for first, last, count, reason in rows
        ]

    def unreadables(self) -> list[Unreadable]:
        """Return the records that could not be read as exchanges, of whatever organisation they were."""
        rows = self._connector.query("SELECT raw, reason FROM unreadables FINAL ORDER BY digest")
        return [Unreadable(raw=raw, reason=reason) for raw, reason in rows]

    def _narrow(self, binder: Binder, matching: str, direction: str, wanted: int) -> tuple[str, bool]:
        """Return a condition that holds for the first *wanted* calls, and whether it holds for all that match.

        Merging rows as they are read costs what is read; without it the first rows are found in no time. Some of them may be
        out of date, so that more are looked at than are wanted, and the caller asks again when it got too few.
        """
        text = (
            f"SELECT c.created_us FROM calls AS c WHERE c.{ORGANISATION} AND {matching} "
            f"ORDER BY c.created_us {direction} LIMIT {wanted}"
        )
        rows = self._connector.query(text, binder.values)
        times = binder.integers(sorted({created_us for (created_us,) in rows}))
        return f"AND c.created_us IN {times} ", len(rows) < wanted

    def _at(self, organisation_id: str, keys: Rows) -> list[Call]:
        """Return the calls with these keys (time and id) in their order, with what was said of them."""
        calls: dict[str, Call] = {}
        for start in range(0, len(keys), _MOST_NARROWED):
            chunk = keys[start : start + _MOST_NARROWED]
            binder = Binder(organisation=organisation_id)
            created = binder.integers(sorted({created_us for created_us, _ in chunk}))
            ids = binder.texts([call_id for _, call_id in chunk])
            keyed = f"c.{ORGANISATION} AND c.created_us IN {created} AND c.id IN {ids}"
            text = f"SELECT {_READ} FROM calls AS c FINAL WHERE {keyed}"
            rows = self._connector.query(text, binder.values)
            said = self._said(organisation_id, {call_id: created_us for created_us, call_id in chunk})
            for row in rows:
                call_id = row[_ID]
                calls[call_id] = to_call(tuple(row), organisation_id, said.get(call_id, NOTHING_SAID))
        return [calls[call_id] for _, call_id in keys if call_id in calls]

    def _said(self, organisation_id: str, calls: Mapping[str, int]) -> dict[str, Annotations]:
        """Return what was said of *calls*, given by id with the time they were made."""
        binder = Binder(organisation=organisation_id)
        text = _SAID.format(created=binder.integers(list(calls.values())), ids=binder.texts(list(calls)))
        said: dict[str, dict[str, Any]] = {}
        for call_id, kind, low, (key, number, value) in self._connector.query(text, binder.values):
            of_call = said.setdefault(call_id, {"properties": {}, "scores": {}, "feedback": None})
            if kind == "feedback":
                of_call["feedback"] = bool(number)
            elif kind == "score":
                of_call["scores"][key] = number
            else:
                of_call["properties"][low] = (key, value)
        return {call_id: Annotations(**fields) for call_id, fields in said.items()}

    def _places(self, organisation_id: str, call_ids: Sequence[str]) -> dict[str, Place]:
        """Return where these calls stand, in the order asked; unknown ids are left out."""
        if not call_ids:
            return {}
        found = read_places(self._connector, organisation_id, call_ids)
        return {call_id: found[call_id] for call_id in call_ids if call_id in found}

    def _kept(self, organisation_id: str, call_ids: Sequence[str]) -> Iterator[tuple[str, Kept, Whole]]:
        """Yield each call's id, its exchange and its bodies; a session's parts are read once for all its calls."""
        places = self._places(organisation_id, call_ids)
        if not places:
            return
        binder = Binder(organisation=organisation_id)
        text = _CONTENTS.format(
            sessions=binder.texts(sorted({place.session_key for place in places.values()})),
            created=binder.integers([place.created_us for place in places.values()]),
            ids=binder.texts(list(places)),
        )
        rows = {row[0]: row[1:] for row in self._connector.query(text, binder.values)}
        parts = self._parts(organisation_id, {(row[0], name) for row in rows.values() for name in row[1]})
        unpacked = {call_id: unpack(rows[call_id][2]) for call_id in places if call_id in rows}
        contents = self._objects.contents(organisation_id, unpacked.values())
        for call_id, kept in unpacked.items():
            session, digests, _ = rows[call_id]
            yield call_id, kept, whole(kept, [(session, name) for name in digests], parts, contents)

    def _parts(self, organisation_id: str, names: set[tuple[str, bytes]]) -> dict[tuple[str, bytes], bytes]:
        """Return these parts, named by session and digest."""
        if not names:
            return {}
        binder = Binder(organisation=organisation_id)
        sessions = binder.texts(sorted({session for session, _ in names}))
        named = ""
        if len(names) <= _MOST_NAMED:
            digests = binder.texts(sorted({name.hex() for _, name in names}))
            named = f" AND digest IN (SELECT toFixedString(unhex(arrayJoin({digests})), 16))"
        rows = self._connector.query(_PARTS.format(sessions=sessions, named=named), binder.values)
        return {(session, name): content for session, name, content in rows}
