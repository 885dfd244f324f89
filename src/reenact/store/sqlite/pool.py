"""ReaderPool: connections that only read, handed to one thread at a time."""

import contextlib
import queue
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import zstandard

from reenact.errors import FolderUnusable, StoreFailed
from reenact.store.packing import decompressor
from reenact.store.sqlite.opener import open_reader

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT_INDEX})
_KEPT_OPEN = 4
"""Connections that are kept; more are opened when more threads read at once, and closed again."""


class Reading(msgspec.Struct):
    """A connection with the decompressor that goes with it: neither may be used by two threads at once."""

    connection: sqlite3.Connection
    decompressor: zstandard.ZstdDecompressor


class ReaderPool:
    """Opens connections when they are needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: queue.LifoQueue[Reading] = queue.LifoQueue(_KEPT_OPEN)
        self._closed = False
        self.noticed: set[str] = set()
        """What was damaged, in words."""

    @contextmanager
    def snapshot(self) -> Iterator[Reading]:
        """Lend a connection that sees one moment of the database, however many queries are made.

        Raises:
            StoreFailed: the database could not be read.
        """
        try:
            lent = self._take()
            try:
                lent.connection.execute("BEGIN")
                yield lent
            finally:
                if lent.connection.in_transaction:
                    lent.connection.execute("COMMIT")
                self._give_back(lent)
        except sqlite3.Error as error:
            if error.sqlite_errorcode in _DAMAGE:
                self.noticed.add("The database is damaged: a page of it cannot be read.")
            raise StoreFailed(f"The database could not be read: {error}") from error
        except FolderUnusable:
            self.noticed.add("The database is damaged: a recorded body no longer adds up to the bytes that came.")
            raise

    def close(self) -> None:
        """Close what is idle now, and what is lent as soon as it comes back."""
        self._closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().connection.close()

    def _take(self) -> Reading:
        """Return an idle connection or a new one."""
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return Reading(open_reader(self._path), decompressor())

    def _give_back(self, lent: Reading) -> None:
        """Keep a connection for the next reader, if there is room."""
        try:
            if self._closed:
                raise queue.Full
            self._idle.put_nowait(lent)
        except queue.Full:
            lent.connection.close()
