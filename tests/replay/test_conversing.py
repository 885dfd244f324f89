"""A conversation that the provider holds: what a call saw of it is said in full, and nothing is ever written into it."""

from collections.abc import Iterator

import httpx2
import msgspec
import openai
import pytest

from reenact.client import Client, Selector, append_system, change, patch, patch_json, set_model, set_parameter
from reenact.domain.call import Bodies, Call
from reenact.domain.exchange import Ending, Handling
from reenact.domain.message import Json, Lost
from reenact.domain.patch import Patch
from reenact.domain.playback import Fork, OnMiss, Playback
from reenact.domain.replay import Mode, PlannedCall, State
from reenact.errors import InvalidPatch, ServerRefused
from reenact.replay.expanding import Earlier
from reenact.replay.planning import plan
from reenact.replay.recording import Recording
from tests.fakes.house import House, a_house
from tests.replay.recordings import a_call
from tests.replay.test_planning import price

ROOT = "https://api.openai.com/v1"


def one(number: int, path: str, body: Json, answer: Json, **given: object) -> tuple[Call, Bodies]:
    """Return the call that was made as the *number*-th to a path, and its bodies."""
    is_response = path == "responses"
    fields: dict[str, object] = {
        "dialect": "openai_responses" if is_response else "opaque",
        "created_us": 1_700_000_000_000_000 + number * 1_000_000,
        "target_url": f"{ROOT}/{path}",
        "response_id": f"resp-{number}" if is_response else None,
    }
    raw = b"" if body is None else msgspec.json.encode(body)
    call = a_call(f"call-{number}", **(fields | {"request_body_bytes": len(raw)} | given))
    return call, Bodies(request=raw, response=b"{}", answer_json=msgspec.json.encode(answer))


def begun(number: int = 1, body: Json = None, **given: object) -> tuple[Call, Bodies]:
    """Return the call by which `conv-1` was begun."""
    return one(number, "conversations", body, {"id": "conv-1", "object": "conversation"}, **given)


def asked(number: int, text: str, *, conversation: Json = "conv-1", **given: object) -> tuple[Call, Bodies]:
    """Return a response in a conversation: a thought and a text with its number."""
    body = {"model": "gpt-5", "instructions": "Be kind.", "input": text, "conversation": conversation}
    output = [
        {"type": "reasoning", "id": "rs", "summary": []},
        {"type": "message", "id": f"m{number}", "status": "completed", "role": "assistant", "content": said(number)},
    ]
    return one(number, "responses", body, {"output": output, "conversation": {"id": "conv-1"}}, **given)


def said(number: int) -> Json:
    """Return an answer's content."""
    return [{"type": "output_text", "text": f"Answer {number}."}]


def planned(*recorded: tuple[Call, Bodies], earlier: Earlier | None = None) -> tuple[PlannedCall, ...]:
    """Return what a control does with the calls of a session."""
    recording = Recording(
        session_id="talk",
        calls=[call for call, _ in recorded],
        bodies={call.id: bodies for call, bodies in recorded},
        earlier=earlier or Earlier(),
    )
    return plan(recording, Patch(), Mode.ANCHORED, 1, price).calls


def input_of(call: PlannedCall) -> list[str]:
    """Return the texts of a planned request's input."""
    items = msgspec.json.decode(call.body)["input"]
    return [
        item["content"] if isinstance(item["content"], str) else item["content"][0]["text"]
        for item in ([{"content": items}] if isinstance(items, str) else items)
    ]


def test_a_control_says_in_full_what_the_conversation_held() -> None:
    """Its first items, what was added, inputs and outputs, in order; its name is never sent, and the plan shows all of that."""
    items = [{"type": "message", "role": "user", "content": "Hello."}]
    more = {"items": [{"type": "message", "role": "user", "content": "By the way."}]}
    begins, first, adds, second = planned(
        begun(body={"items": items}),
        asked(2, "One?", conversation={"id": "conv-1"}),
        one(3, "conversations/conv-1/items", more, {"data": [{"id": "m3"}]}),
        asked(4, "Two?"),
    )

    assert ["skip", "ask", "skip", "ask"] == [call.action for call in (begins, first, adds, second)]
    assert "it asks no model" in begins.reason
    assert "it asks no model" in adds.reason
    assert ["Hello.", "One?"] == input_of(first)
    assert ["Hello.", "One?", "Answer 2.", "By the way.", "Two?"] == input_of(second)
    assert "conversation" not in msgspec.json.decode(second.body)
    assert "/conversation" in [change.path for change in second.changes]
    assert (Lost("/conversation", "what the model thought before is held by the provider"),) == second.lost


