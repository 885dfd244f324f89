"""The clients that agents are written with, as they are installed from their registries, work through the gateway.

Each is a program of its own in `clients/`, run as a process; it prints its calls as it saw them, which must be what was
recorded of them.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.journeys.conftest import Running, running

CLIENTS = Path(__file__).parent / "clients"
PYTHON = Path(__file__).parents[2] / ".venv-clients" / "bin" / "python"
TOOL = [["get_weather", {"city": "Paris"}]]
THREE = [[], [], TOOL, []]
"""What tools the calls ask for: chat, stream, the tool, the answer after it."""
PYTHON_CLIENTS = {
    "openai_python.py": [*THREE, []],
    "anthropic_python.py": THREE,
    "google_genai.py": THREE,
    "litellm_python.py": [*THREE, []],
    "langchain_python.py": THREE,
    "pydantic_ai_python.py": THREE,
    "openai_agents_python.py": THREE,
}
NODE_CLIENTS = {
    "openai_3.mjs": THREE,
    "openai_current.mjs": [*THREE, []],
    "anthropic_current.mjs": THREE,
    "ai_sdk.mjs": [*THREE, []],
}


@pytest.fixture(scope="module")
def gateway(provider: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server whose three providers are the scripted one."""
    upstreams = [
        part for name in ("openai", "anthropic", "google") for part in ("--upstream", f"{name}={provider.url}")
    ]
    with running("serve", "--data", str(tmp_path_factory.mktemp("clients")), "--port", "0", *upstreams) as server:
        yield server


def told_by(command: list[str], gateway: Running, session_id: str) -> list[dict[str, Any]]:
    """Run a client and return its calls as it saw them."""
    environ = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
    done = subprocess.run(
        command,
        cwd=CLIENTS,
        env=environ | {"GATEWAY": gateway.url, "SESSION_ID": session_id},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert 0 == done.returncode, done.stderr
    calls: list[dict[str, Any]] = json.loads(done.stdout)
    return calls


def recorded_in(gateway: Running, session_id: str) -> list[dict[str, Any]]:
    """Return the rows of a session as calls, in the order they were made."""
    query = {
        "filter": {"properties": {"Helicone-Session-Id": {"equals": session_id}}},
        "sort": {"created_at": "asc"},
        "limit": 100,
    }
    with httpx2.Client(trust_env=False, timeout=30) as http:
        rows = http.post(f"{gateway.url}/v1/request/query", json=query).raise_for_status().json()["data"]
    assert {200} == {row["response_status"] for row in rows}
    return [as_call(row) for row in rows]


def as_call(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a row's answer says, in any of the four formats, streams merged."""
    answer = row["response_body"]
    usage = [row["prompt_tokens"], row["completion_tokens"]]
    if "choices" in answer:
        message = answer["choices"][0]["message"]
        functions = [one["function"] for one in message.get("tool_calls") or []]
        tools = [[one["name"], json.loads(one["arguments"])] for one in functions]
        return {"text": message.get("content") or "", "usage": usage, "tools": tools}
    if "candidates" in answer:
        parts = answer["candidates"][0]["content"]["parts"]
        tools = [
            [part["functionCall"]["name"], part["functionCall"]["args"]] for part in parts if "functionCall" in part
        ]
        return {"text": "".join(part.get("text", "") for part in parts), "usage": usage, "tools": tools}
    items = answer["output"] if "output" in answer else answer["content"]
    blocks = [
        block for item in items for block in (item.get("content", [item]) if item["type"] == "message" else [item])
    ]
    uses = [block for block in blocks if block["type"] in ("function_call", "tool_use")]
    tools = [[use["name"], use["input"] if "input" in use else json.loads(use["arguments"])] for use in uses]
    return {"text": "".join(block.get("text", "") for block in blocks), "usage": usage, "tools": tools}


def check(command: list[str], gateway: Running, tools: list[Any]) -> None:
    """Run a client; what it saw must be what was recorded, and it must have asked for *tools*."""
    session_id = f"client {command[-1]}"
    seen = told_by(command, gateway, session_id)
    assert seen == recorded_in(gateway, session_id)
    assert tools == [call["tools"] for call in seen]
    assert all(call["text"] or call["tools"] for call in seen)
    assert all(call["usage"] and min(call["usage"]) > 0 for call in seen)


@pytest.mark.skipif(not PYTHON.exists(), reason="needs the clients' environment: run scripts/setup clients")
@pytest.mark.parametrize(("program", "tools"), PYTHON_CLIENTS.items())
def test_python_clients(gateway: Running, program: str, tools: list[Any]) -> None:
    """Chat, stream and tools: text, usage and tool calls are in the rows as the client saw them."""
    check([str(PYTHON), "-W", "ignore", program], gateway, tools)


@pytest.mark.node
@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js: install nodejs")
@pytest.mark.skipif(
    not (CLIENTS / "node_modules").is_dir(), reason=f"needs npm packages: run npm install in {CLIENTS.name}/"
)
@pytest.mark.parametrize(("program", "tools"), NODE_CLIENTS.items())
def test_node_clients(gateway: Running, program: str, tools: list[Any]) -> None:
    """The same for JavaScript."""
    check([shutil.which("node") or "node", program], gateway, tools)
