"""Settler: keeps the sums of hours and days ready that sums of many calls are taken from, and knows which may be believed.

Whoever writes calls notes the hours they were made in. To settle an hour is to read how often it was noted, then to sum its
calls, and to keep both: as long as no more is noted the sums are right. What is noted between the two counts as a change, so
that nothing depends on what servers do at the same time. Hours that are being written are left alone: until they are settled
their calls are summed as they are asked for. A day is settled out of its hours once all of them are.
"""

import itertools
import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from typing import Any

import msgspec

from reenact.errors import StoreFailed
from reenact.store.clickhouse.binding import Binder
from reenact.store.clickhouse.compiling import ORGANISATION
from reenact.store.clickhouse.connector import Connector, Rows
from reenact.store.clickhouse.schema import HOUR
from reenact.store.clickhouse.summing import SUMS
from reenact.store.clickhouse.ticker import Ticker
from reenact.store.rolling import DAY_US, HOUR_US

_log = logging.getLogger(__name__)

_REST_S = 60.0
"""How long an hour has to be left alone before it is settled."""
_REST_ON_CLUSTER_S = 600.0
"""Replicas may lag: whoever settles an hour has to see all of its calls."""
_LOOK_EVERY_S = 60.0
_HOURS_AT_ONCE = 24 * 7
_MOST_INTERVALS = 200
_HOURS_OF_DAY = DAY_US // HOUR_US

# How often hours and days were noted, and what is settled of them; one look at each table.
_SPANS = f"""
SELECT {{named}} span_us, span, sum(noted) AS times, max(noted_us) AS latest_us,
  argMax(settled, settlement) = times AS is_settled, argMax(plain, (settlement, plain)) AS is_plain, max(settlement) AS latest
FROM (
  SELECT {{named}} {HOUR_US} AS span_us, hour AS span, times AS noted, latest_us AS noted_us,
    0 AS settled, 0 AS settlement, 1 AS plain FROM hour_changes WHERE {{where}}
  UNION ALL
  SELECT {{named}} {DAY_US}, intDiv(hour, {_HOURS_OF_DAY}), times, latest_us, 0, 0, 1 FROM hour_changes WHERE {{where}}
  UNION ALL
  SELECT {{named}} span_us, span, 0, 0, times, settlement, is_plain FROM settled_spans WHERE {{where}}
) GROUP BY {{named}} span_us, span HAVING {{having}} ORDER BY {{named}} span_us, span
"""
_IN_DOUBT = f"""
SELECT span_us, span, is_settled FROM (
  {_SPANS.format(named="", where=ORGANISATION, having="NOT is_settled OR NOT is_plain")}
)
"""
_DUE = f"""
SELECT organisation_id, span, times, latest_us, is_settled, latest FROM (
  {_SPANS.format(named="organisation_id,", where="1", having="NOT is_settled OR NOT is_plain")}
) WHERE span_us = {{span_us:Int64}}
"""
_TIMES = f"SELECT sum(times) FROM hour_changes WHERE {ORGANISATION}"
_SUM = f"""
INSERT INTO span_sums
SELECT organisation_id, {HOUR_US}, {HOUR} AS hour, model, provider, status, {", ".join(SUMS.values())},
  min(c.created_us), max(c.created_us), {{settlement:UInt64}}
FROM calls AS c FINAL WHERE {ORGANISATION} AND {HOUR} IN {{spans:Array(Int64)}}
GROUP BY organisation_id, hour, model, provider, status
"""
# The empty value, which is in no list of values, stands for the key.
_LIST = f"""
INSERT INTO span_properties
SELECT organisation_id, {HOUR_US}, property.1 AS low, arrayJoin(['', property.2]) AS value, {HOUR} AS hour,
  any(if(c.spellings[low] = '', low, c.spellings[low])), {{settlement:UInt64}}
FROM calls AS c FINAL ARRAY JOIN CAST(c.properties, 'Array(Tuple(String, String))') AS property
WHERE {ORGANISATION} AND {HOUR} IN {{spans:Array(Int64)}}
GROUP BY organisation_id, low, value, hour
"""
_PLAIN = f"""
SELECT hour FROM (
  SELECT {HOUR} AS hour, toInt64(count()) AS rows FROM calls WHERE {ORGANISATION} AND {HOUR} IN {{spans:Array(Int64)}}
  GROUP BY hour
  UNION ALL
  SELECT {HOUR} AS hour, -toInt64(count()) AS rows FROM calls FINAL WHERE {ORGANISATION} AND {HOUR} IN {{spans:Array(Int64)}}
  GROUP BY hour
) GROUP BY hour HAVING sum(rows) = 0
"""
LATEST = f"""
(span, settlement) GLOBAL IN (
  SELECT span, max(settlement) FROM settled_spans WHERE {ORGANISATION} AND span_us = {{span_us}} GROUP BY span
)
"""
"""Whether a row that stands ready is of the latest settlement of its span."""
_OF_DAYS = (
    f"{ORGANISATION} AND span_us = {HOUR_US} AND intDiv(span, {_HOURS_OF_DAY}) IN {{spans:Array(Int64)}} "
    f"AND {LATEST.replace('{span_us}', str(HOUR_US))}"
)
_SUM_DAYS = f"""
INSERT INTO span_sums
SELECT organisation_id, {DAY_US}, intDiv(span, {_HOURS_OF_DAY}) AS day, model, provider, status,
  {", ".join(f"sum(c.{name})" for name in SUMS)}, min(c.first_us), max(c.latest_us), {{settlement:UInt64}}
FROM span_sums AS c FINAL WHERE {_OF_DAYS} GROUP BY organisation_id, day, model, provider, status
"""
_LIST_DAYS = f"""
INSERT INTO span_properties
SELECT organisation_id, {DAY_US}, key_lower, value, intDiv(span, {_HOURS_OF_DAY}) AS day, any(key), {{settlement:UInt64}}
FROM span_properties WHERE {_OF_DAYS} GROUP BY organisation_id, key_lower, value, day
"""
_STALE = """
(organisation_id, span_us, span, settlement) NOT IN (
  SELECT organisation_id, span_us, span, max(settlement) FROM {settled} GROUP BY organisation_id, span_us, span
) OR organisation_id IN {{gone:Array(String)}}
"""
_GONE = "organisation_id IN {gone:Array(String)}"
_NOTED = "SELECT DISTINCT organisation_id FROM hour_changes"
_LIVING = "SELECT DISTINCT organisation_id FROM calls"
_NOTE_UNNOTED = f"""
INSERT INTO hour_changes SELECT organisation_id, {HOUR} AS hour, 1, 0 FROM calls
WHERE (organisation_id, {HOUR}) GLOBAL NOT IN (SELECT organisation_id, hour FROM hour_changes)
GROUP BY organisation_id, hour
"""