def test_the_first_call_of_an_empty_conversation_says_only_its_input() -> None:
    """A conversation may be begun with no body at all."""
    assert ["One?"] == input_of(planned(begun(), asked(2, "One?"))[1])


def test_the_estimate_counts_the_history_once() -> None:
    """The recorded tokens hold it already."""
    _, first, second = planned(begun(), asked(2, "One?"), asked(3, "Two?"))

    assert (100, 100) == (first.expected_input_tokens, second.expected_input_tokens)


def test_calls_of_other_sessions_count_by_their_time() -> None:
    """Those before the call, not those after it."""
    elsewhere = Earlier(conversations={"conv-1": [begun(), asked(2, "One?"), asked(4, "Three?")]})
    (second,) = planned(asked(3, "Two?"), earlier=elsewhere)

    assert ["One?", "Answer 2.", "Two?"] == input_of(second)


def test_what_left_nothing_in_the_conversation_is_not_said() -> None:
    """Refused calls, those out of a cache or of a playback, those that only read, those of another provider."""
    *_, last = planned(
        begun(),
        asked(2, "Refused.", status=429),
        asked(3, "Kept.", handling=Handling(cache_reference_id="call-0")),
        asked(4, "Played.", handling=Handling(played_from="call-0")),
        asked(5, "Lost.", ending=Ending.UNREACHED, status=-100),
        one(6, "conversations/conv-1/items", None, {"data": []}, method="GET"),
        one(7, "conversations/conv-1", {"metadata": {"a": "b"}}, {"id": "conv-1"}),
        asked(8, "Elsewhere.", provider="groq"),
        asked(9, "Two?"),
    )

    assert ["Two?"] == input_of(last)


def test_a_patch_of_whole_bodies_writes_into_no_conversation_either() -> None:
    """What a Python function makes of a recorded body names the conversation still; its history is put in its place."""
    recorded = [begun(), asked(2, "One?"), asked(3, "Two?")]
    recording = Recording(
        session_id="talk", calls=[call for call, _ in recorded], bodies={call.id: held for call, held in recorded}
    )
    third = Selector(calls=(3,))
    new = {"model": "gpt-5", "input": "TWO?", "conversation": "conv-1"}
    loud = patch(change(patch_json({"op": "replace", "path": "", "value": new}), select=third))
    calls = plan(recording, loud, Mode.ANCHORED, 1, price).calls

    assert ["One?", "Answer 2.", "TWO?"] == input_of(calls[2])
    for name in ("conv-2", {"id": "conv-2"}):
        elsewhere = patch(change(set_parameter("conversation", name), select=third))
        with pytest.raises(InvalidPatch, match="Call 3: the request would write into a conversation"):
            plan(recording, elsewhere, Mode.ANCHORED, 1, price)


def test_an_item_that_was_taken_out_is_not_said() -> None:
    """Where the record tells which one it was."""
    deleted = one(3, "conversations/conv-1/items/m2", None, {"id": "conv-1"}, method="DELETE")
    *_, last = planned(begun(), asked(2, "One?"), deleted, asked(4, "Two?"))

    assert ["One?", "Two?"] == input_of(last)


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ([], "the beginning of the conversation conv-1 was not recorded"),
        (
            [begun(), asked(2, "One?", ending=Ending.CLIENT_LEFT, status=-3)],
            "what call call-2 left in the conversation",
        ),
        (
            [begun(), one(2, "responses", None, {"conversation": {"id": "conv-1"}, "output": [{"type": "message"}]})],
            "what call call-2 left in the conversation",
        ),
        (
            [begun(), one(2, "conversations/conv-1/items", None, {}, handling=Handling(omitted_request=True))],
            "what call call-2 put into the conversation",
        ),
        (
            [begun(), one(2, "conversations/conv-1/items/m9", None, {}, method="DELETE")],
            "which item call call-2 took out was not recorded",
        ),
    ],
    ids=["no beginning", "broke off", "left out body", "left out items", "unknown item"],
)
def test_a_conversation_that_was_not_recorded_whole_is_left_alone(before: list[tuple[Call, Bodies]], why: str) -> None:
    """The reason says what is missing."""
    last = planned(*before, asked(9, "Two?"))[-1]

    assert "skip" == last.action
    assert last.reason.startswith("asking it again would write into a conversation at the provider, and ")
    assert why in last.reason


