"""A patch has calls fail, come late or break off: nobody is asked, the result says so, and the take goes on from it."""

from collections.abc import Iterator

import httpx2
import openai
import pytest

from reenact.client import Budget, Client, Selector, change, fault, patch
from reenact.domain.patch import Fault, Patch
from reenact.domain.playback import Fork, Playback
from reenact.domain.replay import Mode, State
from reenact.errors import InvalidPatch
from reenact.replay.planning import plan
from tests.fakes.house import House, a_house
from tests.replay.recordings import a_recording, chat
from tests.replay.test_planning import price


def failing(call: int, **fields: int) -> Patch:
    """Return the patch that gives one call a fault."""
    return patch(change(Fault(**fields), select=Selector(calls=(call,))))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (Fault(), "a fault needs delay_ms, status or cut_after"),
        (Fault(status=500, cut_after=1), "a fault is either a status or an answer that is cut"),
        (Fault(retry_after_s=1, delay_ms=5), "retry_after_s goes with a status"),
    ],
)
def test_a_fault_that_means_nothing_is_refused(wrong: Fault, why: str) -> None:
    """With the call and the place."""
    with pytest.raises(InvalidPatch, match=f"^Call 1: {why}") as caught:
        plan(a_recording(chat("one")), patch(wrong), Mode.ANCHORED, 1, price)

    assert "changes[0].edits[0]" == caught.value.field


def test_the_plan_shows_a_fault_and_what_it_saves() -> None:
    """A late answer costs what it costs."""
    recording = a_recording(chat("one"), chat("two"))
    late, failed = plan(recording, failing(1, delay_ms=5), Mode.ANCHORED, 1, price, reuse=True).calls
    assert ("fault", False, 120) == (late.changes[0].path, late.is_reused, late.expected_cost_nanodollars)
    assert (True, 0) == (failed.is_reused, failed.expected_cost_nanodollars)
    (call, _) = plan(recording, failing(1, status=429), Mode.ANCHORED, 1, price).calls
    assert (Fault(status=429), 0, 0) == (call.fault, call.expected_cost_nanodollars, call.most_cost_nanodollars)
    assert recording.bodies["call-1"].request == call.body


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server with a session of three turns, the last one streamed."""
    with a_house(tmp_path_factory.mktemp("house") / "data") as running:
        with openai.OpenAI(base_url=f"{running.url}/v1/gateway/oai/v1", api_key="sk-agent") as agent:
            talk(agent, {"helicone-session-id": "talk"})
        yield running


def talk(agent: openai.OpenAI, headers: dict[str, str] | None = None) -> list[str]:
    """Have three turns, and return what was answered."""
    history: list[openai.types.chat.ChatCompletionMessageParam] = []
    for text in ("One?", "Two?"):
        history.append({"role": "user", "content": text})
        answer = agent.chat.completions.create(model="gpt-4o-mini", messages=history, extra_headers=headers)
        history.append({"role": "assistant", "content": answer.choices[0].message.content})
    history.append({"role": "user", "content": "Three?"})
    stream = agent.chat.completions.create(model="gpt-4o-mini", messages=history, extra_headers=headers, stream=True)
    said = "".join(piece.choices[0].delta.content or "" for piece in stream if piece.choices)
    return [*(str(one["content"]) for one in history if one["role"] == "assistant"), said]


def total(house: House) -> int:
    """Return how many requests the provider has received."""
    found: int = httpx2.get(f"{house.settings.upstreams['openai']}/provider/requests", trust_env=False).json()["total"]
    return found


@pytest.mark.parametrize("mode", [Mode.ANCHORED, Mode.CHAINED], ids=lambda mode: mode.value)
def test_a_call_fails_in_the_words_of_its_provider_and_nobody_is_asked(house: House, mode: Mode) -> None:
    """Once, however many retries are allowed; a chained take cannot go on from it. What it did not ask counts for no budget."""
    before = total(house)
    with Client(house.url) as client:
        replay = client.replay("talk", failing(2, status=429), mode=mode, control=False, budget=Budget(calls=2))
        taken = client.session(replay.takes[0].session_id)
    results = replay.takes[0].results

    assert State.DONE is replay.state
    assert ("HTTP" in (results[1].failure or ""), 429, 1) == (True, results[1].status, results[1].attempts)
    assert "The patch has it fail with HTTP 429." == results[1].failure
    expected = 2 if mode is Mode.ANCHORED else 1
    assert (expected, expected) == (total(house) - before, replay.spent.calls)
    assert expected + 1 == len(taken)
    assert (mode is Mode.CHAINED) == results[2].skipped


def test_an_answer_breaks_off_after_its_recorded_pieces(house: House) -> None:
    """The take holds what had come by then."""
    before = total(house)
    with Client(house.url) as client:
        replay = client.replay("talk", failing(3, cut_after=2), control=False)
        recorded = client.session("talk")[2]
        cut = client.session(replay.takes[0].session_id)[2]
    result = replay.takes[0].results[2]

    assert result.failure is not None
    assert result.failure.startswith("The patch cuts the answer after ")
    assert (1, 0) == (result.attempts, result.cost_nanodollars)
    whole, came = (call.response_body["choices"][0]["message"]["content"] for call in (recorded, cut))
    assert came
    assert whole.startswith(came)
    assert len(came) < len(whole)
    assert 2 == total(house) - before


def test_a_late_answer_is_recorded_as_late(house: House) -> None:
    """By at least what the patch says."""
    with Client(house.url) as client:
        replay = client.replay("talk", failing(1, delay_ms=300), control=False)
        calls = client.session(replay.takes[0].session_id)

    assert 0 == replay.progress.failed
    assert 300 <= next(call.delay_ms for call in calls if call.body["messages"][-1]["content"] == "One?")


def test_the_agent_of_a_fork_meets_the_fault_once_and_its_second_try_goes_on(house: House) -> None:
    """Its SDK asks again after 429; the fault is of the recorded call, which was asked then."""
    before = total(house)
    with Client(house.url) as client:
        replay = client.start("talk", failing(2, status=429, retry_after_s=0), mode=Mode.FORK, playback=changed())
        with openai.OpenAI(base_url=client.base_url(replay.takes[0]) + "/oai/v1", api_key="sk-agent") as agent:
            assert 3 == len(talk(agent))
        done = client.finish(replay.id)
    played = done.takes[0].played

    assert ["record", "nobody", "live", "record"] == [call.served.value for call in played]
    assert ("The patch has it fail with HTTP 429.", 429) == (played[1].reason, played[1].status)
    assert 1 == total(house) - before


def test_the_agent_of_a_fork_sees_its_stream_break_off(house: House) -> None:
    """As it does when a provider's connection breaks."""
    with Client(house.url) as client:
        replay = client.start("talk", failing(3, cut_after=2), mode=Mode.FORK, playback=changed())
        with openai.OpenAI(base_url=client.base_url(replay.takes[0]) + "/oai/v1", api_key="sk-agent") as agent:
            assert is_broken_off(agent)
        done = client.finish(replay.id)

    assert done.takes[0].played[2].reason.startswith("The patch cuts the answer after ")


def is_broken_off(agent: openai.OpenAI) -> bool:
    """Return whether the agent's SDK tells it that the connection broke."""
    try:
        talk(agent)
    except openai.APIConnectionError:
        return True
    return False


def changed() -> Playback:
    """Return a fork at the calls that the patch changes."""
    return Playback(fork=Fork(changed=True))


def test_the_python_client_says_faults() -> None:
    """As the edit that is sent."""
    assert Fault(status=503, retry_after_s=2) == fault(status=503, retry_after_s=2)
