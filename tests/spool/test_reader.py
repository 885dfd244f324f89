import os
import struct
import threading
import zlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.domain.exchange import Cursor, Exchange, Unreadable
from reenact.spool import reader as reader_module
from reenact.spool.framing import EXCHANGE, MAGIC, frame
from reenact.spool.reader import SpoolReader
from reenact.spool.segment import named, segments
from reenact.spool.writer import SpoolWriter
from tests.spool.exchanges import an_exchange


def _write(folder: Path, *contents: bytes) -> None:
    folder.mkdir(exist_ok=True)
    for number, content in enumerate(contents, start=1):
        named(folder, number, 9).path.write_bytes(content)


def _framed(*exchanges: Exchange) -> bytes:
    return b"".join(b"".join(frame(exchange, 9)) for exchange in exchanges)


def _ids(exchanges: tuple[Exchange, ...]) -> list[str]:
    return [exchange.id for exchange in exchanges]


def test_reading_goes_on_where_it_ended(tmp_path: Path) -> None:
    """Batches of any size add up to everything, each record once, and the end is an empty batch with the same cursor."""
    exchanges = [an_exchange(number) for number in range(7)]
    _write(tmp_path, _framed(*exchanges[:3]), b"", _framed(*exchanges[3:]))
    reader, cursor = SpoolReader(tmp_path), Cursor()
    seen: list[Exchange] = []
    while not (batch := reader.read(cursor, limit_records=2)).is_empty:
        assert len(batch.exchanges) <= 2
        cursor = batch.cursor
        seen += batch.exchanges
    assert (seen, batch.cursor) == (exchanges, cursor)


def test_a_limit_of_bytes_still_gives_one_record(tmp_path: Path) -> None:
    """A record larger than the limit comes alone."""
    _write(tmp_path, _framed(an_exchange(1), an_exchange(2)))
    assert _ids(SpoolReader(tmp_path).read(Cursor(), limit_bytes=1).exchanges) == [an_exchange(1).id]


def test_records_larger_than_the_window_are_read(tmp_path: Path) -> None:
    """A record that spans several windows, small ones around it, comes back whole."""
    large = an_exchange(2, answer=os.urandom(3 * reader_module._WINDOW_BYTES))
    expected = (an_exchange(1), large, an_exchange(3))
    _write(tmp_path, _framed(*expected))
    assert SpoolReader(tmp_path).read(Cursor(), limit_bytes=10**9).exchanges == expected


def test_damage_larger_than_the_window_costs_itself_only(tmp_path: Path) -> None:
    """Records behind a long damaged stretch are found again, and the stretch is kept raw."""
    damaged = b"\0" + _framed(an_exchange(2, answer=bytes(2 * reader_module._WINDOW_BYTES)))[1:]
    _write(tmp_path, _framed(an_exchange(1)) + damaged + _framed(an_exchange(3)))
    batch = SpoolReader(tmp_path).read(Cursor(), limit_bytes=10**9)
    assert _ids(batch.exchanges) == [an_exchange(1).id, an_exchange(3).id]
    assert batch.unreadables == (Unreadable(raw=damaged, reason="the record is damaged"),)


def test_the_last_record_of_the_newest_segment_is_waited_for(tmp_path: Path) -> None:
    """An incomplete record is not skipped while it may still be being written."""
    content = _framed(an_exchange(1), an_exchange(2))
    _write(tmp_path, content[:-1])
    reader = SpoolReader(tmp_path)
    first = reader.read(Cursor())
    _write(tmp_path, content)
    second = reader.read(first.cursor)
    assert [_ids(first.exchanges), _ids(second.exchanges)] == [[an_exchange(1).id], [an_exchange(2).id]]


def test_a_torn_tail_of_an_older_segment_is_skipped(tmp_path: Path) -> None:
    """Nobody can complete it any more, and nobody was told that it was kept."""
    _write(tmp_path, _framed(an_exchange(1), an_exchange(2))[:-1], _framed(an_exchange(3)))
    batch = SpoolReader(tmp_path).read(Cursor())
    assert (_ids(batch.exchanges), batch.unreadables) == ([an_exchange(1).id, an_exchange(3).id], ())


