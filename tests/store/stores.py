"""The stores that the conformance suite runs on, each opened empty."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reenact.store.calls import CallStore
from reenact.store.clickhouse.connector import Connector
from reenact.store.clickhouse.opener import Embedded, open_server
from reenact.store.clickhouse.store import ClickHouseStore
from reenact.store.objects.files import FileObjects
from reenact.store.objects.keeper import ObjectKeeper
from reenact.store.sqlite.store import SqliteStore
from tests.fakes.chdb_http import ChdbHttp

Open = Callable[[], CallStore]
"""Opens an empty store; once more: empties it."""

# One process has room for one embedded engine.
ENGINE = pytest.mark.xdist_group("engine")
STORES = [
    pytest.param("sqlite"),
    pytest.param("chdb", marks=ENGINE),
    pytest.param("clickhouse over HTTP", marks=ENGINE),
    *([pytest.param("clickhouse at CLICKHOUSE_URL", marks=ENGINE)] if os.environ.get("CLICKHOUSE_URL") else []),
]


@contextmanager
def sqlite(folder: Path) -> Iterator[Open]:
    """A file for each time."""
    opened: list[SqliteStore] = []

    def again() -> CallStore:
        opened.append(SqliteStore(folder / f"{len(opened)}.sqlite3"))
        return opened[-1]

    yield again
    for store in opened:
        store.close()


@contextmanager
def chdb(engine: Embedded) -> Iterator[Open]:
    """The engine in this process."""
    with emptied(lambda: engine.connector("conformance"), engine.path.with_name("objects")) as again:
        yield again


@contextmanager
def over_http(engine: Embedded) -> Iterator[Open]:
    """The same engine over the network."""
    engine.connector("networked").close()
    objects = engine.path.with_name("networked")
    with (
        ChdbHttp(str(engine.path)) as server,
        emptied(lambda: open_server(f"{server.url}/networked"), objects) as again,
    ):
        yield again


@contextmanager
def at_url() -> Iterator[Open]:
    """A server that somebody has, in a database of this test's own."""
    url = os.environ["CLICKHOUSE_URL"].rstrip("/")
    database = f"reenact_test_{uuid.uuid4().hex[:12]}"
    with (
        tempfile.TemporaryDirectory() as objects,
        emptied(lambda: open_server(f"{url}/{database}"), Path(objects)) as again,
    ):
        yield again
    connector = open_server(f"{url}/{database}")
    connector.command(f"DROP DATABASE {database}")
    connector.close()


@contextmanager
def emptied(connect: Callable[[], Connector], objects: Path) -> Iterator[Open]:
    """One database, its tables emptied each time: they take longer to make than all else. Large things go to *objects*."""
    connector = connect()
    filled = (
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND total_rows > 0 AND name != 'versions'"
    )

    def again() -> CallStore:
        for (table,) in connector.query(filled):
            connector.command(f"TRUNCATE TABLE {table}")
        shutil.rmtree(objects, ignore_errors=True)
        return ClickHouseStore(connector, objects=ObjectKeeper(FileObjects(objects)))

    yield again
    connector.close()
