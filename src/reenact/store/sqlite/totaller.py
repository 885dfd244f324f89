"""Totaller: sums and percentiles of many calls, and what their properties are."""

import itertools
import sqlite3
from collections.abc import Sequence

import msgspec

from reenact.domain.filter import Filter
from reenact.domain.filtering import LABEL_KEYS, fold
from reenact.domain.grouping import MONDAY_US, STEP_US, check_grouping, check_measured, pick
from reenact.domain.total import Grouping, Percentiles, Rank, ScoreTotal, Step, Total
from reenact.store.sqlite.compiling import Query, Sql, compile_group, compile_number, compile_query

_SUMS = {
    "calls": "count(*)",
    "failed_calls": "coalesce(sum(c.status < 0 OR c.status >= 400), 0)",
    "cached_calls": "count(json_extract(c.handling, '$.cache_reference_id'))",
    "threats": "count(nullif(json_extract(c.handling, '$.is_threat'), 0))",
    "unpriced_calls": "coalesce(sum(c.kind = 'model' AND c.cost_nanodollars IS NULL), 0)",
    "cost_nanodollars": "coalesce(sum(c.cost_nanodollars), 0)",
    "input_tokens": "coalesce(sum(c.input_tokens), 0)",
    "output_tokens": "coalesce(sum(c.output_tokens), 0)",
    "cache_read_tokens": "coalesce(sum(c.cache_read_tokens), 0)",
    "cache_write_tokens": "coalesce(sum(c.cache_write_tokens), 0)",
    "duration_us": "coalesce(sum(c.duration_us), 0)",
    "first_token_us": "coalesce(sum(c.first_token_us), 0)",
    "first_token_calls": "count(c.first_token_us)",
    "first_us": "min(c.created_us)",
    "latest_us": "max(c.created_us)",
}
# Each step of the recursion is one look into the index, so that a list costs what it holds and not what calls there are.
_KEYS = """
WITH RECURSIVE keys (key_lower) AS (
  SELECT min(key_lower) FROM properties WHERE organisation = :organisation
  UNION ALL
  SELECT (SELECT min(p.key_lower) FROM properties p WHERE p.organisation = :organisation AND p.key_lower > k.key_lower)
  FROM keys k WHERE k.key_lower IS NOT NULL
)
SELECT (SELECT p.key FROM properties p WHERE p.organisation = :organisation AND p.key_lower = k.key_lower LIMIT 1)
FROM keys k WHERE k.key_lower IS NOT NULL AND k.key_lower NOT IN (SELECT value FROM json_each(:labels)) ORDER BY k.key_lower
"""
_VALUES = """
WITH RECURSIVE found (value) AS (
  SELECT min(value) FROM properties WHERE organisation = :organisation AND key_lower = :key
  UNION ALL
  SELECT (
    SELECT min(p.value) FROM properties p
    WHERE p.organisation = :organisation AND p.key_lower = :key AND p.value > f.value
  )
  FROM found f WHERE f.value IS NOT NULL
)
SELECT value FROM found WHERE value <> '' AND (:search = '' OR instr(lower(value), :search) > 0) LIMIT :limit OFFSET :offset
"""
_LABEL_VALUES = """
SELECT DISTINCT {label} FROM calls
WHERE organisation = :organisation AND {label} <> '' AND (:search = '' OR instr(lower({label}), :search) > 0)
ORDER BY 1 LIMIT :limit OFFSET :offset
"""


class Page(msgspec.Struct, frozen=True):
    """A page of totals and their order."""

    rank: Rank
    offset: int
    limit: int


def totals(
    connection: sqlite3.Connection, organisation: int, where: Filter, grouping: Grouping, page: Page
) -> list[Total]:
    """Return one page of sums."""
    check_grouping(grouping, page.rank)
    query = compile_query(organisation, where)
    start = _start(query, grouping.step, grouping.offset_minutes)
    value = Sql("NULL") if grouping.column is None else compile_group(grouping.column, grouping.key)
    fields = {"start_us": start, "value": value.text, **_SUMS, **_distinct(query, grouping)}
    named = ", ".join(f"{text} AS {name}" for name, text in fields.items())
    # Grouped by nothing there is one row even when there is no call.
    group = "" if start == value.text == "NULL" else " GROUP BY 1, 2"
    by = f"{page.rank.by} {'ASC' if page.rank.ascending else 'DESC'} NULLS LAST, start_us, value"
    text = f"SELECT {named} FROM {query.source} WHERE {query.where.text}{group} ORDER BY {by} LIMIT ? OFFSET ?"
    rows = connection.execute(text, (*value.values, *query.where.values, page.limit, page.offset))
    return [Total(**dict(zip(fields, row, strict=True))) for row in rows]


