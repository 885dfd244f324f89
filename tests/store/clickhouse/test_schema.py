"""Tests of `store.clickhouse.schema`: what is rendered is what the engine parses, for one node and for a cluster."""

import pytest

from reenact.store.clickhouse.opener import Embedded
from reenact.store.clickhouse.schema import TABLES, VERSION, migrate, quoted, render
from tests.store.stores import ENGINE


@ENGINE
@pytest.mark.parametrize("cluster", ["", "main", "odd`name"])
def test_the_engine_parses_what_is_rendered(engine: Embedded, cluster: str) -> None:
    """Every statement, whether or not there is a cluster here to run it on; formatting it again says the same."""
    connector = engine.connector("parsed")
    for statement in (*render("data`base", cluster=cluster), *migrate("data`base", 1, cluster=cluster)):
        ((formatted,),) = connector.query("SELECT formatQuery({text:String})", {"text": statement})
        ((again,),) = connector.query("SELECT formatQuery({text:String})", {"text": formatted})
        assert formatted == again
    connector.close()


def test_a_cluster_has_replicated_tables_and_tables_spread_over_them() -> None:
    """Each twice: the rows of a shard, kept by its replicas, and all shards together, by organisation and session."""
    statements = render("reenact", cluster="main")
    assert all(" ON CLUSTER `main`" in statement for statement in statements)
    for name in TABLES:
        rows, spread = (one for one in statements if f".{name}_local ON" in one or f".{name} ON" in one)
        engine = "Summing" if TABLES[name].adding else "Replacing"
        path = f"Replicated{engine}MergeTree('/clickhouse/tables/{{shard}}/{{database}}/{{table}}', '{{replica}}'"
        assert f"CREATE TABLE IF NOT EXISTS `reenact`.{name}_local ON CLUSTER `main` (" in rows
        assert path in rows
        assert " replicated_deduplication_window = 0" in rows
        assert "fsync" not in rows
        assert f"AS `reenact`.{name}_local ENGINE = Distributed(`main`, `reenact`, {name}_local, cityHash64(" in spread
    of_calls = [one for one in statements if "Distributed" in one and "organisation_id, session_key" in one]
    assert len(of_calls) == 7


def test_tables_that_stand_are_changed_once() -> None:
    """Those of the first version, on every server of a cluster; not those that were just made, nor those of today."""
    assert [] == migrate("reenact", 0) == migrate("reenact", VERSION)
    changed = migrate("reenact", 1, cluster="main")
    assert len(TABLES) + 2 == len(changed)
    assert migrate("reenact", 3) == migrate("reenact", 1)[-2:]
    assert (
        "ALTER TABLE `reenact`.calls_local ON CLUSTER `main` MODIFY SETTING replicated_deduplication_window = 0"
        == changed[0]
    )


def test_a_single_node_waits_for_its_disk() -> None:
    """Nobody else keeps its rows."""
    tables = [one for one in render("reenact") if "CREATE TABLE" in one]
    assert len(tables) == len(TABLES)
    assert all("fsync_after_insert = 1" in one and "fsync_part_directory = 1" in one for one in tables)


def test_the_text_index_can_be_left_out() -> None:
    """Search then reads the words themselves."""
    (calls,) = (one for one in render("reenact", text_index=False) if ".calls (" in one)
    assert "TYPE text(" not in calls
    assert "TYPE bloom_filter(" in calls


def test_names_cannot_leave_their_quotes() -> None:
    """A database's name comes out of an address."""
    assert quoted("a`; DROP TABLE x; --\\") == "`a\\`; DROP TABLE x; --\\\\`"
