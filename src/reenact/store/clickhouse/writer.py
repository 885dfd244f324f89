"""Writer: saves batches of readings. There are no transactions: the order of the inserts stands for them.

Parts go first, then bodies, keys, what was said, and calls; a call that is listed has all that belongs to it. That their hours
were changed is noted behind them, and the spool's cursor goes last. A batch that failed anywhere is saved again, whole or cut
differently, and leaves the same answers: each of its rows replaces its like. Nothing is left to the engine's own log of what
was inserted: a single node notes a block there before it has the block, so that one killed in between would drop the block
when it is sent again.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from reenact.domain.call import Reading
from reenact.domain.digesting import digest
from reenact.domain.exchange import Cursor, Gap, Unreadable
from reenact.domain.filtering import LABEL_KEYS
from reenact.store.clickhouse.binding import Binder
from reenact.store.clickhouse.connector import Connector
from reenact.store.clickhouse.rows import CALL_COLUMNS, session_key, to_row
from reenact.store.clickhouse.settler import Settler
from reenact.store.clickhouse.ticker import Ticker
from reenact.store.objects.keeper import ObjectKeeper
from reenact.store.packing import Cut, cut, keep, pack
from reenact.store.splitting import split

_MOST_SESSIONS = 1024
"""Whose digests are remembered; a part that is saved again costs a row until the next merge."""
_KEYS = """
SELECT id, argMax((created_us, session_key, is_deleted), version) AS place FROM call_keys
WHERE organisation_id = {{organisation:String}} AND id IN {ids} GROUP BY id HAVING place.3 = 0
"""
_LABELS = """
SELECT call_id, key_lower, argMax(text, version) FROM annotations
WHERE organisation_id = {{organisation:String}} AND kind = 'property' AND key_lower IN {keys} AND call_id IN {ids}
GROUP BY call_id, key_lower
"""
# What was said of a call that turns out to have been made at another time is said of it there too.
_MOVE = """
INSERT INTO annotations SELECT * REPLACE ({created:Int64} AS created_us) FROM (
  SELECT * FROM annotations
  WHERE organisation_id = {organisation:String} AND call_id = {call:String} AND created_us = {before:Int64}
)
"""
_SWEPT = "SELECT max(version) FROM removals WHERE is_done"


class Place(msgspec.Struct, frozen=True):
    """Where a call's rows stand."""

    created_us: int
    session_key: str