class Interval(msgspec.Struct, frozen=True):
    """A time."""

    from_us: int
    to_us: int
    """Not in it any more."""


class Doubts(msgspec.Struct, frozen=True):
    """Which hours and days of an organisation nothing is ready of, or only some."""

    unsettled: tuple[Interval, ...]
    """Hours whose sums have to be taken from the calls."""
    unplain: tuple[Interval, ...]
    """Hours whose rows have to be merged as they are read; the unsettled are among them."""
    unsettled_days: tuple[Interval, ...]
    """Days whose sums have to be taken from their hours, if these are settled."""

    @property
    def are_many(self) -> bool:
        """Whether so many are unsettled that all calls are better looked at."""
        return len(self.unsettled) + len(self.unsettled_days) > _MOST_INTERVALS

    @property
    def are_mixed(self) -> bool:
        """Whether so many are not plain that all rows are better merged."""
        return len(self.unplain) > _MOST_INTERVALS

    def have_grown(self, before: "Doubts") -> bool:
        """Return whether an hour is not plain any more that was, *before*."""
        return not before.are_mixed and any(
            not any(known.from_us <= one.from_us and one.to_us <= known.to_us for known in before.unplain)
            for one in self.unplain
        )


class Settler:
    """Any thread may use it."""

    def __init__(self, connector: Connector, ticker: Ticker) -> None:
        self._connector = connector
        self._ticker = ticker
        self._rest_s = _REST_ON_CLUSTER_S if connector.is_of_cluster else _REST_S
        self._lock = threading.Lock()
        self._looked_s = time.monotonic()
        self._counting = threading.Lock()
        self._changes = 0
        self._known: dict[str, tuple[int, Doubts]] = {}
        """What was in doubt after so many changes, where nobody else can make any."""

    @contextmanager
    def changing(self, calls: Sequence[tuple[str, int]], *, are_new: bool = False) -> Iterator[None]:
        """Note the hours of calls, given as organisation and time in microseconds, whose rows are written meanwhile.

        They are noted behind the rows, and before them, too, unless the calls *are_new*: whoever reads rows as they are looks
        afterwards whether some were written over.
        """
        if not are_new:
            self._note(calls)
        yield
        self._note(calls)

    def doubts(self, organisation_id: str) -> Doubts:
        """Return what may not be believed now."""
        if not self._connector.is_exclusive:
            return self._read_doubts(organisation_id)
        changes = self._changes
        known = self._known.get(organisation_id)
        if known is None or known[0] != changes:
            self._known[organisation_id] = known = changes, self._read_doubts(organisation_id)
        return known[1]

    def _read_doubts(self, organisation_id: str) -> Doubts:
        rows = self._connector.query(_IN_DOUBT, {"organisation": organisation_id})
        hours = [(hour, is_settled) for span_us, hour, is_settled in rows if span_us == HOUR_US]
        unplain = tuple(_intervals([hour for hour, _ in hours], HOUR_US))
        unsettled = tuple(_intervals([hour for hour, is_settled in hours if not is_settled], HOUR_US))
        days = tuple(_intervals([day for span_us, day, _ in rows if span_us == DAY_US], DAY_US))
        return Doubts(unsettled, unplain, days)

    def times(self, organisation_id: str) -> int:
        """Return how often hours of an organisation were noted; as long as it is the same no doubt has come."""
        if self._connector.is_exclusive:
            return self._changes
        return int(self._connector.query(_TIMES, {"organisation": organisation_id})[0][0])

    def settle_now_and_then(self) -> None:
        """Settle, unless that was tried lately or somebody is at it; whoever saves calls calls this, and never fails by it."""
        now_s = time.monotonic()
        if now_s - self._looked_s < _LOOK_EVERY_S or not self._lock.acquire(blocking=False):
            return
        try:
            self._looked_s = now_s
            self._settle_due(self._rest_s, only_unsettled=True)
        except StoreFailed as error:
            _log.warning("Sums are slower than they need be, since hours could not be settled: %s", error.message)
        finally:
            self._lock.release()

    def settle(self, rest_s: float | None = None) -> None:
        """Settle what is in doubt and was not written for *rest_s*; the engine may have merged what was not plain.

        Hours that have calls and were never noted, as a server of an earlier version leaves them, are noted first.

        Raises:
            StoreFailed: the database could not be read or written; what was settled until then is.
        """
        with self._lock:
            self._connector.command(_NOTE_UNNOTED)
            self._count_change()
            self._settle_due(self._rest_s if rest_s is None else rest_s)

    def forget(self) -> None:
        """Take out of the files what was ready once and is no more, and all of organisations that have no calls.

        Raises:
            StoreFailed: there is no room for it; it may be tried again.
        """
        noted = {name for (name,) in self._connector.query(_NOTED)}
        gone = sorted(noted - {name for (name,) in self._connector.query(_LIVING)})
        stale = _STALE.format(settled=self._connector.local("settled_spans"))
        for table, condition in (
            ("span_sums", stale), ("span_properties", stale), ("settled_spans", _GONE), ("hour_changes", _GONE)
        ):  # fmt: skip
            self._connector.delete(table, condition, {"gone": gone})
        self._count_change()

    def _note(self, calls: Iterable[tuple[str, int]]) -> None:
        hours = sorted({(organisation_id, created_us // HOUR_US) for organisation_id, created_us in calls})
        if hours:
            now_us = time.time_ns() // 1000
            self._connector.insert(
                "hour_changes",
                {
                    "organisation_id": [organisation_id for organisation_id, _ in hours],
                    "hour": [hour for _, hour in hours],
                    "times": [1] * len(hours),
                    "latest_us": [now_us] * len(hours),
                },
            )
            self._count_change()

    def _count_change(self) -> None:
        with self._counting:
            self._changes += 1

    def _settle_due(self, rest_s: float, *, only_unsettled: bool = False) -> None:
        now_us = time.time_ns() // 1000
        hours = self._due(HOUR_US)
        unsettled = [row for row in hours if not row[4]]
        for organisation_id, due in _chunks([row for row in unsettled if row[3] <= now_us - rest_s * 1e6]):
            self._settle(organisation_id, HOUR_US, due, (_SUM, _LIST))
        if not only_unsettled:
            for organisation_id, due in _chunks([row for row in hours if row[4]]):
                self._look_again(organisation_id, due, {row[1]: row[5] for row in hours if row[0] == organisation_id})
        waiting = {(row[0], row[1] // _HOURS_OF_DAY) for row in self._due(HOUR_US) if not row[4]}
        if rest_s:  # of the day that is under way hours settle one after the other
            waiting |= {(row[0], now_us // DAY_US) for row in unsettled}
        days = [row for row in self._due(DAY_US) if (row[0], row[1]) not in waiting]
        for organisation_id, due in _chunks(days):
            self._settle(organisation_id, DAY_US, due, (_SUM_DAYS, _LIST_DAYS))

    def _due(self, span_us: int) -> Rows:
        """Return organisation, span, times, when it was noted last, whether and by what it is settled, of spans in doubt."""
        return self._connector.query(_DUE, {"span_us": span_us})

    def _settle(
        self, organisation_id: str, span_us: int, times: Mapping[int, int], statements: tuple[str, str]
    ) -> None:
        """Settle spans that were changed so many times."""
        settlement = self._ticker()
        asked = {"organisation": organisation_id, "spans": list(times)}
        for statement in statements:
            self._connector.command(statement, {**asked, "settlement": settlement})
        plain = self._plain(organisation_id, times) if span_us == HOUR_US else set(times)
        self._keep(organisation_id, span_us, times, plain, dict.fromkeys(times, settlement))

    def _look_again(self, organisation_id: str, times: Mapping[int, int], settlements: Mapping[int, int]) -> None:
        """Note which settled hours are plain by now; what stands ready of them stays, since somebody may be reading it."""
        plain = self._plain(organisation_id, times)
        if plain:
            self._keep(organisation_id, HOUR_US, {hour: times[hour] for hour in plain}, plain, settlements)

    def _plain(self, organisation_id: str, hours: Iterable[int]) -> set[int]:
        """Return which hours have no rows that others replace or delete."""
        return {
            hour for (hour,) in self._connector.query(_PLAIN, {"organisation": organisation_id, "spans": list(hours)})
        }

    def _keep(
        self,
        organisation_id: str,
        span_us: int,
        times: Mapping[int, int],
        plain: Set[int],
        settlements: Mapping[int, int],
    ) -> None:
        """Keep which spans are settled, and by what."""
        spans = list(times)
        self._connector.insert(
            "settled_spans",
            {
                "organisation_id": [organisation_id] * len(spans),
                "span_us": [span_us] * len(spans),
                "span": spans,
                "times": [times[span] for span in spans],
                "is_plain": [int(span in plain) for span in spans],
                "settlement": [settlements[span] for span in spans],
            },
        )
        self._count_change()


def compile_times(binder: Binder, times: Sequence[Interval], created_us: str = "c.created_us") -> str:
    """Return whether a time lies in one of *times*."""
    parts = [
        f"({created_us} >= {binder.integer(one.from_us)} AND {created_us} < {binder.integer(one.to_us)})"
        for one in times
    ]
    return f"({' OR '.join(parts)})" if parts else "0"


def _chunks(due: Sequence[Sequence[Any]]) -> Iterator[tuple[str, dict[int, int]]]:
    """Yield ordered rows of organisation, span and times by organisation, in pieces that are settled together."""
    for organisation_id, rows in itertools.groupby(due, key=lambda row: str(row[0])):
        times = [(int(row[1]), int(row[2])) for row in rows]
        for at in range(0, len(times), _HOURS_AT_ONCE):
            yield organisation_id, dict(times[at : at + _HOURS_AT_ONCE])


def _intervals(spans: Sequence[int], span_us: int) -> Iterator[Interval]:
    """Yield ordered spans, neighbours as one."""
    begun = 0
    for at, span in enumerate(spans, 1):
        if at == len(spans) or spans[at] != span + 1:
            yield Interval(spans[begun] * span_us, (span + 1) * span_us)
            begun = at
