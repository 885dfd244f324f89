"""Opens the control store's database and makes its tables."""

import sqlite3
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import ConnectionPoolEntry

from reenact.errors import FolderNewer, FolderUnusable
from reenact.store.control.tables import VERSION, metadata, versions

_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 10000", "foreign_keys = ON")


_LOCK = 7_305_264_911
"""Of PostgreSQL's advisory locks, the one that makes workers take turns at what only one may do."""


def open_engine(place: Path | str) -> sa.Engine:
    """Return the database at *place*, its tables made when they are missing.

    Args:
        place: a file of SQLite, or an SQLAlchemy URL such as `postgresql+psycopg://user@host/database`.

    Raises:
        FolderNewer: a newer version of Reenact wrote it.
        FolderUnusable: it cannot be opened, or is no such database.
    """
    try:
        url = sa.URL.create("sqlite", database=str(place)) if isinstance(place, Path) else sa.make_url(place)
        engine = sa.create_engine(url)
    except (sa.exc.ArgumentError, ImportError) as error:
        raise FolderUnusable(f"The control database cannot be opened: {error}") from error
    shown = place if isinstance(place, Path) else url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare)
    try:
        with engine.begin() as connection:
            take_turns(connection)
            version = _version(connection)
            if version > VERSION:
                raise FolderNewer(
                    f"{shown} was written by a newer version of Reenact (tables {version}, known {VERSION})"
                )
            metadata.create_all(connection)
            _write_version(connection)
    except FolderNewer:
        engine.dispose()
        raise
    except DatabaseError as error:
        engine.dispose()
        raise FolderUnusable(f"The database {shown} cannot be opened: {error.orig}") from error
    return engine


def take_turns(connection: sa.Connection) -> None:
    """Let no other worker into such a transaction until this one ends; the first thing in it."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _version(connection: sa.Connection) -> int:
    """Return the version of the tables; 0 for an empty database."""
    if connection.dialect.name == "sqlite":
        return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    if not sa.inspect(connection).has_table(versions.name):
        return 0
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(versions.c.version), 0))).scalar_one())


def _write_version(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
        return
    connection.execute(sa.delete(versions))
    connection.execute(sa.insert(versions).values(version=VERSION))


def _prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    """Set up a new connection."""
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
