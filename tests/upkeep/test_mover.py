"""Tests of `upkeep.mover`: everything is in the other store, however often the move was killed, and nothing is mixed in."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from reenact.domain.call import Reading
from reenact.domain.exchange import Cursor, Gap, Unreadable
from reenact.errors import InvalidInput, StoreFailed
from reenact.ingest.decoding import decode
from reenact.store.control.store import ControlStore
from reenact.store.sqlite.store import SqliteStore
from reenact.store.upkeep import Place, Upkeep
from reenact.upkeep.mover import Moved, Mover, Progress
from tests.store.given import given_reading

GAP = Gap(organisation_id="one", first_us=1, last_us=2, reason="a full disk", count=3)
UNREADABLE = Unreadable(raw=b"\xff\x00", reason="no record")
NAMES = ("sqlite", "other")


def readings(count: int) -> Iterator[Reading]:
    """Calls of two organisations, in sessions of ten, priced as no price table would."""
    for number in range(1, count + 1):
        said = b", ".join(
            b'{"role": "user", "content": "%s"}' % (b"turn %d " % turn * 9) for turn in range(number % 10)
        )
        owner = "two" if number % 5 == 0 else "one"
        body = {"request_body": b'{"messages": [%s]}' % said, "organisation_id": owner}
        yield given_reading(number, body, cost_nanodollars=number, scores={"Given": number / 7})


def fill(store: Upkeep, count: int) -> None:
    """Save calls and say things of them."""
    store.save(list(readings(count)), gaps=[GAP], unreadables=[UNREADABLE], spool="spool", cursor=Cursor(3, 4))
    for number, reading in enumerate(readings(min(count, 40))):
        owner, call_id = reading.call.organisation_id, reading.call.id
        store.set_property(owner, call_id, "App", f"changed {number}")
        store.set_scores(owner, call_id, {"quality": number / 3})
        store.set_feedback(owner, call_id, number % 2 == 0)
        if number % 7 == 0:
            store.set_property(owner, call_id, "Helicone-Session-Id", "moved")


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[SqliteStore, SqliteStore]]:
    """A filled store, and an empty one."""
    source, target = SqliteStore(tmp_path / "a"), SqliteStore(tmp_path / "b")
    fill(source, 90)
    yield source, target
    source.close()
    target.close()


def move(stores: tuple[Upkeep, Upkeep], file: Path) -> Moved:
    """Move all."""
    return Mover(*stores, decode, file).run(NAMES, {"renamed": Cursor(3, 4)})


def test_everything_is_moved(stores: tuple[SqliteStore, SqliteStore], tmp_path: Path) -> None:
    """Calls as they were, prices and what was said of them too; where the journals are is known under the target's names."""
    done = move(stores, tmp_path / "move.json")
    assert (90, 2, 1, 1) == (done.calls, done.organisations, done.gaps, done.unreadables)
    source, target = stores
    ids = [reading.call.id for reading in readings(90)]
    for owner in ("one", "two"):
        assert source.get(owner, ids) == target.get(owner, ids)
        assert source.exchanges(owner, ids) == target.exchanges(owner, ids)
    assert ([GAP], [UNREADABLE]) == (target.gaps("one"), target.unreadables())
    assert Cursor(3, 4) == target.cursor("renamed")
    target.save(list(readings(9)))  # as `reingest` does: what was set stays, and is known as set
    assert source.get("one", ids[:1])[0].labels == target.get("one", ids[:1])[0].labels
    assert not (tmp_path / "move.json").exists()


def test_calls_of_somebody_else_are_not_mixed_in(stores: tuple[SqliteStore, SqliteStore], tmp_path: Path) -> None:
    """A target with calls is refused, also when they were moved there before; another move is not gone on with."""
    stores[1].save([given_reading(200)])
    with pytest.raises(InvalidInput, match="has calls already"):
        move(stores, tmp_path / "move.json")
    assert 1 == len(stores[1].session("one", "s1"))
    (tmp_path / "move.json").write_bytes(b'{"source":"chdb","target":"other","mark":"m"}')
    with pytest.raises(InvalidInput, match="A move from chdb to other was broken off"):
        move(stores, tmp_path / "move.json")


def test_what_is_not_alike_is_told(stores: tuple[SqliteStore, SqliteStore], tmp_path: Path) -> None:
    """A call that was changed behind the move, which stays unfinished."""
    file = tmp_path / "move.json"

    class Meddling(SqliteStore):
        """Says something else of a call as soon as it is there."""

        def save(
            self,
            readings: Sequence[Reading],
            *,
            gaps: Sequence[Gap] = (),
            unreadables: Sequence[Unreadable] = (),
            spool: str = "",
            cursor: Cursor | None = None,
        ) -> None:
            super().save(readings, gaps=gaps, unreadables=unreadables, spool=spool, cursor=cursor)
            for reading in readings[:1]:
                self.set_scores(reading.call.organisation_id, reading.call.id, {"quality": 99.0})

    meddling = Meddling(tmp_path / "c")
    with pytest.raises(StoreFailed, match="The stores are not alike: of the organisation one the source has 73"):
        move((stores[0], meddling), file)
    meddling.close()
    assert file.exists()


def migrate(data: Path, store: str, to: str) -> "subprocess.Popen[str]":
    """Begin `reenact migrate-store`."""
    command = [
        sys.executable,
        "-m",
        "reenact",
        "migrate-store",
        "--data",
        str(data),
        "--store",
        store,
        "--to",
        to,
        "--json",
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def killed(data: Path, store: str, to: str) -> None:
    """Begin to move, and end it as a power cut would once it has come further than at the start."""
    file = data / "move.json"
    with migrate(data, store, to) as process:
        until = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < until:
            if file.exists() and msgspec.json.decode(file.read_bytes(), type=Progress).after != Place():
                break
        process.kill()


def finished(data: Path, store: str, to: str) -> Moved:
    """Move to the end."""
    with migrate(data, store, to) as process:
        told, failed = process.communicate(timeout=300)
    assert 0 == process.returncode, failed
    return msgspec.json.decode(told, type=Moved)


def test_there_and_back_with_kills(tmp_path: Path) -> None:
    """From SQLite to the embedded engine and back to another file: the digest is the same, and that of the calls before."""
    data = tmp_path / "data"
    data.mkdir()
    ControlStore(data / "control.sqlite3").close()
    store = SqliteStore(data / "calls.sqlite3")
    fill(store, 1700)
    store.close()
    killed(data, "sqlite", "chdb")
    assert (data / "move.json").exists()
    there = finished(data, "sqlite", "chdb")
    assert (1700, 2, 1, 1) == (there.calls, there.organisations, there.gaps, there.unreadables)
    for path in data.glob("calls.sqlite3*"):
        path.rename(tmp_path / path.name)
    killed(data, "chdb", "sqlite")
    assert there == finished(data, "chdb", "sqlite")
    before, after = SqliteStore(tmp_path / "calls.sqlite3"), SqliteStore(data / "calls.sqlite3")
    ids = [reading.call.id for reading in readings(1700)]
    for owner in ("one", "two"):
        assert before.get(owner, ids) == after.get(owner, ids)
    before.close()
    after.close()
    with migrate(data, "sqlite", "chdb") as process:
        assert "has calls already" in process.communicate(timeout=120)[1]
