"""Ranker: percentiles of many calls, each a value that occurs."""

import itertools
import sqlite3
from collections.abc import Sequence

from reenact.domain.filter import EVERYTHING, Filter
from reenact.domain.grouping import check_measured, pick, place
from reenact.domain.total import BY_TIME, TOGETHER, Percentiles, Step
from reenact.store.rolling import time_span
from reenact.store.sqlite.compiling import compile_number, compile_query, compile_start
from reenact.store.sqlite.totaller import Page, totals

_AT = (
    "SELECT c.duration_us / 1000 FROM calls c WHERE c.organisation = ? AND c.created_us >= ? AND c.created_us < ? "
    "AND c.duration_us IS NOT NULL ORDER BY c.duration_us {way} LIMIT 1 OFFSET ?"
)
_STEPS_A_CALL = 4
"""How many steps through the index of durations cost as much as sorting one call in."""


def percentiles(
    connection: sqlite3.Connection,
    organisation: int,
    column: str,
    ranks: Sequence[float],
    where: Filter,
    step: Step | None,
    offset_minutes: int,
) -> list[Percentiles]:
    """Return percentiles by piece of time."""
    wanted = tuple(ranks)
    check_measured(column, wanted)
    if column == "latency_ms" and step is None and time_span(where) is not None:
        found = _looked_up(connection, organisation, wanted, where)
        if found is not None:
            return found
    return _sorted_out(connection, organisation, column, wanted, where, step, offset_minutes)


def _looked_up(
    connection: sqlite3.Connection, organisation: int, ranks: tuple[float, ...], where: Filter
) -> list[Percentiles] | None:
    """Return the percentiles of all calls of a time from the index of durations; None when that would take longer.

    The index is walked from its nearer end, past calls of other times as well, so a short time is better sorted.
    """
    among, every = (_count(connection, organisation, asked) for asked in (where, EVERYTHING))
    if not among:
        return []
    places = {rank: place(rank, among) for rank in ranks}
    walked = sum(min(at, among - 1 - at) for at in places.values()) * every // among
    if walked > _STEPS_A_CALL * among:
        return None
    found = {rank: _at(connection, organisation, where, at, among) for rank, at in places.items()}
    return [Percentiles(values=tuple(found[rank] for rank in ranks))]


def _count(connection: sqlite3.Connection, organisation: int, where: Filter) -> int:
    return totals(connection, organisation, where, TOGETHER, Page(BY_TIME, 0, 1))[0].calls


def _at(connection: sqlite3.Connection, organisation: int, where: Filter, at: int, among: int) -> float:
    """Return the latency at one place of all that match, in milliseconds."""
    is_near = at <= among // 2
    text = _AT.format(way="ASC" if is_near else "DESC")
    asked = (organisation, *(time_span(where) or ()), at if is_near else among - 1 - at)
    return float(connection.execute(text, asked).fetchone()[0])


def _sorted_out(
    connection: sqlite3.Connection,
    organisation: int,
    column: str,
    ranks: tuple[float, ...],
    where: Filter,
    step: Step | None,
    offset_minutes: int,
) -> list[Percentiles]:
    """Return percentiles from all calls that match; counting equal values is cheaper than fetching them all."""
    query = compile_query(organisation, where)
    number = compile_number(column)
    text = (
        f"SELECT {compile_start(query.created, step, offset_minutes)}, {number}, count(*) FROM {query.source} "
        f"WHERE {query.where.text} AND {number} IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"
    )
    unit = 1e9 if column == "cost_dollars" else 1
    rows = connection.execute(text, query.where.values)
    pieces = itertools.groupby(rows, lambda row: row[0])
    return [pick([(value / unit, times) for _, value, times in piece], ranks, start) for start, piece in pieces]
