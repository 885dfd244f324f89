"""Annotator: what is said of a call after it was recorded: properties, scores, feedback."""

import sqlite3
from collections.abc import Mapping

from reenact.domain.filtering import LABEL_KEYS
from reenact.errors import NotFound
from reenact.store.sqlite.writer import Writer, labelled

_SET_PROPERTY = (
    "INSERT INTO properties (call, key_lower, key, value, edited, organisation, created_us) VALUES (?, ?, ?, ?, 1, ?, ?) "
    "ON CONFLICT DO UPDATE SET key = excluded.key, value = excluded.value, edited = 1"
)
_SET_SCORE = (
    "INSERT INTO scores (call, name_lower, name, value, organisation, created_us) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET name = excluded.name, value = excluded.value"
)


class Annotator:
    """Sets single things of single calls, each in a transaction of its own."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def set_property(self, organisation_id: str, call_id: str, key: str, value: str) -> None:
        """Set or replace a property, whatever the case of its key; a session header's key moves the call."""
        with self._writer.transaction() as connection:
            organisation = self._writer.organisation(organisation_id)
            call, created_us = _locate(connection, organisation, call_id)
            low = key.lower()
            connection.execute(_SET_PROPERTY, (call, low, None if key == low else key, value, organisation, created_us))
            if low in LABEL_KEYS:
                connection.execute(f"UPDATE calls SET {labelled(low)} WHERE call = ?", (value, call))
                self._note_session(connection, organisation, call, created_us)

    def set_scores(self, organisation_id: str, call_id: str, scores: Mapping[str, float]) -> None:
        """Set scores by name; the last write of a name wins, other names stay."""
        with self._writer.transaction() as connection:
            organisation = self._writer.organisation(organisation_id)
            call, created_us = _locate(connection, organisation, call_id)
            rows = [(call, name.lower(), name, value, organisation, created_us) for name, value in scores.items()]
            connection.executemany(_SET_SCORE, rows)

    def set_feedback(self, organisation_id: str, call_id: str, rating: bool) -> None:
        """Set the feedback of a call."""
        with self._writer.transaction() as connection:
            call, _ = _locate(connection, self._writer.organisation(organisation_id), call_id)
            connection.execute("UPDATE calls SET feedback = ? WHERE call = ?", (rating, call))

    def _note_session(self, connection: sqlite3.Connection, organisation: int, call: int, created_us: int) -> None:
        """Let the session that the call now belongs to be listed."""
        found = connection.execute("SELECT session_id, session_name FROM calls WHERE call = ?", (call,))
        session_id, name = found.fetchone()
        if session_id:
            self._writer.name_session(organisation, session_id, name, created_us)


def _locate(connection: sqlite3.Connection, organisation: int, call_id: str) -> tuple[int, int]:
    """Return the number of a call and when it was made.

    Raises:
        NotFound: the organisation has no such call.
    """
    found = "SELECT call, created_us FROM calls WHERE organisation = ? AND id = ?"
    row = connection.execute(found, (organisation, call_id)).fetchone()
    if row is None:
        raise NotFound(f"There is no call {call_id}")
    return int(row[0]), int(row[1])
