"""Opens connections to the database file and brings its tables up to date."""

import contextlib
import logging
import sqlite3
from pathlib import Path

from reenact.errors import FolderNewer, FolderUnusable
from reenact.store.sqlite.schema import MIGRATIONS

# FULL: each commit is synced. A batch moves the spool's cursor in the same transaction, and the spool may throw away what
# the cursor has passed; under NORMAL a power loss takes back whole recent transactions and would find their records gone.
# One sync a batch is cheap, and it happens off the event loop with the GIL released.
_PRAGMAS = """
PRAGMA page_size = 8192;
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA secure_delete = FAST;
PRAGMA synchronous = FULL;
PRAGMA busy_timeout = 10000;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -32768;
PRAGMA mmap_size = 268435456;
PRAGMA journal_size_limit = 67108864;
"""


_log = logging.getLogger(__name__)


def open_writer(path: Path) -> sqlite3.Connection:
    """Return the connection that writes, the file and its tables made or brought up to date.

    Raises:
        FolderNewer: a newer version of Reenact wrote the file.
        FolderUnusable: the file cannot be opened, or is no such database.
    """
    try:
        connection = _connect(path)
        _migrate(connection, path)
    except sqlite3.Error as error:
        raise FolderUnusable(f"The database {path} cannot be opened: {error}") from error
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that can only read; use it from one thread at a time."""
    connection = _connect(path)
    connection.execute("PRAGMA query_only = ON")
    return connection


def open_word_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that can only read, with a table `temp.index_words` of each word of each entry of the index."""
    connection = _connect(path)
    connection.execute("CREATE VIRTUAL TABLE temp.index_words USING fts5vocab('main', 'words_index', 'instance')")
    connection.execute("PRAGMA query_only = ON")
    return connection


def rewrite(path: Path) -> None:
    """Write the file anew, without free room and what may still stand in it.

    Raises:
        sqlite3.Error: there is no room for it, or somebody else writes.
    """
    with contextlib.closing(_connect(path)) as connection:
        # What stays is gathered beside the file, as large as it is. Deleting alone is not enough even with secure_delete:
        # rows that were moved to other pages leave copies behind, as a test over many rows shows.
        connection.execute("PRAGMA temp_store = FILE")
        connection.execute("VACUUM")


def _connect(path: Path) -> sqlite3.Connection:
    """Return a connection that leaves transactions to its user."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.executescript(_PRAGMAS)
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Apply the migrations that *connection*'s database has not had, each in a transaction of its own."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        connection.close()
        raise FolderNewer(
            f"{path} was written by a newer version of Reenact (tables {version}, known {len(MIGRATIONS)})"
        )
    if 0 < version < len(MIGRATIONS):
        copy = path.with_name(f"{path.name}.before-{len(MIGRATIONS)}")
        size_mb = path.stat().st_size // 1_000_000
        _log.warning(
            "Copying %s (%d MB) to %s before its tables change; this can take a minute", path, size_mb, copy.name
        )
        _copy(connection, copy)
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        if version:
            _log.warning("Bringing the tables of %s from version %d to %d", path, number - 1, number)
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    """Copy the database to *target*, whole or not at all, readable by its owner only."""
    fresh = target.with_name(f"{target.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    with contextlib.closing(sqlite3.connect(fresh)) as copy:
        connection.backup(copy)
    fresh.replace(target)
