"""No replay runs an agent's tool, whatever its mode and its policies, but for those that a policy names with `callback`."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from reenact.client import Client, append_system, patch
from reenact.client.client import ReplayOptions
from reenact.domain.patch import Patch
from reenact.domain.playback import Driver, OnMiss, Playback
from reenact.domain.policy import (
    Callback,
    ErrorResult,
    Policies,
    Recorded,
    Simulate,
    Static,
    Stop,
    ToolPolicy,
    ToolRule,
)
from reenact.domain.replay import Budget, CallResult, Mode, Replay, State
from reenact.errors import ServerRefused
from tests.fakes.serving import serving
from tests.fakes.toolbox import Model, ToolServer, run_agent
from tests.journeys.conftest import Running, running

LIMA = patch(append_system(" Go to Lima."))


@pytest.fixture
def model() -> Model:
    """A model that nobody asked yet."""
    return Model()


@pytest.fixture
def tool() -> ToolServer:
    """A tool server that nobody asked yet."""
    return ToolServer()


@pytest.fixture
def address(tool: ToolServer) -> Iterator[str]:
    """Where the tool server stands."""
    with serving(tool, lifespan="off") as origin:
        yield f"{origin}/run?of=weather"


@pytest.fixture
def server(model: Model, address: str, tmp_path: Path) -> Iterator[Running]:
    """A server that may call the tool server, with a recorded session of one tool call."""
    with serving(model, lifespan="off") as origin:
        arguments = ("serve", "--data", str(tmp_path / "data"), "--port", "0", "--upstream", f"openai={origin}")
        with running(*arguments, environ={"REENACT_ALLOWED_TARGETS": "127.0.0.1"}) as command:
            run_agent(command.url, "trip")
            model.asked.clear()
            yield command


@pytest.fixture
def client(server: Running) -> Iterator[Client]:
    """A client of it."""
    with Client(server.url) as connected:
        yield connected


def policies(*of_weather: ToolPolicy) -> Policies:
    """Return these for the tool `weather`."""
    return Policies(tools=(ToolRule(tool="weather", policies=of_weather),))


def last(replay: Replay) -> CallResult:
    """Return what became of the second call."""
    return replay.takes[0].results[-1]


def stop_of(replay: Replay) -> str:
    """Return why the second call was not asked."""
    return last(replay).failure or ""


WITHOUT: dict[str, ReplayOptions] = {
    "anchored": {"mode": Mode.ANCHORED},
    "chained": {"mode": Mode.CHAINED},
    "playback": {"mode": Mode.PLAYBACK, "playback": Playback(driver=Driver.SERVER, on_miss=OnMiss.STOP)},
    "recorded": {"mode": Mode.CHAINED, "policies": policies(Recorded())},
    "static": {"mode": Mode.CHAINED, "policies": policies(Static("none"))},
    "error": {"mode": Mode.CHAINED, "policies": policies(ErrorResult())},
    "simulate": {"mode": Mode.CHAINED, "policies": policies(Simulate())},
    "stop": {"mode": Mode.CHAINED, "policies": policies(Stop())},
}


@pytest.mark.parametrize("how", WITHOUT)
def test_no_tool_runs_without_a_callback(client: Client, tool: ToolServer, address: str, how: str) -> None:
    """Though the take asks for it with new arguments, and another tool's callback names its address."""
    options: ReplayOptions = {**WITHOUT[how], "control": False}
    if "policies" in options:
        other = ToolRule(tool="forecast", policies=(Callback(address),))
        options["policies"] = msgspec.structs.replace(options["policies"], tools=(*options["policies"].tools, other))
    changed = Patch() if how == "playback" else LIMA

    done = client.replay("trip", changed, **options)

    assert State.DONE is done.state
    assert [] == tool.asked


def test_a_callback_answers_the_tool_once(client: Client, tool: ToolServer, address: str) -> None:
    """The new call only: what the record knows it answers. The result goes into the take, and is recorded in its session."""
    done = client.replay("trip", LIMA, mode=Mode.CHAINED, policies=policies(Recorded(), Callback(address)))

    changed = done.takes[0]
    rows = client.session(changed.session_id)
    [(headers, body)] = tool.asked
    assert {"_type": "tool", "toolName": "weather", "input": {"city": "Lima"}} == msgspec.json.decode(body)
    assert "authorization" not in headers
    assert [headers["idempotency-key"]] == [row.request_id for row in rows if row.model == "tool:weather"]
    assert [None, None] == [result.failure for result in changed.results]
    assert "It is: sun over Lima" in str(rows[-1].response_body)
    assert 5 == done.spent.calls
    assert 0 == done.spent.unpriced_calls


def test_a_tools_key_is_sent_to_it_and_written_nowhere(
    client: Client, tool: ToolServer, address: str, tmp_path: Path
) -> None:
    """Only where the policy says so; without it the replay is refused before anything is sent."""
    keyed = policies(Callback(address, is_keyed=True))
    with pytest.raises(ServerRefused, match="There is no key for the tools"):
        client.start("trip", LIMA, mode=Mode.CHAINED, policies=keyed)

    keys = {"openai": "sk-test", "tools": "sesame-street"}
    client.replay("trip", LIMA, mode=Mode.CHAINED, policies=keyed, control=False, provider_keys=keys)

    assert ["Bearer sesame-street"] == [headers["authorization"] for headers, _ in tool.asked]
    written = [path for path in (tmp_path / "data").rglob("*") if path.is_file() and b"sesame" in path.read_bytes()]
    assert [] == written


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (500, b"no such city", "weather could not be asked: HTTP 500: no such city"),
        (302, b"", "weather could not be asked: HTTP 302: "),
        (200, b"x" * (1024 * 1024 + 1), "weather could not be asked: the tool gave back more than 1,048,576 bytes"),
        (200, b"\xff", "weather could not be asked: its result cannot be read"),
    ],
)
def test_a_tool_that_fails_stops_its_branch(
    client: Client, tool: ToolServer, address: str, status: int, body: bytes, why: str
) -> None:
    """It is not asked again, and the result says why."""
    tool.status, tool.body = status, body

    done = client.replay("trip", LIMA, mode=Mode.CHAINED, policies=policies(Callback(address)), control=False)

    assert stop_of(done).startswith(why)
    assert 1 == len(tool.asked)


