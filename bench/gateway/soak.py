"""Whether the server stays the size it is: millions of calls through a gateway worker, recorded, read and stored.

    python bench/gateway/soak.py [--calls 5000000] [--quick] [--json] [--folder DIR]

Prints at 1 % and at every tenth of the calls, for the server's process and the worker's: memory (RSS, and its own: without the
pages of mapped files, of which the database's alone may be 256 MB), open files; for the data folder: what lies in the journal
now and at most, what the store takes. Calls come as fast as the worker takes them and pause while more than a quarter of the
journal's quota waits to be read, so that each of them is recorded; every step is a session of its own. `--quick` sends 100,000,
in about half a minute. `nice -n 19` keeps it out of others' way.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parent))
import peers
from bodies import bodies
from processes import free_port, process, split, tree

HERE = Path(__file__).parent
QUOTA_BYTES = 1024 * 1024 * 1024
MOST_WAITING_BYTES = QUOTA_BYTES // 4
STEP_S = 2.0
CONNECTIONS = 32
PATIENCE_S = 600.0
"""How long the journal may take to be read down before that counts as a failure."""


class Weight(msgspec.Struct, frozen=True, kw_only=True):
    """What one process holds."""

    rss_mb: float
    own_mb: float
    """Without the pages of mapped files, which the system takes back when it wants."""
    files: int


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What there was to see at one moment."""

    percent: float
    calls: int
    failed: int
    """Calls that were not answered well."""
    seconds: float
    server: Weight
    worker: Weight
    journal_mb: float
    most_journal_mb: float
    store_mb: float
    trouble: str
    """What the server says of itself; empty when all is well."""


def weigh(pid: int) -> Weight:
    """Return what a process holds."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    rss, own = (int(re.search(rf"^{name}:\s+(\d+)", rollup, re.MULTILINE)[1]) / 1024 for name in ("Rss", "Pss_Anon"))
    return Weight(rss_mb=round(rss, 1), own_mb=round(own, 1), files=len(list(Path(f"/proc/{pid}/fd").iterdir())))


def lying_bytes(folder: Path, pattern: str) -> int:
    """Return what the files below a folder take; those that end meanwhile take nothing."""
    total = 0
    for path in folder.glob(pattern):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


class Soak:
    """One run."""

    def __init__(self, folder: Path, calls: int) -> None:
        self.folder, self.data, self.calls = folder, folder / "data", calls
        self.answered = self.failed = 0
        self.most_journal_bytes = 0
        self.sights: list[Sight] = []
        self.begun_s = time.monotonic()
        self.body = folder / "body"
        self.body.write_bytes(bodies({})["1k"])
        for tool in ("upstream", "load"):
            subprocess.run(["cc", "-O2", "-o", folder / tool, HERE / f"{tool}.c"], check=True)

    def run(self) -> None:
        """Start everything, send the calls, and look on the way."""
        port, upstream_port = free_port(), free_port()
        peer = peers.ours(self.folder, port, f"http://127.0.0.1:{upstream_port}")
        environ = {"REENACT_SPOOL_QUOTA_BYTES": str(QUOTA_BYTES)}
        for name in ("upstream-run", "server-run"):
            (self.folder / name).mkdir()
        marks = [self.calls / 100, *(self.calls * tenth / 10 for tenth in range(1, 11))]
        with (
            process([str(self.folder / "upstream"), str(upstream_port)], {}, self.folder / "upstream-run"),
            process(peer.command, environ, self.folder / "server-run") as running,
        ):
            self.wait(port)
            while marks:
                self.step(port, peer)
                self.pause()
                if self.answered >= marks[0]:
                    self.look(port, running.pid)
                    while marks and self.answered >= marks[0]:
                        marks.pop(0)

    def wait(self, port: int) -> None:
        """Return when the server answers."""
        for _ in range(600):
            try:
                self.trouble(port)
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise SystemExit(f"it never answered: {(self.folder / 'server-run' / 'log').read_text()[-500:]}")

    def step(self, port: int, peer: peers.Peer) -> None:
        """Send calls for a while, as one session."""
        headers = (f"helicone-session-id: soak-{self.answered}", "helicone-session-path: /soak")
        command = [str(self.folder / "load"), str(port), peer.path, str(self.body), str(CONNECTIONS), str(STEP_S), "0"]
        done = subprocess.run([*command, *headers], capture_output=True, text=True, check=True)
        seen = json.loads(done.stdout)
        self.answered += seen["good"]
        self.failed += seen["bad"] + seen["broken"]
        if not seen["good"]:
            raise SystemExit(f"nothing is answered any more: {done.stdout}")

    def pause(self) -> None:
        """Return when the journal has been read down far enough."""
        deadline_s = time.monotonic() + PATIENCE_S
        while (waiting_bytes := lying_bytes(self.data / "spool", "**/*")) > MOST_WAITING_BYTES:
            self.most_journal_bytes = max(self.most_journal_bytes, waiting_bytes)
            if time.monotonic() > deadline_s:
                raise SystemExit(f"{waiting_bytes} bytes of the journal are not read")
            time.sleep(0.5)
        self.most_journal_bytes = max(self.most_journal_bytes, waiting_bytes)

    def look(self, port: int, pid: int) -> None:
        """Weigh everything, and print it."""
        [worker], [server, *_] = split(tree(pid))
        sight = Sight(
            percent=round(100 * self.answered / self.calls, 1),
            calls=self.answered,
            failed=self.failed,
            seconds=round(time.monotonic() - self.begun_s, 1),
            server=weigh(server),
            worker=weigh(worker),
            journal_mb=round(lying_bytes(self.data / "spool", "**/*") / 1e6, 1),
            most_journal_mb=round(self.most_journal_bytes / 1e6, 1),
            store_mb=round(lying_bytes(self.data, "calls.sqlite3*") / 1e6, 1),
            trouble=self.trouble(port),
        )
        self.sights.append(sight)
        show(sight)

    def trouble(self, port: int) -> str:
        """Return what the server says is wrong."""
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthcheck", timeout=10) as answer:
            health = json.load(answer)
        return "; ".join([*health.get("troubles", []), *health.get("notes", [])])


COLUMNS = "{:>6} {:>9} {:>6} {:>8} {:>9} {:>9} {:>6} {:>9} {:>9} {:>6} {:>9} {:>9} {:>9}  {}"
HEADS = (
    "%", "calls", "failed", "seconds", "srv RSS", "srv own", "files", "wrk RSS", "wrk own", "files", "journal", "at most",
    "store", "MB; trouble",
)  # fmt: skip


def show(sight: Sight) -> None:
    """Print one line, on the side where the JSON is not."""
    weights = [getattr(one, name) for one in (sight.server, sight.worker) for name in ("rss_mb", "own_mb", "files")]
    line = COLUMNS.format(
        sight.percent, sight.calls, sight.failed, sight.seconds, *weights, sight.journal_mb, sight.most_journal_mb,
        sight.store_mb, sight.trouble,
    )  # fmt: skip
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Soak, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=5_000_000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--folder", type=Path, help="where the data goes; the system's temporary folder else")
    options = parser.parse_args()
    print(COLUMNS.format(*HEADS), file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        soak = Soak(Path(folder), 100_000 if options.quick else options.calls)
        soak.run()
    if options.json:
        print(json.dumps(msgspec.to_builtins(soak.sights)))


if __name__ == "__main__":
    main()
