"""The client library against a real server: record, list, plan, replay, watch, compare, score."""

import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from reenact.client import Client, Selector, append_system, change, patch, set_model, set_parameter
from reenact.domain.replay import FieldChange, Progress, State
from reenact.errors import ServerRefused, ServerUnreachable
from tests.fakes.house import House, a_house

PERSONA = " Take the persona of a field expert."


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server with one recorded session of three calls."""
    with a_house(tmp_path_factory.mktemp("house") / "data") as running:
        running.say("debate", "one", "two", "three")
        yield running


@pytest.fixture
def client(house: House) -> Iterator[Client]:
    """A client of it."""
    with Client(house.url) as connected:
        yield connected


def test_a_session_is_listed_and_read(client: Client) -> None:
    """Found by a part of its name; its calls oldest first with both bodies."""
    (session,) = [one for one in client.sessions("I Deb") if one.session_id == "debate"]
    assert ("AI Debate", 3, 0, ("gpt-4o-mini",)) == (
        session.session_name,
        session.total_requests,
        session.failed_requests,
        session.models,
    )

    requests = client.session("debate")
    assert ["one", "two", "three"] == [request.body["messages"][1]["content"] for request in requests]
    assert all(request.response_body["choices"][0]["message"]["content"] for request in requests)
    assert [("/debate", "assistant-response", 200)] * 3 == [
        (request.path, request.prompt_id, request.response_status) for request in requests
    ]


def test_requests_are_read_page_by_page(client: Client) -> None:
    """However small the pages are, each call comes once, in order."""
    where = {"properties": {"Helicone-Session-Id": {"equals": "debate"}}}

    whole = [request.request_id for request in client.requests(where, direction="asc")]

    assert 3 == len(set(whole))
    assert whole == [request.request_id for request in client.requests(where, direction="asc", page=1)]
    assert whole[::-1] == [request.request_id for request in client.requests(where, page=2)]


def test_a_plan_sends_nothing(client: Client) -> None:
    """It says what would change and what it would cost, and no session is made."""
    before = [session.session_id for session in client.sessions()]

    plan = client.plan("debate", patch(append_system(PERSONA)), takes=2)

    difference = FieldChange(path="/messages/0/content", before="You debate.", after="You debate." + PERSONA)
    assert [(difference,)] * 3 == [call.changes for call in plan.calls]
    assert plan.expected_cost_nanodollars > 0
    assert before == [session.session_id for session in client.sessions()]


def test_a_replay_asks_every_call_with_the_change_and_nothing_else(client: Client) -> None:
    """Each take is a session of its own with path, prompt id and link; bodies differ in the patched fields alone."""
    seen: list[Progress] = []
    judged = change(set_parameter("temperature", 0), select=Selector(calls=(2,)))

    replay = client.replay(
        "debate",
        patch(change(append_system(PERSONA), set_model("gpt-4o")), judged),
        takes=2,
        control=False,
        on_progress=seen.append,
    )

    assert (State.DONE, 2) == (replay.state, len(replay.takes))
    assert (6, 6, 0) == (seen[-1].calls, seen[-1].answered, seen[-1].failed)
    recorded = client.session("debate")
    for take in replay.takes:
        asked = {
            request.replay.source_call_id: request for request in client.session(take.session_id) if request.replay
        }
        assert {one.source_call_id: one.call_id for one in take.results} == {
            source: request.request_id for source, request in asked.items()
        }
        for number, before in enumerate(recorded, start=1):
            after = asked[before.request_id]
            expected = msgspec.json.decode(msgspec.json.encode(before.body))
            expected["model"] = "gpt-4o"
            expected["messages"][0]["content"] += PERSONA
            if number == 2:
                expected["temperature"] = 0
            assert expected == after.body
            assert (before.path, before.prompt_id) == (after.path, after.prompt_id)
            assert "Replay of AI Debate" == after.properties["Helicone-Session-Name"]


def test_the_control_sends_what_was_recorded_and_the_answers_are_the_same(client: Client) -> None:
    """The scripted provider answers equal requests equally, so that any difference would be ours."""
    replay = client.replay("debate", session_name="Control")

    comparison = client.compare("debate", replay.takes[0].session_id)

    assert (3, 0) == (comparison.paired, comparison.different)
    assert ("AI Debate", "Control") == (comparison.left_name, comparison.right_name)


def test_a_comparison_tells_what_a_change_did(client: Client) -> None:
    """Calls are paired by the replay's links; tokens of both sides are summed."""
    replay = client.replay("debate", patch(append_system(PERSONA)))

    comparison = client.compare("debate", replay.takes[0].session_id)

    assert (3, 3) == (comparison.paired, comparison.different)
    assert comparison.right.input_tokens > comparison.left.input_tokens


