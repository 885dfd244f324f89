"""Sweeping the index of words: it keeps no texts, so that what an entry says is read from the index itself."""

import contextlib
import sqlite3
from pathlib import Path

from reenact.errors import StoreFailed
from reenact.store.sqlite.opener import open_word_reader
from reenact.store.sqlite.schema import ENTRIES
from reenact.store.sqlite.writer import Writer

_AT_ONCE = 200
"""Entries in one transaction."""
_MERGED_PAGES = 500
"""Of the index, in one transaction."""
_WALKED = 20_000
"""Entries whose words are held in memory at once; for each so many the whole index is walked through."""
_STALE = """
SELECT doc, group_concat(term, ' ') FROM temp.index_words
WHERE doc IN (SELECT entry FROM main.stale_words ORDER BY entry LIMIT ?) GROUP BY doc
"""
_TAKE_OUT = "INSERT INTO words_index (words_index, rowid, text) VALUES ('delete', ?, ?)"
_FIT_SPAN = f"""
UPDATE word_spans SET (first_us, latest_us) = (
  SELECT coalesce(min(c.created_us), 0), coalesce(max(c.created_us), 0) FROM words w JOIN calls c ON c.call = w.call
  WHERE w.entry BETWEEN span * {ENTRIES} AND span * {ENTRIES} + {ENTRIES - 1}
) WHERE span = ?
"""
_MERGE = "INSERT INTO words_index (words_index, rank) VALUES ('merge', ?)"


def sweep_words(path: Path, writer: Writer) -> None:
    """Take the entries that no call has any more out of the index at *path*, and merge it: taking out only marks them.

    When the calls of the entries around them were made is noted anew.

    Raises:
        StoreFailed: the database could not be read or written.
    """
    has_swept = False
    while stale := _read_stale(path):
        has_swept = True
        for start in range(0, len(stale), _AT_ONCE):
            chunk = stale[start : start + _AT_ONCE]
            with writer.transaction() as connection:
                connection.executemany(_TAKE_OUT, [entry for entry in chunk if entry[1]])
                connection.executemany("DELETE FROM stale_words WHERE entry = ?", [(entry,) for entry, _ in chunk])
        for span in sorted({entry // ENTRIES for entry, _ in stale}):
            with writer.transaction() as connection:  # one by one: ingest waits for no more than that
                connection.execute(_FIT_SPAN, (span,))
    pages = -_MERGED_PAGES  # a negative number begins to merge everything into one
    while has_swept and _merge(writer, pages):
        pages = _MERGED_PAGES


def _read_stale(path: Path) -> list[tuple[int, str]]:
    """Return entries that no call has, each with its words; none when there are none left."""
    try:
        with contextlib.closing(open_word_reader(path)) as connection:
            wanted = connection.execute("SELECT entry FROM stale_words ORDER BY entry LIMIT ?", (_WALKED,)).fetchall()
            said = dict(connection.execute(_STALE, (_WALKED,)).fetchall()) if wanted else {}
    except sqlite3.Error as error:
        raise StoreFailed(f"The index of words could not be read: {error}") from error
    return [(entry, said.get(entry, "")) for (entry,) in wanted]


def _merge(writer: Writer, pages: int) -> bool:
    """Merge a piece of the index; return whether there is more to do."""
    with writer.transaction() as connection:
        before = connection.total_changes
        connection.execute(_MERGE, (pages,))
        return connection.total_changes - before >= 2  # as FTS5's documentation says it
