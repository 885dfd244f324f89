"""Writer: saves batches of readings, each in one transaction with the spool's cursor."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from reenact.domain.call import Call, Reading
from reenact.domain.digesting import digest
from reenact.domain.exchange import Cursor, Gap, Unreadable
from reenact.domain.filtering import LABEL_KEYS, words
from reenact.errors import StoreFailed
from reenact.store.objects.keeper import ObjectKeeper
from reenact.store.packing import Cut, compressor, cut, keep, pack
from reenact.store.sqlite.formkeeper import FormKeeper
from reenact.store.sqlite.opener import open_writer, rewrite
from reenact.store.sqlite.partkeeper import PartKeeper
from reenact.store.sqlite.rows import CALL_COLUMNS, to_row
from reenact.store.sqlite.schema import ENTRIES

_SHRUNK_PAGES = 1000
_SAVE_CALL = (
    f"INSERT INTO calls (organisation, form, {', '.join(CALL_COLUMNS)}) "
    f"VALUES ({', '.join('?' * (len(CALL_COLUMNS) + 2))}) ON CONFLICT (organisation, id) DO UPDATE SET form = excluded.form, "
    # What was said of a call after it was recorded outlives reading it again.
    + ", ".join(f"{name} = excluded.{name}" for name in CALL_COLUMNS if name not in {"id", "feedback"})
    + ", feedback = coalesce(excluded.feedback, feedback) RETURNING call"
)
_SAVE_PROPERTY = (
    "INSERT INTO properties (call, key_lower, key, value, edited, organisation, created_us) VALUES (?, ?, ?, ?, 0, ?, ?) "
    "ON CONFLICT DO UPDATE SET key = excluded.key, value = excluded.value, created_us = excluded.created_us"
)
_SAVE_SCORE = (
    "INSERT INTO scores (call, name_lower, name, value, organisation, created_us) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET name = excluded.name, value = excluded.value, created_us = excluded.created_us"
)
_SAVE_SESSION_NAME = (
    "INSERT INTO session_names (session, name, organisation, first_us, latest_us) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET first_us = min(first_us, excluded.first_us), latest_us = max(latest_us, excluded.latest_us)"
)
_SAVE_WORDS = "INSERT INTO words_index (rowid, text) VALUES (?, ?)"
_WIDEN_SPANS = f"""
INSERT INTO word_spans SELECT w.entry / {ENTRIES}, min(c.created_us), max(c.created_us)
FROM words w JOIN calls c ON c.call = w.call WHERE w.entry >= ? GROUP BY 1
ON CONFLICT DO UPDATE SET first_us = min(first_us, excluded.first_us), latest_us = max(latest_us, excluded.latest_us)
"""
_NAME_OBJECT = (
    "INSERT INTO objects (organisation, key, bytes) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET bytes = excluded.bytes "
    "RETURNING object"
)
_SAVE_GAP = "INSERT INTO gaps VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = excluded.count"
_SAVE_CURSOR = "INSERT OR REPLACE INTO cursors (spool, segment, offset_bytes) VALUES (?, ?, ?)"


class Writer:
    """The one connection that writes; any thread may use it, one at a time."""

    def __init__(self, path: Path, objects: ObjectKeeper) -> None:
        self._path = path
        self._objects = objects
        self._lock = threading.Lock()
        self._connection = open_writer(path)
        self._compressor = compressor()
        self._parts = PartKeeper(self._connection, self._compressor)
        self._forms = FormKeeper(self._connection)
        self._organisations: dict[str, int] = {}

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection inside one transaction, committed at the end and rolled back on any error.

        Raises:
            StoreFailed: the database could not be written.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException as error:
                self._undo()
                if isinstance(error, sqlite3.OperationalError | sqlite3.DatabaseError) and not _is_of_the_data(error):
                    raise StoreFailed(f"The database could not be written: {error}") from error
                raise

    def save(
        self,
        readings: Sequence[Reading],
        gaps: Sequence[Gap],
        unreadables: Sequence[Unreadable],
        spool: str,
        cursor: Cursor | None,
    ) -> None:
        """Save a batch and the cursor of *spool* in one transaction, what stands outside the file before that."""
        cuts = [(reading, cut(reading, self._objects.least_bytes)) for reading in readings]
        with self._objects.kept(cuts), self.transaction() as connection:
            entries = list(self._save_all(cuts))
            # All at the end: any other statement between two of them may let the index write what it has gathered.
            connection.executemany(_SAVE_WORDS, entries)
            if entries:
                connection.execute(_WIDEN_SPANS, entries[0][:1])
            for gap in gaps:
                row = (self.organisation(gap.organisation_id), gap.first_us, gap.last_us, gap.reason, gap.count)
                connection.execute(_SAVE_GAP, row)
            for unreadable in unreadables:
                raw = self._compressor.compress(unreadable.raw)
                values = (digest(unreadable.raw), unreadable.reason, raw)
                connection.execute("INSERT OR REPLACE INTO unreadables VALUES (?, ?, ?)", values)
            if cursor is not None:
                connection.execute(_SAVE_CURSOR, (spool, cursor.segment, cursor.offset_bytes))

    def organisation(self, organisation_id: str) -> int:
        """Return the number of an organisation, given to it when it is new. Only inside a transaction."""
        number = self._organisations.get(organisation_id)
        if number is None:
            self._connection.execute("INSERT OR IGNORE INTO organisations (id) VALUES (?)", (organisation_id,))
            found = self._connection.execute("SELECT organisation FROM organisations WHERE id = ?", (organisation_id,))
            (number,) = found.fetchone()
            self._organisations[organisation_id] = number
        return int(number)

    def name_session(self, organisation: int, session_id: str, name: str | None, created_us: int) -> int:
        """Return the number of a session, and note that it had a call under *name* then. Only inside a transaction."""
        key = (organisation, session_id)
        found = "SELECT session FROM sessions WHERE organisation = ? AND session_id = ?"
        row = self._connection.execute(found, key).fetchone()
        if row is None:
            made = "INSERT INTO sessions (organisation, session_id) VALUES (?, ?) RETURNING session"
            row = self._connection.execute(made, key).fetchone()
        self._connection.execute(_SAVE_SESSION_NAME, (row[0], name or "", organisation, created_us, created_us))
        return int(row[0])

    def forget_parts(self) -> None:
        """Learn anew which parts are kept: some were freed. Only inside a transaction."""
        self._parts.forget()

    def watch_forms(self) -> int:
        """Begin to remember which forms calls are given. Only inside a transaction."""
        return self._forms.watch()

    def free_forms(self, unused: Sequence[int], watched: int) -> bool:
        """Delete forms that no call had after *watched* was given; return whether that was safe. Only inside a transaction."""
        return self._forms.free(unused, watched)

    def shrink(self) -> None:
        """Let the file shrink by the pages that are free, a few at a time, and empty the log.

        Raises:
            StoreFailed: the database could not be written.
        """
        free = -1
        while free and free != (free := self._free_pages()):  # a file of an early version does not shrink
            with self._lock, _failing_as_ours():
                self._connection.executescript(f"PRAGMA incremental_vacuum({_SHRUNK_PAGES})")
        self.checkpoint()

    def rewrite(self) -> None:
        """Write the file anew and empty the log: nothing that was deleted is left in either.

        Nothing else is written meanwhile; reading goes on.

        Raises:
            StoreFailed: there is no room for it, or somebody reads for too long.
        """
        with self._lock, _failing_as_ours():
            rewrite(self._path)
        self.checkpoint()

    def checkpoint(self) -> None:
        """Empty the write-ahead log.

        Raises:
            StoreFailed: somebody reads for too long.
        """
        with self._lock, _failing_as_ours():
            (busy, *_) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreFailed("The database's log could not be emptied: somebody reads for too long")

    def close(self) -> None:
        """Let go of the file, the write-ahead log folded into it."""
        with self._lock:
            self._connection.close()

    def _free_pages(self) -> int:
        with self._lock, _failing_as_ours():
            return int(self._connection.execute("PRAGMA freelist_count").fetchone()[0])

    def _save_all(self, cuts: Iterable[tuple[Reading, Cut]]) -> Iterator[tuple[int, str]]:
        """Save each reading over whatever stood under its id; yield the entries that the index of words is to have."""
        (newest,) = self._connection.execute("SELECT coalesce(max(call), 0) FROM calls").fetchone()
        for reading, pieces in cuts:
            call = reading.call
            organisation = self.organisation(call.organisation_id)
            (number,) = self._connection.execute(
                _SAVE_CALL, (organisation, self._forms.keep(call), *to_row(call))
            ).fetchone()
            kept = {} if number > newest else self._clear(number)  # a new call is given a number above all others
            newest = max(newest, number)
            self._save_body(reading, pieces, number, self._session(call, organisation))
            self._save_uses(pieces, number, organisation)
            self._save_maps(call, number, organisation, kept)
            yield from self._entries(reading, number)

    def _session(self, call: Call, organisation: int) -> int | None:
        """Return the number of the session that a call is in."""
        labels = call.labels
        if not labels.session_id:
            return None
        return self.name_session(organisation, labels.session_id, labels.session_name, call.created_us)

    def _clear(self, number: int) -> dict[str, str]:
        """Take out what an earlier reading said of a call; return the properties that were set since, which stay."""
        self._connection.execute("DELETE FROM words WHERE call = ?", (number,))
        self._connection.execute("DELETE FROM object_uses WHERE call = ?", (number,))
        self._connection.execute("DELETE FROM properties WHERE call = ? AND NOT edited", (number,))
        return dict(self._connection.execute("SELECT key_lower, value FROM properties WHERE call = ?", (number,)))

    def _save_body(self, reading: Reading, pieces: Cut, number: int, session: int | None) -> None:
        """Save the exchange; a call outside any session repeats nothing, so that its body stays whole."""
        body = pieces.request
        literals, numbers = ((body,), []) if session is None else self._parts.keep(session, body)
        row = (number, session, self._compressor.compress(pack(keep(reading, pieces, literals, numbers))))
        self._connection.execute("INSERT OR REPLACE INTO bodies VALUES (?, ?, ?)", row)

    def _save_uses(self, pieces: Cut, number: int, organisation: int) -> None:
        """Save which objects the bodies are made of, so that each stays until the last call that needs it is gone."""
        for key, piece_bytes in {lift.key: lift.piece_bytes for lift in pieces.lifts}.items():
            (named,) = self._connection.execute(_NAME_OBJECT, (organisation, key, piece_bytes)).fetchone()
            self._connection.execute("INSERT INTO object_uses VALUES (?, ?)", (number, named))

    def _save_maps(self, call: Call, number: int, organisation: int, kept: Mapping[str, str]) -> None:
        """Save properties and scores; those that were set after the call was recorded are *kept* and win."""
        tail = (organisation, call.created_us)
        recorded = {key.lower(): (key, value) for key, value in call.labels.properties.items()}
        rows = [
            (number, low, None if key == low else key, value, *tail)
            for low, (key, value) in recorded.items()
            if low not in kept
        ]
        self._connection.executemany(_SAVE_PROPERTY, rows)
        for key in kept.keys() & LABEL_KEYS.keys():
            self._connection.execute(f"UPDATE calls SET {labelled(key)} WHERE call = ?", (kept[key], number))
        scores = [(number, name.lower(), name, value, *tail) for name, value in call.scores.items()]
        self._connection.executemany(_SAVE_SCORE, scores)

    def _entries(self, reading: Reading, number: int) -> Iterator[tuple[int, str]]:
        """Yield the numbers and texts of what was said, each noted as an entry of the call."""
        for side, text in enumerate((reading.search_text, reading.answer_text)):
            if text:
                added = self._connection.execute("INSERT INTO words (call, side) VALUES (?, ?)", (number, side))
                # The index tells words of ASCII apart just so, and faster.
                yield int(added.lastrowid or 0), text if text.isascii() else " ".join(words(text))

    def _undo(self) -> None:
        """Roll back, and forget what was learnt inside the transaction."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._parts.forget()
        self._forms.forget()
        self._organisations.clear()


def labelled(key: str) -> str:
    """Return what sets the label of a key of LABEL_KEYS to a value; a call that is moved is in no inferred session any more."""
    label = LABEL_KEYS[key]
    return f"{label} = ?{', session_inferred = 0' if label == 'session_id' else ''}"


@contextmanager
def _failing_as_ours() -> Iterator[None]:
    """Raise what SQLite raises as our own error."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreFailed(f"The database could not be written: {error}") from error


def _is_of_the_data(error: sqlite3.DatabaseError) -> bool:
    """Return whether what was to be saved is at fault, and not the database."""
    return isinstance(
        error, sqlite3.IntegrityError | sqlite3.DataError | sqlite3.ProgrammingError | sqlite3.InterfaceError
    )
