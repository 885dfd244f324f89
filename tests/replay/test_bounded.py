"""Whole replays on a whole server: budgets hold, failures are retried, control runs beside, answers are reused."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest

from reenact.client import Client, append_system, change, patch, set_model
from reenact.domain.patch import Selector
from reenact.domain.replay import Budget, Rate, State
from reenact.errors import ServerRefused
from tests.fakes.house import House, a_house

CENT = 10_000_000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A server with a recorded session of five calls."""
    with a_house(tmp_path / "data") as running:
        running.say("debate", *(f"Turn {number}." for number in range(5)))
        yield running


@pytest.fixture
def client(house: House) -> Iterator[Client]:
    """Its client."""
    with Client(house.url) as made:
        yield made


def spent(client: Client, *sessions: str) -> int:
    """Return in nanodollars what the recorded calls of sessions cost."""
    return round(sum(row.cost or 0 for session in sessions for row in client.session(session)) * 1e9)


def test_a_cent_is_never_exceeded_and_what_is_left_is_said(house: House, client: Client) -> None:
    """It stops before, keeps what it has, says what is left, and goes on where it stopped when it is given more."""
    house.say("dear", *(f"Long story {number}." for number in range(60)))
    dear = patch(set_model("gpt-4-turbo"))
    assert client.plan("dear", dear, control=False).expected_cost_nanodollars > CENT

    paused = client.replay("dear", dear, control=False, budget=Budget(cost_nanodollars=CENT))

    progress, [take] = paused.progress, paused.takes
    assert State.PAUSED is paused.state
    assert 0 < spent(client, take.session_id) <= CENT
    assert paused.spent.cost_nanodollars == spent(client, take.session_id)
    assert 0 < progress.left == 60 - len(take.results)
    assert f"{progress.left} of 60 calls are left" in paused.detail
    assert "the budget of $0.01 has no room" in paused.detail.lower()

    client.resume(paused.id, budget=Budget(cost_nanodollars=100 * CENT))
    for _ in client.watch(paused.id):
        pass
    done = client.get_replay(paused.id)
    rows = client.session(take.session_id)
    assert (State.DONE, 60, 60) == (done.state, len(done.takes[0].results), len(rows))
    assert done.spent.cost_nanodollars == spent(client, take.session_id)


def test_a_budget_of_calls_counts_every_request(client: Client) -> None:
    """Over all takes and arms together."""
    paused = client.replay("debate", patch(append_system("!")), takes=2, budget=Budget(calls=7))

    assert (State.PAUSED, 7, 13) == (paused.state, paused.progress.answered, paused.progress.left)
    assert "The budget of 7 calls is used up" in paused.detail


def test_a_budget_of_time_stops_calls_in_flight(house: House, client: Client) -> None:
    """They are asked again when the replay goes on."""
    house.say("slow", "Quick.", "Hang. [[fault: delay=400ms]]")

    paused = client.replay("slow", budget=Budget(seconds=0.2))
    assert (State.PAUSED, 1) == (paused.state, paused.progress.left)
    assert paused.detail.startswith("The time is used up")
    client.resume(paused.id, budget=Budget())
    assert [progress.state for progress in client.watch(paused.id)][-1] is State.DONE


def test_money_of_unknown_price_is_refused_before_anything_is_sent(client: Client) -> None:
    """Unless it is allowed; unknown is not free."""
    unknown = patch(set_model("nobody-knows-me"))
    with pytest.raises(ServerRefused, match="may cost is not known"):
        client.plan("debate", unknown, budget=Budget(cost_nanodollars=CENT))

    allowed = client.replay("debate", unknown, control=False, budget=Budget(cost_nanodollars=CENT, allow_unpriced=True))
    assert (State.DONE, 5) == (allowed.state, allowed.spent.unpriced_calls)


def test_control_takes_run_beside_those_of_the_patch(client: Client) -> None:
    """As many, of the unchanged session; each call says its arm."""
    replay = client.replay("debate", patch(append_system(" Be an expert.")), takes=2)

    assert [(1, "changed"), (2, "changed"), (3, "control"), (4, "control")] == [
        (take.number, take.arm) for take in replay.takes
    ]
    systems = {
        take.arm: {row.body["messages"][0]["content"] for row in client.session(take.session_id)}
        for take in replay.takes
    }
    assert {"changed": {"You debate. Be an expert."}, "control": {"You debate."}} == systems
    assert {"control"} == {row.replay.arm for row in client.session(replay.takes[3].session_id) if row.replay}
    assert 20 == replay.progress.calls == replay.progress.answered


def test_the_empty_patch_needs_no_control(client: Client) -> None:
    """It is one."""
    assert 1 == len(client.replay("debate").takes)


