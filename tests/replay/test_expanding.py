"""What a request only names, the provider's history, is said in full where it has to be; elsewhere it stays as recorded."""

from collections.abc import Iterator

import httpx2
import msgspec
import pytest

from reenact.client import Client, append_system, patch, set_model
from reenact.domain.call import Call
from reenact.domain.message import Json, Lost
from reenact.domain.patch import Change, Patch, SetModel
from reenact.domain.replay import Mode, Plan, State
from reenact.replay.planning import plan
from reenact.replay.recording import Recording
from tests.fakes.house import House, a_house
from tests.replay.recordings import a_call, a_recording
from tests.replay.test_planning import price

URL = "http://127.0.0.1:8585/v1/gateway/openai/v1/responses"


def responses(number: int, **given: object) -> Call:
    """Return a call of the Responses API whose answer is named `resp-<number>`."""
    fields = {"dialect": "openai_responses", "url": URL, "response_id": f"resp-{number}"} | given
    return a_call(f"call-{number}", **fields)


def held(*bodies: Json) -> Recording:
    """Return a session of these requests, each answered by a thought and a text with its number."""
    recording = a_recording(*((responses(number), body) for number, body in enumerate(bodies, start=1)))
    answers = {
        f"call-{number}": {
            "output": [
                {"type": "reasoning", "id": "rs", "summary": []},
                {
                    "type": "message",
                    "id": "m",
                    "status": "completed",
                    "role": "assistant",
                    "content": said(f"Answer {number}."),
                },
            ]
        }
        for number in range(1, len(bodies) + 1)
    }
    with_answers = {
        name: msgspec.structs.replace(one, answer_json=msgspec.json.encode(answers[name]))
        for name, one in recording.bodies.items()
    }
    return msgspec.structs.replace(recording, bodies=with_answers)


def said(text: str) -> Json:
    """Return an answer's content."""
    return [{"type": "output_text", "text": text}]


def swap(recording: Recording, model: str) -> Plan:
    """Return the plan of asking *model* in every call."""
    return plan(recording, Patch(changes=(Change(edits=(SetModel(model),)),)), Mode.ANCHORED, 1, price)


THREE = held(
    {"model": "gpt-5", "instructions": "Be kind.", "input": "one"},
    {"model": "gpt-5", "instructions": "Be brief.", "input": "two", "previous_response_id": "resp-1"},
    {"model": "gpt-5", "input": [{"role": "user", "content": "three"}], "previous_response_id": "resp-2"},
)


def test_a_changed_call_is_asked_with_its_whole_history() -> None:
    """Inputs and outputs back to the first; instructions are each request's own; thoughts are told as lost."""
    last = swap(THREE, "gpt-6").calls[2]

    assert {
        "model": "gpt-6",
        "input": [
            {"role": "user", "content": "one"},
            {"type": "message", "role": "assistant", "content": said("Answer 1.")},
            {"role": "user", "content": "two"},
            {"type": "message", "role": "assistant", "content": said("Answer 2.")},
            {"role": "user", "content": "three"},
        ],
    } == msgspec.json.decode(last.body)
    assert (Lost("/previous_response_id", "what the model thought before is held by the provider"),) == last.lost


def test_another_provider_is_told_it_too() -> None:
    """In its own format."""
    second = swap(THREE, "claude-x").calls[1]

    body = msgspec.json.decode(second.body)
    assert "Be brief." == body["system"]
    assert ["one", "Answer 1.", "two"] == [message["content"] for message in body["messages"]]


def test_an_unchanged_call_stays_as_it_was_recorded() -> None:
    """To the byte: the control asks of the provider's own history."""
    recording = THREE
    calls = plan(recording, Patch(), Mode.ANCHORED, 1, price).calls

    assert [recording.bodies[call.call_id].request for call in calls] == [call.body for call in calls]


def test_a_history_that_was_not_recorded_is_left_to_its_provider_and_kept_from_others() -> None:
    """The reason stands in the plan."""
    recording = held({"model": "gpt-5", "input": "two", "previous_response_id": "resp-0"})

    (same,), (other,) = swap(recording, "gpt-6").calls, swap(recording, "claude-x").calls
    assert "resp-0" == msgspec.json.decode(same.body)["previous_response_id"]
    assert ("skip", "the response resp-0 was not recorded, which another provider does not know") == (
        other.action,
        other.reason,
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server with three requests that each go on from the one before, the first in a session of its own."""
    with a_house(tmp_path_factory.mktemp("house") / "data") as running, httpx2.Client(trust_env=False) as agent:
        named: Json = None
        for session, text in (("early", "One?"), ("late", "Two?"), ("late", "Three?")):
            body = {"model": "gpt-5", "instructions": "You debate.", "input": text, "previous_response_id": named}
            headers = {"authorization": "Bearer sk-agent", "helicone-session-id": session}
            address = f"{running.url}/v1/gateway/openai/v1/responses"
            named = agent.post(address, json=body, headers=headers).raise_for_status().json()["id"]
        yield running


@pytest.mark.parametrize("mode", [Mode.ANCHORED, Mode.CHAINED], ids=lambda mode: mode.value)
def test_a_history_of_another_session_is_found(house: House, mode: Mode) -> None:
    """In the same organisation; the other provider is given all of it."""
    with Client(house.url) as client:
        replay = client.replay("late", patch(append_system(" Now."), set_model("claude-x")), mode=mode, control=False)
        two, three = client.session(replay.takes[0].session_id)
        first = client.session("early")[0].response_body["output"][0]["content"][0]["text"]

    assert (State.DONE, 0) == (replay.state, replay.progress.failed)
    assert ["One?", first, "Two?"] == [message["content"] for message in two.body["messages"]]
    answer = two.response_body["content"][0]["text"]
    assert [*two.body["messages"][:-1], "Two?"] == [*three.body["messages"][:2], three.body["messages"][2]["content"]]
    assert ("Three?", "You debate. Now.") == (three.body["messages"][-1]["content"], three.body["system"])
    if mode is Mode.CHAINED:
        assert answer == three.body["messages"][3]["content"]


@pytest.mark.parametrize("mode", [Mode.ANCHORED, Mode.CHAINED], ids=lambda mode: mode.value)
def test_the_control_names_what_it_goes_on_from(house: House, mode: Mode) -> None:
    """As recorded; chained, by the id of the new answer."""
    with Client(house.url) as client:
        replay = client.replay("late", mode=mode)
        two, three = client.session(replay.takes[0].session_id)
        recorded = client.session("late")

    assert (State.DONE, 0) == (replay.state, replay.progress.failed)
    assert [one.body for one in recorded] == [two.body, three.body]
