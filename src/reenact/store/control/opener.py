"""Opens the control store's database and makes its tables."""

import sqlite3
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import ConnectionPoolEntry

from reenact.errors import FolderNewer, FolderUnusable
from reenact.store.control.tables import VERSION, metadata

_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 10000", "foreign_keys = ON")


def open_engine(path: Path) -> sa.Engine:
    """Return the database at *path*, its tables made when they are missing.

    Raises:
        FolderNewer: a newer version of Reenact wrote the file.
        FolderUnusable: the file cannot be opened, or is no such database.
    """
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
    event.listen(engine, "connect", _prepare)
    try:
        with engine.begin() as connection:
            version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            if version > VERSION:
                raise FolderNewer(
                    f"{path} was written by a newer version of Reenact (tables {version}, known {VERSION})"
                )
            metadata.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
    except FolderNewer:
        engine.dispose()
        raise
    except DatabaseError as error:
        engine.dispose()
        raise FolderUnusable(f"The database {path} cannot be opened: {error.orig}") from error
    return engine


def _prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    """Set up a new connection."""
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
