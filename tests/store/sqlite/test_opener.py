"""Tests of `store.sqlite.opener`: what is found on disk is opened, or refused with a reason."""

import sqlite3
from pathlib import Path

import pytest

from reenact.domain.filter import Everything, Sort
from reenact.errors import FolderNewer, FolderUnusable, StoreFailed
from reenact.store.sqlite.opener import open_writer
from reenact.store.sqlite.schema import MIGRATIONS
from reenact.store.sqlite.store import SqliteStore
from tests.store.given import given_reading


def test_a_store_opens_again_with_all_it_had(tmp_path: Path) -> None:
    """Closing and opening loses nothing and migrates nothing twice."""
    path = tmp_path / "calls.sqlite3"
    for number in (1, 2):
        store = SqliteStore(path)
        store.save([given_reading(number)])
        store.close()
    store = SqliteStore(path)
    ids = [given_reading(number).call.id for number in (1, 2)]
    assert store.get("one", ids) == [given_reading(1).call, given_reading(2).call]
    assert store.exchanges("one", ids) == [given_reading(1).exchange, given_reading(2).exchange]
    store.close()


def test_commits_are_synced_to_disk(tmp_path: Path) -> None:
    """The spool forgets what the cursor passed, so a commit must outlive a power loss."""
    connection = open_writer(tmp_path / "calls.sqlite3")
    pragmas = ("synchronous", "journal_mode", "user_version")
    found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
    connection.close()
    assert found == [2, "wal", len(MIGRATIONS)]


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    """An older Reenact does not guess at tables it does not know."""
    path = tmp_path / "calls.sqlite3"
    SqliteStore(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(FolderNewer, match="newer version"):
        SqliteStore(path)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """The message names the file; the file is not touched."""
    path = tmp_path / "calls.sqlite3"
    path.write_bytes(b"not a database " * 1000)
    with pytest.raises(FolderUnusable, match="cannot be opened"):
        SqliteStore(path)
    assert path.read_bytes() == b"not a database " * 1000
    with pytest.raises(FolderUnusable, match="cannot be opened"):
        SqliteStore(tmp_path / "missing" / "calls.sqlite3")


def test_another_process_may_read_meanwhile(tmp_path: Path) -> None:
    """The file is plain SQL to anybody who opens it."""
    path = tmp_path / "calls.sqlite3"
    store = SqliteStore(path)
    store.save([given_reading()])
    other = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    assert other.execute("SELECT id, session_id FROM calls").fetchall() == [(given_reading().call.id, "s1")]
    other.close()
    store.close()


def test_damage_is_told_and_not_passed_on(tmp_path: Path) -> None:
    """A body that no longer adds up is an error, not other bytes."""
    path = tmp_path / "calls.sqlite3"
    store = SqliteStore(path)
    store.save([given_reading()])
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM parts")
    connection.close()
    with pytest.raises(FolderUnusable, match="damaged"):
        store.bodies("one", [given_reading().call.id])
    store.close()


def test_a_failing_database_is_told(tmp_path: Path) -> None:
    """Reading and writing fail as the package's own error, and work again when the database does."""
    path = tmp_path / "calls.sqlite3"
    store = SqliteStore(path)
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE calls RENAME TO lost")
    with pytest.raises(StoreFailed, match="could not be written"):
        store.save([given_reading()])
    with pytest.raises(StoreFailed, match="could not be read"):
        store.find("one", Everything(), Sort(), offset=0, limit=1)
    with connection:
        connection.execute("ALTER TABLE lost RENAME TO calls")
    connection.close()
    store.save([given_reading()])
    assert store.find("one", Everything(), Sort(), offset=0, limit=1) == [given_reading().call]
    store.close()
