"""Tests of `store.clickhouse.opener`: what lies in the folder of the embedded engine."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from clickhouse_connect.driver._backend import chdb_backend

from reenact.domain.filter import EVERYTHING
from reenact.domain.total import BY_TIME, TOGETHER
from reenact.errors import FolderNewer
from reenact.store.clickhouse.opener import Embedded
from reenact.store.clickhouse.schema import VERSION
from reenact.store.clickhouse.store import ClickHouseStore
from tests.store import reference
from tests.store.given import given_reading
from tests.store.stores import ENGINE

pytestmark = ENGINE


def test_the_clients_temporary_files_lie_in_the_folder(engine: Embedded) -> None:
    """They hold bodies; those of other parts of the process lie where they did."""
    own = engine.path.parent / "tmp"
    with chdb_backend.tempfile.NamedTemporaryFile(suffix=".native") as file:  # type: ignore[attr-defined]
        assert Path(file.name).parent == own
    with tempfile.NamedTemporaryFile() as file:
        assert Path(file.name).parent != own
    store = ClickHouseStore(engine.connector("temporary"))
    store.save([given_reading()])
    assert list(own.iterdir()) == []
    assert own.stat().st_mode & 0o777 == 0o700
    store.close()


def test_tables_of_a_newer_version_are_refused(engine: Embedded) -> None:
    """With a sentence, and before anything is written."""
    connector = engine.connector("newer")
    connector.command("INSERT INTO versions VALUES ('tables', 99)")
    with pytest.raises(FolderNewer, match="newer version"):
        engine.connector("newer")
    connector.command("DROP DATABASE newer")
    connector.close()


def test_tables_of_the_first_version_drop_no_block_any_more(engine: Embedded) -> None:
    """They were made to, which lost what was sent again after a kill."""
    connector = engine.connector("older")
    connector.command("TRUNCATE TABLE versions")
    connector.command("INSERT INTO versions VALUES ('tables', 1)")
    connector.command("ALTER TABLE cursors MODIFY SETTING non_replicated_deduplication_window = 10000")
    engine.connector("older").close()
    connector.command("SYSTEM STOP MERGES cursors")
    again: dict[str, list[object]] = {"spool": ["spool"], "segment": [1], "offset_bytes": [1], "version": [1]}
    connector.insert("cursors", again)
    connector.insert("cursors", again)
    assert [(2,)] == connector.query("SELECT count() FROM cursors")
    assert [(VERSION,)] == connector.query("SELECT max(tables) FROM versions")
    connector.command("DROP DATABASE older")
    connector.close()


def test_calls_of_an_earlier_version_are_summed_at_once_and_settled_in_time(engine: Embedded) -> None:
    """It had no sums that stand ready, and nothing noted which hours it has calls of."""
    connector = engine.connector("third")
    store = ClickHouseStore(connector)
    readings = [given_reading(number) for number in range(1, 9)]
    store.save(readings)
    for table in ("hour_changes", "settled_spans", "span_sums", "span_properties"):
        connector.command(f"DROP TABLE {table}")
    connector.command("TRUNCATE TABLE versions")
    connector.command("INSERT INTO versions VALUES ('tables', 3)")
    engine.connector("third").close()
    expected = (reference.totals(readings, EVERYTHING, TOGETHER, BY_TIME), ["app"], ["demo"])

    def asked() -> object:
        return store.totals("one"), store.property_keys("one"), store.property_values("one", "app")

    assert expected == asked()
    store.settle()
    assert [(8,)] == connector.query("SELECT sumIf(calls, span_us = 3600000000) FROM span_sums")
    assert expected == asked()
    connector.command("DROP DATABASE third")
    store.close()


def test_the_engine_keeps_within_its_memory_and_has_its_threads(tmp_path: Path) -> None:
    """An option that it does not know would be ignored without a word; it takes them once in a process, when it starts."""
    asked = """
import sys
from pathlib import Path
from reenact.store.clickhouse.opener import Embedded
connector = Embedded(Path(sys.argv[1])).connector()
changed = "SELECT name, value FROM system.server_settings WHERE changed"
for text in (changed, "EXPLAIN PIPELINE SELECT sum(number) FROM numbers_mt(100000000)"):
    for row in connector.query(text):
        print(*row)
"""
    command = [sys.executable, "-c", asked, str(tmp_path / "engine")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "max_server_memory_usage 1610612736" in told
    assert "mark_cache_size 67108864" in told
    assert "Resize 2" in told
