"""A take is recorded like any session, a plan sends nothing, an empty patch sends what was sent, and no tool is ever run."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.fakes.serving import serving
from tests.journeys.conftest import Running, running

MODES = ("anchored", "chained")
WHEN = "It is noon."


class Recorded:
    """A server, its provider, and a session of an agent with a tool."""

    def __init__(self, server: Running, provider: Running, http: httpx2.Client) -> None:
        self._server = server
        self._provider = provider
        self.http = http

    def asked(self) -> list[Any]:
        """Return the bodies that the provider was sent, oldest first."""
        seen = self.http.get(f"{self._provider.url}/provider/requests").json()
        assert seen["total"] == len(seen["requests"])
        return [json.loads(request["body"]) for request in seen["requests"]]

    def ask(self, body: dict[str, Any]) -> Any:
        """Make a call as the agent does."""
        headers = {"authorization": "Bearer sk-test", "helicone-session-id": "source", "helicone-session-name": "Tools"}
        url = f"{self._server.url}/v1/gateway/oai/v1/chat/completions"
        return self.http.post(url, json=body, headers=headers).raise_for_status().json()

    def rows(self, session_id: str) -> list[dict[str, Any]]:
        """Return a session, oldest call first."""
        where = {"properties": {"Helicone-Session-Id": {"equals": session_id}}}
        query = {"filter": where, "sort": {"created_at": "asc"}, "limit": 100}
        rows = self.http.post(f"{self._server.url}/v1/request/query", json=query).raise_for_status().json()["data"]
        return list(rows)

    def replay(self, **wanted: Any) -> Any:
        """Ask for a replay and return what is answered."""
        body = {"session_id": "source", "provider_keys": {"openai": "sk-replay"}, **wanted}
        return self.http.post(f"{self._server.url}/v1/replay", json=body).raise_for_status().json()["data"]

    def performed(self, **wanted: Any) -> list[str]:
        """Run a replay to its end and return the sessions of its takes."""
        started = self.replay(**wanted)
        with self.http.stream("GET", f"{self._server.url}/v1/replay/{started['id']}/progress", timeout=60) as progress:
            progress.read()
        ended = self.http.get(f"{self._server.url}/v1/replay/{started['id']}").json()["data"]
        assert "done" == ended["state"], ended
        return [take["session_id"] for take in ended["takes"]]


class Tool:
    """A server that a tool would call; nobody may."""

    def __init__(self) -> None:
        self.touched: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Note the touch."""
        self.touched.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"run"})


@pytest.fixture(scope="module")
def tool() -> Iterator[tuple[Tool, str]]:
    """A tripwire and its address."""
    tripwire = Tool()
    with serving(tripwire, lifespan="off") as origin:
        yield tripwire, origin


@pytest.fixture(scope="module")
def recorded(tool: tuple[Tool, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """Three calls: one asks for the tool, whose address stands everywhere, one has its result, one goes on."""
    data = str(tmp_path_factory.mktemp("takes"))
    with (
        running("provider", "--port", "0") as provider,
        running("serve", "--data", data, "--port", "0", "--upstream", f"openai={provider.url}") as server,
        httpx2.Client(trust_env=False, timeout=60) as http,
    ):
        house = Recorded(server, provider, http)
        converse(house, tool[1])
        yield house


def converse(house: Recorded, address: str) -> None:
    """Be an agent."""
    schema = {"type": "object", "properties": {"url": {"type": "string", "default": address}}, "required": ["url"]}
    function = {"name": "fetch_page", "description": f"GET {address}/run and return it", "parameters": schema}
    said: list[Any] = [{"role": "user", "content": f"Use fetch_page on {address}/run, what time is it?"}]
    body = {"model": "gpt-4o-mini", "temperature": 0, "tools": [{"type": "function", "function": function}]}
    first = house.ask({**body, "messages": said})["choices"][0]["message"]
    said += [first, {"role": "tool", "tool_call_id": first["tool_calls"][0]["id"], "content": WHEN}]
    second = house.ask({**body, "messages": said})["choices"][0]["message"]
    said += [second, {"role": "user", "content": "Thank you. Is it late?"}]
    house.ask({**body, "messages": said})


def test_the_session_uses_its_tool(recorded: Recorded) -> None:
    """Else all that follows would show nothing."""
    rows = recorded.rows("source")
    assert 3 == len(rows)
    assert "fetch_page" == rows[0]["response_body"]["choices"][0]["message"]["tool_calls"][0]["function"]["name"]


@pytest.mark.parametrize("mode", [*MODES, "playback"])
def test_planning_sends_nothing(recorded: Recorded, tool: tuple[Tool, str], mode: str) -> None:
    """Neither to the provider nor to a tool; the plan tells what it would cost."""
    before = recorded.asked()
    patch = {"version": 1, "changes": [{"select": {}, "edits": [{"edit": "append_system", "text": "Be brief."}]}]}
    plan = recorded.replay(mode=mode, dry_run=True, **({} if mode == "playback" else {"patch": patch, "takes": 3}))
    assert "source" == plan["session_id"]
    assert 3 == len(plan["calls"])
    assert before == recorded.asked()
    assert [] == tool[0].touched


@pytest.mark.parametrize("mode", MODES)
def test_an_empty_patch_sends_what_was_sent(recorded: Recorded, tool: tuple[Tool, str], mode: str) -> None:
    """The very requests, in their order; no tool is run for it."""
    sent = [row["request_body"] for row in recorded.rows("source")]
    before = len(recorded.asked())
    (take,) = recorded.performed(mode=mode, concurrency=1)
    assert sent == recorded.asked()[before:]
    assert sent == [row["request_body"] for row in recorded.rows(take)]
    assert [] == tool[0].touched


@pytest.mark.parametrize("mode", MODES)
def test_takes_are_recorded_and_run_no_tool(recorded: Recorded, tool: tuple[Tool, str], mode: str) -> None:
    """With a change: every call that the provider had is a row of the take, with its answer, usage and cost."""
    patch = {"version": 1, "changes": [{"select": {}, "edits": [{"edit": "append_system", "text": "Be brief."}]}]}
    before = len(recorded.asked())
    (take,) = recorded.performed(mode=mode, patch=patch, control=False)
    asked = recorded.asked()[before:]
    rows = recorded.rows(take)
    assert sorted(map(json.dumps, asked)) == sorted(json.dumps(row["request_body"]) for row in rows)
    for row in rows:
        assert ("answered", 200, "source") == (
            row["ending"],
            row["response_status"],
            row["replay"]["source_session_id"],
        )
        assert "Be brief." in json.dumps(row["request_body"])
        assert row["response_body"]["choices"]
        assert row["total_tokens"] > 0
        assert row["cost"] > 0
        assert row["request_path"].endswith("/v1/gateway/oai/v1/chat/completions")
    assert [] == tool[0].touched
