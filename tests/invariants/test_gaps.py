"""An agent's call never fails or waits because recording failed; what was lost is counted and shown."""

import resource
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.journeys.conftest import Running, running

LOST = 7


def ask(http: httpx2.Client, url: str, text: str) -> httpx2.Response:
    """Make a call."""
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}
    headers = {"authorization": "Bearer sk-test", "helicone-session-id": "gaps"}
    return http.post(f"{url}/v1/gateway/oai/v1/chat/completions", json=body, headers=headers)


def writer_of(server: Running, workers: str) -> int:
    """Return the process that writes the journal: the server's one worker, or the server itself."""
    process = server.process.pid
    if workers == "0":
        return process
    (worker,) = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return int(worker)


@pytest.mark.parametrize("workers", ["0", "1"])
def test_calls_go_on_while_nothing_can_be_written(
    provider: Running, http: httpx2.Client, tmp_path: Path, workers: str
) -> None:
    """The disk is full for a while: every agent is answered, and health and page tell how many calls are lost and why."""
    arguments = ("serve", "--data", str(tmp_path / "data"), "--port", "0", "--upstream", f"openai={provider.url}")
    with running(*arguments, "--gateway-workers", workers) as server:
        assert 200 == ask(http, server.url, "Before?").status_code
        before = http.post(f"{server.url}/v1/request/query", json={"filter": "all"}).json()["data"]
        assert "healthy :)" == http.get(f"{server.url}/healthcheck").json()["status"]

        # A limit on the size of files stops root, too; the kernel answers a write with "File too large".
        writer = writer_of(server, workers)
        soft, hard = resource.prlimit(writer, resource.RLIMIT_FSIZE)
        resource.prlimit(writer, resource.RLIMIT_FSIZE, (0, hard))
        answers = [ask(http, server.url, f"Lost {number}?") for number in range(LOST)]
        assert [200] * LOST == [answer.status_code for answer in answers]
        assert all(answer.json()["choices"][0]["message"]["content"] for answer in answers)
        health: dict[str, Any] = {}
        until_s = time.monotonic() + 30
        while time.monotonic() < until_s:  # a worker tells every second how it goes
            health = http.get(f"{server.url}/healthcheck").json()
            http.post(f"{server.url}/v1/request/query", json={"filter": "all"})
            if any(str(LOST) in trouble for trouble in health.get("troubles", [])):
                break
        assert "degraded" == health["status"]
        assert [f"Calls that could not be recorded since the server started: {LOST}."] == health["troubles"]

        resource.prlimit(writer, resource.RLIMIT_FSIZE, (soft, hard))
        after = ask(http, server.url, "After?")
        assert 200 == after.status_code
        kept = http.post(f"{server.url}/v1/request/query", json={"filter": "all"}).json()["data"]
        assert {before[0]["request_id"], after.headers["helicone-id"]} == {row["request_id"] for row in kept}
        page = http.get(f"{server.url}/").text
        assert f"{LOST} call" in page
        assert "File too large" in page
