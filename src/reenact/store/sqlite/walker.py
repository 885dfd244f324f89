"""Walker: goes through all calls of an organisation, and measures what they take."""

import sqlite3

from reenact.store.objects.keeper import Named
from reenact.store.objects.objects import folder_of
from reenact.store.sqlite.reader import organisation_number
from reenact.store.upkeep import Place

_PLACES = """
SELECT created_us, id FROM calls WHERE organisation = ? AND (created_us, id) > (?, ?) ORDER BY created_us, id LIMIT ?
"""
_EXPIRED = """
SELECT c.id FROM calls c WHERE c.organisation = :organisation AND c.created_us < :before_us
  AND (coalesce(c.session_id, '') = '' OR NOT EXISTS (
    SELECT 1 FROM calls n WHERE n.organisation = c.organisation AND n.session_id = c.session_id
      AND n.created_us >= :before_us))
ORDER BY c.created_us, c.id LIMIT :limit
"""


def organisations(connection: sqlite3.Connection) -> list[str]:
    """Return the ids of all organisations, ordered."""
    return [name for (name,) in connection.execute("SELECT id FROM organisations ORDER BY id")]


def places(connection: sqlite3.Connection, organisation_id: str, after: Place, limit: int) -> list[Place]:
    """Return the places that follow *after*."""
    key = (organisation_number(connection, organisation_id), after.created_us, after.call_id, limit)
    return [Place(*row) for row in connection.execute(_PLACES, key)]


def expired(connection: sqlite3.Connection, organisation_id: str, before_us: int, limit: int) -> list[str]:
    """Return the ids of calls made before a time, sessions whole."""
    organisation = organisation_number(connection, organisation_id)
    asked = {"organisation": organisation, "before_us": before_us, "limit": limit}
    return [call_id for (call_id,) in connection.execute(_EXPIRED, asked)]


def objects(connection: sqlite3.Connection) -> set[Named]:
    """Return every object that a call is made of."""
    rows = connection.execute("SELECT r.id, o.key FROM objects o JOIN organisations r USING (organisation)")
    return {Named(folder_of(organisation_id), key) for organisation_id, key in rows}


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return the bytes of the pages that hold something, and of the objects beside them."""
    (outside,) = connection.execute("SELECT coalesce(sum(bytes), 0) FROM objects").fetchone()
    pages, free, page_bytes = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * page_bytes + int(outside)
