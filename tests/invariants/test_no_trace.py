"""What is deleted is in no file any more, while the server runs on."""

from pathlib import Path

import httpx2
import pytest

from tests.fakes.traces import lying_about
from tests.journeys.conftest import running

MARK = "kx7q2vw9zt4m"


def call(http: httpx2.Client, url: str, session_id: str, text: str, **headers: str) -> httpx2.Response:
    """Make one call as an agent does, its answer to be kept in the cache."""
    said = {
        "authorization": "Bearer sk-test",
        "helicone-session-id": session_id,
        "helicone-cache-enabled": "true",
        **headers,
    }
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}
    answer = http.post(f"{url}/v1/gateway/oai/v1/chat/completions", json=body, headers=said)
    answer.raise_for_status()
    return answer


def count(http: httpx2.Client, url: str) -> int:
    """Return how many calls the server knows."""
    counted: int = http.post(f"{url}/v1/request/count/query", json={"filter": "all"}).json()["data"]
    return counted


@pytest.mark.parametrize("workers", ["0", "1"])
def test_nothing_of_a_deleted_session_is_left(workers: str, tmp_path: Path) -> None:
    """Not in the store, the journal, the cache, the plans of its replays nor their takes; other sessions stay whole."""
    data = tmp_path / "data"
    with (
        running("provider", "--port", "0") as provider,
        running(
            "serve", "--data", str(data), "--port", "0", "--upstream", f"openai={provider.url}",
            "--gateway-workers", workers,
        ) as server,
        httpx2.Client(trust_env=False, timeout=60) as http,
    ):  # fmt: skip
        for number in range(4):
            call(http, server.url, "gone", f"My secret is {MARK}, say {number}", **{"helicone-user-id": MARK})
            call(http, server.url, "kept", f"Something else {number}")
        assert 8 == count(http, server.url)
        patch = {"edits": [{"select": {}, "edit": {"op": "set", "path": "/temperature", "value": 0}}]}
        http.post(f"{server.url}/v1/replay", json={"session_id": "gone", "patch": patch})
        before = lying_about(data)
        answer = http.delete(f"{server.url}/v1/session/gone", params={"wait": "true"})
        after = lying_about(data)
        left = count(http, server.url)
        again = http.delete(f"{server.url}/v1/session/gone")
        hit = call(http, server.url, "new", f"My secret is {MARK}, say 1")
        health = http.get(f"{server.url}/healthcheck").json()

    assert MARK.encode() in before
    assert (200, True) == (answer.status_code, answer.json()["data"]["wiped"])
    assert 4 == left
    assert MARK.encode() not in after
    assert (404, "MISS", {"status": "healthy :)"}) == (again.status_code, hit.headers["helicone-cache"], health)


def test_what_was_removed_before_a_kill_is_wiped_by_the_next_start(tmp_path: Path) -> None:
    """The answer to a deletion outlives the process: nothing comes back, and the bytes go."""
    arguments = ("serve", "--data", str(tmp_path / "data"), "--port", "0")
    with running("provider", "--port", "0") as provider, httpx2.Client(trust_env=False, timeout=60) as http:
        upstream = ("--upstream", f"openai={provider.url}")
        with running(*arguments, *upstream) as server:
            call(http, server.url, "gone", f"My secret is {MARK}")
            call(http, server.url, "kept", "Something else")
            assert 2 == count(http, server.url)
            assert 200 == http.delete(f"{server.url}/v1/session/gone").status_code
            server.kill()
        with running(*arguments, *upstream) as server:
            assert 1 == count(http, server.url)
            call(http, server.url, "other", "And more")
            assert 200 == http.delete(f"{server.url}/v1/session/other", params={"wait": "true"}).status_code
            after = lying_about(tmp_path / "data")

    assert MARK.encode() not in after
