"""Opens the control store's database and brings its tables up to date."""

import sqlite3
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import ConnectionPoolEntry

from reenact.errors import FolderNewer, FolderUnusable
from reenact.store.control.tables import REVISION
from reenact.store.sqlite.copier import copy_database

_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 10000", "foreign_keys = ON")

_LOCK = 7_305_264_911
"""Of PostgreSQL's advisory locks, the one that makes workers take turns at what only one may do."""

_REVISIONS = sa.table("alembic_version", sa.column("version_num"))


def open_engine(place: Path | str) -> sa.Engine:
    """Return the database at *place*, its tables made or brought up to date; a file that is changed is copied first.

    Args:
        place: a file of SQLite, or an SQLAlchemy URL such as `postgresql+psycopg://user@host/database`.

    Raises:
        FolderNewer: a newer version of Reenact wrote it.
        FolderUnusable: it cannot be opened, or is no such database.
        StoreFailed: the copy of what is there cannot be written.
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
            _bring_up_to_date(connection, str(shown))
    except DatabaseError as error:
        engine.dispose()
        raise FolderUnusable(f"The database {shown} cannot be opened: {error.orig}") from error
    except BaseException:
        engine.dispose()
        raise
    return engine


def take_turns(connection: sa.Connection) -> None:
    """Let no other worker into such a transaction until this one ends; the first thing in it."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _bring_up_to_date(connection: sa.Connection, shown: str) -> None:
    """Take the steps that the tables have not had; every other server that starts now waits for that."""
    tables = sa.inspect(connection).get_table_names()
    found = None
    if _REVISIONS.name in tables:
        found = connection.execute(sa.select(_REVISIONS.c.version_num)).scalar_one_or_none()
    if found == REVISION:
        return
    if found is not None and not (found.isdigit() and int(found) < int(REVISION)):
        raise FolderNewer(f"{shown} was written by a newer version of Reenact (tables {found}, known {REVISION})")
    file = connection.engine.url.database
    if tables and file and connection.dialect.name == "sqlite":
        _keep_copy(Path(file))
    from reenact.store.control.migrator import migrate  # noqa: PLC0415 - a tenth of a second that most starts do without

    migrate(connection)


def _keep_copy(file: Path) -> None:
    """Copy what is there to a file beside it, named for the tables that follow; whole or not at all."""
    fresh = file.with_name(f"{file.name}.before-{REVISION}.new")
    fresh.unlink(missing_ok=True)
    copy_database(file, fresh)
    fresh.replace(file.with_name(f"{file.name}.before-{REVISION}"))


def _prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    """Set up a new connection."""
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
