"""Data folders of earlier versions open for ever: their tables are brought up to date, their journals read on."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from reenact.domain.exchange import Cursor
from reenact.ingest.decoding import decode
from reenact.spool.reader import SpoolReader
from reenact.store.control.store import ControlStore
from reenact.store.sqlite.schema import MIGRATIONS
from reenact.store.sqlite.store import SqliteStore
from tests.golden.make import FIRST_US, stored, waiting

FOLDERS = sorted(Path(__file__).parent.glob("tables-*"))


@pytest.mark.parametrize("golden", FOLDERS, ids=lambda folder: folder.name)
def test_an_old_folder_opens(golden: Path, tmp_path: Path) -> None:
    """Calls, bodies, what was said of them, gaps, keys and the journal are all there, and new calls join them."""
    folder = tmp_path / "data"
    shutil.copytree(golden, folder)
    store, control = SqliteStore(folder / "calls.sqlite3"), ControlStore(folder / "control.sqlite3")
    exchanges = [reading.exchange for reading in stored()]
    organisation_id = exchanges[0].organisation_id
    calls = store.session(organisation_id, "golden")
    batch = SpoolReader(folder / "spool").read(store.cursor("spool"))
    store.save([decode(one) for one in batch.exchanges], spool="spool", cursor=batch.cursor)

    assert exchanges == store.exchanges(organisation_id, [one.id for one in exchanges])
    assert [{"quality": 0.75}, {}, {}, {}] == [call.scores for call in calls]
    assert [None, None, True, None] == [call.feedback for call in calls]
    assert {"App": "test", "Reviewed": "yes"} == calls[1].labels.properties
    assert [(FIRST_US, 2)] == [(gap.first_us, gap.count) for gap in store.gaps(organisation_id)]
    assert [b"odd"] == [one.raw for one in store.unreadables()]
    assert (organisation_id, ["First key"]) == (
        control.first_organisation(),
        [key.name for key in control.list_keys(organisation_id)],
    )
    assert tuple(waiting()) == batch.exchanges
    assert 6 == len(store.session(organisation_id, "golden"))
    assert [(6, 210)] == [(total.calls, total.input_tokens) for total in store.totals(organisation_id)]
    assert [] == store.damage()
    store.close()
    control.close()
    copies = [path.read_bytes() for path in folder.glob("calls.sqlite3.before-*")]
    version = int(golden.name.removeprefix("tables-"))
    assert len(copies) == (1 if version < len(MIGRATIONS) else 0)
    for path in folder.glob("calls.sqlite3.before-*"):
        with sqlite3.connect(path) as copy:
            assert version == copy.execute("PRAGMA user_version").fetchone()[0]
            assert len(exchanges) == copy.execute("SELECT count(*) FROM calls").fetchone()[0]
        copy.close()


def test_this_version_has_a_folder() -> None:
    """Whoever changes the tables runs `python -m tests.golden.make` and commits what it made."""
    assert f"tables-{len(MIGRATIONS)}" in [folder.name for folder in FOLDERS]


def test_the_first_journal_is_read_by_its_name() -> None:
    """The frames of the oldest folder are still understood from their beginning."""
    batch = SpoolReader(FOLDERS[0] / "spool").read(Cursor())
    assert tuple(waiting()) == batch.exchanges
