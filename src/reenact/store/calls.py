"""The seam every call store fills. Synchronous: callers on an event loop go through a thread."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from reenact.domain.call import Bodies, Call, Reading, SessionSummary
from reenact.domain.exchange import Cursor, Exchange, Gap, Unreadable
from reenact.domain.filter import EVERYTHING, Filter, Sort
from reenact.domain.total import BY_TIME, TOGETHER, Grouping, Percentiles, Rank, ScoreTotal, Step, Total

__all__ = ["CallStore", "Cursor"]


class CallStore(Protocol):
    """Calls of all organisations. Every read is given the organisation and can never see another's rows."""

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

        What was set after a call was recorded (properties, scores, feedback) outlives saving it again.

        Raises:
            StoreFailed: the database could not be written; nothing of the batch is saved, and it may be tried again.
        """
        ...

    def cursor(self, spool: str) -> Cursor:
        """Return how far *spool* has been saved; the beginning when never."""
        ...

    def find(self, organisation_id: str, where: Filter, sort: Sort, *, offset: int, limit: int) -> list[Call]:
        """Return a page of calls; ties in *sort* are broken by creation and id, so that pages never overlap."""
        ...

    def count(self, organisation_id: str, where: Filter) -> int:
        """Return how many calls match."""
        ...

    def get(self, organisation_id: str, call_ids: Sequence[str]) -> list[Call]:
        """Return the calls with these ids in the order asked; unknown ids are left out."""
        ...

    def bodies(self, organisation_id: str, call_ids: Sequence[str]) -> Mapping[str, Bodies]:
        """Return the bodies of these calls byte for byte; unknown ids are left out.

        Where an object cannot be read, a marker stands that names it, and `Bodies.lost` does.
        """
        ...

    def exchanges(self, organisation_id: str, call_ids: Sequence[str]) -> list[Exchange]:
        """Return the exchanges as they were recorded, to derive calls from them again.

        Raises:
            StoreFailed: an object of one cannot be read.
        """
        ...

    def object(self, organisation_id: str, key: str) -> bytes | None:
        """Return what stands outside the rows under *key*, such as an `Asset.id`; None when it is not there or damaged.

        Raises:
            StoreFailed: it cannot be read now.
        """
        ...

    def object_address(self, organisation_id: str, key: str, lifetime_s: int) -> str | None:
        """Return an address that anybody may read this object at for so long; None when this server is to serve it."""
        ...

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
        """Return sessions, newest first, whose id or name contains *search*, active in the time given.

        Only calls that match *where* are grouped and summed (surface 3.5); a session without such a call is left out.

        Raises:
            InvalidFilter: as `find`.
        """
        ...

    def session(self, organisation_id: str, session_id: str) -> list[Call]:
        """Return all calls of a session, oldest first; empty when there is no such session."""
        ...

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

        Grouped by nothing there is exactly one, of zeros when no call matches.

        Raises:
            InvalidFilter: as `find`; or *grouping* or *rank* names what is not there.
        """
        ...

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
        """Return percentiles of a NUMBER column in the unit it is filtered in, for each piece of time that has a value.

        Of n ascending values the percentile of rank r is the one at place floor(r * n), counted from 0: a value that
        occurs. Calls without the number are left out.

        Raises:
            InvalidFilter: as `find`; or *column* is not a NUMBER column, or a rank is not between 0 and 1.
        """
        ...

    def score_totals(
        self,
        organisation_id: str,
        where: Filter = EVERYTHING,
        *,
        step: Step | None = None,
        offset_minutes: int = 0,
    ) -> list[ScoreTotal]:
        """Return count and sum of the scores of the calls that match, by piece of time and by name whatever its case.

        Ordered by both, ascending.

        Raises:
            InvalidFilter: as `find`.
        """
        ...

    def property_keys(self, organisation_id: str) -> list[str]:
        """Return the names of the custom properties that calls have, ordered whatever their case, each in one spelling.

        The labels of their own (`filtering.LABEL_KEYS`) are not among them.
        """
        ...

    def property_values(
        self, organisation_id: str, key: str, *, search: str = "", offset: int = 0, limit: int = 100
    ) -> list[str]:
        """Return the distinct values of a property or a label, ordered by code points, the empty one left out.

        *search* is part of the value, whatever the case of its ASCII letters.
        """
        ...

    def set_property(self, organisation_id: str, call_id: str, key: str, value: str) -> None:
        """Set or replace a property of a call.

        Raises:
            NotFound: no such call.
        """
        ...

    def set_scores(self, organisation_id: str, call_id: str, scores: Mapping[str, float]) -> None:
        """Set scores by name; the last write of a name wins, other names stay.

        Raises:
            NotFound: no such call.
        """
        ...

    def set_feedback(self, organisation_id: str, call_id: str, rating: bool) -> None:
        """Set the feedback of a call.

        Raises:
            NotFound: no such call.
        """
        ...

    def gaps(self, organisation_id: str) -> list[Gap]:
        """Return what was lost, newest first."""
        ...

    def unreadables(self) -> list[Unreadable]:
        """Return the records of the spool that could not be read as exchanges, of whatever organisation they were."""
        ...

    def close(self) -> None:
        """Finish what is under way and let go of the files."""
        ...
