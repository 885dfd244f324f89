"""Shelf: the store of calls that the settings choose. A store's packages are imported when it is chosen, and only then."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from reenact.errors import InvalidInput
from reenact.ingest.worker import SMALL, Batches
from reenact.server.folder import Folder
from reenact.settings import Settings
from reenact.store.sqlite.store import SqliteStore
from reenact.store.upkeep import Upkeep

_LARGE = Batches(most_records=1000, most_bytes=64 * 1024 * 1024)
"""For ClickHouse, where each batch makes files of its own in every table."""
_FILES = {"sqlite": "calls.sqlite3", "chdb": "chdb"}
"""What a store is called in the data folder, where it lies in there."""


def found_in(data: Path) -> list[str]:
    """Return the stores that lie in the folder *data*."""
    return [store for store, name in _FILES.items() if (data / name).exists()]


def open_store(settings: Settings) -> Upkeep:
    """Return the store, opened; whoever asked closes it.

    Raises:
        InvalidInput: the store's packages are not installed, or its address is none.
        FolderInUse: another process holds the embedded store.
        FolderUnusable: it cannot be opened.
        StoreFailed: the server cannot be reached.
    """
    if settings.store == "sqlite":
        return SqliteStore(settings.data / _FILES["sqlite"])
    needed = "chdb" if settings.store == "chdb" else "clickhouse_connect"
    if find_spec(needed) is None:
        raise InvalidInput(f"--store {settings.store} needs: pip install 'reenact[{settings.store}]'", "--store")
    from reenact.store.clickhouse.opener import Embedded, open_server  # noqa: PLC0415 - hundreds of megabytes, see above
    from reenact.store.clickhouse.store import ClickHouseStore  # noqa: PLC0415

    if settings.store == "chdb":
        embedded = Embedded(settings.data / _FILES["chdb"])
        try:
            connector = embedded.connector(text_index=settings.text_index)
        except BaseException:
            embedded.close()
            raise
        return ClickHouseStore(connector, on_close=embedded.close)
    connector = open_server(
        settings.clickhouse_url, cluster=settings.clickhouse_cluster, text_index=settings.text_index
    )
    return ClickHouseStore(connector)


def batches(settings: Settings) -> Batches:
    """Return how much the store is given at once."""
    return SMALL if settings.store == "sqlite" else _LARGE


def spool_name(settings: Settings, folder: Folder, name: str) -> str:
    """Return what the cursor of a spool is kept under: of this folder's own, where several servers share the store.

    Raises:
        FolderUnusable: the folder cannot be read.
    """
    if settings.store != "clickhouse":
        return name
    return f"{hashlib.blake2b(folder.secret(), digest_size=8, person=b'spool').hexdigest()}/{name}"
