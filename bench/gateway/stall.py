"""Whether questions hold up agents: what a call through the gateway takes while the same server answers heavy queries.

    python bench/gateway/stall.py [--calls 20000] [--workers 0] [--seconds 10] [--rate 100] [--quick] [--json]

Fills a store with so many calls of agents, starts one server on it (`--workers 0`: one process that does everything, the
default; more: that many that relay beside it), and sends calls at a steady rate from another process: alone, then while two
clients ask one kind of question again and again. Latency counts from when a call was due. What the machine's other users do
is in all of the numbers: compare the rows of one run.
"""

import argparse
import datetime as dt
import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "store"))
import peers
from bodies import bodies
from generator import DAY_US, DAYS, ORGANISATIONS, START_US, Traffic
from processes import free_port, process

from reenact.store.control.store import ControlStore
from reenact.store.sqlite.store import SqliteStore

HERE = Path(__file__).parent
ASKERS = 2
QUESTIONS = {
    "alone": ("", {}),
    "sums over every call": ("/v1/metrics/quantiles", {"metric": "total_tokens", "dbIncrement": "day"}),
    "a filter no index helps": (
        "/v1/request/query",
        {"filter": {"request_response_rmt": {"user_id": {"ilike": "%zz%"}}}},
    ),
    "pages of 1000 calls": ("/v1/request/query", {"filter": "all", "limit": 1000}),
}
"""Route and body by name; the first asks nothing."""


def fill(folder: Path, calls: int) -> None:
    """Make a data folder with so many calls, most of them of the organisation that is asked without a key."""
    folder.mkdir()
    control = ControlStore(folder / "control.sqlite3")
    control.first_start(ORGANISATIONS[0], "Default", START_US)
    control.close()
    store, coming = SqliteStore(folder / "calls.sqlite3"), iter(Traffic(calls))
    while readings := list(islice(coming, 500)):
        store.save(readings)
    store.close()


def iso(time_us: int) -> str:
    """Return a time as the API takes it."""
    return dt.datetime.fromtimestamp(time_us / 1e6, dt.UTC).isoformat()


class Asker:
    """Clients that ask one question again and again until told to stop."""

    def __init__(self, port: int, route: str, body: dict[str, object]) -> None:
        self.took_ms: list[float] = []
        self._stopping = threading.Event()
        span = {"start": iso(START_US), "end": iso(START_US + DAYS * DAY_US)}
        data = json.dumps({"filter": "all", "timeFilter": span} | body).encode()
        headers = {"content-type": "application/json"}
        self._request = urllib.request.Request(f"http://127.0.0.1:{port}{route}", data, headers)
        self._threads = [threading.Thread(target=self._ask) for _ in range(ASKERS if route else 0)]

    def __enter__(self) -> "Asker":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._stopping.is_set():
            begun = time.perf_counter()
            with urllib.request.urlopen(self._request, timeout=120) as answer:
                answer.read()
            self.took_ms.append((time.perf_counter() - begun) * 1000)


def ready(port: int) -> None:
    """Return when the server answers."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthcheck", timeout=10):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server never answered")


def measure(folder: Path, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Return what calls took by what was asked meanwhile."""
    for tool in ("upstream", "load"):
        subprocess.run(["cc", "-O2", "-o", folder / tool, HERE / f"{tool}.c"], check=True)
    (folder / "body").write_bytes(bodies({})["1k"])
    fill(folder / "data", options.calls)
    for name in ("upstream-run", "server-run"):
        (folder / name).mkdir()
    port, upstream_port = free_port(), free_port()
    peer = peers.ours(folder, port, f"http://127.0.0.1:{upstream_port}")
    serve = [*peer.command[:-1], str(options.workers)]
    load = [
        str(folder / "load"),
        str(port),
        peer.path,
        str(folder / "body"),
        "64",
        str(options.seconds),
        str(options.rate),
    ]
    found = {}
    with (
        process([str(folder / "upstream"), str(upstream_port)], {}, folder / "upstream-run"),
        process(serve, {}, folder / "server-run"),
    ):
        ready(port)
        for name, (route, body) in QUESTIONS.items():
            with Asker(port, route, body) as asker:
                done = subprocess.run([*load, *peer.headers], capture_output=True, text=True, check=True)
            seen = json.loads(done.stdout)
            asked = sum(asker.took_ms) / max(1, len(asker.took_ms))
            found[name] = {**{key: seen[key] for key in ("good", "bad", "p50_ms", "p99_ms")}, "question_ms": asked}
    return found


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--quick", action="store_true", help="2000 calls and three seconds a row")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.calls, options.seconds = 2000, 3
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), options)
    if options.json:
        print(json.dumps(found))
        return
    print(f"{'asked meanwhile':<26}{'answered':>9}{'failed':>7}{'p50 ms':>9}{'p99 ms':>9}{'a question, ms':>16}")
    for name, row in found.items():
        numbers = f"{row['good']:>9}{row['bad']:>7}{row['p50_ms']:>9.1f}{row['p99_ms']:>9.1f}"
        print(f"{name:<26}{numbers}{row['question_ms']:>16.0f}")


if __name__ == "__main__":
    main()
