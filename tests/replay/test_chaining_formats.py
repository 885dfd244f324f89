"""Chained takes in formats other than OpenAI's chat: Gemini's calls without ids, and state that only one model accepts."""

from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import httpx2
import msgspec
import pytest

from reenact.client import Client, append_system, patch, set_model
from reenact.dialects.registry import dialect_named
from reenact.domain.divergence import Unknown, Validity
from reenact.domain.message import Json, Lost, Prompt
from reenact.domain.patch import Patch, SetModel
from reenact.domain.policy import Policies
from reenact.domain.replay import Answered, AskCall, CallResult, Mode, Plan, PlannedCall, State, Take
from reenact.replay.carrying.fabric import Fabric
from reenact.replay.carrying.tape import Recorded
from reenact.replay.chaining import perform_chained
from reenact.replay.editing import edited
from reenact.replay.performing import advance
from tests.fakes.house import House, a_house
from tests.replay.test_swapping_live import SCRIPT, record, session


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server with a Gemini tool loop and a Gemini session that writes one answer into the next prompt."""
    with a_house(tmp_path_factory.mktemp("house") / "data", script=SCRIPT) as running:
        record(running.url, "gemini", False)
        yield running


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server with a Gemini session that writes one answer into the next prompt."""
    with a_house(tmp_path_factory.mktemp("house") / "data") as running, httpx2.Client(trust_env=False) as agent:
        said = "the sea"
        for number in (1, 2):
            asked = f"Write about this: {said}"
            body = {
                "systemInstruction": {"parts": [{"text": "You write."}]},
                "contents": [{"role": "user", "parts": [{"text": asked}]}],
            }
            headers = {
                "authorization": "Bearer k",
                "helicone-session-id": "talk",
                "helicone-session-path": f"/{number}",
            }
            url = f"{running.url}/v1/gateway/google/v1beta/models/gemini-2.0-flash:generateContent"
            answer = agent.post(url, json=body, headers=headers).raise_for_status().json()
            said = answer["candidates"][0]["content"]["parts"][0]["text"]
        yield running


def test_parallel_calls_without_ids_are_given_their_results_in_order(house: House) -> None:
    """As recorded for the control; told apart by their order in a changed take."""
    with Client(house.url) as client:
        recorded = [row.body for row in client.session(session("gemini", False))]
        control = client.replay(session("gemini", False), mode=Mode.CHAINED)
        changed = client.replay(
            session("gemini", False), patch(append_system(" Now.")), mode=Mode.CHAINED, control=False
        )
        same = [row.body for row in client.session(control.takes[0].session_id)]
        new = [row.body for row in client.session(changed.takes[0].session_id)]

    assert (State.DONE, State.DONE) == (control.state, changed.state)
    assert recorded == same
    assert recorded[1]["contents"] == new[1]["contents"]
    assert {Validity.ON_TAPE} == {result.validity for result in changed.takes[0].results}


def test_an_answer_in_a_prompt_is_carried(talker: House) -> None:
    """Rewritten whole, and logged."""
    with Client(talker.url) as client:
        replay = client.replay("talk", patch(set_model("gemini-other")), mode=Mode.CHAINED, control=False)
        one, two = client.session(replay.takes[0].session_id)

    new = one.response_body["candidates"][0]["content"]["parts"][0]["text"]
    assert f"Write about this: {new}" == two.body["contents"][0]["parts"][0]["text"]
    assert [1] == [rewrite.source for rewrite in replay.takes[0].results[1].rewrites]


# --- state ---------------------------------------------------------------------------------------------------------------

ASKED: dict[str, Callable[..., Json]] = {
    "anthropic_messages": lambda *turns: {"model": "old", "max_tokens": 9, "messages": list(turns)},
    "gemini": lambda *turns: {"contents": list(turns)},
    "openai_responses": lambda *turns: {"model": "old", "input": [one for turn in turns for one in turn]},
}
USER: dict[str, Callable[[str], Json]] = {
    "anthropic_messages": lambda text: {"role": "user", "content": text},
    "gemini": lambda text: {"role": "user", "parts": [{"text": text}]},
    "openai_responses": lambda text: [{"role": "user", "content": text}],
}


def thought(dialect: str, text: str, state: str) -> Json:
    """Return an answer's turn with opaque state in it."""
    if dialect == "anthropic_messages":
        thinking = {"type": "thinking", "thinking": "Hm.", "signature": state}
        return {"role": "assistant", "content": [thinking, {"type": "text", "text": text}]}
    if dialect == "gemini":
        return {"role": "model", "parts": [{"text": text, "thoughtSignature": state}]}
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    return [{"type": "reasoning", "summary": [], "encrypted_content": state}, said]


