"""Copier: copies a database of this package while somebody else may be writing it."""

import contextlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from reenact.domain.exchange import Cursor
from reenact.errors import StoreFailed


def copy_database(source: Path, target: Path) -> None:
    """Copy the database at *source* as it is at one moment to *target*, one file without a log, its owner's alone.

    Works on the databases of the call store and of the control store alike; other processes go on reading and writing.

    Raises:
        StoreFailed: it cannot be read, or the copy cannot be written.
    """
    target.touch(mode=0o600)
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as reading,
            contextlib.closing(sqlite3.connect(target)) as writing,
        ):
            reading.backup(
                writing
            )  # in one step: a copy in several would begin anew with each write of another process
            writing.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise StoreFailed(f"The database {source} could not be copied: {error}") from error


def place_cursors(path: Path, most: Mapping[str, Cursor]) -> None:
    """Take the cursor of each spool in the copied call store at *path* back to what it may be *most*.

    Raises:
        StoreFailed: the copy cannot be written.
    """
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            for spool, segment, offset_bytes in connection.execute("SELECT * FROM cursors").fetchall():
                cursor = min(Cursor(segment, offset_bytes), most.get(spool, Cursor()))
                row = (cursor.segment, cursor.offset_bytes, spool)
                connection.execute("UPDATE cursors SET segment = ?, offset_bytes = ? WHERE spool = ?", row)
    except sqlite3.Error as error:
        raise StoreFailed(f"The copy {path} could not be finished: {error}") from error