class Writer:
    """Saves from any thread, one batch at a time."""

    def __init__(self, connector: Connector, ticker: Ticker, objects: ObjectKeeper, settler: Settler) -> None:
        self._connector = connector
        self._settler = settler
        self._ticker = ticker
        self._objects = objects
        self._lock = threading.Lock()
        self._swept = 0
        self._known: OrderedDict[tuple[str, str], set[bytes]] = OrderedDict()

    def save(
        self,
        readings: Sequence[Reading],
        gaps: Sequence[Gap],
        unreadables: Sequence[Unreadable],
        spool: str,
        cursor: Cursor | None,
    ) -> None:
        """Save a batch and then the cursor of *spool*."""
        latest = list({(one.call.organisation_id, one.call.id): one for one in readings}.values())
        cuts = [(one, cut(one, self._objects.least_bytes)) for one in latest]
        with self.exclusively():
            version = self._ticker()
            if latest:
                self._save(cuts, version)
            self._insert("gaps", _gap_rows(gaps, version))
            self._insert("unreadables", _unreadable_rows(unreadables, version))
            if cursor is not None:
                row = {"spool": spool, "segment": cursor.segment, "offset_bytes": cursor.offset_bytes}
                self._insert("cursors", [{**row, "version": version}])
        self._settler.settle_now_and_then()

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Let nothing be saved meanwhile by this process."""
        with self._lock:
            yield

    def _save(self, cuts: Sequence[tuple[Reading, Cut]], version: int) -> None:
        """Save calls and all that belongs to them."""
        swept = self._connector.query(_SWEPT)[0][0]
        if swept != self._swept:  # by whichever server: parts and objects that were known to be there may be gone
            self._known.clear()
            self._objects.forget()
            self._swept = swept
        # Whoever deletes an object looks for its uses first.
        self._insert("object_uses", list(_uses(cuts, version)))
        with self._objects.kept(cuts):
            self._save_rows(cuts, version)

    def _save_rows(self, cuts: Sequence[tuple[Reading, Cut]], version: int) -> None:
        readings = [reading for reading, _ in cuts]
        places = self._places(readings)
        parts, bodies = _bodies(cuts, version)
        fresh = list(self._unknown(parts))
        self._insert("parts", fresh)
        self._remember(fresh)
        self._insert("bodies", bodies)
        self._move(readings, places)
        self._insert("call_keys", [_key(reading, version) | {"is_deleted": 0} for reading in readings])
        self._insert("annotations", list(_said(readings, version)))
        rows = self._calls(readings, places, version)
        with self._settler.changing([(row["organisation_id"], row["created_us"]) for row in rows], are_new=not places):
            self._insert("calls", rows)

    def _insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows of the same columns, if there are any."""
        if rows:
            self._connector.insert(table, {name: [row[name] for row in rows] for name in rows[0]})

    def _places(self, readings: Sequence[Reading]) -> dict[tuple[str, str], Place]:
        """Return where the calls of the batch that were saved before stand, by organisation and id."""
        return {
            (organisation, call_id): place
            for organisation, ids in _by_organisation(readings)
            for call_id, place in read_places(self._connector, organisation, ids).items()
        }

    def _move(self, readings: Sequence[Reading], places: Mapping[tuple[str, str], Place]) -> None:
        """Let annotations stand beside the calls that are saved at another time than before."""
        for call in (reading.call for reading in readings):
            before = places.get((call.organisation_id, call.id))
            if before is not None and before.created_us != call.created_us:
                values = {"organisation": call.organisation_id, "call": call.id}
                times = {"created": call.created_us, "before": before.created_us}
                self._connector.command(_MOVE, {**values, **times})

    def _calls(
        self, readings: Sequence[Reading], places: Mapping[tuple[str, str], Place], version: int
    ) -> list[dict[str, Any]]:
        """Return the rows of the calls, and rows that delete those which stood under the same id at another time."""
        labels = self._labels(readings)
        rows = []
        for reading in readings:
            call = reading.call
            row = to_row(reading, labels.get((call.organisation_id, call.id), {}))
            now = dict(zip(CALL_COLUMNS, row, strict=True)) | {"version": version, "is_deleted": 0}
            before = places.get((call.organisation_id, call.id))
            if before is not None and before.created_us != call.created_us:
                gone = {"created_us": before.created_us, "session_key": before.session_key, "is_deleted": 1}
                rows.append(now | gone)
            rows.append(now)
        return rows

    def _labels(self, readings: Sequence[Reading]) -> dict[tuple[str, str], dict[str, str]]:
        """Return labels that were set after their calls were recorded, by organisation and id."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        for organisation, ids in _by_organisation(readings):
            binder = Binder(organisation=organisation)
            text = _LABELS.format(keys=binder.texts(list(LABEL_KEYS)), ids=binder.texts(ids))
            for call_id, key, value in self._connector.query(text, binder.values):
                found.setdefault((organisation, call_id), {})[LABEL_KEYS[key]] = value
        return found

    def _unknown(self, parts: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the rows of *parts* that are not known to be in the database, each once."""
        met = set()
        for row in parts:
            session = (row["organisation_id"], row["session_key"])
            name = (*session, row["digest"])
            if name not in met and row["digest"] not in self._known.get(session, ()):
                met.add(name)
                yield row

    def _remember(self, parts: Iterable[dict[str, Any]]) -> None:
        """Note that these rows are in the database."""
        for row in parts:
            session = (row["organisation_id"], row["session_key"])
            self._known.setdefault(session, set()).add(row["digest"])
            self._known.move_to_end(session)
        while len(self._known) > _MOST_SESSIONS:
            self._known.popitem(last=False)