def test_failed_calls_are_kept_and_told(client: Client) -> None:
    """The rest of the replay goes on."""
    fault = change(append_system(" [[fault: status=429]]"), select=Selector(calls=(2,)))

    replay = client.replay("debate", patch(fault))

    assert (State.DONE, 1) == (replay.state, replay.progress.failed)
    failures = [result.failure for result in replay.takes[0].results]
    assert [None, None] == failures[::2]
    assert failures[1] is not None
    assert failures[1].startswith("HTTP 429: ")


def test_replays_of_a_session_are_listed_and_got_by_id(client: Client) -> None:
    """Newest first."""
    first = client.replay("debate", session_name="Listed")
    second = client.replay("debate", session_name="Listed")

    listed = [replay for replay in client.replays("debate") if replay.session_name == "Listed"]

    assert [second, first] == listed
    assert first == client.get_replay(first.id)


def test_a_replay_is_cancelled_at_once(client: Client) -> None:
    """Though its provider never answers."""
    started = client.start("debate", patch(append_system(" [[fault: hang]]")))

    cancelled = client.cancel(started.id)

    assert State.CANCELLED is cancelled.state
    assert [State.CANCELLED] == [progress.state for progress in client.watch(started.id)]


def test_scores_and_feedback_are_kept(client: Client) -> None:
    """The last write of a name wins."""
    request = client.session("debate")[0]

    client.score(request.request_id, {"good": 0.5})
    client.score(request.request_id, {"good": 0.75, "polite": 1})
    client.feedback(request.request_id, rating=True)

    rated = client.session("debate")[0]
    assert (0.75, 1) == (rated.scores["good"], rated.scores["polite"])
    assert rated.feedback_rating is True


@pytest.mark.parametrize(
    ("session_id", "where", "status", "field"),
    [("nobody", Selector(), 404, ""), ("debate", Selector(path="/none"), 422, "changes[0].select")],
)
def test_what_the_server_refuses_is_one_error(
    client: Client, session_id: str, where: Selector, status: int, field: str
) -> None:
    """With its status and its place."""
    with pytest.raises(ServerRefused) as caught:
        client.plan(session_id, patch(change(set_model("m"), select=where)))

    assert (status, field) == (caught.value.status, caught.value.field)


def test_a_replay_that_is_not_there_cannot_be_watched(client: Client) -> None:
    """Refusals of a stream are understood like all others."""
    with pytest.raises(ServerRefused, match="no-such-replay"):
        list(client.watch("no-such-replay"))


def test_no_server_is_one_error_with_advice() -> None:
    """The address and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with Client(url) as client, pytest.raises(ServerUnreachable, match=f"{url}.*reenact serve"):
            client.sessions()


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://127.0.0.1"])
def test_an_address_that_is_none_is_the_same_error(url: str) -> None:
    """Not a traceback of the HTTP library."""
    with Client(url) as client, pytest.raises(ServerUnreachable):
        client.sessions()


def test_a_server_that_asks_for_a_key_is_given_it(tmp_path: Path) -> None:
    """Without one the error says how to give it."""
    with a_house(tmp_path / "data", require_key=True) as house:
        with Client(house.url) as nobody, pytest.raises(ServerRefused, match="--key") as caught:
            nobody.sessions()
        with Client(house.url, house.key) as somebody:
            assert [] == somebody.sessions()

    assert 401 == caught.value.status
