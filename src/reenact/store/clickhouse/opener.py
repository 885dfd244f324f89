"""Opens a ClickHouse: a server by its address, or the same engine embedded in this process, its tables made if need be."""

import fcntl
import functools
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver._backend import chdb_backend
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from reenact.errors import FolderInUse, FolderNewer, FolderUnusable, InvalidInput, StoreFailed
from reenact.store.clickhouse.connector import Connector
from reenact.store.clickhouse.schema import VERSION, migrate, quoted, render

DATABASE = "reenact"
"""Where the tables stand unless told otherwise."""
_SETTINGS: dict[str, Any] = {
    # Batches are made by ingest; the server's own would acknowledge what is not written yet.
    "async_insert": 0,
    # Calls may be dated anywhen.
    "max_partitions_per_insert_block": 0,
    # A key's month follows from the key, so that two rows with one key never lie in two partitions.
    "do_not_merge_across_partitions_select_final": 1,
}
_CLUSTER_SETTINGS: dict[str, Any] = {
    # Rows of one session lie on one shard, in every table: what is looked up beside them lies there too.
    "distributed_product_mode": "local",
    # The spool's cursor may only move when the rows are on their shard.
    "distributed_foreground_insert": 1,
}
_MIB = 1 << 20
_CAPS: dict[str, Any] = {
    "max_server_memory_usage": 1536 * _MIB,
    "mark_cache_size": 64 * _MIB,
    "primary_index_cache_size": 64 * _MIB,
    "index_mark_cache_size": 32 * _MIB,
    "uncompressed_cache_size": 0,
}
"""Of the embedded engine, which else takes what a server would."""
_EMBEDDED_SETTINGS: dict[str, Any] = {
    # For one question: the event loop and ingest live on the same cores.
    "max_threads": 2,
    # The engine gives a question fewer threads where it has less free memory for each; of what it may take here it would
    # always be one.
    "max_threads_min_free_memory_per_thread": 128 * _MIB,
}
Connect = Callable[[], Client]


def open_server(url: str, *, cluster: str = "", text_index: bool = True) -> Connector:
    """Return a connector to the server at *url*: `http://user:password@host:8123/database`, or https.

    Raises:
        InvalidInput: *url* is none.
        StoreFailed: the server cannot be reached, or refuses its tables.
        FolderNewer: a newer version of Reenact made the tables.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidInput("expected an address such as http://user:password@host:8123/reenact", "clickhouse_url")
    database = unquote(parts.path.strip("/")) or DATABASE
    settings = _SETTINGS | (_CLUSTER_SETTINGS if cluster else {})

    def connect(to: str = database) -> Client:
        return clickhouse_connect.get_client(
            interface=parts.scheme,
            host=parts.hostname,
            port=parts.port or (8443 if parts.scheme == "https" else 8123),
            username=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            database=to,
            settings=settings,
            autogenerate_session_id=False,  # a session answers one question at a time, and nothing here needs one
            form_encode_query_params=True,  # a filter may be longer than an address
        )

    return _made(connect, database, cluster=cluster, text_index=text_index)


class _Temporary:
    """What the client's module needs of `tempfile`, with a folder of our own."""

    def __init__(self, folder: Path) -> None:
        self.NamedTemporaryFile = functools.partial(tempfile.NamedTemporaryFile, dir=folder)


class Embedded:
    """The engine in this process, over a folder that no other process can open meanwhile.

    A process has room for one engine; after one was opened the process must not fork, only spawn.
    """

    def __init__(self, path: Path) -> None:
        """Take the folder at *path*, made when it is missing.

        Raises:
            FolderInUse: another process holds it.
            FolderUnusable: it cannot be used.
        """
        self._path = path
        self.path = path / "engine"
        """Where the engine keeps its files."""
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _locked(path / "reenact.lock")
            self._keep_temporary_files()
        except OSError as error:
            raise FolderUnusable(f"The store's folder {path} cannot be used: {error.strerror}") from None

    def connector(self, database: str = DATABASE, *, text_index: bool = True) -> Connector:
        """Return a connector to a database of this engine.

        Raises:
            FolderUnusable: the engine cannot be opened.
            FolderNewer: a newer version of Reenact made the tables.
        """

        def connect(to: str = database) -> Client:
            return clickhouse_connect.get_client(
                interface="chdb",
                path=str(self.path),
                database=to,
                chdb_options=_CAPS,
                settings=_SETTINGS | _EMBEDDED_SETTINGS,
            )

        try:
            return _made(connect, database, cluster="", text_index=text_index, is_exclusive=True)
        except StoreFailed as error:
            raise FolderUnusable(f"The store's folder {self._path} cannot be opened: {error.message}") from error

    def close(self) -> None:
        """Let go of the folder; a second time does nothing."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _keep_temporary_files(self) -> None:
        """Let temporary files lie inside the folder, and remove those of a process that was killed.

        The client writes each batch to a temporary file first, bodies in plain text. It takes no folder for them: what it
        knows as `tempfile` is replaced in its own module (the version is pinned), and nowhere else.
        """
        own = self._path / "tmp"
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir(mode=0o700)
        chdb_backend.tempfile = _Temporary(own)  # type: ignore[attr-defined, assignment]


def _made(
    connect: Callable[..., Client], database: str, *, cluster: str, text_index: bool, is_exclusive: bool = False
) -> Connector:
    """Return a connector to a database whose tables are there."""
    try:
        first = connect("default")
        for statement in render(database, cluster=cluster, text_index=text_index):
            first.command(statement)
        base = quoted(database)
        found = first.query(f"SELECT max(tables) FROM {base}.versions").result_rows[0][0]
        if found > VERSION:
            raise FolderNewer(f"A newer version of Reenact made the tables of {database} ({found}, known {VERSION})")
        if found < VERSION:
            for statement in migrate(database, found, cluster=cluster):
                first.command(statement)
            first.command(f"INSERT INTO {base}.versions VALUES ('tables', {VERSION})")
        first.close()
    except (ClickHouseError, OSError) as error:
        raise StoreFailed(f"ClickHouse cannot be used: {error}") from error
    return Connector(connect, cluster, is_exclusive=is_exclusive)


def _locked(file: Path) -> int:
    """Return the descriptor of *file*, locked for this process; the system lets go of it however the process ends."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise FolderInUse(f"The store's folder {file.parent} is in use by another process. Stop it first.") from None
    return descriptor
