"""Tests of `store.control.store`."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from reenact.access.keys import KeyRecord, hash_key
from reenact.domain.patch import Change, Patch, Selector, SetModel
from reenact.domain.replay import CallResult, Mode, Plan, PlannedCall, Replay, State, Take
from reenact.errors import FolderNewer, FolderUnusable, NotFound, StoreFailed
from reenact.store.control.store import ControlStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ControlStore]:
    """A store with two organisations' worth of nothing."""
    made = ControlStore(tmp_path / "control.sqlite3")
    made.first_start("one", "Default", 5)
    yield made
    made.close()


def key(name: str, organisation_id: str = "one", created_us: int = 1) -> KeyRecord:
    """A key's record."""
    return KeyRecord(
        id=f"id-{name}",
        organisation_id=organisation_id,
        name=name,
        permissions="rw",
        key_hash=hash_key(name),
        last_four=name[-4:],
        created_us=created_us,
    )


PLAN = Plan(
    session_id="s1",
    session_name="Trip",
    mode=Mode.ANCHORED,
    patch=Patch(changes=(Change(select=Selector(path="/a"), edits=(SetModel(model="m"),)),)),
    takes=1,
    calls=(
        PlannedCall(
            index=1,
            call_id="c1",
            path="/a",
            prompt_id=None,
            model="m",
            provider="openai",
            action="ask",
            body=b'{"a":1}',
        ),
    ),
)


def replay(replay_id: str = "r1", **changes: object) -> Replay:
    """A replay that has just begun, with *changes*."""
    begun = Replay(
        id=replay_id,
        organisation_id="one",
        created_us=1,
        plan=PLAN,
        session_name="Again",
        state=State.RUNNING,
        takes=(Take(number=1, session_id="t1"),),
    )
    return msgspec.structs.replace(begun, **changes)


def test_only_the_first_start_makes_an_organisation(store: ControlStore) -> None:
    """Later starts find the one that is there."""
    assert store.first_start("two", "Other", 6) is False
    assert store.first_organisation() == "one"


def test_before_the_first_start_there_is_no_organisation(tmp_path: Path) -> None:
    """Asking for it says so; then it is made once."""
    empty = ControlStore(tmp_path / "control.sqlite3")
    with pytest.raises(NotFound):
        empty.first_organisation()
    assert empty.first_start("one", "Default", 5) is True
    empty.close()


def test_keys_are_found_by_hash_and_listed(store: ControlStore) -> None:
    """As they were kept, oldest first; unknown ones are none."""
    store.add_key(key("second", created_us=2))
    store.add_key(key("first", created_us=1))
    assert store.find_key(hash_key("second")) == key("second", created_us=2)
    assert store.find_key(hash_key("unknown")) is None
    assert store.list_keys("one") == [key("first", created_us=1), key("second", created_us=2)]
    assert store.list_keys("two") == []


def test_a_deleted_key_works_no_more(store: ControlStore) -> None:
    """It is neither found nor listed, and only its organisation can delete it, once."""
    store.add_key(key("old"))
    with pytest.raises(NotFound):
        store.delete_key("two", "id-old", 9)
    store.delete_key("one", "id-old", 9)
    assert (store.find_key(hash_key("old")), store.list_keys("one")) == (None, [])
    with pytest.raises(NotFound):
        store.delete_key("one", "id-old", 9)


def test_the_file_never_holds_a_key(tmp_path: Path) -> None:
    """Only its hash and its last four characters are written."""
    store = ControlStore(tmp_path / "control.sqlite3")
    store.first_start("one", "Default", 5)
    secret = "sk-helicone-abcdefg-hijklmn-opqrstu-vwxyz12"
    store.add_key(msgspec.structs.replace(key("agent"), key_hash=hash_key(secret), last_four=secret[-4:]))
    store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert hash_key(secret) in kept
    assert secret.encode() not in kept


def test_a_replay_is_kept_as_it_goes(store: ControlStore) -> None:
    """Each save replaces what is under way, the plan stays."""
    store.save_replay(replay())
    assert store.get_replay("one", "r1") == replay()
    result = CallResult(index=1, source_call_id="c1", call_id="n1", status=200)
    done = replay(state=State.DONE, takes=(Take(number=1, session_id="t1", results=(result,)),), detail="done")
    store.save_replay(done)
    assert store.get_replay("one", "r1") == done


def test_replays_are_their_organisations_own(store: ControlStore) -> None:
    """Another organisation neither sees nor changes one, even under the same id."""
    store.save_replay(replay())
    store.save_replay(replay(organisation_id="two", state=State.FAILED))
    assert store.get_replay("one", "r1") == replay()
    assert (store.replays_of("one"), store.replays_of("two")) == ([replay()], [])
    with pytest.raises(NotFound):
        store.get_replay("two", "r1")


def test_replays_of_a_session_come_newest_first(store: ControlStore) -> None:
    """All of them when no session is named."""
    other = replay("r3", created_us=3, plan=msgspec.structs.replace(PLAN, session_id="s2"))
    for one in (replay("r1"), other, replay("r2", created_us=2)):
        store.save_replay(one)
    assert store.replays_of("one", "s1") == [replay("r2", created_us=2), replay("r1")]
    assert store.replays_of("one") == [other, replay("r2", created_us=2), replay("r1")]
    assert store.replays_of("one", "unknown") == []


def test_unfinished_replays_are_found_by_whoever_comes_next(store: ControlStore) -> None:
    """Those that were running when a server stopped, of all organisations, oldest first; not those that are over."""
    store.save_replay(replay("r2", created_us=2))
    store.save_replay(replay("r1", organisation_id="two"))
    for number, state in enumerate((State.DONE, State.PAUSED, State.CANCELLED, State.FAILED)):
        store.save_replay(replay(f"over-{number}", state=state))

    assert store.unfinished_replays() == [("two", "r1"), ("one", "r2")]


def test_what_is_found_on_disk_is_opened_or_refused(tmp_path: Path) -> None:
    """A newer file, a file that is no database and a missing folder each with its reason; an own file opens again."""
    path = tmp_path / "control.sqlite3"
    for _ in range(2):
        store = ControlStore(path)
        store.first_start("one", "Default", 5)
        assert store.first_organisation() == "one"
        store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '99'")
    connection.close()
    with pytest.raises(FolderNewer):
        ControlStore(path)
    (tmp_path / "odd").write_bytes(b"not a database " * 1000)
    for unusable in (tmp_path / "odd", tmp_path / "missing" / "control.sqlite3"):
        with pytest.raises(FolderUnusable):
            ControlStore(unusable)


def test_a_failing_database_is_told(tmp_path: Path, store: ControlStore) -> None:
    """As the package's own error, without what was asked."""
    with sqlite3.connect(tmp_path / "control.sqlite3") as connection:
        connection.execute("ALTER TABLE keys RENAME TO lost")
    connection.close()
    with pytest.raises(StoreFailed) as failed:
        store.add_key(key("agent"))
    assert hash_key("agent").hex() not in failed.value.message


def test_many_threads_write_at_once(store: ControlStore) -> None:
    """Nobody's key is lost."""
    threads = [
        threading.Thread(target=store.add_key, args=(key(f"key {number}", created_us=number),)) for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.list_keys("one") == [key(f"key {number}", created_us=number) for number in range(20)]
