"""Totaller: sums and percentiles of many calls, and what their properties are."""

from collections.abc import Sequence

from reenact.domain.filter import EVERYTHING, Filter
from reenact.domain.filtering import LABEL_KEYS, fold
from reenact.domain.grouping import check_grouping, check_measured
from reenact.domain.total import Grouping, Percentiles, Rank, ScoreTotal, Step, Total
from reenact.store.clickhouse.binding import Binder
from reenact.store.clickhouse.compiling import ORGANISATION, compile_number, compile_start
from reenact.store.clickhouse.connector import Connector
from reenact.store.clickhouse.reader import Reader

_SUMS = {
    "calls": "count()",
    "failed_calls": "countIf(c.status < 0 OR c.status >= 400)",
    "cached_calls": "countIf(c.is_cached)",
    "threats": "countIf(c.is_threat)",
    "unpriced_calls": "countIf(c.kind = 'model' AND c.cost_nanodollars IS NULL)",
    "cost_nanodollars": "ifNull(sum(c.cost_nanodollars), 0)",
    "input_tokens": "ifNull(sum(c.input_tokens), 0)",
    "output_tokens": "ifNull(sum(c.output_tokens), 0)",
    "cache_read_tokens": "ifNull(sum(c.cache_read_tokens), 0)",
    "cache_write_tokens": "ifNull(sum(c.cache_write_tokens), 0)",
    "duration_us": "sum(c.duration_us)",
    "first_token_us": "ifNull(sum(c.first_token_us), 0)",
    "first_token_calls": "count(c.first_token_us)",
    "first_us": "minOrNull(c.created_us)",
    "latest_us": "maxOrNull(c.created_us)",
}
_SCORES = """
SELECT {start} AS start, max(z.name), count(), sum(z.value) FROM calls AS c FINAL
JOIN (
  SELECT created_us, call_id, key_lower, argMax(key, version) AS name, argMax(number, version) AS value FROM annotations
  WHERE organisation_id = {{organisation:String}} AND kind = 'score' GROUP BY created_us, call_id, key_lower
) AS z ON z.created_us = c.created_us AND z.call_id = c.id
WHERE c.organisation_id = {{organisation:String}} AND {matching} GROUP BY start, z.key_lower ORDER BY start, z.key_lower
"""
_KEYS = """
SELECT any(name) FROM (
  SELECT arrayJoin(mapKeys(c.properties)) AS low, if(c.spellings[low] = '', low, c.spellings[low]) AS name
  FROM calls AS c FINAL WHERE c.organisation_id = {{organisation:String}}
  UNION ALL
  SELECT DISTINCT key_lower AS low, key AS name FROM annotations
  WHERE organisation_id = {{organisation:String}} AND kind = 'property' AND (created_us, call_id) IN (
    SELECT c.created_us, c.id FROM calls AS c FINAL WHERE c.organisation_id = {{organisation:String}}
      AND (c.created_us, c.id) IN (
        SELECT created_us, call_id FROM annotations WHERE organisation_id = {{organisation:String}} AND kind = 'property'
      )
  )
) WHERE low NOT IN {labels} GROUP BY low ORDER BY low
"""


class Totaller:
    """Sums calls of one organisation after the other."""

    def __init__(self, connector: Connector, reader: Reader) -> None:
        self._connector = connector
        self._reader = reader

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
        start = compile_start(grouping.step, grouping.offset_minutes)
        fields = {"start_us": start, "value": value, **_SUMS, **_distinct(grouping)}
        # Grouped by nothing there is one row even when there is no call.
        group = "" if start == value == "NULL" else " GROUP BY field_start_us, field_value"
        order = f"field_{rank.by} {'ASC' if rank.ascending else 'DESC'} NULLS LAST, field_start_us, field_value"
        named = ", ".join(f"{text} AS field_{name}" for name, text in fields.items())
        text = (
            f"SELECT {named} FROM calls AS c FINAL {joined} WHERE c.{ORGANISATION} AND {compiler.where(where)}{group} "
            f"ORDER BY {order} LIMIT {int(limit)} OFFSET {int(offset)}"
        )
        rows = self._connector.query(text, binder.values)
        return [Total(**dict(zip(fields, row, strict=True))) for row in rows]

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
        binder = Binder(organisation=organisation_id)
        matching = self._reader.compiler(binder, where).where(where)
        number = compile_number(column)
        # The function's own parameters cannot be placeholders; these are numbers, and written as such.
        levels = ", ".join(repr(rank) for rank in wanted)
        text = (
            f"SELECT {compile_start(step, offset_minutes)} AS start, quantilesExact({levels})({number}) "
            f"FROM calls AS c FINAL WHERE c.{ORGANISATION} AND {number} IS NOT NULL AND {matching} "
            "GROUP BY start ORDER BY start"
        )
        unit = 1e9 if column == "cost_dollars" else 1
        rows = self._connector.query(text, binder.values)
        return [Percentiles(start_us=start, values=tuple(value / unit for value in found)) for start, found in rows]

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
        text = _KEYS.format(labels=binder.texts(list(LABEL_KEYS)))
        return [key for (key,) in self._connector.query(text, binder.values)]

    def property_values(self, organisation_id: str, key: str, search: str, offset: int, limit: int) -> list[str]:
        """Return distinct values of a property or a label."""
        binder = Binder(organisation=organisation_id)
        low = key.lower()
        compiler = self._reader.compiler(binder, EVERYTHING, "properties")
        joined, value = compiler.group("properties", low)
        found = f"AND position(lower(value), {binder.text(fold(search))}) > 0" if search else ""
        text = (
            f"SELECT DISTINCT {value} AS value FROM calls AS c FINAL {joined} "
            f"WHERE c.{ORGANISATION} AND value != '' {found} ORDER BY value LIMIT {int(limit)} OFFSET {int(offset)}"
        )
        return [value for (value,) in self._connector.query(text, binder.values)]


def _distinct(grouping: Grouping) -> dict[str, str]:
    """Return what counts users and days, nothing unless it is asked for."""
    if not grouping.count_distinct:
        return {"users": "NULL", "active_days": "NULL"}
    day = compile_start(Step.DAY, grouping.offset_minutes)
    return {"users": "uniqExact(nullIf(c.user_id, ''))", "active_days": f"uniqExact({day})"}
