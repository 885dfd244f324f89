"""Tests of `upkeep.retainer`: what is over the limits goes, sessions whole and the oldest first, with a given clock."""

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reenact.domain.filter import Everything, Sort
from reenact.domain.labels import Labels
from reenact.store.sqlite.store import SqliteStore
from reenact.upkeep.retainer import Limits, Retainer
from tests.store.given import CREATED_US, given_reading

DAY_US = 24 * 3600 * 1_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty store."""
    made = SqliteStore(tmp_path / "calls.sqlite3")
    yield made
    made.close()


def save(store: SqliteStore, number: int, day: float, session: str, owner: str = "one", filling: str = "") -> None:
    """Save a call made on a day after CREATED_US."""
    exchange = {
        "organisation_id": owner,
        "labels": Labels(session_id=session),
        "request_body": f'{{"messages": ["{filling}"]}}'.encode(),
    }
    store.save([given_reading(number, exchange, created_us=CREATED_US + round(day * DAY_US))])


def left(store: SqliteStore) -> list[int]:
    """The numbers of all calls, oldest first."""
    calls = [
        call for name in store.organisations() for call in store.find(name, Everything(), Sort(), offset=0, limit=9999)
    ]
    return sorted(int(call.id[:8]) for call in calls)


def test_by_age(store: SqliteStore) -> None:
    """A session goes with its newest call, of every organisation, when the clock says so and not before."""
    now = [CREATED_US]
    retainer = Retainer(store, Limits(days=2), lambda: now[0])
    save(store, 1, 0, "ended")
    save(store, 2, 0, "long")
    save(store, 3, 1.5, "long")
    save(store, 4, 0, "ended", owner="two")
    seen = []
    for days in (1, 3, 4):
        now[0] = CREATED_US + days * DAY_US
        seen.append((retainer.run(), left(store)))
    assert [(0, [1, 2, 3, 4]), (2, [2, 3]), (2, [])] == seen
    assert 4 == retainer.removed_calls
    assert ["Calls are kept 2 days after a session's newest call; removed since the start: 4."] == retainer.notes()


def test_by_size(store: SqliteStore) -> None:
    """The oldest go until the rest fits; the file shrinks; the newest stay."""
    for number in range(1, 61):
        save(store, number, number, f"s{number}", filling=random.Random(number).randbytes(3000).hex())
    full = store.used_bytes()
    limit = full - 4096 * 10
    removed = Retainer(store, Limits(used_bytes=limit), lambda: CREATED_US).run()
    assert 0 < removed < 60
    assert list(range(removed + 1, 61)) == left(store)
    assert store.used_bytes() <= limit


def test_a_limit_that_nothing_fits_into(store: SqliteStore) -> None:
    """Ends when nothing is left, and does not go round for ever."""
    save(store, 1, 0, "s")
    assert 1 == Retainer(store, Limits(used_bytes=1), lambda: CREATED_US).run()
    assert [] == left(store)


def test_no_limit_does_nothing(store: SqliteStore) -> None:
    """The default keeps all."""
    save(store, 1, 0, "s")
    retainer = Retainer(store, Limits(), lambda: CREATED_US + 10_000 * DAY_US)
    retainer.start()
    retainer.stop()
    assert (0, [], [1]) == (retainer.run(), retainer.notes(), left(store))


def test_ingest_goes_on_meanwhile(store: SqliteStore) -> None:
    """No single transaction holds up what is saved for long: both are done, and nothing new is lost."""
    for start in range(1, 400):
        save(store, start, 0, f"s{start % 7}")
    retainer = Retainer(store, Limits(days=1), lambda: CREATED_US + 3 * DAY_US)
    thread = threading.Thread(target=retainer.run)
    thread.start()
    for number in range(1001, 1051):
        save(store, number, 2.5, "new")
    thread.join()
    assert list(range(1001, 1051)) == left(store)
    assert [] == store.damage()


def test_the_thread_removes_at_once_and_stops(store: SqliteStore) -> None:
    """What was over the limits at the start is gone soon after it."""
    save(store, 1, 0, "s")
    retainer = Retainer(store, Limits(days=1), lambda: CREATED_US + 3 * DAY_US)
    retainer.start()
    while left(store):
        threading.Event().wait(0.01)
    retainer.stop()
    assert "" == retainer.trouble
