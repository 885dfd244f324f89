"""Totaller: sums and percentiles of many calls, and what their properties are."""

from collections.abc import Iterator, Sequence

from reenact.domain.filter import EVERYTHING, Filter
from reenact.domain.filtering import LABEL_KEYS, fold
from reenact.domain.grouping import check_grouping, check_measured
from reenact.domain.total import Grouping, Percentiles, Rank, ScoreTotal, Step, Total
from reenact.store.clickhouse.binding import Binder
from reenact.store.clickhouse.compiling import ORGANISATION, compile_number, compile_start
from reenact.store.clickhouse.connector import Connector, Rows
from reenact.store.clickhouse.reader import Reader
from reenact.store.clickhouse.settler import LATEST, Doubts, Interval, Settler, compile_times
from reenact.store.clickhouse.summing import FIELDS, sum_calls, sum_spans, sum_together
from reenact.store.rolling import DAY_US, HOUR_US, Piece, Rolled, roll

_EVER_US = 2**62
"""No call is as far from the epoch."""
_EVER = Interval(-_EVER_US, _EVER_US)
# How often each number comes, and then which of them stands at each rank: as quantilesExact, in two thirds of the time.
_RANKED = """
SELECT NULL, arrayMap(rank -> kept[arrayFirstIndex(n -> n > least(toInt64(rank * ends[-1]), ends[-1] - 1), ends)], [{levels}])
FROM (
  SELECT groupArray(number) AS kept, arrayCumSum(groupArray(times)) AS ends
  FROM (SELECT number, toInt64(count()) AS times FROM ({source}) GROUP BY number ORDER BY number)
) WHERE notEmpty(kept)
"""
_SCORES = """
SELECT {start} AS start, max(z.name), count(), sum(z.value) FROM calls AS c FINAL
JOIN (
  SELECT created_us, call_id, key_lower, argMax(key, version) AS name, argMax(number, version) AS value FROM annotations
  WHERE organisation_id = {{organisation:String}} AND kind = 'score' GROUP BY created_us, call_id, key_lower
) AS z ON z.created_us = c.created_us AND z.call_id = c.id
WHERE c.organisation_id = {{organisation:String}} AND {matching} GROUP BY start, z.key_lower ORDER BY start, z.key_lower
"""
_KEYS = """
SELECT any(name) FROM ({found}) WHERE low NOT IN {labels} GROUP BY low ORDER BY low
"""
_KEYS_OF_SPANS = """
SELECT key_lower AS low, any(key) AS name FROM span_properties WHERE {settled} AND value = '' GROUP BY key_lower
"""
_KEYS_OF_CALLS = """
SELECT arrayJoin(mapKeys(c.properties)) AS low, if(c.spellings[low] = '', low, c.spellings[low]) AS name
FROM calls AS c FINAL WHERE c.organisation_id = {{organisation:String}} AND {times}
"""
# Keys that were set on calls since they were recorded, of calls that are still there.
_KEYS_SET = """
SELECT DISTINCT key_lower AS low, key AS name FROM annotations
WHERE organisation_id = {organisation:String} AND kind = 'property' AND (created_us, call_id) IN (
  SELECT c.created_us, c.id FROM calls AS c FINAL WHERE c.organisation_id = {organisation:String}
    AND (c.created_us, c.id) IN (
      SELECT created_us, call_id FROM annotations WHERE organisation_id = {organisation:String} AND kind = 'property'
    )
)
"""


