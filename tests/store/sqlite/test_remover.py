"""Tests of `store.sqlite.remover`: what was removed leaves no byte in any file."""

import random
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from reenact.domain.call import Reading
from reenact.domain.labels import Labels
from reenact.errors import StoreFailed
from reenact.store.sqlite.store import SqliteStore
from reenact.store.upkeep import Removal, Scope
from tests.fakes.traces import lying_about
from tests.store.given import given_reading

SEED = 20261122
SESSIONS, CALLS = 40, 12


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty store."""
    made = SqliteStore(tmp_path / "calls.sqlite3")
    yield made
    made.close()


def mark(session: int, call: int) -> str:
    """Return a word that no compression shortens and that occurs in one call's newest message."""
    return f"{random.Random(f'{SEED}-{session}-{call}').getrandbits(96):024x}"


def recorded(session: int, call: int) -> Reading:
    """Return a call that repeats the messages of the calls before it."""
    words = [f"{mark(session, turn)} {'so it goes ' * (turn * 7 % 40)}" for turn in range(call + 1)]
    body = msgspec.json.encode({"messages": [{"role": "user", "content": text} for text in words]})
    labels = Labels(
        session_id=f"s{session}-{mark(session, 900)}",
        session_name=f"name-{mark(session, 901)}",
        user_id=f"u{mark(session, 902)}",
        properties={"Secret": mark(session, 903)},
    )
    reading = given_reading(session * CALLS + call, {"request_body": body, "labels": labels})
    call_value = msgspec.structs.replace(reading.call, labels=labels)
    return msgspec.structs.replace(reading, call=call_value, search_text=mark(session, call), answer_text="an answer")


def marks(session: int) -> list[bytes]:
    """Return all words of a session that no other has."""
    return [mark(session, number).encode() for number in (*range(CALLS), 900, 901, 902, 903)]


def fill(store: SqliteStore) -> None:
    """Save the calls of many sessions, mixed, in small batches, some of them twice."""
    chance = random.Random(SEED)
    every = [recorded(session, call) for call in range(CALLS) for session in range(SESSIONS)]
    chance.shuffle(every)
    for start in range(0, len(every), 20):
        store.save(every[start : start + 20])
    store.save(every[:40])


def test_no_byte_of_removed_sessions_is_left(store: SqliteStore, tmp_path: Path) -> None:
    """Not in rows, parts, words, free pages, gaps of pages, nor the log; all else is as it was."""
    fill(store)
    gone, kept = range(0, SESSIONS, 2), range(1, SESSIONS, 2)
    before = lying_about(tmp_path)
    for session in gone:
        store.remove("one", Removal(Scope.SESSION, f"s{session}-{mark(session, 900)}"))
    store.wipe()
    after = lying_about(tmp_path)

    assert [] == [word for session in range(SESSIONS) for word in marks(session) if word not in before]
    assert [] == [(session, word) for session in gone for word in marks(session) if word in after]
    assert [] == [(session, word) for session in kept for word in marks(session) if word not in after]
    for session in kept:
        wanted = [recorded(session, call).exchange for call in range(CALLS)]
        assert wanted == store.exchanges("one", [one.id for one in wanted])
    assert [] == store.damage()


def test_parts_that_a_session_shares_go_with_the_last_call_that_has_them(store: SqliteStore, tmp_path: Path) -> None:
    """The newest call's own message goes with it; what earlier calls said stays until they go."""
    store.save([recorded(1, call) for call in range(3)])
    store.remove("one", Removal(Scope.CALL, recorded(1, 2).call.id))
    store.wipe()
    first = lying_about(tmp_path)
    for call in (0, 1):
        store.remove("one", Removal(Scope.CALL, recorded(1, call).call.id))
    store.wipe()
    second = lying_about(tmp_path)

    assert [True, True, False] == [mark(1, call).encode() in first for call in range(3)]
    assert [False] * 3 == [mark(1, call).encode() in second for call in range(3)]
    assert ([], []) == (store.sessions("one"), [word for word in marks(1) if word in second])


def test_a_wipe_that_was_broken_off_is_done_by_the_next(tmp_path: Path) -> None:
    """What is to be wiped is in the file, so that a start after a crash knows of it."""
    store = SqliteStore(tmp_path / "calls.sqlite3")
    store.save([recorded(1, 0)])
    store.remove("one", Removal(Scope.CALL, recorded(1, 0).call.id))
    store.close()
    again = SqliteStore(tmp_path / "calls.sqlite3")
    assert [recorded(1, 0).call.id] == again.removed()
    again.wipe()
    assert [] == [word for word in marks(1) if word in lying_about(tmp_path)]
    again.close()


def test_the_copy_made_before_a_migration_is_wiped_too(store: SqliteStore, tmp_path: Path) -> None:
    """It holds what the database held then."""
    copy = tmp_path / "calls.sqlite3.before-9"
    copy.write_bytes(b"old")
    store.wipe()
    assert not copy.exists()


def test_a_reader_that_stays_does_not_let_a_wipe_seem_done(store: SqliteStore, tmp_path: Path) -> None:
    """The log cannot be emptied while somebody reads; that is told, and the next try succeeds."""
    store.save([recorded(1, 0)])
    other = sqlite3.connect(tmp_path / "calls.sqlite3", isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM calls").fetchall()
    store._writer._connection.execute("PRAGMA busy_timeout = 50")
    store.remove("one", Removal(Scope.CALL, recorded(1, 0).call.id))
    with pytest.raises(StoreFailed, match="somebody reads"):
        store.wipe()
    assert [recorded(1, 0).call.id] == store.removed()
    other.execute("COMMIT")
    other.close()
    store.wipe()
    assert [] == store.removed()


def test_removing_and_saving_at_once(store: SqliteStore) -> None:
    """Ingest goes on while sessions are removed and wiped; what it saves is whole."""
    fill(store)
    wanted = [recorded(SESSIONS + 1, call) for call in range(CALLS)]

    def ingest() -> None:
        for one in wanted:
            store.save([one])

    thread = threading.Thread(target=ingest)
    thread.start()
    for session in range(0, SESSIONS, 4):
        store.remove("one", Removal(Scope.SESSION, f"s{session}-{mark(session, 900)}"))
    store.wipe()
    thread.join()
    assert [one.exchange for one in wanted] == store.exchanges("one", [one.call.id for one in wanted])
    assert [] == store.damage()