def answer(dialect: str, turn: Json) -> Json:
    """Return the answer's body that holds a turn."""
    if dialect == "anthropic_messages":
        return {"id": "m", "model": "m", "stop_reason": "end_turn", **turn}
    if dialect == "gemini":
        return {"candidates": [{"content": turn, "finishReason": "STOP"}]}
    return {"id": "r", "status": "completed", "output": turn}


def take_of(dialect: str, models: dict[int, str]) -> tuple[dict[int, str], dict[int, CallResult]]:
    """Return what a take sends and what became of its calls, when *models* are asked in place of `old`, by position."""
    reader = dialect_named(dialect)
    assert reader is not None
    user, first, before = USER[dialect], thought(dialect, "One.", "old-1"), thought(dialect, "Before.", "old-0")
    bodies = (
        ASKED[dialect](user("Zero?"), before, user("One?")),
        ASKED[dialect](user("Zero?"), before, user("One?"), first, user("Two?")),
    )
    answers = (first, thought(dialect, "Two.", "old-2"))
    tape = tuple(
        Recorded(
            index=at, prompt=reader.read_prompt(body), answer=reader.read_answer(answer(dialect, turn)),
            started_us=at * 10_000_000, ended_us=at * 10_000_000 + 1,
        )
        for at, (body, turn) in enumerate(zip(bodies, answers, strict=True), start=1)
    )  # fmt: skip
    calls = tuple(
        PlannedCall(
            index=at, call_id=f"call-{at}", path="/", prompt_id=None, model=models.get(at, "old"), provider="p",
            dialect=dialect, is_other_model=at in models, action="ask", url="http://gateway", body=msgspec.json.encode(body),
        )
        for at, body in enumerate(bodies, start=1)
    )  # fmt: skip
    plan = Plan(session_id="s", session_name="", mode=Mode.CHAINED, patch=Patch(), takes=1, calls=calls)

    def edit(index: int, prompt: Prompt) -> Prompt:
        return reduce(edited, [SetModel(models[index])] if index in models and prompt.model else [], prompt)

    performance = perform_chained(plan, Take(number=1, session_id="t"), Fabric(tape), Policies(), edit)
    step: Any = advance(performance)
    sent: dict[int, str] = {}
    while not isinstance(step, Take):
        (ask,) = step
        assert isinstance(ask, AskCall)
        sent[ask.index] = ask.body.decode()
        turn = thought(dialect, f"New {ask.index}.", f"{ask.model}-{ask.index}")
        said = reader.read_answer(answer(dialect, turn))
        step = advance(performance, Answered(index=ask.index, call_id="new", status=200, answer=said))
    return sent, {one.index: one for one in step.results}


@pytest.mark.parametrize("dialect", ASKED)
def test_another_model_is_sent_its_own_state_only(dialect: str) -> None:
    """What the recorded one thought is left out and told; what the new one thought in this take stays."""
    sent, results = take_of(dialect, {1: "new", 2: "new"})

    assert "old-0" not in sent[1] + sent[2]
    assert "new-1" in sent[2]
    assert ["only the model that thought it can read it"] * 2 == [
        lost.why for one in results.values() for lost in one.lost
    ]
    assert {Unknown.STATE} <= {doubt.unknown for doubt in results[1].doubts}


@pytest.mark.parametrize("dialect", ASKED)
def test_the_recorded_model_is_not_sent_the_state_of_another(dialect: str) -> None:
    """Where only an earlier call is asked of another model."""
    sent, results = take_of(dialect, {1: "new"})

    assert "old-0" in sent[2]
    assert "new-1" not in sent[2]
    assert "New 1." in sent[2]
    assert 1 == len(results[2].lost)


@pytest.mark.parametrize("dialect", ASKED)
def test_state_stays_where_no_model_changes(dialect: str) -> None:
    """It is the model's own."""
    sent, results = take_of(dialect, {})

    assert "old-0" in sent[2]
    assert "old-1" in sent[2]
    assert [(), ()] == [one.lost for one in results.values()]


def test_lost_places_are_those_of_the_request() -> None:
    """As its agent sends it."""
    _, results = take_of("anthropic_messages", {1: "new"})

    assert (Lost("/messages/1", "only the model that thought it can read it"),) == results[1].lost
    assert (Lost("/messages/3", "only the model that thought it can read it"),) == results[2].lost