@pytest.mark.parametrize("payload", [b"\xc1", msgspec.msgpack.encode({"id": 1})])
def test_a_whole_record_that_is_no_exchange_is_unreadable(tmp_path: Path, payload: bytes) -> None:
    """A record of another shape is kept raw with the reason, and reading goes on."""
    header = struct.Struct("<3sBII")
    checksum = zlib.crc32(payload, zlib.crc32(struct.pack("<BI", EXCHANGE, len(payload)), 9))
    foreign = header.pack(MAGIC, EXCHANGE, len(payload), checksum) + payload
    _write(tmp_path, foreign + _framed(an_exchange(2)))
    batch = SpoolReader(tmp_path).read(Cursor())
    assert _ids(batch.exchanges) == [an_exchange(2).id]
    assert [unreadable.raw for unreadable in batch.unreadables] == [payload]
    assert all(unreadable.reason for unreadable in batch.unreadables)


def test_discard_keeps_what_is_not_read_and_the_newest(tmp_path: Path) -> None:
    """Only whole segments before the cursor go, and the one that is written to never does."""
    _write(tmp_path, _framed(an_exchange(1)), _framed(an_exchange(2)), _framed(an_exchange(3)))
    reader = SpoolReader(tmp_path)
    reader.discard(Cursor(segment=2))
    after_second = [segment.number for segment in segments(tmp_path)]
    reader.discard(Cursor(segment=9))
    assert (after_second, [segment.number for segment in segments(tmp_path)]) == ([2, 3], [3])


def test_an_emptied_folder_is_read_from_its_beginning(tmp_path: Path) -> None:
    """A cursor that lies behind everything there belongs to segments that are gone."""
    _write(tmp_path, _framed(an_exchange(1)))
    assert _ids(SpoolReader(tmp_path).read(Cursor(segment=7, offset_bytes=3)).exchanges) == [an_exchange(1).id]


def test_a_missing_folder_reads_as_empty(tmp_path: Path) -> None:
    """Nothing was recorded yet."""
    assert SpoolReader(tmp_path / "none").read(Cursor()).is_empty


@given(cuts=st.lists(st.integers(min_value=0, max_value=2000), max_size=6))
def test_growing_files_are_read_once_each(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    """Read at any moments of its growth, a segment gives every record exactly once."""
    folder = tmp_path_factory.mktemp("spool")
    content = _framed(*(an_exchange(number) for number in range(4)))
    reader, cursor = SpoolReader(folder), Cursor()
    seen: list[str] = []
    for end in [*sorted(min(cut, len(content)) for cut in cuts), len(content)]:
        _write(folder, content[:end])
        batch = reader.read(cursor)
        cursor = batch.cursor
        seen += _ids(batch.exchanges)
    assert seen == [an_exchange(number).id for number in range(4)]


def test_reading_beside_a_writer(tmp_path: Path) -> None:
    """A reader that is woken by the writer sees every record once, in order, over rolling segments."""
    appended = threading.Event()
    writer = SpoolWriter(tmp_path, clock=lambda: 5, segment_bytes=20_000, on_append=appended.set)
    total = 500

    def append_all() -> None:
        for number in range(total):
            writer.append(an_exchange(number))

    thread = threading.Thread(target=append_all)
    thread.start()
    reader, cursor = SpoolReader(tmp_path), Cursor()
    seen: list[str] = []
    while len(seen) < total and appended.wait(timeout=30):
        appended.clear()
        while not (batch := reader.read(cursor, limit_records=7)).is_empty:
            cursor = batch.cursor
            seen += _ids(batch.exchanges)
            assert batch.unreadables == ()
            reader.discard(cursor)
    thread.join()
    writer.close()
    assert seen == [an_exchange(number).id for number in range(total)]
