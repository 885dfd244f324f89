"""Real agent sessions go through the gateway and come back from the API as they were sent."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.fakes import tau_bench
from tests.fakes.serving import serving
from tests.journeys.conftest import Running, running

pytestmark = pytest.mark.skipif(not tau_bench.DATA.exists(), reason=tau_bench.MISSING)


@pytest.fixture(scope="module")
def recorded() -> list[tau_bench.Recorded]:
    """The fifty smallest sessions."""
    return tau_bench.sessions(50)


@pytest.fixture
def gateway(recorded: list[tau_bench.Recorded], tmp_path: Path) -> Iterator[Running]:
    """A server whose OpenAI answers with the recorded turns."""
    with (
        serving(tau_bench.upstream(recorded)) as upstream,
        running("serve", "--data", str(tmp_path / "data"), "--port", "0", "--upstream", f"openai={upstream}") as server,
    ):
        yield server


def play(session: tau_bench.Recorded, url: str, http: httpx2.Client) -> list[bytes]:
    """Send a session's requests in order, as its agent did, and return the answers' bytes."""
    headers = {
        "authorization": f"Bearer {session.name}",
        "content-type": "application/json",
        "helicone-session-id": session.name,
        "helicone-session-name": "tau-bench",
        "helicone-session-path": "/airline",
    }
    return [
        http.post(f"{url}/v1/gateway/oai/v1/chat/completions", content=turn.request, headers=headers).content
        for turn in session.turns
    ]


def test_fifty_sessions_come_back_as_they_were_sent(
    gateway: Running, recorded: list[tau_bench.Recorded], http: httpx2.Client
) -> None:
    """Every request and every answer of every session equals what was sent, in order."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda session: play(session, gateway.url, http), recorded))
    assert [[turn.answer for turn in session.turns] for session in recorded] == answers

    for session in recorded:
        rows = http.post(
            f"{gateway.url}/v1/request/query",
            json={
                "filter": {"properties": {"Helicone-Session-Id": {"equals": session.name}}},
                "sort": {"created_at": "asc"},
                "limit": 1000,
            },
        ).json()["data"]

        assert [json.loads(turn.request) for turn in session.turns] == [row["request_body"] for row in rows]
        assert [json.loads(turn.answer) for turn in session.turns] == [row["response_body"] for row in rows]
        assert {"/airline"} == {row["path"] for row in rows}
