"""Tests of `upkeep.reingester`: calls derived again are what this version reads, and what was said of them stays."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from reenact.domain.call import Reading
from reenact.domain.exchange import Exchange
from reenact.errors import StoreFailed
from reenact.ingest.decoding import decode, leave_unread
from reenact.store.sqlite.store import SqliteStore
from reenact.upkeep.reingester import Reingester, Selection, Summary
from tests.store.given import CREATED_US, given_exchange

ALL = Selection()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty store."""
    made = SqliteStore(tmp_path / "calls.sqlite3")
    yield made
    made.close()


def exchanges(count: int = 3) -> list[Exchange]:
    """Return priced calls of one session."""
    answer = b'{"id":"r","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":10}}'
    return [
        given_exchange(
            id=f"{number:08d}-0000-4000-8000-000000000000", started_us=CREATED_US + number, response_body=answer
        )
        for number in range(count)
    ]


def old(exchange: Exchange) -> Reading:
    """Read as a version did that knew neither this format nor its price."""
    return leave_unread(exchange, "unknown format")


def test_deriving_again_reads_what_is_readable_now(store: SqliteStore, tmp_path: Path) -> None:
    """Rows, answers and prices are as if recorded by this version; the second time nothing changes."""
    recorded = exchanges()
    store.save([old(one) for one in recorded])
    worker = Reingester(store, decode, tmp_path / "progress.json")
    first, second = worker.run(ALL), worker.run(ALL)
    ids = [one.id for one in recorded]
    assert Summary(calls=3, changed=3, newly_readable=3, repriced=3) == first
    assert Summary(calls=3) == second
    assert [decode(one).call for one in recorded] == store.get("one", ids)
    assert [decode(one).answer for one in recorded] == [store.bodies("one", ids)[one].answer for one in ids]
    assert recorded == store.exchanges("one", ids)
    assert not (tmp_path / "progress.json").exists()


def test_what_was_said_of_a_call_stays(store: SqliteStore, tmp_path: Path) -> None:
    """Scores, feedback, properties, and the session that it was moved to."""
    [one] = exchanges(1)
    store.save([old(one)])
    store.set_scores("one", one.id, {"good": 0.5})
    store.set_feedback("one", one.id, rating=True)
    store.set_property("one", one.id, "App", "other")
    store.set_property("one", one.id, "Helicone-Session-Id", "moved")
    [before] = store.get("one", [one.id])
    Reingester(store, decode, tmp_path / "progress.json").run(ALL)
    [after] = store.get("one", [one.id])
    assert ({"good": 0.5}, True, before.labels, None) == (after.scores, after.feedback, after.labels, after.unreadable)


def test_some_calls_only(store: SqliteStore, tmp_path: Path) -> None:
    """Those of a session, or those since a time."""
    recorded = exchanges()
    labels = msgspec.structs.replace(recorded[0].labels, session_id="other")
    store.save([old(one) for one in (msgspec.structs.replace(recorded[0], labels=labels), *recorded[1:])])
    worker = Reingester(store, decode, tmp_path / "progress.json")
    assert 1 == worker.run(Selection(session_id="other")).changed
    assert 1 == worker.run(Selection(since_us=CREATED_US + 2)).changed


def test_one_that_is_broken_off_goes_on(store: SqliteStore, tmp_path: Path) -> None:
    """What was derived before is not derived again, and is in the summary."""
    recorded = exchanges(250)
    store.save([old(one) for one in recorded])
    read: list[str] = []

    def failing(one: Exchange) -> Reading:
        read.append(one.id)
        return decode(one)

    def stop(summary: Summary) -> None:
        if summary.calls == 100:
            raise StoreFailed("The disk is full")

    worker = Reingester(store, failing, tmp_path / "progress.json")
    with pytest.raises(StoreFailed):
        worker.run(ALL, stop)
    assert Summary(calls=250, changed=250, newly_readable=250, repriced=250) == worker.run(ALL)
    assert sorted(read) == sorted(one.id for one in recorded)


def test_a_fault_in_reading_holds_up_nothing(store: SqliteStore, tmp_path: Path) -> None:
    """A call that cannot be read says why; the others are derived."""
    recorded = exchanges()
    store.save([decode(one) for one in recorded])

    def faulty(one: Exchange) -> Reading:
        if one.id == recorded[1].id:
            raise ValueError("odd")
        return decode(one)

    summary = Reingester(store, faulty, tmp_path / "progress.json").run(ALL)
    assert (3, 1, "ValueError: odd") == (
        summary.calls,
        summary.newly_unreadable,
        store.get("one", [recorded[1].id])[0].unreadable,
    )