def test_unchanged_calls_get_their_recorded_answers(client: Client) -> None:
    """They are asked of nobody and cost nothing; the control arm is asked all the same."""
    late = patch(change(append_system(" Be an expert."), select=Selector(calls=(5,))))
    plan = client.plan("debate", late, reuse=True)
    assert [True] * 4 + [False] == [call.is_reused for call in plan.calls]

    replay = client.replay("debate", late, reuse=True)

    changed, control = replay.takes
    assert [True] * 4 + [False] == [result.is_reused for result in changed.results]
    assert [False] * 5 == [result.is_reused for result in control.results]
    source = client.session("debate")
    take = {row.request_id: row for row in client.session(changed.session_id)}
    again = [take[result.call_id or ""] for result in changed.results]
    assert [row.response_body for row in source[:4]] == [row.response_body for row in again[:4]]
    assert [0.0] * 4 == [row.cost for row in again[:4]]
    assert 6 == replay.spent.calls


def test_passing_failures_are_retried_and_counted_once(house: House, client: Client) -> None:
    """Every attempt is a recorded call; the take has one result."""
    house.say("flaky", "Fine.")
    with pytest.raises(httpx2.HTTPStatusError):
        house.say("flaky", "Flaky. [[fault: status=503;times=3]]")
    replay = client.replay("flaky")

    assert [(200, 1), (200, 3)] == [(result.status, result.attempts) for result in replay.takes[0].results]
    statuses = Counter(row.response_status for row in client.session(replay.takes[0].session_id))
    assert {200: 2, 503: 2} == statuses
    assert (State.DONE, 2, 0) == (replay.state, replay.progress.answered, replay.progress.failed)


def test_a_replay_of_a_replay_knows_where_it_comes_from(client: Client) -> None:
    """Its root is the session that an agent recorded."""
    first = client.replay("debate", control=False)
    second = client.replay(first.takes[0].session_id, control=False)
    third = client.replay(second.takes[0].session_id, control=False)

    assert ["debate"] * 3 == [replay.root_session_id for replay in (first, second, third)]
    assert second.takes[0].session_id == third.plan.session_id


def test_rates_are_kept_with_the_replay(client: Client) -> None:
    """So that it keeps them when it is resumed."""
    replay = client.replay("debate", rates={"openai": Rate(requests_per_minute=300)})

    assert (State.DONE, 300) == (replay.state, replay.limits.rates["openai"].requests_per_minute)


# --- pacing: what was recorded says when calls were made; a busy machine only makes them later --------------------------------

SLACK_S = 0.05
"""Clocks are read a little after what they time."""


def begun(client: Client, session_id: str, provider: str) -> list[tuple[float, int, float]]:
    """Return when each call to a provider began, its status and when it ended, in seconds, in order."""
    rows = [row for row in client.session(session_id) if row.provider.lower() == provider]
    starts = [datetime.fromisoformat(row.created_at).timestamp() for row in rows]
    return sorted((at, row.response_status, at + row.delay_ms / 1000) for at, row in zip(starts, rows, strict=True))


def test_a_provider_that_wants_a_rest_is_left_alone_by_all_calls(house: House, client: Client) -> None:
    """Nothing is asked of it until its Retry-After is over, but for what was under way; it is asked again then."""
    calls = (
        "Wait. [[fault: status=429;retry-after=1;times=2]]",
        *(f"Go {n}. [[fault: delay=100ms]]" for n in range(8)),
    )
    with pytest.raises(httpx2.HTTPStatusError):
        house.say("tired", calls[0])
    house.say("tired", *calls[1:])

    done = client.replay("tired", control=False, concurrency=2)

    made = begun(client, done.takes[0].session_id, "openai")
    refusals = [ended for _, status, ended in made if status == 429]
    assert (State.DONE, 0) == (done.state, done.progress.failed)
    assert refusals
    for ended in refusals:
        # Two may be under way at once: the other one began before this one was refused, or within what it takes to tell it.
        held = [began for began, _, _ in made if ended + SLACK_S < began < ended + 1 - SLACK_S]
        assert [] == held


def test_each_provider_has_a_rate_of_its_own(house: House, client: Client) -> None:
    """One at 120 requests a minute makes them half a second apart; the other does not wait for it."""
    house.say("both", *(f"Slow {number}." for number in range(4)))
    headers = {"x-api-key": "sk-agent", "anthropic-version": "2023-06-01", "helicone-session-id": "both"}
    with httpx2.Client(trust_env=False, timeout=30, headers=headers) as agent:
        for number in range(4):
            said = [{"role": "user", "content": f"Fast {number}."}]
            body = {"model": "claude-3-5-haiku-latest", "max_tokens": 20, "messages": said}
            agent.post(f"{house.url}/v1/gateway/anthropic/v1/messages", json=body).raise_for_status()

    done = client.replay("both", control=False, rates={"openai": Rate(requests_per_minute=120)})

    slow, fast = (begun(client, done.takes[0].session_id, name) for name in ("openai", "anthropic"))
    gaps = [after[0] - before[0] for before, after in pairwise(slow)]
    assert (4, 4) == (len(slow), len(fast))
    assert slow[-1][0] - slow[0][0] >= 1.0 - SLACK_S
    assert all(gap >= 0 for gap in gaps)
    assert fast[-1][0] < slow[-1][0]
