"""Libraries that call providers themselves and tell of it afterwards, unmodified but for the host.

Each is a program in `clients/` that prints its calls as it saw them.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.journeys.conftest import Running
from tests.journeys.test_clients import CLIENTS, PYTHON

LEGACY = Path(__file__).parents[2] / ".venv-legacy" / "bin" / "python"
NEEDS_LEGACY = pytest.mark.skipif(not LEGACY.exists(), reason="needs an environment: run scripts/setup legacy")


def told_by(
    program: str, server: Running, provider: Running, session_id: str, python: Path = PYTHON
) -> list[dict[str, Any]]:
    """Run a program and return its calls as it saw them."""
    environ = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
    done = subprocess.run(
        [str(python), "-W", "ignore", program],
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


@NEEDS_LEGACY
def test_the_first_helicone_packages_logger(server: Running, provider: Running) -> None:
    """A chat and a stream: words, tokens, user and property are as it saw them; the key that it tells is not kept."""
    seen = told_by("helicone_logger.py", server, provider, "none", LEGACY)
    with httpx2.Client(trust_env=False, timeout=30, headers={"authorization": f"Bearer {server.key}"}) as http:
        query = {"filter": "all", "sort": {"created_at": "asc"}}
        found = http.post(f"{server.url}/v1/request/query", json=query).raise_for_status().json()["data"]

    assert [one["text"] for one in seen] == [row["response_body"]["choices"][0]["message"]["content"] for row in found]
    assert [seen[0]["usage"], [None, None]] == [[row["prompt_tokens"], row["completion_tokens"]] for row in found]
    assert [("gpt-4o-mini", "OPENAI", "ann", "logger")] * 2 == [
        (row["model"], row["provider"], row["request_user_id"], row["properties"]["tool"]) for row in found
    ]
    assert [None, "REDACTED"] == [row["request_body"]["api_key"] for row in found]


@NEEDS_LEGACY
def test_the_first_helicone_packages_proxy(server: Running, provider: Running) -> None:
    """The cache, a rate limit, properties and the request's id are what its functions give back."""
    first, second, limited, streamed = told_by("helicone_proxy.py", server, provider, "proxy", LEGACY)
    found = rows(server, "proxy")

    assert ["MISS", "HIT"] == [one["tools"][0][0] for one in (first, second)]
    assert limited["text"].startswith("10;w=60")
    ids = [one["tools"][0][1] for one in (first, second, streamed)]
    assert ids == [found[number]["request_id"] for number in (0, 1, 3)]
    assert ["proxy"] * 4 == [row["properties"]["tool"] for row in found]
    assert streamed["text"] == found[3]["response_body"]["choices"][0]["message"]["content"]