def read_cursor(connector: Connector, spool: str) -> Cursor:
    """Return how far *spool* has been saved; the beginning when never."""
    text = "SELECT segment, offset_bytes FROM cursors WHERE spool = {spool:String} ORDER BY version DESC LIMIT 1"
    rows = connector.query(text, {"spool": spool})
    return Cursor(*rows[0]) if rows else Cursor()


def read_places(connector: Connector, organisation_id: str, ids: Sequence[str]) -> dict[str, Place]:
    """Return where these calls stand; unknown ids are left out."""
    binder = Binder(organisation=organisation_id)
    rows = connector.query(_KEYS.format(ids=binder.texts(list(ids))), binder.values)
    return {call_id: Place(created_us, session) for call_id, (created_us, session, _) in rows}


def _by_organisation(readings: Iterable[Reading]) -> Iterable[tuple[str, list[str]]]:
    """Return the ids of each organisation's calls."""
    ids: dict[str, list[str]] = {}
    for reading in readings:
        ids.setdefault(reading.call.organisation_id, []).append(reading.call.id)
    return ids.items()


def _key(reading: Reading, version: int) -> dict[str, Any]:
    """Return what tells a call from all others."""
    call = reading.call
    return {
        "organisation_id": call.organisation_id,
        "session_key": session_key(reading),
        "created_us": call.created_us,
        "id": call.id,
        "version": version,
    }


def _bodies(cuts: Iterable[tuple[Reading, Cut]], version: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return rows of parts and of bodies; a call outside any session repeats nothing, so that its body stays whole."""
    parts, bodies = [], []
    for reading, pieces in cuts:
        key = _key(reading, version)
        del key["version"]
        parted = split(pieces.request) if key["session_key"] else None
        named = [(digest(part), part) for part in parted.parts] if parted else []
        head = {"organisation_id": key["organisation_id"], "session_key": key["session_key"]}
        parts += [head | {"digest": name, "first_us": key["created_us"], "content": part} for name, part in named]
        digests = [name for name, _ in named]
        content = pack(keep(reading, pieces, parted.literals if parted else (pieces.request,)))
        bodies.append(key | {"part_digests": digests, "content": content, "version": version})
    return parts, bodies


def _uses(cuts: Iterable[tuple[Reading, Cut]], version: int) -> Iterator[dict[str, Any]]:
    """Yield which objects bodies are made of."""
    for reading, pieces in cuts:
        key = _key(reading, version)
        del key["created_us"]
        for name, piece_bytes in {lift.key: lift.piece_bytes for lift in pieces.lifts}.items():
            yield key | {"key": name, "piece_bytes": piece_bytes}


def _said(readings: Iterable[Reading], version: int) -> Iterator[dict[str, Any]]:
    """Yield the scores and the feedback that calls were recorded with."""
    for reading in readings:
        call = reading.call
        spoken = {name.lower(): name for name in call.scores}
        given = [("score", low, name, call.scores[name]) for low, name in spoken.items()]
        if call.feedback is not None:
            given.append(("feedback", "", "", float(call.feedback)))
        for kind, low, name, number in given:
            key = _key(reading, version)
            key["call_id"] = key.pop("id")
            yield key | {"kind": kind, "key_lower": low, "key": name, "number": number, "text": ""}


def _gap_rows(gaps: Iterable[Gap], version: int) -> list[dict[str, Any]]:
    """Return the rows of gaps."""
    return [msgspec.structs.asdict(gap) | {"version": version} for gap in gaps]


def _unreadable_rows(unreadables: Iterable[Unreadable], version: int) -> list[dict[str, Any]]:
    """Return the rows of what could not be read."""
    return [
        {"digest": digest(one.raw), "reason": one.reason, "raw": one.raw, "version": version} for one in unreadables
    ]
