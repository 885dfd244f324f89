"""Bodies in files of their own: kept, read with their records, discarded with them, and cleaned up after a kill."""

from pathlib import Path

import msgspec

from reenact.domain.exchange import Cursor
from reenact.spool.reader import SpoolReader
from reenact.spool.writer import SpoolWriter
from tests.spool.exchanges import an_exchange


def _writer(folder: Path) -> SpoolWriter:
    return SpoolWriter(folder, clock=lambda: 5, segment_bytes=1)


def test_bodies_in_files_are_read_with_their_record(tmp_path: Path) -> None:
    """Both bodies, and only those that were spilled."""
    writer = _writer(tmp_path)
    request, response = writer.spill(), writer.spill()
    request.write(b"ask")
    for piece in (b"ans", b"wer"):
        response.write(piece)
    whole = an_exchange(1)
    writer.append_spilled(msgspec.structs.replace(whole, request_body=b"", response_body=b""), request, response)
    answered = writer.spill()
    answered.write(b"only the answer")
    writer.append_spilled(msgspec.structs.replace(an_exchange(2), response_body=b""), None, answered)
    writer.close()

    first, second = SpoolReader(tmp_path).read(Cursor()).exchanges
    assert msgspec.structs.replace(whole, request_body=b"ask", response_body=b"answer") == first
    assert msgspec.structs.replace(an_exchange(2), response_body=b"only the answer") == second


def test_files_are_discarded_with_their_segment(tmp_path: Path) -> None:
    """What the cursor has left behind goes, what it has not stays."""
    writer = _writer(tmp_path)
    for number in (1, 2):
        spill = writer.spill()
        spill.write(b"body %d" % number)
        writer.append_spilled(an_exchange(number), None, spill)
    writer.close()
    reader = SpoolReader(tmp_path)
    reader.discard(Cursor(segment=2))

    [left] = (tmp_path / "bodies").iterdir()
    assert b"body 2" == left.read_bytes()
    assert [b"body 2"] == [exchange.response_body for exchange in reader.read(Cursor()).exchanges]


def test_a_record_whose_file_is_gone_is_kept_as_unreadable(tmp_path: Path) -> None:
    """It is told, and those behind it are read."""
    writer = _writer(tmp_path)
    spill = writer.spill()
    spill.write(b"body")
    writer.append_spilled(an_exchange(1), None, spill)
    writer.append(an_exchange(2))
    writer.close()
    for path in (tmp_path / "bodies").iterdir():
        path.unlink()

    batch = SpoolReader(tmp_path).read(Cursor())
    assert ["the file of its body cannot be read: No such file or directory"] == [
        one.reason for one in batch.unreadables
    ]
    assert (an_exchange(2),) == batch.exchanges


def test_what_a_killed_writer_left_is_deleted(tmp_path: Path) -> None:
    """A body without a record is nobody's; the next writer begins by deleting it."""
    killed = _writer(tmp_path)
    killed.spill().write(b"nobody's")
    following = _writer(tmp_path)
    following.append(an_exchange(1))
    following.close()
    killed.close()

    assert [] == list((tmp_path / "bodies").iterdir())
