"""Holder: the stores of a data folder without a server, for commands that work on all that was recorded."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import msgspec

from reenact.domain.call import Reading
from reenact.domain.exchange import Exchange
from reenact.errors import FolderUnusable, StoreFailed
from reenact.ingest.decoding import decode
from reenact.ingest.worker import IngestWorker
from reenact.server.folder import Folder
from reenact.server.prices import read_tariff
from reenact.server.shelf import (
    as_found,
    found_in,
    objects_place,
    open_ingest,
    open_objects,
    open_store,
)
from reenact.settings import Settings, environment, read_settings
from reenact.store.control.store import ControlStore
from reenact.store.objects.objects import Objects
from reenact.store.upkeep import Upkeep

_DRAIN_S = 3600.0


class Held(msgspec.Struct, frozen=True):
    """What stands in a data folder."""

    settings: Settings
    folder: Folder
    calls: Upkeep
    control: ControlStore
    decode: Callable[[Exchange], Reading]
    """Reads an exchange, by the folder's own prices."""


def settings_of(data: Path, store: str | None = None, *, is_new: bool = False) -> Settings:
    """Return the settings of the folder *data*: its store is *store*, else the environment's, else the one that lies in it.

    Raises:
        FolderUnusable: there is no folder, or no store in it (unless *is_new*).
        InvalidInput: several stores lie in it and none is named; or a setting is not valid.
    """
    settings = read_settings(data=data, store=store)
    if store is None:
        settings = as_found(settings, environment())
    is_there = data.is_dir() if settings.store == "clickhouse" else settings.store in found_in(data)
    if not is_new and not is_there:
        what = "folder" if settings.store == "clickhouse" else f"{settings.store} store"
        raise FolderUnusable(f"{data} is no data folder: there is no {what}. Name another with --data.")
    return settings


@contextmanager
def held(settings: Settings) -> Iterator[Held]:
    """Hold a data folder while the block runs; what waits in its journal is in the store first.

    Raises:
        FolderUnusable: it cannot be opened.
        FolderInUse: a server holds it.
        InvalidInput: the store's packages are not installed, or its address is none; or the folder's prices are not valid.
        StoreFailed: the store cannot be reached, or what waits in the journal cannot be saved.
    """
    with ExitStack() as opened:
        folder = opened.enter_context(Folder(settings.data))
        tariff = read_tariff(folder)
        understand = partial(decode, tariff=tariff)
        calls = opened.enter_context(closing(open_store(settings)))
        control = opened.enter_context(closing(ControlStore(settings.control or folder.control)))
        for worker in open_ingest(settings, folder, calls, tariff, workers=0):
            _drain(worker)
        yield Held(settings, folder, calls, control, understand)


@contextmanager
def read_only(settings: Settings) -> Iterator[Upkeep]:
    """Open the calls, to be read: of SQLite and of a ClickHouse server beside the server that records into them.

    Raises:
        FolderUnusable: they cannot be opened.
        FolderInUse: a server holds the embedded engine, which one process at a time can open.
        InvalidInput, StoreFailed: as `held`.
    """
    with closing(open_store(settings)) as store:
        yield store


def objects_of(settings: Settings) -> dict[str, Objects]:
    """Return where the objects of the chosen store are, by the name of their folder when they are files.

    Raises:
        InvalidInput: the settings say something that is no such place.
    """
    return {objects_place(settings).name: open_objects(settings).objects}


def _drain(worker: IngestWorker) -> None:
    worker.start()
    is_done = worker.drain(_DRAIN_S) and not worker.status().last_error
    worker.stop()
    if not is_done:
        raise StoreFailed(f"What waits in the journal cannot be saved: {worker.status().last_error}")
