"""SqliteStore: calls in one SQLite file, the store that comes with every installation."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from reenact.domain.call import Bodies, Call, Reading, SessionSummary
from reenact.domain.exchange import Cursor, Exchange, Gap, Unreadable
from reenact.domain.filter import EVERYTHING, Filter, Sort
from reenact.domain.total import BY_TIME, TOGETHER, Grouping, Percentiles, Rank, ScoreTotal, Step, Total
from reenact.errors import InvalidInput
from reenact.store.objects.files import FileObjects
from reenact.store.objects.keeper import Named, ObjectKeeper
from reenact.store.sqlite import ranker, totaller, walker
from reenact.store.sqlite.annotator import Annotator
from reenact.store.sqlite.inspector import inspect
from reenact.store.sqlite.reader import Reader, organisation_number
from reenact.store.sqlite.remover import Remover
from reenact.store.sqlite.sessionlister import Wanted, list_sessions
from reenact.store.sqlite.writer import Writer
from reenact.store.upkeep import Place, Removal, Removed

OBJECTS = ".objects"
"""What the name of a folder of objects ends in."""


def objects_folder(path: Path) -> Path:
    """Return where the objects of the database at *path* are, unless they are elsewhere."""
    return path.with_suffix(OBJECTS)


class SqliteStore:
    """Fills `store.calls.CallStore` and `store.upkeep.Upkeep`. Any thread may call it; other processes may read meanwhile."""

    def __init__(self, path: Path, objects: ObjectKeeper | None = None) -> None:
        """Open the file at *path*, made when it is missing; its folder must be there.

        What is large in bodies goes to *objects*; when None, to files in `objects_folder(path)`.

        Raises:
            FolderNewer: a newer version of Reenact wrote the file.
            FolderUnusable: the file cannot be opened, or is no such database.
        """
        self._path = path
        self._objects = objects or ObjectKeeper(FileObjects(objects_folder(path)))
        self._writer = Writer(path, self._objects)
        self._reader = Reader(path, self._objects)
        self._annotator = Annotator(self._writer)
        self._remover = Remover(path, self._writer, self._reader.snapshot, self._objects)

    def save(
        self,
        readings: Sequence[Reading],
        *,
        gaps: Sequence[Gap] = (),
        unreadables: Sequence[Unreadable] = (),
        spool: str = "",
        cursor: Cursor | None = None,
    ) -> None:
        """Save a batch and the cursor of *spool* in one transaction; saving the same call twice leaves one row.

        Raises:
            StoreFailed: the database could not be written; nothing of the batch is saved, and it may be tried again.
        """
        self._writer.save(readings, gaps, unreadables, spool, cursor)

    def cursor(self, spool: str) -> Cursor:
        """Return how far *spool* has been saved; the beginning when never."""
        return self._reader.cursor(spool)

    def find(self, organisation_id: str, where: Filter, sort: Sort, *, offset: int, limit: int) -> list[Call]:
        """Return a page of calls; ties in *sort* are broken by creation and id.

        Raises:
            InvalidFilter: the filter or the sort names what is not there, or compares what does not fit.
        """
        return self._reader.find(organisation_id, where, sort, offset, limit)

    def count(self, organisation_id: str, where: Filter) -> int:
        """Return how many calls match.

        Raises:
            InvalidFilter: the filter names what is not there, or compares what does not fit.
        """
        return self._reader.count(organisation_id, where)

    def get(self, organisation_id: str, call_ids: Sequence[str]) -> list[Call]:
        """Return the calls with these ids in the order asked; unknown ids are left out."""
        return self._reader.get(organisation_id, call_ids)

    def bodies(self, organisation_id: str, call_ids: Sequence[str]) -> Mapping[str, Bodies]:
        """Return the bodies of these calls byte for byte; unknown ids are left out."""
        return self._reader.bodies(organisation_id, call_ids)

    def exchanges(self, organisation_id: str, call_ids: Sequence[str]) -> list[Exchange]:
        """Return the exchanges as they were recorded, in the order asked; unknown ids are left out."""
        return self._reader.exchanges(organisation_id, call_ids)

    def sessions(  # noqa: PLR0913 - each one is an optional part of one question
        self,
        organisation_id: str,
        *,
        search: str = "",
        name: str | None = None,
        after_us: int | None = None,
        before_us: int | None = None,
        where: Filter = EVERYTHING,
        offset: int = 0,
        limit: int = 50,
    ) -> list[SessionSummary]:
        """Return sessions, the one with the newest call first; only calls that match *where* are grouped and summed.

        *search* is part of the id or the name, whatever the case of its ASCII letters. A session is active in a time when
        its newest call is not before *after_us* and its first call is before *before_us*; sums are over its whole life.

        Raises:
            InvalidFilter: as `find`.
        """
        wanted = Wanted(
            search=search,
            name=name,
            after_us=after_us,
            before_us=before_us,
            where=where,
            offset=offset,
            limit=limit,
        )
        with self._reader.snapshot() as reading:
            organisation = organisation_number(reading.connection, organisation_id)
            return list_sessions(reading.connection, organisation, wanted)

    def session(self, organisation_id: str, session_id: str) -> list[Call]:
        """Return all calls of a session, oldest first; empty when there is no such session."""
        return self._reader.session(organisation_id, session_id)

    def totals(
        self,
        organisation_id: str,
        where: Filter = EVERYTHING,
        grouping: Grouping = TOGETHER,
        *,
        rank: Rank = BY_TIME,
        offset: int = 0,
        limit: int = 10_000,
    ) -> list[Total]:
        """Return the sums of the calls that match, one for each group that has a call, in the order of *rank*.

        Raises:
            InvalidFilter: as `find`; or *grouping* or *rank* names what is not there.
        """
        page = totaller.Page(rank, offset, limit)
        with self._reader.snapshot() as reading:
            organisation = organisation_number(reading.connection, organisation_id)
            return totaller.totals(reading.connection, organisation, where, grouping, page)

    def percentiles(
        self,
        organisation_id: str,
        column: str,
        ranks: Sequence[float],
        where: Filter = EVERYTHING,
        *,
        step: Step | None = None,
        offset_minutes: int = 0,
    ) -> list[Percentiles]:
        """Return percentiles of a NUMBER column, exact, for each piece of time that has a value.

        Raises:
            InvalidFilter: as `find`; or *column* is not a NUMBER column, or a rank is not between 0 and 1.
        """
        with self._reader.snapshot() as reading:
            organisation = organisation_number(reading.connection, organisation_id)
            return ranker.percentiles(reading.connection, organisation, column, ranks, where, step, offset_minutes)

    def score_totals(
        self,
        organisation_id: str,
        where: Filter = EVERYTHING,
        *,
        step: Step | None = None,
        offset_minutes: int = 0,
    ) -> list[ScoreTotal]:
        """Return count and sum of scores by piece of time and name.

        Raises:
            InvalidFilter: as `find`.
        """
        with self._reader.snapshot() as reading:
            organisation = organisation_number(reading.connection, organisation_id)
            return totaller.score_totals(reading.connection, organisation, where, step, offset_minutes)

    def property_keys(self, organisation_id: str) -> list[str]:
        """Return the names of the custom properties that calls have, ordered whatever their case."""
        with self._reader.snapshot() as reading:
            organisation = organisation_number(reading.connection, organisation_id)
            return totaller.property_keys(reading.connection, organisation)

    def property_values(
        self, organisation_id: str, key: str, *, search: str = "", offset: int = 0, limit: int = 100
    ) -> list[str]:
        """Return the distinct values of a property or a label, ordered by code points, the empty one left out."""
        with self._reader.snapshot() as reading:
            organisation = organisation_number(reading.connection, organisation_id)
            return totaller.property_values(reading.connection, organisation, key, search, offset, limit)

    def set_property(self, organisation_id: str, call_id: str, key: str, value: str) -> None:
        """Set or replace a property of a call, whatever the case of its key.

        The keys of the session headers and of the prompt id set those labels: the call moves to that session.

        Raises:
            NotFound: no such call.
        """
        self._annotator.set_property(organisation_id, call_id, key, value)

    def set_scores(self, organisation_id: str, call_id: str, scores: Mapping[str, float]) -> None:
        """Set scores by name; the last write of a name wins, other names stay.

        Raises:
            InvalidInput: a score is not a number.
            NotFound: no such call.
        """
        for name, value in scores.items():
            if math.isnan(value):
                raise InvalidInput(f"The score {name!r} is not a number", f"scores.{name}")
        self._annotator.set_scores(organisation_id, call_id, scores)

    def set_feedback(self, organisation_id: str, call_id: str, rating: bool) -> None:
        """Set the feedback of a call.

        Raises:
            NotFound: no such call.
        """
        self._annotator.set_feedback(organisation_id, call_id, rating)

    def gaps(self, organisation_id: str) -> list[Gap]:
        """Return what was lost, newest first."""
        return self._reader.gaps(organisation_id)

    def unreadables(self) -> list[Unreadable]:
        """Return the records of the spool that could not be read as exchanges, of whatever organisation they were."""
        return self._reader.unreadables()

    def organisations(self) -> list[str]:
        """Return the ids of all organisations that ever had a row, ordered."""
        with self._reader.snapshot() as reading:
            return walker.organisations(reading.connection)

    def places(self, organisation_id: str, after: Place, limit: int) -> list[Place]:
        """Return the places of the calls that follow *after*, oldest first."""
        with self._reader.snapshot() as reading:
            return walker.places(reading.connection, organisation_id, after, limit)

    def expired(self, organisation_id: str, before_us: int, limit: int) -> list[str]:
        """Return ids of calls made before a time, oldest first. A session expires as a whole, with its newest call."""
        with self._reader.snapshot() as reading:
            return walker.expired(reading.connection, organisation_id, before_us, limit)

    def remove(self, organisation_id: str, removal: Removal) -> Removed:
        """Remove calls and all that was said of them, in small transactions; `wipe` takes their last bytes.

        Raises:
            StoreFailed: the database could not be written; what is left is removed by the next try.
        """
        return self._remover.remove(organisation_id, removal)

    def discard(self, organisation_id: str, call_ids: Sequence[str]) -> None:
        """Remove these calls in one small transaction; unknown ids are left out.

        Raises:
            StoreFailed: the database could not be written.
        """
        self._remover.discard(organisation_id, call_ids)

    def removed(self) -> list[str]:
        """Return the ids of calls that were removed and not wiped yet."""
        return self._remover.removed()

    def sweep(self) -> None:
        """Give back the room that removed calls took.

        Raises:
            StoreFailed: the database could not be written.
        """
        self._remover.sweep()

    def settle(self) -> None:
        """Do nothing: sums that stand ready are held to the calls with each transaction."""

    def wipe(self) -> None:
        """Sweep, and write the file anew, so that no byte of a removed call is left in it or beside it.

        Raises:
            StoreFailed: there is no room for it, or somebody reads for too long; it may be tried again.
        """
        self._remover.wipe()

    def used_bytes(self) -> int:
        """Return how much room the calls take in the file."""
        with self._reader.snapshot() as reading:
            return walker.used_bytes(reading.connection)

    def noticed(self) -> list[str]:
        """Return what reading met that was damaged since the store was opened, each kind once."""
        return sorted({*self._reader.noticed(), *self._objects.noticed})

    def damage(self) -> list[str]:
        """Read the whole file and all objects and return what is damaged; empty when all is well."""
        found = inspect(self._path)
        return found or self._objects.damage(self._named_objects)

    def collect(self) -> int:
        """Delete objects that no call is made of, which only a killed process leaves; return how many.

        Raises:
            StoreFailed: they cannot be read or written.
        """
        return self._objects.collect(self._named_objects)

    def object(self, organisation_id: str, key: str) -> bytes | None:
        """Return what an object says; None when it is not there or damaged."""
        return self._objects.content(organisation_id, key)

    def object_address(self, organisation_id: str, key: str, lifetime_s: int) -> str | None:
        """Return an address that anybody may read an object at for so long; None when we serve it ourselves."""
        return self._objects.address(organisation_id, key, lifetime_s)

    def _named_objects(self) -> set[Named]:
        with self._reader.snapshot() as reading:
            return walker.objects(reading.connection)

    def close(self) -> None:
        """Finish what is under way and let go of the files."""
        self._reader.close()
        self._writer.close()
