"""Totaller: sums of many calls, and what their properties are."""

import sqlite3

import msgspec

from reenact.domain.filter import Filter
from reenact.domain.filtering import LABEL_KEYS, fold
from reenact.domain.grouping import check_grouping
from reenact.domain.total import Grouping, Rank, ScoreTotal, Step, Total
from reenact.store.rolling import Piece, roll
from reenact.store.sqlite.compiling import Query, Sql, compile_group, compile_query, compile_start, compile_where

_SUMS = {
    "calls": "1",
    "failed_calls": "(c.status < 0 OR c.status >= 400)",
    "cached_calls": "(json_extract(c.handling, '$.cache_reference_id') IS NOT NULL)",
    "threats": "json_extract(c.handling, '$.is_threat')",
    "unpriced_calls": "(c.kind = 'model' AND c.cost_nanodollars IS NULL)",
    "cost_nanodollars": "c.cost_nanodollars",
    "input_tokens": "c.input_tokens",
    "output_tokens": "c.output_tokens",
    "cache_read_tokens": "c.cache_read_tokens",
    "cache_write_tokens": "c.cache_write_tokens",
    "duration_us": "c.duration_us",
    "first_token_us": "c.first_token_us",
    "first_token_calls": "(c.first_token_us IS NOT NULL)",
}
"""What each call adds to a sum; `rollups` has columns of the same names."""
_FIELDS = ("start_us", "value", *_SUMS, "first_us", "latest_us", "users", "active_days")
_SUMMED = ", ".join(f"coalesce(sum({name}), 0)" for name in _SUMS)
_ROLLED = f"{', '.join(f'c.{name}' for name in _SUMS)}, c.first_us, c.latest_us, NULL AS user_id, NULL AS day"
_NULL = "NULL"
# Each step of the recursion is one look into the index, so that a list costs what it holds and not what calls there are.
_KEYS = """
WITH RECURSIVE keys (key_lower) AS (
  SELECT min(key_lower) FROM properties WHERE organisation = :organisation
  UNION ALL
  SELECT (SELECT min(p.key_lower) FROM properties p WHERE p.organisation = :organisation AND p.key_lower > k.key_lower)
  FROM keys k WHERE k.key_lower IS NOT NULL
)
SELECT (
  SELECT coalesce(p.key, p.key_lower) FROM properties p
  WHERE p.organisation = :organisation AND p.key_lower = k.key_lower LIMIT 1
)
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
    taken = _taken(organisation, where, grouping)
    # Grouped by nothing there is one row even when there is no call.
    group = "" if grouping.step is None and grouping.column is None else " GROUP BY start_us, value"
    users, days = (
        ("count(DISTINCT nullif(user_id, ''))", "count(DISTINCT day)") if grouping.count_distinct else (_NULL, _NULL)
    )
    sums = f"start_us, value, {_SUMMED}, min(first_us), max(latest_us), {users}, {days}"
    by = f"{_FIELDS.index(page.rank.by) + 1} {'ASC' if page.rank.ascending else 'DESC'} NULLS LAST, 1, 2"
    text = f"SELECT {sums} FROM ({taken.text}){group} ORDER BY {by} LIMIT ? OFFSET ?"
    rows = connection.execute(text, (*taken.values, page.limit, page.offset))
    return [Total(**dict(zip(_FIELDS, row, strict=True))) for row in rows]


def score_totals(
    connection: sqlite3.Connection, organisation: int, where: Filter, step: Step | None, offset_minutes: int
) -> list[ScoreTotal]:
    """Return counts and sums of scores."""
    query = compile_query(organisation, where)
    text = (
        f"SELECT {compile_start(query.created, step, offset_minutes)}, max(z.name), count(*), sum(z.value) FROM {query.source} "
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


def _taken(organisation: int, where: Filter, grouping: Grouping) -> Sql:
    """Return what is summed, as rows: each call that matches, or the sums of many that stand ready."""
    value = Sql(_NULL) if grouping.column is None else compile_group(grouping.column, grouping.key)
    rolled = roll(where, grouping)
    if rolled is None:
        return _of_calls(compile_query(organisation, where), value, grouping)
    parts = [_of_piece(organisation, rolled.where, piece, value, grouping) for piece in rolled.pieces]
    return Sql(" UNION ALL ".join(part.text for part in parts), tuple(value for part in parts for value in part.values))


def _of_piece(organisation: int, where: Filter, piece: Piece, value: Sql, grouping: Grouping) -> Sql:
    """Return the rows of one piece of time."""
    time = (piece.from_us, piece.to_us)
    matching = compile_where(where)
    if piece.span_us is None:
        kept = Sql(f"c.organisation = ? AND c.created_us >= ? AND c.created_us < ? AND {matching.text}")
        kept = Sql(kept.text, (organisation, *time, *matching.values))
        return _of_calls(Query(source="calls c", where=kept, created="c.created_us"), value, grouping)
    start = compile_start("c.start_us", grouping.step, grouping.offset_minutes)
    kept = Sql(f"c.organisation = ? AND c.span_us = ? AND c.start_us >= ? AND c.start_us < ? AND {matching.text}")
    text = f"SELECT {start} AS start_us, {value.text} AS value, {_ROLLED} FROM rollups c WHERE {kept.text}"
    return Sql(text, (*value.values, organisation, piece.span_us, *time, *matching.values))


def _of_calls(query: Query, value: Sql, grouping: Grouping) -> Sql:
    """Return the rows of the calls of *query*."""
    start = compile_start(query.created, grouping.step, grouping.offset_minutes)
    day = compile_start(query.created, Step.DAY, grouping.offset_minutes) if grouping.count_distinct else _NULL
    sums = ", ".join(f"{text} AS {name}" for name, text in _SUMS.items())
    text = (
        f"SELECT {start} AS start_us, {value.text} AS value, {sums}, c.created_us AS first_us, c.created_us AS latest_us, "
        f"c.user_id, {day} AS day FROM {query.source} WHERE {query.where.text}"
    )
    return Sql(text, (*value.values, *query.where.values))
