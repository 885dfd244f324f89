"""The guide's own code runs from its first line to its last against our server."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.journeys.conftest import Running

GUIDE = Path(__file__).parent / "guide"
ORIGINAL = Path(__file__).parents[3] / "shared" / "spec" / "replaying-llm-sessions.md"
PERSONA = " Take the persona of a field expert and provide more persuasive arguments."

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js: install nodejs"),
    pytest.mark.skipif(
        not (GUIDE / "node_modules").is_dir(), reason=f"needs npm packages: run npm install in {GUIDE.name}/"
    ),
]


def run(arguments: list[str], server: Running, stdin: str = "") -> str:
    """Run one of the guide's programs against *server* and return what it printed."""
    environ = {**os.environ, "HOST": server.url, "OPENAI_API_KEY": "sk-test", "HELICONE_API_KEY": server.key}
    done = subprocess.run(
        arguments, cwd=GUIDE, env=environ, input=stdin, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def query(server: Running, session_id: str) -> list[dict[str, Any]]:
    """Run the guide's curl for a session and return the rows."""
    script = (GUIDE / "query.sh").read_text().replace("<session-id>", session_id)
    rows: list[dict[str, Any]] = json.loads(run(["sh", "-c", script], server))["data"]
    return rows


def test_the_guide_runs_from_first_to_last_line(server: Running, http: httpx2.Client) -> None:
    """Three turns are recorded in order; the replay is a session of its own whose system prompts end in the persona."""
    agent = json.loads(run(["node", "agent.js"], server))
    recorded = query(server, agent["sessionId"])

    said = agent["conversation"]
    assert [said[:3], said[:5], said[:7]] == [row["body"]["messages"] for row in recorded]
    assert [said[3], said[5], said[7]] == [row["response_body"]["choices"][0]["message"] for row in recorded]
    assert [("/debate/climate-change", "assistant-response")] * 3 == [
        (row["path"], row["prompt_id"]) for row in recorded
    ]

    replayed_id = json.loads(run(["node", "replay.js"], server, stdin=json.dumps({"data": recorded})))["sessionId"]
    replayed = query(server, replayed_id)

    assert 3 == len(replayed)
    for before, after in zip(recorded, replayed, strict=True):
        assert before["body"]["messages"][0]["content"] + PERSONA == after["body"]["messages"][0]["content"]
        assert before["body"]["messages"][1:] == after["body"]["messages"][1:]
        assert before["response_body"]["choices"] != after["response_body"]["choices"]

    listed = http.post(
        f"{server.url}/v1/session/query",
        json={
            "search": "",
            "timeFilter": {"startTimeUnixMs": 0, "endTimeUnixMs": 4e12},
            "timezoneDifference": 0,
            "filter": "all",
        },
        headers={"authorization": f"Bearer {server.key}"},
    ).json()["data"]
    assert {("AI Debate", 3), ("Replayed Session", 3)} == {
        (row["session_name"], row["total_requests"]) for row in listed
    }


@pytest.mark.skipif(not ORIGINAL.exists(), reason=f"needs the guide's text at ../shared/spec/{ORIGINAL.name}")
@pytest.mark.parametrize(
    ("program", "titles"),
    [
        ("agent.js", ["Setting Up Session Metadata", "Initializing Conversation", "Looping Through Debate Turns"]),
        ("query.sh", ["Querying Session Data"]),
        ("replay.js", ["Modifying Requests and Replaying"]),
    ],
)
def test_the_programs_are_the_guides_own(program: str, titles: list[str]) -> None:
    """Every line of the guide's code blocks stands in our files in its order, but for host names."""
    ours = [line.strip() for line in (GUIDE / program).read_text().splitlines()]
    guide = ORIGINAL.read_text()
    hosts = {
        '"https://oai.helicone.ai/v1"': "`${process.env.HOST}/v1/gateway/oai/v1`",
        "https://api.helicone.ai": "$HOST",
        "curl --request": "curl --silent --request",
    }

    position = 0
    for title in titles:
        block = guide.split(f"{title} theme={{null}}\n", 1)[1].split("```", 1)[0]
        for theirs in filter(str.strip, block.splitlines()):
            for old, new in hosts.items():
                theirs = theirs.replace(old, new)  # noqa: PLW2901 - one name for one line
            assert theirs.strip() in ours[position:], f"{program} lacks the guide's line: {theirs.strip()}"
            position = ours.index(theirs.strip(), position) + 1
