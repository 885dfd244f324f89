"""Tests of `ingest.worker`, with a real spool and a real store."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from reenact.domain.call import Call, Reading
from reenact.domain.exchange import Cursor, Exchange, Unreadable
from reenact.domain.filter import EVERYTHING, Sort
from reenact.errors import StoreFailed
from reenact.ingest.decoding import decode
from reenact.ingest.worker import IngestWorker, Status
from reenact.spool.reader import SpoolReader
from reenact.spool.writer import SpoolWriter
from reenact.store.sqlite.store import SqliteStore
from tests.store.given import given_exchange, given_reading


class House:
    """A spool, a store and the worker between them."""

    def __init__(self, folder: Path, decode: Callable[[Exchange], Reading] = decode, *, gather_s: float = 0.05) -> None:
        self.folder = folder
        self.store = SqliteStore(folder / "calls.sqlite3")
        self.worker = IngestWorker(SpoolReader(folder / "spool"), self.store, decode, gather_s=gather_s)
        self.spool = SpoolWriter(folder / "spool", clock=lambda: 0, segment_bytes=20_000, on_append=self.worker.notify)

    def append(self, *numbers: int) -> None:
        """Append exchanges to the spool."""
        for number in numbers:
            self.spool.append(given_reading(number).exchange)

    def calls(self) -> list[Call]:
        """All calls in the store, oldest first."""
        return self.store.find("one", EVERYTHING, Sort(ascending=True), offset=0, limit=1000)

    def ids(self) -> list[str]:
        """The ids of all calls in the store, oldest first."""
        return [call.id for call in self.calls()]

    def close(self) -> None:
        """Stop everything."""
        self.worker.stop()
        self.spool.close()
        self.store.close()


def ids(*numbers: int) -> list[str]:
    """The ids that `given_reading` gives."""
    return [given_reading(number).call.id for number in numbers]


def until(reached: Callable[[], bool], within_s: float = 20) -> None:
    """Wait for something that another thread does and tells nobody of."""
    pause = threading.Event()
    end = time.monotonic() + within_s
    while not reached():
        assert time.monotonic() < end, "never happened"
        pause.wait(0.005)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house whose worker has not begun."""
    made = House(tmp_path)
    yield made
    made.close()


def test_what_was_recorded_is_found_right_after(house: House) -> None:
    """A reader who drains first reads what was just written."""
    house.worker.start()
    for number in range(1, 20):
        house.append(number)
        assert house.worker.drain(20)
        assert house.ids() == ids(*range(1, number + 1))
    assert house.worker.status() == Status(behind=0, saved=19, gaps=0, unreadable=0, failures=0, last_error="")


def test_nobody_who_waits_is_kept_waiting_for_more(tmp_path: Path) -> None:
    """However long what is appended may wait for more otherwise; nor is who ends the worker."""
    house = House(tmp_path, gather_s=3600)
    house.worker.start()
    for number in (1, 2):
        house.append(number)
        assert house.worker.drain(20)
        assert house.ids() == ids(*range(1, number + 1))
    house.append(3)
    house.close()


def test_what_was_there_before_is_read_and_whole_segments_are_given_up(house: House) -> None:
    """A server that was stopped reads on; what the store has safely is deleted from the spool."""
    house.append(*range(1, 201))
    house.worker.start()
    assert house.worker.drain(20)
    assert house.ids() == ids(*range(1, 201))
    assert house.store.exchanges("one", ids(200)) == [given_reading(200).exchange]
    assert len(list((house.folder / "spool").iterdir())) == 1
    house.append(201)
    assert house.worker.drain(20)
    assert house.ids() == ids(*range(1, 202))


def test_a_new_worker_goes_on_where_the_old_one_stopped(house: House, tmp_path: Path) -> None:
    """The cursor is the store's: nothing is read twice or left out."""
    house.worker.start()
    house.append(1, 2)
    assert house.worker.drain(20)
    house.worker.stop()
    house.append(3)
    assert not house.worker.drain(0.01)
    assert house.worker.status().behind == 1
    read: list[str] = []

    def noting(exchange: Exchange) -> Reading:
        read.append(exchange.id)
        return decode(exchange)

    later = IngestWorker(SpoolReader(tmp_path / "spool"), house.store, noting)
    later.start()
    until(lambda: house.ids() == ids(1, 2, 3))
    later.stop()
    assert read == ids(3)


