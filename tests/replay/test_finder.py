"""What other sessions tell of one, out of a real store."""

from pathlib import Path

import msgspec
import pytest

from reenact.domain.labels import ReplayLink
from reenact.replay.finder import kin_of
from reenact.replay.recording import Recording
from reenact.store.sqlite.store import SqliteStore
from tests.replay.test_service import reading

LINK = ReplayLink(replay_id="r", take=1, source_session_id="s", source_call_id="c")


def save(
    store: SqliteStore, session_id: str, *, name: str = "Mail", calls: int = 2, link: ReplayLink | None = None
) -> None:
    """Save a session of so many calls."""
    for number in range(calls):
        one = reading(f"{session_id}-{number}", number, b'{"model":"m","messages":[]}')
        labels = msgspec.structs.replace(one.call.labels, session_id=session_id, session_name=name, replay=link)
        call = msgspec.structs.replace(one.call, labels=labels)
        store.save(
            [msgspec.structs.replace(one, call=call, exchange=msgspec.structs.replace(one.exchange, labels=labels))]
        )


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    """An empty store."""
    return SqliteStore(tmp_path / "calls")


def kin(store: SqliteStore, session_id: str) -> set[str]:
    """Return the sessions that are kin of one."""
    recording = Recording(session_id=session_id, calls=store.session("org", session_id), bodies={})
    return {one.session_id for one in kin_of(store, "org", recording)}


def test_kin_are_other_sessions_of_the_name_with_their_bodies(store: SqliteStore) -> None:
    """Not takes of them, nor what another organisation has, nor sessions of another name."""
    for session_id in ("one", "two"):
        save(store, session_id)
    save(store, "take", link=LINK)
    save(store, "other", name="Chat")

    assert {"two"} == kin(store, "one")
    recording = Recording(session_id="one", calls=store.session("org", "one"), bodies={})
    assert [2] == [len(one.bodies) for one in kin_of(store, "org", recording)]
    assert [] == kin_of(store, "elsewhere", recording)
    store.close()


def test_a_session_without_a_name_has_no_kin(store: SqliteStore) -> None:
    """Sessions without names may be anybody's."""
    for session_id in ("one", "two"):
        save(store, session_id, name="")

    assert set() == kin(store, "one")
    store.close()


def test_kin_are_few_and_short(store: SqliteStore) -> None:
    """Three of them, and none that is too long to read beside."""
    for number in range(6):
        save(store, f"s-{number}")
    save(store, "long", calls=301)

    assert 3 == len(kin(store, "s-0"))
    assert "long" not in kin(store, "s-0")
    store.close()
