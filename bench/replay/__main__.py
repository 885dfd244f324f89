"""How fast replays go: real server, real sockets, a provider of fixed speed. Prints each figure beside its goal.

    python -m bench.replay [--quick] [--json]

- `chained`: twenty sessions of three calls, chained, in one batch against a provider without delay; until all is stored.
- `anchored`: one session of a thousand calls against a provider of 50 ms, a hundred at once; the ideal is ten times 50 ms.
  From the first call's beginning to the last one's end, and until all is stored and what it cost is known.
- `planned`: planning a session of five hundred calls, anchored and chained.
- `memory`: what the server weighs on the way through forty replays of a thousand calls. `own` leaves the pages out that SQLite
  maps of the database, which the system takes back when it wants. Its writer's page cache (32 MB) fills with the first thirty
  thousand calls, so that the last ten thousand show whether anything else grows.
- `branches`: a session of eight conversations side by side, chained; the ideal is what one of them takes of the provider: asked
  of it directly, one call after the other, in the same run.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx2

from reenact.client import Client, append_system, patch, set_model
from reenact.client.rows import Request
from reenact.domain.replay import Mode

DELAY_MS, WIDTH = 50, 100


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Return when *port* answers."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nothing answers on {port}")


@contextmanager
def process(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run *command* while the block runs."""
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait(30)


@contextmanager
def house(delay_ms: float) -> Iterator[tuple[str, int, int]]:
    """Run a server before a provider of this speed; yields its address, its process, and the provider's port."""
    with tempfile.TemporaryDirectory() as folder:
        provider, port = free_port(), free_port()
        with process([sys.executable, "-m", "bench.replay.provider", str(provider), str(delay_ms)], provider):
            command = [
                sys.executable, "-m", "reenact", "serve", "--data", f"{folder}/data", "--port", str(port),
                "--upstream", f"openai=http://127.0.0.1:{provider}",
            ]  # fmt: skip
            with process(command, port) as server:
                yield f"http://127.0.0.1:{port}", server.pid, provider


def record(url: str, session: str, calls: int) -> None:
    """Record a session of so many calls, eight at once."""
    headers = {"authorization": "Bearer sk-test", "helicone-session-id": session, "helicone-session-name": "Bench"}

    def call(number: int) -> None:
        said = [
            {"role": "system", "content": "You answer. " * 20},
            {"role": "user", "content": f"Turn {number}. " * 20},
        ]
        body = {"model": "gpt-4o-mini", "messages": said}
        http.post(f"{url}/v1/gateway/oai/v1/chat/completions", json=body, headers=headers).raise_for_status()

    with httpx2.Client(trust_env=False, timeout=60) as http, ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(calls)))


def chain(url: str, session: str, calls: int, name: str = "") -> None:
    """Record a conversation of so many calls, each with the history of those before."""
    headers = {"authorization": "Bearer sk-test", "helicone-session-id": session, "helicone-session-name": "Bench"}
    said: list[dict[str, Any]] = [{"role": "system", "content": "You answer."}]
    with httpx2.Client(trust_env=False, timeout=60) as http:
        for number in range(calls):
            said.append({"role": "user", "content": f"Turn {number} of {name or session}."})
            body = {"model": "gpt-4o-mini", "messages": said}
            answer = http.post(f"{url}/v1/gateway/oai/v1/chat/completions", json=body, headers=headers)
            assert answer.status_code == 200, answer.text
            said.append(answer.json()["choices"][0]["message"])


