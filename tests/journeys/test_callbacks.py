"""Libraries that call providers themselves and tell of it afterwards, unmodified but for the host.

Each is a program in `clients/` that prints its calls as it saw them.
"""

import json
import os
import subprocess
from typing import Any

import httpx2
import pytest

from tests.journeys.conftest import Running
from tests.journeys.test_clients import CLIENTS, PYTHON


def told_by(program: str, server: Running, provider: Running, session_id: str) -> list[dict[str, Any]]:
    """Run a program and return its calls as it saw them."""
    environ = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
    done = subprocess.run(
        [str(PYTHON), "-W", "ignore", program],
        cwd=CLIENTS,
        env=environ
        | {
            "GATEWAY": server.url,
            "PROVIDER": provider.url,
            "HELICONE_API_KEY": server.key,
            "SESSION_ID": session_id,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert 0 == done.returncode, done.stderr
    calls: list[dict[str, Any]] = json.loads(done.stdout)
    return calls


def rows(server: Running, session_id: str) -> list[dict[str, Any]]:
    """Return the rows of a session, oldest first."""
    query = {"filter": {"properties": {"Helicone-Session-Id": {"equals": session_id}}}, "sort": {"created_at": "asc"}}
    with httpx2.Client(trust_env=False, timeout=30) as http:
        answer = http.post(
            f"{server.url}/v1/request/query", json=query, headers={"authorization": f"Bearer {server.key}"}
        )
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
    return found


@pytest.mark.skipif(not PYTHON.exists(), reason="needs the clients' environment: run scripts/setup clients")
def test_litellms_callback(server: Running, provider: Running) -> None:
    """A chat and a stream: model, words, tokens, cost, user and properties are what LiteLLM saw and was told."""
    seen = told_by("litellm_callback.py", server, provider, "litellm callback")
    found = rows(server, "litellm callback")

    said = [row["response_body"]["choices"][0]["message"]["content"] for row in found]
    assert seen == [
        {"text": text, "usage": [row["prompt_tokens"], row["completion_tokens"]], "tools": []}
        for text, row in zip(said, found, strict=True)
    ]
    assert [("gpt-4o-mini", "OPENAI", "ann", "LiteLLM")] * 2 == [
        (row["model"], row["provider"], row["request_user_id"], row["properties"]["tool"]) for row in found
    ]
    assert all(row["cost"] > 0 for row in found)


@pytest.mark.skipif(not PYTHON.exists(), reason="needs the clients' environment: run scripts/setup clients")
def test_openllmetrys_instrumentation_of_openai(server: Running, provider: Running) -> None:
    """A chat and a stream in one span: model, words, tokens, cost, and where in the tree they stand."""
    seen = told_by("openllmetry_openai.py", server, provider, "openllmetry")
    found = rows(server, "openllmetry")

    said = [row["response_body"]["choices"][0]["message"]["content"] for row in found]
    assert seen == [
        {"text": text, "usage": [row["prompt_tokens"], row["completion_tokens"]], "tools": []}
        for text, row in zip(said, found, strict=True)
    ]
    assert [("gpt-4o-mini", "OPENAI", "/trip/openai.chat")] * 2 == [
        (row["model"], row["provider"], row["path"]) for row in found
    ]
    spans = [row["told"]["span"] for row in found]
    assert (1, 1, 2) == tuple(len({span[name] for span in spans}) for name in ("trace_id", "parent_id", "span_id"))
    assert all(row["cost"] > 0 for row in found)
