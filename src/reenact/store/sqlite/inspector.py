"""Inspector: reads the whole database and names what is damaged."""

import contextlib
import sqlite3
from pathlib import Path

from reenact.store.sqlite.opener import open_reader

_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name"


def inspect(path: Path) -> list[str]:
    """Return what is damaged in the database at *path*, each table once; empty when all is well."""
    try:
        with contextlib.closing(open_reader(path)) as connection:
            if _is_sound(connection, "1"):
                return []
            tables = [name for (name,) in connection.execute(_TABLES)]
            odd = [name for name in tables if not _is_sound(connection, f"'{name}'")]
    except sqlite3.DatabaseError as error:
        return [f"The database cannot be read: {error}."]
    named = [f"The database is damaged: the table {name} has pages that cannot be read." for name in odd]
    return named or ["The database is damaged: its list of pages is not right."]


def _is_sound(connection: sqlite3.Connection, what: str) -> bool:
    """Return whether a table with its indexes, or all of them, can be read and is in order."""
    try:
        return connection.execute(f"PRAGMA integrity_check({what})").fetchall() == [("ok",)]
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_CORRUPT:
            return False
        raise
