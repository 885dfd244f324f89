"""Tests of `upkeep.backer`: a backup is whole at whatever moment it was made, and is restored into a new folder only."""

import sqlite3
import threading
from pathlib import Path

import msgspec
import pytest

from reenact.domain.exchange import Cursor
from reenact.errors import FolderUnusable, InvalidInput
from reenact.ingest.decoding import decode
from reenact.ingest.worker import IngestWorker
from reenact.server.holder import held, settings_of
from reenact.spool.reader import SpoolReader
from reenact.spool.writer import SpoolWriter
from reenact.store.control.store import ControlStore
from reenact.store.objects.files import mark
from reenact.store.sqlite.store import SqliteStore
from reenact.upkeep.backer import MANIFEST, back_up, restore
from tests.golden.make import exchange, make, stored, waiting
from tests.store.pictures import picture, showing

OWNER = stored()[0].call.organisation_id
PRICES = b'{"prices": []}'


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with calls in the store and in the journal."""
    make(tmp_path / "data")
    (tmp_path / "data" / "secret").write_bytes(b"s" * 32)
    (tmp_path / "data" / "prices.json").write_bytes(PRICES)
    return tmp_path / "data"


@pytest.mark.parametrize("name", ["copy", "copy.tar.zst"])
def test_a_restored_folder_has_everything(name: str, data: Path, tmp_path: Path) -> None:
    """Calls, annotations, keys, the secret, prices and what waits in the journal; only its owner may read it."""
    manifest = back_up(data, tmp_path / name)
    assert manifest == restore(tmp_path / name, tmp_path / "new")
    with held(settings_of(tmp_path / "new")) as house:
        calls = house.calls.session(OWNER, "golden")
        keys = [key.name for key in house.control.list_keys(OWNER)]
    wanted = [*(one.exchange.id for one in stored()), *(one.id for one in waiting())]
    assert (wanted, ["First key"]) == ([call.id for call in calls], keys)
    assert {"quality": 0.75} == calls[0].scores
    assert b"s" * 32 == (tmp_path / "new" / "secret").read_bytes()
    assert PRICES == (tmp_path / "new" / "prices.json").read_bytes()
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "new").rglob("*.sqlite3")}
    assert {0o600} == modes


def test_a_backup_while_calls_are_recorded(tmp_path: Path) -> None:
    """Each call that was recorded before the backup began is in it, once, however far ingest was; new calls join it."""
    data = tmp_path / "data"
    (data / "spool").mkdir(parents=True)
    ControlStore(data / "control.sqlite3").close()
    store = SqliteStore(data / "calls.sqlite3")
    worker = IngestWorker(SpoolReader(data / "spool"), store, decode)
    spool = SpoolWriter(data / "spool", clock=lambda: 1, segment_bytes=5000, on_append=worker.notify)
    worker.start()
    begun, stopping = threading.Event(), threading.Event()
    appended: list[str] = []

    def record() -> None:
        for number in range(1, 2000):
            one = exchange(number % 9)
            spool.append(msgspec.structs.replace(one, id=f"{number:08d}-0000-4000-8000-000000000000"))
            appended.append(f"{number:08d}-0000-4000-8000-000000000000")
            if number == 100:
                begun.set()
            if stopping.is_set():
                return

    thread = threading.Thread(target=record)
    thread.start()
    assert begun.wait(30)
    before = []
    for number in range(3):
        before.append(len(appended))
        back_up(data, tmp_path / f"copy-{number}")
    stopping.set()
    thread.join()
    spool.close()
    worker.stop()
    store.close()

    for number, least in enumerate(before):
        restore(tmp_path / f"copy-{number}", tmp_path / f"new-{number}")
        with held(settings_of(tmp_path / f"new-{number}")) as house:
            kept = {call.id for call in house.calls.session(OWNER, "golden")}
        assert set() == set(appended[:least]) - kept
        more = SpoolWriter(tmp_path / f"new-{number}" / "spool", clock=lambda: 1)
        more.append(msgspec.structs.replace(exchange(1), id="joined"))
        more.close()
        with held(settings_of(tmp_path / f"new-{number}")) as house:
            assert ["joined"] == [call.id for call in house.calls.get(OWNER, ["joined"])]


def test_no_cursor_is_past_the_copied_journal(data: Path, tmp_path: Path) -> None:
    """A segment written after the restore gets the number after the last copied one, and is read from its beginning."""
    with sqlite3.connect(data / "calls.sqlite3") as connection:
        connection.execute("UPDATE cursors SET segment = 7, offset_bytes = 90")
    connection.close()
    back_up(data, tmp_path / "copy")
    store = SqliteStore(tmp_path / "copy" / "calls.sqlite3")
    [segment] = list((tmp_path / "copy" / "spool").iterdir())
    assert Cursor(1, segment.stat().st_size) == store.cursor("spool")
    store.close()


def test_nothing_is_written_over(data: Path, tmp_path: Path) -> None:
    """Neither a backup nor a folder with something in it."""
    back_up(data, tmp_path / "copy")
    with pytest.raises(FolderUnusable, match="is there already"):
        back_up(data, tmp_path / "copy")
    with pytest.raises(FolderUnusable, match="is not empty"):
        restore(tmp_path / "copy", data)
    assert [] == list(tmp_path.glob(".reenact-*"))


def test_a_damaged_backup_is_refused(data: Path, tmp_path: Path) -> None:
    """The file that is not as it was is named, and no folder is made."""
    back_up(data, tmp_path / "copy")
    content = bytearray((tmp_path / "copy" / "calls.sqlite3").read_bytes())
    content[5000] ^= 1
    (tmp_path / "copy" / "calls.sqlite3").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"damaged: calls\.sqlite3"):
        restore(tmp_path / "copy", tmp_path / "new")
    back_up(data, tmp_path / "whole.tar.zst")
    packed = (tmp_path / "whole.tar.zst").read_bytes()
    (tmp_path / "cut.tar.zst").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InvalidInput):
        restore(tmp_path / "cut.tar.zst", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    """A folder without the manifest, a file that is something else, a later version."""
    (tmp_path / "odd").mkdir()
    (tmp_path / "file").write_bytes(b"odd")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / MANIFEST).write_bytes(b'{"format":"reenact-backup","version":2,"reenact":"9","files":{}}')
    for name in ("odd", "file", "new"):
        with pytest.raises(InvalidInput):
            restore(tmp_path / name, tmp_path / "made")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", ["copy", "copy.tar.zst"])
def test_objects_are_copied_too(name: str, data: Path, tmp_path: Path) -> None:
    """What stands outside the rows; as files, and below no mark that the origin has."""
    reading = showing(1, picture(1))
    store = SqliteStore(data / "calls.sqlite3")
    store.save([reading])
    store.close()
    before = mark(data / "calls.objects")
    back_up(data, tmp_path / name)
    restore(tmp_path / name, tmp_path / "new")
    copy = SqliteStore(tmp_path / "new" / "calls.sqlite3")
    assert [reading.exchange] == copy.exchanges("one", [reading.call.id])
    assert [] == copy.damage()
    copy.close()
    assert before != mark(tmp_path / "new" / "calls.objects")
