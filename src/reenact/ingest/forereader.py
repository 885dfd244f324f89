"""Forereader: reads in a server's journals what their own readers have not come to yet.

Each journal is ingested by a thread of its own. An agent whose connections change over leaves calls in several of them, and the
thread of one may come to a call before another thread comes to the call that it goes on from. Whoever needs the earlier calls
asks here; nothing is taken out of a journal, whose own reader comes to it in its turn.
"""

import logging
from collections.abc import Callable, Iterator, Sequence

import msgspec

from reenact.domain.exchange import Cursor, Exchange
from reenact.spool.reader import SpoolReader

_log = logging.getLogger(__name__)

_MOST_RECORDS, _MOST_BYTES = 256, 16 * 1024 * 1024
"""That are read at once."""


class _Journal(msgspec.Struct, kw_only=True):
    """One journal, and how far it was read here."""

    reader: SpoolReader
    position: Callable[[], Cursor]
    """How far its own reader has saved it."""
    ahead: Cursor


class Forereader:
    """One for all journals of a server. Asked by one thread at a time."""

    def __init__(self) -> None:
        self._journals: dict[str, _Journal] = {}

    def follow(self, spool: str, reader: SpoolReader, cursor: Cursor, position: Callable[[], Cursor]) -> None:
        """Read ahead in one journal, too, from *cursor* on, where its own reader begins; before any of them has begun."""
        self._journals[spool] = _Journal(reader=reader, position=position, ahead=cursor)

    def others(self, spool: str) -> Iterator[Sequence[Exchange]]:
        """Yield what has come into all journals but *spool*, a stretch at a time, each once; what is saved may be left out.

        A journal that cannot be read is left out: its own reader fails at the same, and tells.
        """
        for name, journal in self._journals.items():
            if name == spool:
                continue
            try:
                yield from _ahead(journal)
            except OSError as error:
                _log.warning("The journal %s cannot be read ahead: %s", name, error)


def _ahead(journal: _Journal) -> Iterator[Sequence[Exchange]]:
    """Yield what is new in a journal."""
    while True:
        journal.ahead = max(journal.ahead, journal.position())
        batch = journal.reader.read(journal.ahead, limit_records=_MOST_RECORDS, limit_bytes=_MOST_BYTES)
        if batch.is_empty:
            return
        journal.ahead = batch.cursor
        yield batch.exchanges
