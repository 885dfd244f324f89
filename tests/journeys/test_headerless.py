"""An agent of which only the base URL was changed: its sessions are listed, asked for, planned and shown like any other."""

import json
import os
import subprocess
from typing import Any

import httpx2
import pytest

from tests.journeys.conftest import REENACT, Running
from tests.journeys.test_clients import CLIENTS, PYTHON


@pytest.mark.skipif(not PYTHON.exists(), reason="needs the clients' environment: run scripts/setup clients")
def test_agents_without_headers_have_sessions(server: Running, http: httpx2.Client) -> None:
    """Two that begin alike at once have one each: three calls in order, by the API, on the page and for a replay."""
    environ = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
    command = [str(PYTHON), "-W", "ignore", "openai_headerless.py"]
    given = environ | {"GATEWAY": server.url, "SESSION_ID": ""}
    done = subprocess.run(command, cwd=CLIENTS, env=given, capture_output=True, text=True, check=False, timeout=120)
    assert 0 == done.returncode, done.stderr
    agents: list[list[str]] = json.loads(done.stdout)
    page = http.post(f"{server.url}/v1/session/query", json={"filter": "all"})
    listed = page.raise_for_status().json()["data"]
    assert [3, 3] == [one["total_requests"] for one in listed]
    sessions = {one["session_id"]: rows(server, http, one["session_id"]) for one in listed}
    assert {f"inferred-{ids[0]}" for ids in agents} == sessions.keys()
    assert {one for ids in agents for one in ids} == {one for ids in sessions.values() for one in ids}
    for session_id, ids in sessions.items():
        assert session_id == f"inferred-{ids[0]}"
        assert all(each in step for each, step in zip(ids, zip(*agents, strict=True), strict=True))
        assert "Inferred: no agent named this session" in http.get(f"{server.url}/sessions/{session_id}").text
        planned = subprocess.run(
            [*REENACT, "replay", session_id, "--dry-run", "--json", "--url", server.url],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert 0 == planned.returncode, planned.stderr
        assert ids == [call["call_id"] for call in json.loads(planned.stdout)["calls"]]


def rows(server: Running, http: httpx2.Client, session_id: str) -> list[str]:
    """Return the ids of a session's calls, in the order they were made."""
    query: dict[str, Any] = {
        "filter": {"properties": {"Helicone-Session-Id": {"equals": session_id}}},
        "sort": {"created_at": "asc"},
        "limit": 100,
    }
    answer = http.post(f"{server.url}/v1/request/query", json=query).raise_for_status().json()
    return [row["request_id"] for row in answer["data"]]
