"""Agents as people write them with openai-agents, Pydantic AI and LangGraph, against a whole server and the scripted provider.

The truth is the agent run again with the change in its code. They run in the environment of the clients, one process each.
"""

import os
import subprocess
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.fidelity.clients.setting import CASES, CHANGE
from bench.fidelity.world import canonical

from reenact.client import Client, append_system, patch
from reenact.domain.replay import Mode, Replay
from tests.fakes.house import a_house

Json = Any
FOLDER = Path(__file__).parent / "clients"
PYTHON = Path(__file__).parents[2] / ".venv-clients" / "bin" / "python"
LIBRARIES = {
    "openai-agents": "openai_agents.py",
    "pydantic-ai": "pydantic_agents.py",
    "langgraph": "langgraph_agents.py",
}
_WITHIN_S = 120


def agent_rows() -> list[Json]:
    """Return one row for each library and case: what its chained takes are worth."""
    with tempfile.TemporaryDirectory() as folder, a_house(Path(folder) / "data") as house:
        with ThreadPoolExecutor(len(LIBRARIES)) as threads:
            list(threads.map(lambda library: _run(library, house.url), LIBRARIES))
        with Client(house.url) as client:
            return [_row(client, library, case) for library in LIBRARIES for case in CASES]


def _run(library: str, url: str) -> None:
    environ = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
    subprocess.run(
        [str(PYTHON), str(FOLDER / LIBRARIES[library])],
        env=environ | {"GATEWAY": url, "LIBRARY": library},
        check=True,
        timeout=_WITHIN_S,
    )


def _row(client: Client, library: str, case: str) -> Json:
    recorded, changed = (_requests(client, f"{library} {case} {kind}") for kind in ("recorded", "changed"))
    session, change = f"{library} {case} recorded", patch(append_system(CHANGE))
    replay = client.replay(session, change, mode=Mode.CHAINED)
    loop, _ = _sent(client, client.replay(session, change, control=False), "changed")
    claimed, marked = _sent(client, replay, "changed")
    same, doubted = _sent(client, replay, "control")
    return {
        "agent": library,
        "case": case,
        "calls": sum(recorded.values()),
        "true_calls": sum(changed.values()),
        "right": claimed == changed,
        "true_requests_sent": sum((claimed & changed).values()),
        "wrong_requests": sum((claimed - changed).values()),
        "marked": sum(marked.values()),
        "plain_loop_right": loop == changed,
        "control_exact": same == recorded and not doubted,
    }


def _requests(client: Client, session_id: str) -> "Counter[str]":
    return Counter(canonical(row.body) for row in client.session(session_id))


def _sent(client: Client, replay: Replay, arm: str) -> "tuple[Counter[str], Counter[str]]":
    """Return what a take sent: as what the agent would send, and in doubt."""
    claimed: Counter[str] = Counter()
    marked: Counter[str] = Counter()
    take = next(take for take in replay.takes if take.arm == arm)
    bodies = {row.request_id: canonical(row.body) for row in client.session(take.session_id)}
    for result in take.results:
        if result.call_id in bodies:
            (marked if result.doubts else claimed)[bodies[result.call_id]] += 1
    return claimed, marked