class Totaller:
    """Sums calls of one organisation after the other."""

    def __init__(self, connector: Connector, reader: Reader, settler: Settler) -> None:
        self._connector = connector
        self._reader = reader
        self._settler = settler

    def totals(
        self, organisation_id: str, where: Filter, grouping: Grouping, rank: Rank, offset: int, limit: int
    ) -> list[Total]:
        """Return one page of sums."""
        check_grouping(grouping, rank)
        binder = Binder(organisation=organisation_id)
        compiler = self._reader.compiler(binder, where, grouping.column)
        joined, value = "", "NULL"
        if grouping.column is not None:
            joined, value = compiler.group(grouping.column, grouping.key)
        rolled = roll(where, grouping)
        doubts = None if rolled is None else self._settler.doubts(organisation_id)
        if rolled is None or doubts is None or doubts.are_many:
            source = f"calls AS c FINAL {joined} WHERE c.{ORGANISATION} AND {compiler.where(where)}"
            text = sum_calls(source, value, grouping)
        else:
            text = self._from_spans(binder, compiler.where(rolled.where), rolled, doubts, value, grouping)
        order = f"field_{rank.by} {'ASC' if rank.ascending else 'DESC'} NULLS LAST, field_start_us, field_value"
        rows = self._connector.query(f"{text} ORDER BY {order} LIMIT {int(limit)} OFFSET {int(offset)}", binder.values)
        return [Total(**dict(zip(FIELDS, row, strict=True))) for row in rows]

    def _from_spans(
        self, binder: Binder, matching: str, rolled: Rolled, doubts: Doubts, value: str, grouping: Grouping
    ) -> str:
        """Return the statement that sums whole hours and days from what stands ready, and from calls what is not."""

        def of(span_us: int | None) -> list[Interval]:
            return [_interval(piece) for piece in rolled.pieces if piece.span_us == span_us]

        statements = [
            sum_spans(f"span_sums AS c FINAL WHERE {settled} AND {matching}", value, grouping)
            for settled in self._settled(binder, doubts, of(DAY_US), of(HOUR_US))
        ]
        if of(None) or doubts.unsettled:
            looked_at = (
                f"{compile_times(binder, of(None))} OR ({compile_times(binder, doubts.unsettled)} "
                f"AND {compile_times(binder, of(DAY_US) + of(HOUR_US))})"
            )
            calls = f"calls AS c FINAL WHERE c.{ORGANISATION} AND {matching} AND ({looked_at})"
            statements.append(sum_calls(calls, value, grouping))
        return sum_together(statements, grouping)

    def _settled(
        self, binder: Binder, doubts: Doubts, days: Sequence[Interval], hours: Sequence[Interval]
    ) -> Iterator[str]:
        """Yield what holds for rows that stand ready of *days* and *hours* and may be believed: for days, then for hours.

        Days that are not settled are taken from their hours; what no hour says, the calls have to.
        """
        time = "(span * span_us)"

        def rows(span_us: int, wanted: str) -> str:
            latest = LATEST.replace("{span_us}", str(span_us)).strip()
            return f"{ORGANISATION} AND span_us = {span_us} AND {latest} AND {wanted}"

        if days:
            wanted = compile_times(binder, days, time)
            if doubts.unsettled_days:
                wanted += f" AND NOT {compile_times(binder, doubts.unsettled_days, time)}"
            yield rows(DAY_US, wanted)
        if hours or (days and doubts.unsettled_days):
            wanted = (
                f"({compile_times(binder, hours, time)} OR ({compile_times(binder, days, time)} "
                f"AND {compile_times(binder, doubts.unsettled_days, time)}))"
            )
            if doubts.unsettled:
                wanted += f" AND NOT {compile_times(binder, doubts.unsettled, time)}"
            yield rows(HOUR_US, wanted)

    def percentiles(
        self,
        organisation_id: str,
        column: str,
        ranks: Sequence[float],
        where: Filter,
        step: Step | None,
        offset_minutes: int,
    ) -> list[Percentiles]:
        """Return percentiles by piece of time."""
        wanted = tuple(float(rank) for rank in ranks)
        check_measured(column, wanted)
        unit = 1e9 if column == "cost_dollars" else 1
        start = compile_start(step, offset_minutes)
        times, doubts = self._settler.times(organisation_id), self._settler.doubts(organisation_id)
        rows = self._measured(organisation_id, column, wanted, where, start, doubts)
        noted_since = self._settler.times(organisation_id) != times
        if noted_since and self._settler.doubts(organisation_id).have_grown(doubts):
            # Calls were written over meanwhile, and may be for long: all rows are merged now.
            rows = self._measured(organisation_id, column, wanted, where, start, None)
        return [Percentiles(start_us=start, values=tuple(value / unit for value in found)) for start, found in rows]

    def _measured(
        self,
        organisation_id: str,
        column: str,
        ranks: Sequence[float],
        where: Filter,
        start: str,
        doubts: Doubts | None,
    ) -> Rows:
        """Return percentiles, of rows as they are and merged only where some replace others; everywhere without *doubts*."""
        binder = Binder(organisation=organisation_id)
        matching = self._reader.compiler(binder, where).where(where)
        number = compile_number(column)
        kept = f"c.{ORGANISATION} AND {number} IS NOT NULL AND {matching}"
        measured = f"SELECT {start} AS start, {number} AS number FROM calls AS c"
        if doubts is None or doubts.are_mixed:
            source = f"{measured} FINAL WHERE {kept}"
        elif doubts.unplain:
            doubtful = compile_times(binder, doubts.unplain)
            source = (
                f"{measured} WHERE {kept} AND NOT {doubtful} UNION ALL {measured} FINAL WHERE {kept} AND {doubtful}"
            )
        else:
            source = f"{measured} WHERE {kept}"
        # Ranks are numbers, and written as such: the function's own parameters cannot be placeholders.
        levels = ", ".join(repr(rank) for rank in ranks)
        if column == "latency_ms" and start == "NULL":  # whole numbers that come again and again
            text = _RANKED.format(levels=levels, source=source)
        else:
            text = f"SELECT start, quantilesExact({levels})(number) FROM ({source}) GROUP BY start ORDER BY start"
        return self._connector.query(text, binder.values)

    def score_totals(
        self, organisation_id: str, where: Filter, step: Step | None, offset_minutes: int
    ) -> list[ScoreTotal]:
        """Return counts and sums of scores."""
        binder = Binder(organisation=organisation_id)
        matching = self._reader.compiler(binder, where).where(where)
        text = _SCORES.format(start=compile_start(step, offset_minutes), matching=matching)
        rows = self._connector.query(text, binder.values)
        return [ScoreTotal(start_us=start, name=name, count=count, sum=total) for start, name, count, total in rows]

    def property_keys(self, organisation_id: str) -> list[str]:
        """Return the names of custom properties."""
        binder = Binder(organisation=organisation_id)
        doubts = self._settler.doubts(organisation_id)
        if doubts.are_many:
            found = [_KEYS_OF_CALLS.format(times="1")]
        else:
            found = [_KEYS_OF_SPANS.format(settled=one) for one in self._settled(binder, doubts, [_EVER], [])]
            if doubts.unsettled:
                found.append(_KEYS_OF_CALLS.format(times=compile_times(binder, doubts.unsettled)))
        if self._reader.edited(binder):
            found.append(_KEYS_SET)
        text = _KEYS.format(found=" UNION ALL ".join(found), labels=binder.texts(list(LABEL_KEYS)))
        return [key for (key,) in self._connector.query(text, binder.values)]

    def property_values(self, organisation_id: str, key: str, search: str, offset: int, limit: int) -> list[str]:
        """Return distinct values of a property or a label."""
        binder = Binder(organisation=organisation_id)
        low = key.lower()
        compiler = self._reader.compiler(binder, EVERYTHING, "properties")
        joined, value = compiler.group("properties", low)
        calls = f"SELECT {value} AS value FROM calls AS c FINAL {joined} WHERE c.{ORGANISATION}"
        doubts = self._settler.doubts(organisation_id)
        if low in LABEL_KEYS or joined or doubts.are_many:
            source = calls
        else:
            listed = f"SELECT value FROM span_properties WHERE key_lower = {binder.text(low)} AND"
            parts = [f"{listed} {settled}" for settled in self._settled(binder, doubts, [_EVER], [])]
            if doubts.unsettled:
                parts.append(f"{calls} AND {compile_times(binder, doubts.unsettled)}")
            source = " UNION ALL ".join(parts)
        found = f"AND position(lower(value), {binder.text(fold(search))}) > 0" if search else ""
        # Values that stand ready are read in their order, no more of them than are asked for.
        text = (
            f"SELECT DISTINCT value FROM ({source}) WHERE value != '' {found} "
            f"ORDER BY value LIMIT {int(limit)} OFFSET {int(offset)}"
        )
        return [value for (value,) in self._connector.query(text, binder.values)]


def _interval(piece: Piece) -> Interval:
    """Return the time of a piece, in numbers that may be multiplied."""
    return Interval(max(-_EVER_US, piece.from_us), min(_EVER_US, piece.to_us))
