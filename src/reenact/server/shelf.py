"""Shelf: the store of calls that the settings choose. A store's packages are imported when it is chosen, and only then."""

import hashlib
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import msgspec

from reenact.errors import InvalidInput
from reenact.ingest.decoding import decode
from reenact.ingest.sessioner import Sessioner
from reenact.ingest.tariff import Tariff
from reenact.ingest.worker import SMALL, Batches, IngestWorker
from reenact.server.folder import Folder
from reenact.settings import Settings
from reenact.spool.reader import SpoolReader
from reenact.store.calls import CallStore
from reenact.store.objects.files import FileObjects, mark
from reenact.store.objects.keeper import NEVER, ObjectKeeper
from reenact.store.objects.layered import Layered
from reenact.store.sqlite.store import SqliteStore, objects_folder
from reenact.store.upkeep import Upkeep

_LARGE = Batches(most_records=1000, most_bytes=64 * 1024 * 1024)
"""For ClickHouse, where each batch makes files of its own in every table."""
_FILES = {"sqlite": "calls.sqlite3", "chdb": "chdb"}
"""What a store is called in the data folder, where it lies in there."""


def found_in(data: Path) -> list[str]:
    """Return the stores that lie in the folder *data*."""
    return [store for store, name in _FILES.items() if (data / name).exists()]


def as_found(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """Return *settings*, in which no flag named a store, with the one that lies in the data folder unless *environ* names one.

    Raises:
        InvalidInput: several lie in it, as after a move: the wrong one would be written.
    """
    found = found_in(settings.data)
    if "REENACT_STORE" in environ or not found:
        return settings
    if len(found) > 1:
        raise InvalidInput(f"{settings.data} holds more than one store: {' and '.join(found)}. Name one with --store.")
    return msgspec.structs.replace(settings, store=found[0])


def open_store(settings: Settings) -> Upkeep:
    """Return the store, opened; whoever asked closes it.

    Raises:
        InvalidInput: the store's packages are not installed, or its address is none.
        FolderInUse: another process holds the embedded store.
        FolderUnusable: it cannot be opened.
        StoreFailed: the server cannot be reached.
    """
    objects = open_objects(settings)
    if settings.store == "sqlite":
        return SqliteStore(settings.data / _FILES["sqlite"], objects)
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
        return ClickHouseStore(connector, on_close=embedded.close, objects=objects)
    connector = open_server(
        settings.clickhouse_url, cluster=settings.clickhouse_cluster, text_index=settings.text_index
    )
    return ClickHouseStore(connector, objects=objects)


def objects_place(settings: Settings) -> Path:
    """Return the folder of what is large in bodies, while it is in files: beside the store, which alone knows what it needs."""
    return objects_folder(settings.data / _FILES.get(settings.store, settings.store))


def open_ingest(
    settings: Settings, folder: Folder, store: CallStore, tariff: Tariff, *, workers: int, yields: bool = False
) -> list[IngestWorker]:
    """Return what reads the folder's journals into *store*, the server's own first; none is started.

    Raises:
        StoreFailed: the store cannot be read.
        FolderUnusable: the folder cannot be read.
    """
    sessioner = _sessioner(settings, store, tariff) if settings.infer_sessions else None
    made = []
    for name, place in folder.spools(workers):
        spool = spool_name(settings, folder, name)
        read = partial(sessioner.decode, spool=spool) if sessioner else partial(decode, tariff=tariff)
        worker = IngestWorker(SpoolReader(place), store, read, spool=spool, yields=yields, batches=batches(settings))
        if sessioner:
            sessioner.journals.follow(spool, SpoolReader(place), store.cursor(spool), worker.position)
        made.append(worker)
    return made


def _sessioner(settings: Settings, store: CallStore, tariff: Tariff) -> Sessioner:
    """Return what finds the sessions of agents that name none, one for all that save into *store*."""
    is_shared = settings.store == "clickhouse"
    return Sessioner(store, idle_us=round(settings.infer_idle_s * 1_000_000), tariff=tariff, is_shared=is_shared)


def open_objects(settings: Settings) -> ObjectKeeper:
    """Return where what is large in bodies is kept.

    Raises:
        InvalidInput: the bucket's package is not installed, or its address is none.
        FolderUnusable: the folder for files cannot be used.
    """
    place = objects_place(settings)
    files = FileObjects(place)
    if not settings.objects:
        is_shared = settings.store == "clickhouse"
        return ObjectKeeper(files, NEVER if is_shared else settings.object_bytes)
    if find_spec("obstore") is None:
        raise InvalidInput("--objects needs: pip install 'reenact[s3]'", "--objects")
    from reenact.store.objects.bucket import open_bucket  # noqa: PLC0415 - sixteen megabytes, and only for teams

    # Several servers share one ClickHouse; every other store is its folder's own, and so are its objects.
    own = "" if settings.store == "clickhouse" else mark(place)
    bucket = open_bucket(settings.objects, own=own, endpoint=settings.objects_endpoint)
    return ObjectKeeper(Layered(bucket, files), settings.object_bytes)


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
