"""ClickHouseStore: calls in ClickHouse, a server's or embedded: the store for more calls than one file should hold."""

import math
from collections.abc import Callable, Mapping, Sequence

from reenact.domain.call import Bodies, Call, Reading, SessionSummary
from reenact.domain.exchange import Cursor, Exchange, Gap, Unreadable
from reenact.domain.filter import EVERYTHING, Filter, Sort
from reenact.domain.total import BY_TIME, TOGETHER, Grouping, Percentiles, Rank, ScoreTotal, Step, Total
from reenact.errors import InvalidInput
from reenact.store.clickhouse.annotator import Annotator
from reenact.store.clickhouse.checker import damaged_tables, detached_parts
from reenact.store.clickhouse.connector import Connector
from reenact.store.clickhouse.reader import Reader
from reenact.store.clickhouse.remover import Remover
from reenact.store.clickhouse.sessionlister import SessionLister, Wanted
from reenact.store.clickhouse.settler import Settler
from reenact.store.clickhouse.ticker import Ticker
from reenact.store.clickhouse.totaller import Totaller
from reenact.store.clickhouse.walker import Walker
from reenact.store.clickhouse.writer import Writer
from reenact.store.objects.keeper import NEVER, ObjectKeeper
from reenact.store.objects.nowhere import Nowhere
from reenact.store.upkeep import Place, Removal, Removed


class ClickHouseStore:
    """Fills `store.upkeep.Upkeep`. Any thread may call it, and any number of servers may write into one database."""

    def __init__(
        self, connector: Connector, on_close: Callable[[], None] = lambda: None, objects: ObjectKeeper | None = None
    ) -> None:
        """Take a connector to a database whose tables are there; the store closes it, and then calls *on_close*.

        What is large in bodies goes to *objects*, which every server of the database must reach; it stays in the rows
        when that is None.
        """
        ticker = Ticker()
        self.connector = connector
        self._on_close = on_close
        self._objects = objects = objects or ObjectKeeper(Nowhere(), NEVER)
        self._settler = Settler(connector, ticker)
        self._writer = Writer(connector, ticker, objects, self._settler)
        self._annotator = Annotator(connector, ticker, self._settler)
        self._reader = Reader(connector, objects)
        self._lister = SessionLister(connector, self._reader)
        self._totaller = Totaller(connector, self._reader, self._settler)
        self._walker = Walker(connector)
        self._remover = Remover(connector, self._writer, ticker, objects, self._settler)

    def save(
        self,
        readings: Sequence[Reading],
        *,
        gaps: Sequence[Gap] = (),
        unreadables: Sequence[Unreadable] = (),
        spool: str = "",
        cursor: Cursor | None = None,
    ) -> None:
        """Save a batch and then the cursor of *spool*; saving the same call twice leaves one row.

        Raises:
            StoreFailed: the database could not be written; some of the batch may be saved; trying it again
                leaves the same rows as if it had not failed.
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
        return self._lister.page(organisation_id, wanted)

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
        return self._totaller.totals(organisation_id, where, grouping, rank, offset, limit)

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
        return self._totaller.percentiles(organisation_id, column, ranks, where, step, offset_minutes)

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
        return self._totaller.score_totals(organisation_id, where, step, offset_minutes)

    def property_keys(self, organisation_id: str) -> list[str]:
        """Return the names of the custom properties that calls have, ordered whatever their case."""
        return self._totaller.property_keys(organisation_id)

    def property_values(
        self, organisation_id: str, key: str, *, search: str = "", offset: int = 0, limit: int = 100
    ) -> list[str]:
        """Return the distinct values of a property or a label, ordered by code points, the empty one left out."""
        return self._totaller.property_values(organisation_id, key, search, offset, limit)

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
        """Return the ids of all organisations that have rows, ordered."""
        return self._walker.organisations()

    def places(self, organisation_id: str, after: Place, limit: int) -> list[Place]:
        """Return the places of the calls that follow *after*, oldest first."""
        return self._walker.places(organisation_id, after, limit)

    def expired(self, organisation_id: str, before_us: int, limit: int) -> list[str]:
        """Return ids of calls made before a time, oldest first. A session expires as a whole, with its newest call."""
        return self._walker.expired(organisation_id, before_us, limit)

    def remove(self, organisation_id: str, removal: Removal) -> Removed:
        """Remove calls and all that was said of them: no query finds them any more; `wipe` takes them out of the files."""
        return self._remover.remove(organisation_id, removal)

    def discard(self, organisation_id: str, call_ids: Sequence[str]) -> None:
        """Remove these calls as `remove` does; unknown ids are left out."""
        self._remover.discard(organisation_id, call_ids)

    def removed(self) -> list[str]:
        """Return the ids of calls that were removed and not wiped yet; never those that were discarded."""
        return self._remover.removed()

    def sweep(self) -> None:
        """Give back the room that discarded calls took."""
        self._remover.sweep()

    def wipe(self) -> None:
        """Write the parts of tables anew that hold removed calls; the engine deletes the files before within seconds.

        Raises:
            StoreFailed: there is no room for it; it may be tried again.
        """
        self._remover.sweep(only_discarded=False)
        self._settler.settle(rest_s=0.0)
        with self._writer.exclusively():
            self._settler.forget()

    def settle(self, rest_s: float | None = None) -> None:
        """Make sums ready of hours whose calls were changed, and not for *rest_s*; a minute, ten on a cluster, when None.

        Raises:
            StoreFailed: the database cannot be read or written now; every answer is right all the same, and slower.
        """
        self._settler.settle(rest_s)

    def used_bytes(self) -> int:
        """Return how much room the calls take."""
        return self._walker.used_bytes()

    def damage(self) -> list[str]:
        """Read everything and return what is damaged, or was set aside as damaged; empty when all is well."""
        found = detached_parts(self.connector) + damaged_tables(self.connector)
        return found or self._objects.damage(self._walker.objects)

    def collect(self) -> int:
        """Delete objects that no call is made of, which only a killed process leaves; return how many.

        Raises:
            StoreFailed: they cannot be read or written.
        """
        return self._objects.collect(self._walker.objects)

    def object(self, organisation_id: str, key: str) -> bytes | None:
        """Return what an object says; None when it is not there or damaged."""
        return self._objects.content(organisation_id, key)

    def object_address(self, organisation_id: str, key: str, lifetime_s: int) -> str | None:
        """Return an address that anybody may read an object at for so long; None when we serve it ourselves."""
        return self._objects.address(organisation_id, key, lifetime_s)

    def noticed(self) -> list[str]:
        """Return what reading met that was damaged since the store was opened."""
        return sorted({*self.connector.noticed, *self._objects.noticed})

    def close(self) -> None:
        """Finish what is under way and let go of the connections."""
        self.connector.close()
        self._on_close()
