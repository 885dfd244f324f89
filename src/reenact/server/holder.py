"""Holder: a data folder held without a server, for commands that work on all of it."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import msgspec

from reenact.errors import FolderUnusable, StoreFailed
from reenact.ingest.decoding import decode
from reenact.ingest.worker import IngestWorker
from reenact.server.folder import Folder
from reenact.spool.reader import SpoolReader
from reenact.store.control.store import ControlStore
from reenact.store.sqlite.store import SqliteStore

_DRAIN_S = 3600.0


class Held(msgspec.Struct, frozen=True):
    """What stands in a data folder."""

    folder: Folder
    calls: SqliteStore
    control: ControlStore


@contextmanager
def held(data: Path, *, is_new: bool = False) -> Iterator[Held]:
    """Hold the folder *data* while the block runs; what waits in its journal is in the store first.

    Raises:
        FolderUnusable: it is not there (unless *is_new*), or cannot be opened.
        FolderInUse: a server holds it.
        StoreFailed: what waits in the journal cannot be saved.
    """
    need_folder(data, is_new=is_new)
    with ExitStack() as opened:
        folder = opened.enter_context(Folder(data))
        calls = opened.enter_context(closing(SqliteStore(folder.calls)))
        control = opened.enter_context(closing(ControlStore(folder.control)))
        for name, place in folder.spools(0):
            _drain(IngestWorker(SpoolReader(place), calls, decode, spool=name))
        yield Held(folder, calls, control)


@contextmanager
def read_only(data: Path) -> Iterator[SqliteStore]:
    """Open the calls of the folder *data* beside the server that may hold it, to be read and not to be written.

    Raises:
        FolderUnusable: it cannot be opened.
    """
    with closing(SqliteStore(data / "calls.sqlite3")) as store:
        yield store


def need_folder(data: Path, *, is_new: bool = False) -> None:
    """Refuse what is no data folder.

    Raises:
        FolderUnusable: there is nothing at *data*, or no store in it.
    """
    if not is_new and not (data / "calls.sqlite3").is_file():
        raise FolderUnusable(f"{data} is no data folder: it has no calls.sqlite3. Name another with --data.")


def _drain(worker: IngestWorker) -> None:
    worker.start()
    is_done = worker.drain(_DRAIN_S) and not worker.status().last_error
    worker.stop()
    if not is_done:
        raise StoreFailed(f"What waits in the journal cannot be saved: {worker.status().last_error}")