def test_gaps_and_damage_are_kept(house: House) -> None:
    """What was lost is told by the store, and counted."""
    house.append(1)
    house.spool.gap("one", "No space left on device")
    house.append(2)
    house.worker.start()
    assert house.worker.drain(20)
    until(lambda: house.worker.status().gaps == 1)
    assert [(gap.count, gap.reason) for gap in house.store.gaps("one")] == [(1, "No space left on device")]
    assert house.ids() == ids(1, 2)


def test_a_fault_in_reading_keeps_the_call_as_it_crossed(tmp_path: Path) -> None:
    """One call that our code stumbles over is marked; the others are read."""

    def stumbling(exchange: Exchange) -> Reading:
        if exchange.id == given_reading(2).call.id:
            raise ZeroDivisionError("odd")
        return decode(exchange)

    house = House(tmp_path, stumbling)
    house.append(1, 2, 3)
    house.worker.start()
    assert house.worker.drain(20)
    assert [call.unreadable for call in house.calls()] == [None, "ZeroDivisionError: odd", None]
    assert house.store.exchanges("one", ids(2)) == [given_reading(2).exchange]
    assert house.worker.status().unreadable == 1
    house.close()


def test_a_call_that_no_store_takes_is_kept_raw(tmp_path: Path) -> None:
    """It does not hold up those around it, and is not lost."""

    def poisoning(exchange: Exchange) -> Reading:
        reading = decode(exchange)
        odd = msgspec.structs.replace(reading.call, model="\ud800")
        return msgspec.structs.replace(reading, call=odd) if exchange.id == given_reading(2).call.id else reading

    house = House(tmp_path, poisoning)
    house.append(1, 2, 3)
    house.worker.start()
    assert house.worker.drain(20)
    assert house.ids() == ids(1, 3)
    (kept,) = house.store.unreadables()
    assert msgspec.msgpack.decode(kept.raw, type=Exchange) == given_reading(2).exchange
    assert "UnicodeEncodeError" in kept.reason
    house.close()


def test_a_failing_store_loses_nothing(house: House) -> None:
    """While the database fails the worker says so and tries again; then everything is there."""
    path = house.folder / "calls.sqlite3"
    house.worker.start()
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE calls RENAME TO lost")
    house.append(1, 2)
    until(lambda: house.worker.status().failures > 0)
    status = house.worker.status()
    assert (status.behind, status.saved, "could not be written" in status.last_error) == (2, 0, True)
    assert house.store.cursor("spool") == Cursor()
    with connection:
        connection.execute("ALTER TABLE lost RENAME TO calls")
    connection.close()
    assert house.worker.drain(20)
    assert (house.ids(), house.worker.status().last_error) == (ids(1, 2), "")


def test_a_record_of_another_process_is_found_without_being_told(house: House) -> None:
    """Whoever appends to the folder is read, a little later."""
    house.worker.start()
    other = SpoolWriter(house.folder / "spool", clock=lambda: 0)
    other.append(given_exchange())
    other.close()
    until(lambda: house.ids() == [given_exchange().id])


def test_damaged_records_are_kept_raw(house: House) -> None:
    """A record whose bytes were changed on disk is no call, but what is left of it is kept."""
    house.append(1, 2)
    house.spool.close()
    (segment,) = (house.folder / "spool").iterdir()
    content = segment.read_bytes()
    segment.write_bytes(content.replace(b"Somewhere warm", b"Somewhere cold", 1))
    house.worker.start()
    until(lambda: house.ids() == ids(2))
    (kept,) = house.store.unreadables()
    assert isinstance(kept, Unreadable)
    assert b"Somewhere cold" in kept.raw


def test_a_call_waits_while_the_store_cannot_tell_its_session(tmp_path: Path) -> None:
    """It is read again when the store can be, and never kept as unreadable."""
    failures = iter([StoreFailed("locked")])

    def asking(exchange: Exchange) -> Reading:
        for failure in failures:
            raise failure
        return decode(exchange)

    house = House(tmp_path, asking)
    try:
        house.append(1)
        house.worker.start()
        until(lambda: house.worker.status().saved == 1)
        assert [None] == [call.unreadable for call in house.calls()]
        assert (1, 0) == (house.worker.status().failures, house.worker.status().unreadable)
    finally:
        house.close()