def test_a_tool_that_takes_too_long_stops_its_branch(client: Client, tool: ToolServer, address: str) -> None:
    """After the time that the policy gives it."""
    tool.is_silent = True

    slow = policies(Callback(address, timeout_s=0.2))
    done = client.replay("trip", LIMA, mode=Mode.CHAINED, policies=slow, control=False)

    assert "weather could not be asked: the tool gave no result within 0.2 s" == stop_of(done)


def test_a_tool_is_not_asked_beyond_the_budget(client: Client, tool: ToolServer, address: str) -> None:
    """A budget of one call is spent by the model's."""
    bounded = Budget(calls=1)
    paused = client.replay(
        "trip", LIMA, mode=Mode.CHAINED, policies=policies(Callback(address)), control=False, budget=bounded
    )

    assert (State.PAUSED, [], 1) == (paused.state, tool.asked, paused.spent.calls)


def test_addresses_inside_the_network_are_refused_at_planning(
    model: Model, tool: ToolServer, address: str, tmp_path: Path
) -> None:
    """Unless the server's owner allows them; the place is named and nothing is sent."""
    with serving(model, lifespan="off") as origin:
        arguments = ("serve", "--data", str(tmp_path / "closed"), "--port", "0", "--upstream", f"openai={origin}")
        with running(*arguments) as command, Client(command.url) as client:
            run_agent(command.url, "trip")
            model.asked.clear()
            for url in (address, "https://10.0.0.1/run", "http://tools.example/run", "https://me:secret@tools.example"):
                with pytest.raises(ServerRefused) as refused:
                    client.plan("trip", LIMA, mode=Mode.CHAINED, policies=policies(Recorded(), Callback(url)))
                assert (422, "policies.tools[0].policies[1].url") == (refused.value.status, refused.value.field)
                assert "secret" not in refused.value.message
    assert ([], []) == (model.asked, tool.asked)


def test_functions_of_the_client_answer(client: Client, tool: ToolServer) -> None:
    """In the caller's process, with the model's arguments; the tool server hears of nothing."""
    asked = []

    def weather(city: str) -> dict[str, str]:
        asked.append(city)
        return {city: "fog"}

    done = client.replay("trip", LIMA, mode=Mode.CHAINED, tools={"weather": weather})

    rows = client.session(done.takes[0].session_id)
    assert ["Lima"] == asked
    assert 'It is: {\\"Lima\\":\\"fog\\"}' in msgspec.json.encode(rows[-1].response_body).decode()
    assert [] == tool.asked


def test_a_function_that_raises_stops_its_branch(client: Client) -> None:
    """And the result says what it raised."""

    def weather(city: str) -> str:
        raise LookupError(city)

    done = client.replay("trip", LIMA, mode=Mode.CHAINED, tools={"weather": weather}, control=False)

    assert "weather could not be asked: LookupError: Lima" == stop_of(done)


def test_a_result_that_nobody_waits_for_is_refused(client: Client, server: Running) -> None:
    """Of a replay that is over, and of no replay at all; and what is no result."""
    waits = policies(Callback(timeout_s=60))
    replay = client.start("trip", LIMA, mode=Mode.CHAINED, policies=waits, control=False)
    [tool] = next(progress.tools for progress in client.watch(replay.id) if progress.tools)
    assert ("weather", '{"city":"Lima"}', 1) == (tool.name, tool.arguments, tool.take)
    http = client._http
    path = f"{server.url}/v1/replay/{replay.id}/tools/"

    assert 404 == http.post(f"{path}other", json={"result": "x"}).status_code
    assert 422 == http.post(f"{path}{tool.id}", json={}).status_code
    assert 422 == http.post(f"{path}{tool.id}", json={"result": 1, "error": "x"}).status_code
    assert 413 == http.post(f"{path}{tool.id}", json={"result": "x" * (1024 * 1024 + 1)}).status_code
    assert 200 == http.post(f"{path}{tool.id}", json={"result": "fog"}).status_code
    assert 404 == http.post(f"{path}{tool.id}", json={"result": "sun"}).status_code
    *_, over = client.watch(replay.id)
    assert (State.DONE, ()) == (over.state, over.tools)


def test_a_killed_replay_asks_no_tool_twice_that_answered(
    model: Model, tool: ToolServer, address: str, tmp_path: Path
) -> None:
    """The tool's result was recorded; the server was killed while the model was asked with it."""
    with serving(model, lifespan="off") as origin:
        arguments = ("serve", "--data", str(tmp_path / "data"), "--port", "0", "--upstream", f"openai={origin}")
        allowed = {"REENACT_ALLOWED_TARGETS": "127.0.0.1"}
        with running(*arguments, environ=allowed) as first, Client(first.url) as client:
            run_agent(first.url, "trip")
            model.holds_results = True
            begun = client.start("trip", LIMA, mode=Mode.CHAINED, policies=policies(Callback(address)), control=False)
            assert model.held.wait(30)
            first.kill()
        model.holds_results = False
        with running(*arguments, environ=allowed) as second, Client(second.url) as client:
            *_, over = client.watch(begun.id)
            done = client.get_replay(begun.id)

    assert (State.DONE, None) == (over.state, last(done).failure)
    assert 1 == len(tool.asked)