# --- over a whole server ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server with a conversation that two sessions and a call of no session wrote into."""
    with a_house(tmp_path_factory.mktemp("house") / "data") as running:
        talk(running)
        yield running


def sdk(house: House, session: str | None = None) -> openai.OpenAI:
    """Return OpenAI's own client, in a session."""
    headers = {} if session is None else {"helicone-session-id": session}
    return openai.OpenAI(base_url=f"{house.url}/v1/gateway/oai/v1", api_key="sk-agent", default_headers=headers)


def talk(house: House) -> None:
    """Record the conversation."""
    with sdk(house) as alone, sdk(house, "early") as early, sdk(house, "late") as late:
        held = alone.conversations.create(items=[{"type": "message", "role": "user", "content": "Call me Ada."}])
        early.responses.create(model="gpt-5", input="One?", conversation=held.id)
        late.conversations.items.create(held.id, items=[{"type": "message", "role": "user", "content": "I like tea."}])
        late.responses.create(model="gpt-5", instructions="You debate.", input="Two?", conversation={"id": held.id})
        with late.responses.stream(model="gpt-5", input="Three?", conversation=held.id) as stream:
            stream.until_done()


def received(house: House) -> list[str]:
    """Return the bodies that the provider has received."""
    origin = house.settings.upstreams["openai"]
    requests = httpx2.get(f"{origin}/provider/requests", trust_env=False).json()["requests"]
    return [request["body"] for request in requests if request["path"].endswith("/responses")]


@pytest.mark.parametrize("mode", [Mode.ANCHORED, Mode.CHAINED], ids=lambda mode: mode.value)
def test_a_control_is_answered_as_it_was_recorded_and_writes_nothing(house: House, mode: Mode) -> None:
    """The scripted provider's answer follows from all that a request says, its conversation included."""
    before = len(received(house))
    with Client(house.url) as client:
        replay = client.replay("late", mode=mode)
        again = client.session(replay.takes[0].session_id)
        recorded = [call for call in client.session("late") if call.body and "model" in call.body]

    assert (State.DONE, 0, 2) == (replay.state, replay.progress.failed, replay.progress.answered)
    assert [one.response_body["output"][0]["content"] for one in recorded] == [
        one.response_body["output"][0]["content"] for one in again
    ]
    assert all("conv_" not in body for body in received(house)[before:])
    assert ["Call me Ada.", "One?", "I like tea.", "Two?"] == [
        item["content"] for item in again[0].body["input"] if item["role"] == "user"
    ]


def test_another_provider_is_told_the_conversation(house: House) -> None:
    """New answers carried on, in its own format."""
    with Client(house.url) as client:
        change = patch(append_system(" Now."), set_model("claude-x"))
        replay = client.replay("late", change, mode=Mode.CHAINED, control=False)
        two, three = client.session(replay.takes[0].session_id)

    assert (State.DONE, 0) == (replay.state, replay.progress.failed)
    assert two.response_body["content"][0]["text"] == three.body["messages"][-2]["content"]


def test_a_fork_is_refused_in_the_middle_of_a_conversation(house: House) -> None:
    """At planning, nothing sent."""
    with Client(house.url) as client, pytest.raises(ServerRefused, match="Call 3 would be asked for real in the conv"):
        client.start("late", mode=Mode.FORK, playback=Playback(fork=Fork(call=3)))


def test_a_miss_is_not_asked_for_real_in_a_recorded_conversation(house: House) -> None:
    """Whatever the policy for misses is."""
    before = len(received(house))
    with Client(house.url) as client:
        recorded = [call for call in client.session("late") if call.body and "model" in call.body]
        replay = client.start("late", mode=Mode.PLAYBACK, playback=Playback(on_miss=OnMiss.LIVE))
        with openai.OpenAI(base_url=client.base_url(replay.takes[0]) + "/oai/v1", api_key="sk-agent") as agent:
            with pytest.raises(openai.UnprocessableEntityError, match="recorded session"):
                agent.responses.create(
                    model="gpt-5", input="Something else?", conversation=recorded[0].body["conversation"]["id"]
                )
            own = agent.conversations.create()
            answer = agent.responses.create(model="gpt-5", input="Something else?", conversation=own.id)
        client.finish(replay.id)

    assert "completed" == answer.status
    assert 1 == len(received(house)) - before