def percentiles(
    connection: sqlite3.Connection,
    organisation: int,
    column: str,
    ranks: Sequence[float],
    where: Filter,
    step: Step | None,
    offset_minutes: int,
) -> list[Percentiles]:
    """Return percentiles by piece of time; counting equal values is cheaper than fetching them all."""
    wanted = tuple(ranks)
    check_measured(column, wanted)
    query = compile_query(organisation, where)
    number = compile_number(column)
    text = (
        f"SELECT {_start(query, step, offset_minutes)}, {number}, count(*) FROM {query.source} "
        f"WHERE {query.where.text} AND {number} IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"
    )
    unit = 1e9 if column == "cost_dollars" else 1
    rows = connection.execute(text, query.where.values)
    pieces = itertools.groupby(rows, lambda row: row[0])
    return [pick([(value / unit, times) for _, value, times in piece], wanted, start) for start, piece in pieces]


def score_totals(
    connection: sqlite3.Connection, organisation: int, where: Filter, step: Step | None, offset_minutes: int
) -> list[ScoreTotal]:
    """Return counts and sums of scores."""
    query = compile_query(organisation, where)
    text = (
        f"SELECT {_start(query, step, offset_minutes)}, max(z.name), count(*), sum(z.value) FROM {query.source} "
        f"JOIN scores z ON z.call = c.call WHERE {query.where.text} GROUP BY 1, z.name_lower ORDER BY 1, z.name_lower"
    )
    rows = connection.execute(text, query.where.values)
    return [ScoreTotal(start_us=start, name=name, count=count, sum=total) for start, name, count, total in rows]


def property_keys(connection: sqlite3.Connection, organisation: int) -> list[str]:
    """Return the names of custom properties."""
    labels = msgspec.json.encode(list(LABEL_KEYS)).decode()
    return [key for (key,) in connection.execute(_KEYS, {"organisation": organisation, "labels": labels})]


def property_values(
    connection: sqlite3.Connection, organisation: int, key: str, search: str, offset: int, limit: int
) -> list[str]:
    """Return distinct values of a property or a label."""
    low = key.lower()
    text = _LABEL_VALUES.format(label=LABEL_KEYS[low]) if low in LABEL_KEYS else _VALUES
    asked = {"organisation": organisation, "key": low, "search": fold(search), "offset": offset, "limit": limit}
    return [value for (value,) in connection.execute(text, asked)]


def _distinct(query: Query, grouping: Grouping) -> dict[str, str]:
    """Return what counts users and days, nothing unless it is asked for."""
    if not grouping.count_distinct:
        return {"users": "NULL", "active_days": "NULL"}
    day = _start(query, Step.DAY, grouping.offset_minutes)
    return {"users": "count(DISTINCT nullif(c.user_id, ''))", "active_days": f"count(DISTINCT {day})"}


def _start(query: Query, step: Step | None, offset_minutes: int) -> str:
    """Return when a call's piece of time begins, as `grouping.piece_start` says."""
    if step is None:
        return "NULL"
    offset_us = int(offset_minutes) * STEP_US[Step.MINUTE]
    local = f"({query.created} + {offset_us})"
    if step in {Step.MONTH, Step.YEAR}:
        begun = f"strftime('%s', {local} / 1000000, 'unixepoch', 'start of {step.value}')"
        return f"(CAST({begun} AS INTEGER) * 1000000 - {offset_us})"
    shift_us = MONDAY_US if step is Step.WEEK else 0
    return f"(({local} + {shift_us}) / {STEP_US[step]} * {STEP_US[step]} - {shift_us + offset_us})"
