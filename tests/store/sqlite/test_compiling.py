"""Tests of `store.sqlite.compiling`: which index answers a question. What it answers is tested in tests/store/test_filters."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from reenact.domain.filter import EVERYTHING, All, AnyOf, Condition, Filter, Operator, Sort
from reenact.store.sqlite.compiling import compile_query, compile_sort
from reenact.store.sqlite.opener import open_writer


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database without rows: the plan may not hang on what is in it."""
    opened = open_writer(tmp_path / "calls.sqlite3")
    yield opened
    opened.close()


def plan(connection: sqlite3.Connection, where: Filter, sort: Sort) -> str:
    """How SQLite would look for a page."""
    query = compile_query(1, where)
    order = compile_sort(sort, query.created)
    text = f"SELECT c.call FROM {query.source} WHERE {query.where.text} ORDER BY {order.text} LIMIT 50 OFFSET 0"
    rows = connection.execute(f"EXPLAIN QUERY PLAN {text}", (*query.where.values, *order.values)).fetchall()
    return "\n".join(row[3] for row in rows)


def equals(column: str, value: str, key: str | None = None) -> Condition:
    """A condition in short."""
    return Condition(column=column, operator=Operator.EQUALS, value=value, key=key)


RECENT = Condition(column="created_us", operator=Operator.GTE, value=5)
GOOD = Condition(column="scores", operator=Operator.GTE, value=0.9, key="quality")


@pytest.mark.parametrize(
    ("where", "index"),
    [
        (EVERYTHING, "calls_by_time (organisation=?)"),
        (RECENT, "calls_by_time (organisation=? AND created_us>?)"),
        (equals("session_id", "s"), "calls_by_session (organisation=? AND session_id=?)"),
        (equals("properties", "s", "Helicone-Session-Id"), "calls_by_session (organisation=? AND session_id=?)"),
        (equals("user_id", "u"), "calls_by_user (organisation=? AND user_id=?)"),
        (
            All((equals("model", "m"), RECENT, equals("properties", "v", "k"))),
            "properties_by_value (organisation=? AND key_lower=? AND value=? AND created_us>?)",
        ),
        (All((GOOD, RECENT)), "scores_by_name (organisation=? AND name_lower=? AND created_us>?)"),
    ],
)
@pytest.mark.parametrize("ascending", [True, False])
def test_lists_by_time_are_read_from_an_index(
    connection: sqlite3.Connection, where: Filter, index: str, ascending: bool
) -> None:
    """Nothing but ties is sorted, so that a page costs what a page holds."""
    found = plan(connection, where, Sort(ascending=ascending))
    assert index in found
    assert "USE TEMP B-TREE FOR ORDER BY" not in found


def test_an_id_is_looked_up(connection: sqlite3.Connection) -> None:
    """Whatever the order asked."""
    assert "(organisation=? AND id=?)" in plan(connection, equals("request_id", "x"), Sort(column="cost_dollars"))


def test_either_of_two_properties_does_not_drive(connection: sqlite3.Connection) -> None:
    """What need not hold cannot say where to begin."""
    either = AnyOf((equals("properties", "a", "k"), equals("properties", "b", "k")))
    assert "calls_by_time" in plan(connection, either, Sort())
