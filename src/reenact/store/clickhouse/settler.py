"""Settler: keeps the sums of hours ready that sums of many calls are taken from, and knows which of them may be believed.

Whoever writes calls notes the hours they were made in. To settle an hour is to read how often it was noted,
then to sum its calls, and to keep both: as long as no more is noted the sums are right. What is noted between the two counts
as a change, so that nothing depends on what servers do at the same time. Hours that are being written are left alone: until
they are settled their calls are summed as they are asked for.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec

from reenact.errors import StoreFailed
from reenact.store.clickhouse.binding import Binder
from reenact.store.clickhouse.compiling import ORGANISATION
from reenact.store.clickhouse.connector import Connector
from reenact.store.clickhouse.schema import HOUR
from reenact.store.clickhouse.summing import SUMS
from reenact.store.clickhouse.ticker import Ticker
from reenact.store.rolling import HOUR_US

_log = logging.getLogger(__name__)

_REST_S = 60.0
"""How long an hour has to be left alone before it is settled."""
_REST_ON_CLUSTER_S = 600.0
"""Replicas may lag: whoever settles an hour has to see all of its calls."""
_LOOK_EVERY_S = 60.0
_HOURS_AT_ONCE = 24 * 7
_MOST_INTERVALS = 200
_CHANGED = """
SELECT {organisation} hour, changed.times, ifNull(settled.times, 0) = changed.times AS is_settled, settled.is_plain
FROM (
  SELECT organisation_id, hour, sum(times) AS times, max(latest_us) AS latest_us FROM hour_changes
  WHERE {where} GROUP BY organisation_id, hour
) AS changed
LEFT JOIN (
  SELECT organisation_id, hour, argMax(times, settlement) AS times, argMax(is_plain, settlement) AS is_plain FROM settled_hours
  WHERE {where} GROUP BY organisation_id, hour
) AS settled ON settled.organisation_id = changed.organisation_id AND settled.hour = changed.hour
WHERE {having}
ORDER BY {organisation} hour
"""
_IN_DOUBT = _CHANGED.format(organisation="", where=ORGANISATION, having="NOT is_settled OR NOT settled.is_plain")
_DUE = _CHANGED.format(
    organisation="changed.organisation_id,", where="1", having="NOT is_settled AND changed.latest_us <= {resting:Int64}"
)
_SUM = f"""
INSERT INTO hour_sums
SELECT organisation_id, {HOUR} AS hour, model, provider, status, {", ".join(SUMS.values())},
  min(c.created_us), max(c.created_us), {{settlement:UInt64}}
FROM calls AS c FINAL WHERE {ORGANISATION} AND {HOUR} IN {{hours:Array(Int64)}}
GROUP BY organisation_id, hour, model, provider, status
"""
_LIST = f"""
INSERT INTO hour_properties
SELECT organisation_id, property.1 AS low, property.2 AS value, {HOUR} AS hour,
  any(if(c.spellings[low] = '', low, c.spellings[low])), {{settlement:UInt64}}
