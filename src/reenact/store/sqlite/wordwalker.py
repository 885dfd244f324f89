"""WordWalker: finds the newest or the oldest calls that said some words without looking at all that ever did.

Entries of the index of words are numbered as calls are saved, so that the newest calls have about the highest numbers. Entries
are looked at from that end; the table `word_spans` tells when no entry beyond can belong into the page any more.
"""

import heapq
import sqlite3
from collections.abc import Iterator

import msgspec

from reenact.domain.filter import Filter, Sort
from reenact.store.sqlite.compiling import compile_where
from reenact.store.sqlite.saying import Said, said
from reenact.store.sqlite.schema import ENTRIES

_MOST_ENTRIES = 2000
"""That are looked at, for about 3 ms of CPU; calls that another condition lets through rarely are better gathered."""
_MOST_WANTED = 1000
"""Calls of a page and before it; who asks for more may as well have all gathered."""
_WALK = """
SELECT w.entry, c.created_us, c.id, c.call, c.organisation = ? AND w.side IN ({sides}) AND {rest}
FROM words_index i CROSS JOIN words w ON w.entry = i.rowid CROSS JOIN calls c ON c.call = w.call
WHERE words_index MATCH ? AND i.rowid BETWEEN ? AND ? ORDER BY i.rowid {way} LIMIT ?
"""
_REACHED = (
    "SELECT coalesce(min(span), 0), coalesce(max(span), -1) FROM word_spans WHERE latest_us >= ? AND first_us < ?"
)
_BEYOND = {
    True: "SELECT min(first_us) FROM word_spans WHERE span BETWEEN ? AND ?",
    False: "SELECT max(latest_us) FROM word_spans WHERE span BETWEEN ? AND ?",
}


class _Hit(msgspec.Struct, frozen=True, order=True, array_like=True):
    """A call that said it, where a list by time has it."""

    created_us: int
    id: str
    call: int


def walk_words(
    connection: sqlite3.Connection, organisation: int, where: Filter, sort: Sort, wanted: int
) -> list[int] | None:
    """Return the numbers of the first *wanted* calls in the order of *sort*; None when they are better found otherwise.

    Raises:
        InvalidFilter: as `compile_query`.
    """
    asked = said(where)
    if asked is None or sort.column != "created_us" or sort.key is not None or not 0 < wanted <= _MOST_WANTED:
        return None
    walk = _Walk(connection, organisation, asked, sort.ascending, wanted)
    return [hit.call for hit in walk.first()] if walk.is_enough() else None


class _Walk:
    """One walk from the end of the index that the page is at."""

    def __init__(
        self, connection: sqlite3.Connection, organisation: int, asked: Said, ascending: bool, wanted: int
    ) -> None:
        self._connection = connection
        self._organisation = organisation
        self._asked = asked
        self._ascending = ascending
        self._wanted = wanted
        self._hits: set[_Hit] = set()
        time = (asked.from_us, asked.to_us)
        self._spans: tuple[int, int] = connection.execute(_REACHED, time).fetchone()

    def is_enough(self) -> bool:
        """Look at entries until no other can belong to the page; return whether that came before too many were looked at."""
        looked, span = 0, None
        for entry, created_us, call_id, call, holds in self._entries():
            before, span = span, entry // ENTRIES
            if span != before and self._is_full(span):
                return True
            looked += 1
            if holds:
                self._hits.add(_Hit(created_us, call_id, call))
        return looked < _MOST_ENTRIES

    def first(self) -> list[_Hit]:
        """Return the page and what is before it, as far as was walked."""
        choose = heapq.nsmallest if self._ascending else heapq.nlargest
        return choose(self._wanted, self._hits)

    def _is_full(self, span: int) -> bool:
        """Return whether all that was found for the page comes before whatever *span* and those beyond it hold."""
        if len(self._hits) < self._wanted:
            return False
        first, last = self._spans
        beyond = (span, last) if self._ascending else (first, span)
        ((bound_us,),) = self._connection.execute(_BEYOND[self._ascending], beyond)
        latest_us = self.first()[-1].created_us
        return bool(latest_us < bound_us if self._ascending else latest_us > bound_us)

    def _entries(self) -> Iterator[tuple[int, int, str, int, int]]:
        """Yield entries with these words, of whatever organisation, from the end on; and whether the call is one asked for."""
        first, last = self._spans
        rest = compile_where(self._asked.rest)
        text = _WALK.format(
            sides=", ".join(map(str, sorted(self._asked.sides))),
            rest=rest.text,
            way="ASC" if self._ascending else "DESC",
        )
        span = (first * ENTRIES, last * ENTRIES + ENTRIES - 1)
        values = (self._organisation, *rest.values, self._asked.match, *span, _MOST_ENTRIES)
        yield from self._connection.execute(text, values)
