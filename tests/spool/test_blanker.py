"""Tests of `spool.blanker`: what is in the store leaves the journal's files, and what is not stays readable."""

from pathlib import Path

from reenact.domain.exchange import Cursor
from reenact.spool.blanker import blank
from reenact.spool.reader import SpoolReader
from reenact.spool.writer import SpoolWriter
from tests.spool.exchanges import an_exchange


def test_what_was_read_is_gone_and_the_rest_is_read(tmp_path: Path) -> None:
    """From the cursor and from the very beginning alike, while the writer appends on."""
    spool, reader = SpoolWriter(tmp_path, clock=lambda: 1), SpoolReader(tmp_path)
    exchanges = [an_exchange(number, f"answer {number} marks".encode()) for number in range(4)]
    for one in exchanges[:3]:
        spool.append(one)
    cursor = reader.read(Cursor(), limit_records=2).cursor
    blank(tmp_path, cursor)
    spool.append(exchanges[3])
    spool.close()
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert [False, False, True, True] == [one.response_body in raw for one in exchanges]
    for start in (cursor, Cursor()):
        batch = reader.read(start)
        assert (tuple(exchanges[2:]), ()) == (batch.exchanges, batch.unreadables)


def test_whole_segments_are_deleted_but_the_newest(tmp_path: Path) -> None:
    """The newest keeps its number, emptied to zeros; blanking again changes nothing."""
    spool, reader = SpoolWriter(tmp_path, clock=lambda: 1, segment_bytes=1), SpoolReader(tmp_path)
    for number in range(3):
        spool.append(an_exchange(number))
    spool.close()
    cursor = reader.read(Cursor()).cursor
    for _ in range(2):
        blank(tmp_path, cursor)
        [left] = list(tmp_path.iterdir())
        assert not any(left.read_bytes())
    assert reader.read(Cursor()).is_empty
