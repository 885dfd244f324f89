"""Killing the server at any moment loses no call whose agent saw the end of its answer, and doubles none."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.journeys.conftest import Running, running, start, stop

SEED = 20261122
Received = tuple[str, str]
"""The id of a call and what was asked."""


@pytest.fixture(scope="module")
def provider() -> Iterator[Running]:
    """The scripted provider, which outlives the servers."""
    with running("provider", "--port", "0") as command:
        yield command


def call(url: str, number: int, received: list[Received]) -> None:
    """Make one call, every other one streamed, and note it once the whole answer has come."""
    body = {
        "model": "gpt-4o-mini",
        "stream": number % 2 == 0,
        "messages": [{"role": "user", "content": f"Question {number}?"}],
    }
    headers = {"authorization": "Bearer sk-test", "helicone-session-id": "killed"}
    with (
        httpx2.Client(trust_env=False, timeout=30) as http,
        http.stream("POST", f"{url}/v1/gateway/oai/v1/chat/completions", json=body, headers=headers) as answer,
    ):
        for chunk in answer.iter_raw():
            if b"data: [DONE]" in chunk:  # where an SDK stops reading: for it, this is the end
                break
        received.append((answer.headers["helicone-id"], f"Question {number}?"))


def agents(url: str, first: int, received: list[Received], enough: threading.Event, wanted: int) -> None:
    """Make calls one after the other until the server is gone."""
    number = first
    while True:
        try:
            call(url, number, received)
        except httpx2.TransportError:
            return
        if len(received) >= wanted:
            enough.set()
        number += 1


@pytest.mark.parametrize(
    ("store", "kills"),
    [
        ("sqlite", 10),
        ("chdb", 4),
        pytest.param("sqlite", 100, marks=pytest.mark.slow),
        pytest.param("chdb", 100, marks=pytest.mark.slow),
    ],
)
def test_nothing_acknowledged_is_lost_or_doubled(provider: Running, tmp_path: Path, store: str, kills: int) -> None:
    """Agents call until the server is killed, again and again; in the end every received call is there, once."""
    chance = random.Random(SEED)
    upstream = f"openai={provider.url}"
    arguments = ("serve", "--store", store, "--data", str(tmp_path / "data"), "--port", "0", "--upstream", upstream)
    received: list[Received] = []
    for round_number in range(kills):
        server = start(*arguments)
        enough = threading.Event()
        wanted = len(received) + chance.randint(1, 40)
        with ThreadPoolExecutor(4) as pool:
            for agent in range(4):
                pool.submit(agents, server.url, round_number * 100_000 + agent * 10_000, received, enough, wanted)
            assert enough.wait(60)
            server.kill()
        stop(server)

    with running(*arguments) as server, httpx2.Client(trust_env=False, timeout=30) as http:
        kept: list[Received] = []
        while True:
            query = {"filter": "all", "limit": 1000, "offset": len(kept), "sort": {"created_at": "asc"}}
            page = http.post(f"{server.url}/v1/request/query", json=query).json()["data"]
            if not page:
                break
            kept += [(row["request_id"], row["request_body"]["messages"][0]["content"]) for row in page]

    assert len(received) > kills
    assert sorted({call_id for call_id, _ in kept}) == sorted(call_id for call_id, _ in kept)
    assert sorted(set(received) - set(kept)) == []