FROM calls AS c FINAL ARRAY JOIN CAST(c.properties, 'Array(Tuple(String, String))') AS property
WHERE {ORGANISATION} AND {HOUR} IN {{hours:Array(Int64)}}
GROUP BY organisation_id, low, value, hour
"""
_PLAIN = f"""
SELECT hour FROM (
  SELECT {HOUR} AS hour, toInt64(count()) AS rows FROM calls WHERE {ORGANISATION} AND {HOUR} IN {{hours:Array(Int64)}}
  GROUP BY hour
  UNION ALL
  SELECT {HOUR} AS hour, -toInt64(count()) AS rows FROM calls FINAL WHERE {ORGANISATION} AND {HOUR} IN {{hours:Array(Int64)}}
  GROUP BY hour
) GROUP BY hour HAVING sum(rows) = 0
"""
_STALE = """
(organisation_id, hour, settlement) NOT IN (
  SELECT organisation_id, hour, max(settlement) FROM {settled} GROUP BY organisation_id, hour
) OR organisation_id NOT IN (SELECT organisation_id FROM {calls})
"""
_GONE = "organisation_id NOT IN (SELECT organisation_id FROM {calls})"


class Interval(msgspec.Struct, frozen=True):
    """A time."""

    from_us: int
    to_us: int
    """Not in it any more."""


class Doubts(msgspec.Struct, frozen=True):
    """Which hours of an organisation nothing is ready of, or only some."""

    unsettled: tuple[Interval, ...]
    """Their sums have to be taken from the calls."""
    unplain: tuple[Interval, ...]
    """Rows have to be merged as they are read; the unsettled are among them."""
    are_many: bool
    """Whether they are so many that all calls are better looked at."""

    def have_grown(self, before: "Doubts") -> bool:
        """Return whether an hour is not plain any more that was, *before*."""
        return not before.are_many and any(
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

    def doubts(self, organisation_id: str) -> Doubts:
        """Return what may not be believed now."""
        rows = self._connector.query(_IN_DOUBT, {"organisation": organisation_id})
        unplain = tuple(_intervals([hour for hour, *_ in rows]))
        unsettled = tuple(_intervals([hour for hour, _, is_settled, _ in rows if not is_settled]))
        return Doubts(unsettled, unplain, are_many=len(unplain) > _MOST_INTERVALS)

    def settle_now_and_then(self) -> None:
        """Settle, unless that was tried lately or somebody is at it; whoever saves calls calls this, and never fails by it."""
        now_s = time.monotonic()
        if now_s - self._looked_s < _LOOK_EVERY_S or not self._lock.acquire(blocking=False):
            return
        try:
            self._looked_s = now_s
            self._settle_due(self._rest_s)
        except StoreFailed as error:
            _log.warning("Sums are slower than they need be, since hours could not be settled: %s", error.message)
        finally:
            self._lock.release()

    def settle(self, rest_s: float | None = None) -> None:
        """Settle what is in doubt and was not written for *rest_s*.

        Raises:
            StoreFailed: the database could not be read or written; what was settled until then is.
        """
        with self._lock:
            self._settle_due(self._rest_s if rest_s is None else rest_s)

    def forget(self) -> None:
        """Take out of the files what was ready once and is no more, and all of organisations that have no calls.

        Raises:
            StoreFailed: there is no room for it; it may be tried again.
        """
        names = {"settled": self._connector.local("settled_hours"), "calls": self._connector.local("calls")}
        for table, condition in (
            ("hour_sums", _STALE), ("hour_properties", _STALE), ("settled_hours", _GONE), ("hour_changes", _GONE)
        ):  # fmt: skip
            self._connector.delete(table, condition.format(**names), {})

    def _settle_due(self, rest_s: float) -> None:
        rows = self._connector.query(_DUE, {"resting": time.time_ns() // 1000 - int(rest_s * 1e6)})
        for organisation_id in sorted({row[0] for row in rows}):
            due = [(hour, times) for organisation, hour, times, *_ in rows if organisation == organisation_id]
            for at in range(0, len(due), _HOURS_AT_ONCE):
                self._settle(organisation_id, dict(due[at : at + _HOURS_AT_ONCE]))

    def _settle(self, organisation_id: str, times: Mapping[int, int]) -> None:
        """Settle hours that were changed so many times."""
        hours, settlement = list(times), self._ticker()
        asked = {"organisation": organisation_id, "hours": hours}
        for statement in (_SUM, _LIST):
            self._connector.command(statement, {**asked, "settlement": settlement})
        plain = {hour for (hour,) in self._connector.query(_PLAIN, asked)}
        self._connector.insert(
            "settled_hours",
            {
                "organisation_id": [organisation_id] * len(hours),
                "hour": hours,
                "times": [times[hour] for hour in hours],
                "is_plain": [int(hour in plain) for hour in hours],
                "settlement": [settlement] * len(hours),
            },
        )


def compile_times(binder: Binder, times: Sequence[Interval], created_us: str = "c.created_us") -> str:
    """Return whether a time lies in one of *times*."""
    parts = [
        f"({created_us} >= {binder.integer(one.from_us)} AND {created_us} < {binder.integer(one.to_us)})"
        for one in times
    ]
    return f"({' OR '.join(parts)})" if parts else "0"


def _intervals(hours: Sequence[int]) -> Iterator[Interval]:
    """Yield ordered hours, neighbours as one."""
    first = last = None
    for hour in hours:
        if first is None or last is None or hour != last + 1:
            if first is not None and last is not None:
                yield Interval(first * HOUR_US, (last + 1) * HOUR_US)
            first = hour
        last = hour
    if first is not None and last is not None:
        yield Interval(first * HOUR_US, (last + 1) * HOUR_US)