def weight_mb(pid: int, kind: str = "Pss") -> float:
    """Return the PSS of a process and its children in MB; `Pss_Anon` leaves the mapped files out, the growing database."""
    own = [pid, *(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    total = 0
    for one in own:
        rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith(f"{kind}:"))
    return total / 1024


def chained(sessions: int) -> dict[str, float]:
    """Replay conversations of three calls in one batch."""
    with house(0) as (url, _, _), Client(url) as client:
        for number in range(sessions):
            chain(url, f"chat-{number}", 3)
        client.sessions()
        changed = patch(append_system(" Be brief."))
        began = time.perf_counter()
        names = [f"chat-{number}" for number in range(sessions)]
        batch = client.start_batch(names, changed, mode=Mode.CHAINED, control=False, concurrency=64)
        *_, done = client.watch_batch(batch.id)
        took = time.perf_counter() - began
        assert all(item.answered == 3 and not item.failed for item in done.items), done
    return {"chained_s": took, "chained_goal_s": 2.0}


def directly_s(provider: int, calls: int) -> float:
    """Return how long the provider takes for so many calls, one after the other, asked by nobody in between."""
    with socket.create_connection(("127.0.0.1", provider)) as peer:
        began = time.perf_counter()
        for _ in range(calls):
            peer.sendall(b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}")
            peer.recv(65536)
        return time.perf_counter() - began


def asked_s(rows: list[Request]) -> float:
    """Return how long a take's calls took, from the first one's beginning to the last one's end."""
    begun_s = [datetime.fromisoformat(row.created_at).timestamp() for row in rows]
    return max(at + row.delay_ms / 1000 for at, row in zip(begun_s, rows, strict=True)) - min(begun_s)


def branches(count: int, depth: int) -> dict[str, float]:
    """Replay conversations of one session that know nothing of each other."""
    with house(DELAY_MS) as (url, _, provider), Client(url) as client:
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(lambda branch: chain(url, "team", depth, f"member {branch}"), range(count)))
        client.sessions()
        changed = patch(append_system(" Be brief."))
        replays = [client.replay("team", changed, mode=Mode.CHAINED, control=False, concurrency=64) for _ in range(9)]
        assert all(one.progress.answered == count * depth and not one.progress.failed for one in replays)
        took_s = median(asked_s(client.session(one.takes[0].session_id)) for one in replays)
        ideal_s = median(directly_s(provider, depth) for _ in range(3))
    return {
        "branches_ideal_s": ideal_s,
        "branches_asked_s": took_s,
        "branches_with_storing_s": median(one.spent.elapsed_us for one in replays) / 1e6,
        "branches_ratio": took_s / ideal_s,
        "branches_goal_ratio": 1.1,
    }


def planned(calls: int) -> dict[str, float]:
    """Plan a session in both modes, five times each."""
    changed = patch(set_model("gpt-4o"))
    took: dict[Mode, list[float]] = {Mode.ANCHORED: [], Mode.CHAINED: []}
    with house(0) as (url, _, _), Client(url) as client:
        record(url, "long", calls)
        client.sessions()
        for _ in range(5):
            for mode, seconds in took.items():
                began = time.perf_counter()
                client.plan("long", changed, mode=mode)
                seconds.append(time.perf_counter() - began)
    return {
        "planned_calls": calls,
        "planned_anchored_s": median(took[Mode.ANCHORED]),
        "planned_chained_s": median(took[Mode.CHAINED]),
        "planned_goal_s": 0.3 * calls / 500,
    }


def anchored(calls: int, rounds: int) -> dict[str, float]:
    """Replay a long session again and again."""
    changed = patch(set_model("gpt-4o"))
    ideal_s = calls / WIDTH * DELAY_MS / 1000
    with house(DELAY_MS) as (url, pid, _), Client(url) as client:
        record(url, "long", calls)
        walls, asked, stored, weights, own = [], [], [], [], []
        for _ in range(rounds):
            began = time.perf_counter()
            replay = client.replay("long", changed, control=False, concurrency=WIDTH)
            walls.append(time.perf_counter() - began)
            assert replay.progress.answered == calls
            assert not replay.progress.failed, replay.takes[0].results[:3]
            asked.append(asked_s(client.session(replay.takes[0].session_id)))
            stored.append(replay.spent.elapsed_us / 1e6)
            weights.append(weight_mb(pid))
            own.append(weight_mb(pid, "Pss_Anon"))
    return {
        "calls": calls,
        "ideal_s": ideal_s,
        "anchored_asked_s": median(asked),
        "anchored_ratio": median(asked) / ideal_s,
        "anchored_goal_ratio": 1.3,
        "anchored_with_storing_s": median(stored),
        "anchored_with_planning_and_storing_s": median(walls),
        **{
            f"memory_own_after_{round_ * calls}_mb": own[round_ - 1]
            for round_ in (1, 2, 10, 30, 40)
            if round_ <= rounds
        },
        "memory_after_all_mb": weights[-1],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer calls and rounds")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ.pop("OPENAI_API_KEY", None)
    result = chained(20) | branches(8, 6) | planned(200 if options.quick else 500)
    result |= anchored(200 if options.quick else 1000, 2 if options.quick else 40)
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:40} {value:10.3f}")


if __name__ == "__main__":
    main()
