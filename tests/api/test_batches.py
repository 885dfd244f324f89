"""Batches over a whole server: cohorts frozen out of a query, every session replayed, failed ones kept among the others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reenact.client import Client, append_system, change, patch, set_model
from reenact.domain.patch import Selector
from reenact.domain.replay import Budget, State
from reenact.errors import ServerRefused
from tests.fakes.house import House, a_house

EXPERT = patch(append_system(" Be an expert."))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A server with three recorded sessions of two calls, one under another prompt id."""
    with a_house(tmp_path / "data") as running:
        running.say("a", "One.", "Two.")
        running.say("b", "Three.", "Four.")
        running.say("other", "Five.", "Six.", prompt_id="other")
        yield running


@pytest.fixture
def client(house: House) -> Iterator[Client]:
    """Its client."""
    with Client(house.url) as made:
        yield made


def test_every_session_of_a_query_is_replayed(house: House, client: Client) -> None:
    """The cohort is what the query found then; sessions that come later are none of it. Its takes are recorded sessions."""
    where = {"properties": {"Helicone-Prompt-Id": {"equals": "assistant-response"}}}
    begun = client.start_batch(where=where, patch=EXPERT, name="experts", control=False)
    house.say("late", "Seven.")

    seen = list(client.watch_batch(begun.id))

    done = seen[-1]
    assert (State.DONE, ["a", "b"]) == (done.state, [item.session_id for item in done.items])
    assert [(2, 2, 0)] * 2 == [(item.calls, item.answered, item.failed) for item in done.items]
    for item in done.items:
        replay = client.get_replay(item.replay_id)
        assert begun.id == replay.batch_id
        assert 2 == len(client.session(replay.takes[0].session_id))
    assert [begun.id] == [batch.id for batch in client.batches()]


def test_sessions_that_fail_stay_in_the_denominator(client: Client) -> None:
    """A session that is not there, and one that the patch does not fit, are items with their reason."""
    fits_one = patch(change(append_system("!"), select=Selector(prompt_id="other")))
    begun = client.start_batch(["a", "other", "nowhere"], fits_one, control=False)

    done = list(client.watch_batch(begun.id))[-1]

    assert [("a", State.FAILED), ("other", State.DONE), ("nowhere", State.FAILED)] == [
        (item.session_id, item.state) for item in done.items
    ]
    assert "matches no call" in done.items[0].detail
    assert "no session 'nowhere'" in done.items[2].detail
    assert (State.DONE, "2 of 3 sessions could not be replayed to their end") == (done.state, done.detail)


def test_a_batch_has_one_budget_and_goes_on_when_it_is_given_more(client: Client) -> None:
    """Of all its sessions together."""
    begun = client.start_batch(["a", "b", "other"], EXPERT, control=False, budget=Budget(calls=3), concurrency=1)
    paused = list(client.watch_batch(begun.id))[-1]
    assert (State.PAUSED, 3, 3) == (paused.state, paused.spent.calls, sum(item.answered for item in paused.items))
    assert "sessions are left" in paused.detail

    client.resume_batch(begun.id, budget=Budget())
    done = list(client.watch_batch(begun.id))[-1]
    assert (State.DONE, 6, 6) == (done.state, sum(item.answered for item in done.items), done.spent.calls)
    for item in done.items:
        assert 2 == len(client.session(client.get_replay(item.replay_id).takes[0].session_id))


def test_a_batch_is_stopped_at_once(house: House, client: Client) -> None:
    """Its replays with it; what came is kept."""
    house.say("slow", "Quick.", "Slow. [[fault: delay=300ms]]")
    begun = client.start_batch(["slow", "a"], patch(set_model("gpt-4o")), control=False)

    stopped = client.cancel_batch(begun.id)

    assert State.CANCELLED is stopped.state
    assert all(item.state in {State.CANCELLED, State.DONE, State.PLANNED} for item in stopped.items)


def test_what_cannot_be_a_batch_is_refused(client: Client) -> None:
    """No session, two ways of choosing, or a filter that is none."""
    with pytest.raises(ServerRefused, match="No session is chosen"):
        client.start_batch([])
    with pytest.raises(ServerRefused, match="either"):
        client.start_batch(["a"], where="all")
    with pytest.raises(ServerRefused):
        client.start_batch(where={"nonsense": 1})
    with pytest.raises(ServerRefused, match="no batch"):
        client.get_batch("none")


def test_freezing_again_makes_another_version(client: Client) -> None:
    """Both batches keep the sessions that they were begun with."""
    first = client.start_batch(["a"], name="mine", control=False)
    second = client.start_batch(["a", "b"], name="mine", control=False)
    ends = [list(client.watch_batch(batch.id))[-1] for batch in (first, second)]

    assert [1, 2] == [len(batch.items) for batch in ends]
    assert first.cohort_id != second.cohort_id
