"""Inspector: reads the whole database and names what is damaged."""

import re
import sqlite3

_MOST = 20
_TREE = re.compile(r"(?:On t|T)ree (?:page )?(\d+)")
_INDEX = re.compile(r"index (\w+)")
_NAMED = "SELECT type, name, tbl_name FROM sqlite_schema WHERE rootpage = ? OR name = ? LIMIT 1"


def inspect(connection: sqlite3.Connection) -> list[str]:
    """Return what is damaged, each table or index once; empty when all is well."""
    try:
        rows = connection.execute(f"PRAGMA integrity_check({_MOST})").fetchall()
    except sqlite3.DatabaseError as error:
        return [f"The database cannot be read: {error}."]
    lines = [line for (text,) in rows for line in text.splitlines() if text != "ok" and not line.startswith("***")]
    return sorted({_sentence(connection, line) for line in lines})


def _sentence(connection: sqlite3.Connection, line: str) -> str:
    """Return what SQLite says of a page, with the name of the table that it belongs to."""
    tree, index = _TREE.search(line), _INDEX.search(line)
    key = (int(tree[1]) if tree else -1, index[1] if index else "")
    found = connection.execute(_NAMED, key).fetchone()
    if found is None:
        return "The database is damaged: its list of pages is not right."
    kind, name, table = found
    place = f"the table {name}" if kind == "table" else f"an index of the table {table}"
    return f"The database is damaged: {place} has pages that cannot be read."
