"""Playback as a user has it: the real commands, several gateway workers, a stream, and a server that is killed meanwhile."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from reenact.client import Client
from reenact.domain.playback import Level, Server
from reenact.domain.replay import Mode, State
from tests.journeys.conftest import Running, running, start, stop

BODY: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "stream": True,
    "messages": [{"role": "user", "content": "Are cats better than dogs?"}],
}


@pytest.fixture
def arguments(provider: Running, tmp_path: Path) -> tuple[str, ...]:
    """A server with two gateway workers."""
    return (
        "serve", "--data", str(tmp_path / "data"), "--port", "0", "--upstream", f"openai={provider.url}",
        "--gateway-workers", "2",
    )  # fmt: skip


def ask(http: httpx2.Client, base_url: str, session_id: str | None = None) -> tuple[int, bytes]:
    """Make the call on a connection of its own, so that any worker may have it."""
    headers = {"authorization": "Bearer sk-test", "connection": "close"}
    headers |= {"helicone-session-id": session_id} if session_id else {}
    answer = http.post(f"{base_url}/oai/v1/chat/completions", json=BODY, headers=headers)
    return answer.status_code, answer.content


def test_takes_are_played_whichever_worker_is_called(arguments: tuple[str, ...], http: httpx2.Client) -> None:
    """Byte for byte, twelve times, each once; and the thirteenth is refused by whichever has it."""
    with running(*arguments) as server, Client(server.url) as client:
        recorded = [ask(http, f"{server.url}/v1/gateway", "source") for _ in range(12)]
        replay = client.start("source", mode=Mode.PLAYBACK)
        base_url = client.base_url(replay.takes[0])
        played = [ask(http, base_url) for _ in range(12)]
        refused = ask(http, base_url)
        done = client.finish(replay.id)

    assert recorded == played
    assert 409 == refused[0]
    assert [(Level.EXACT, Server.RECORD, index) for index in range(1, 13)] == [
        (call.level, call.served, call.index) for call in done.takes[0].played[:12]
    ]


def test_a_killed_server_leaves_no_take_open(arguments: tuple[str, ...], http: httpx2.Client) -> None:
    """The replay is over after the restart, its take's calls are refused, and none of them goes to the provider."""
    server = start(*arguments)
    with Client(server.url) as client:
        ask(http, f"{server.url}/v1/gateway", "source")
        replay = client.start("source", mode=Mode.PLAYBACK)
    server.kill()
    stop(server)

    with running(*arguments) as server, Client(server.url) as client:
        told = ask(http, f"{server.url}{replay.takes[0].base_path}")
        kept = (client.get_replay(replay.id).state for _ in range(10_000))
        last = next(state for state in kept if state is not State.RUNNING)

    assert 404 == told[0]
    assert State.FAILED is last
