"""What the gateway costs per call, beside the gateways that its users could pick instead, all in one run.

    python bench/gateway [NAME ...] [--rounds 3] [--quick] [--json] [--cache DIR] [--no-install]

The gateway has one core; a stand-in for the provider and the load have the other. CPU is the kernel's own account of all
threads of the gateway's process tree; what Reenact's own server process spends on reading, pricing and storing the calls,
which no other gateway here does, stands apart in a line of its own (`+ meaning`), measured until it is done. `bare`
passes bytes on and does nothing else: the floor of our language and loop (bare.py). Targets, met or missed, come last. Rounds
are interleaved and medians printed, since the machine may be shared; compare ratios within one run only. Low load stands beside
saturation, because ratios shrink there. Names: nginx bare reenact tensorzero portkey mitmdump litellm; all in three rounds take
under a quarter of an hour. `--quick` measures nginx and reenact, short, in under 40 s.
"""

import argparse
import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).parent))
import peers
from bodies import bodies
from processes import cpu_s, free_port, pinned, process, pss_mb, quiet, split, tree
from targets import verdicts

HERE = Path(__file__).parent
NAMES = ("nginx", "bare", "reenact", "tensorzero", "portkey", "mitmdump", "litellm")


def scenario_table(quick: bool) -> dict[str, tuple[str, int, float, float]]:
    """Return by name: body, connections, seconds, rate (0: as fast as it goes)."""
    seconds = 2.0 if quick else 3.0
    return {
        "1 KB at 100/s": ("1k", 64, seconds + 1, 100.0),
        "1 KB at 500/s": ("1k", 128, seconds, 500.0),
        "SSE paced, 20/s": ("paced", 128, seconds, 20.0),
        "SSE burst": ("burst", 16, seconds, 0.0),
        "1 KB": ("1k", 32, seconds, 0.0),
        "20 KB": ("20k", 32, seconds, 0.0),
    }


class Bench:
    """One run: compiled tools, an upstream, and what was measured so far."""

    def __init__(self, folder: Path, cache: Path, quick: bool) -> None:
        self.folder, self.cache, self.scenarios, self.quick = folder, cache, scenario_table(quick), quick
        for tool in ("upstream", "load"):
            subprocess.run(["cc", "-O2", "-o", folder / tool, HERE / f"{tool}.c"], check=True)
        self.upstream_port = free_port()
        self.results: dict[str, list[dict[str, dict[str, float]]]] = {}

    def load(self, port: int, peer: peers.Peer, scenario: tuple[str, int, float, float]) -> dict[str, float]:
        """Drive a port and return what the load generator saw."""
        body, connections, seconds, rate = scenario
        file = self.folder / "body"
        file.write_bytes(bodies(peer.models)[body])
        command = [
            str(self.folder / "load"),
            str(port),
            peer.path,
            str(file),
            str(connections),
            str(seconds),
            str(rate),
            *peer.headers,
        ]
        done = subprocess.run(pinned(1, command), capture_output=True, text=True, check=True)
        seen: dict[str, float] = json.loads(done.stdout)
        return seen

    def wait(self, port: int, peer: peers.Peer, running: subprocess.Popen[str]) -> None:
        """Return when the gateway answers a call well."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if running.poll() is not None:
                raise RuntimeError(f"it ended: {(self.folder / 'log').read_text()[-500:]}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0 and self.load(port, peer, ("1k", 1, 0.1, 0.0))["good"]:
                    return
            time.sleep(0.2)
        raise RuntimeError("it never answered well")

    def measure(self, name: str) -> None:
        """Start a gateway, drive it through every scenario, and keep what was seen."""
        with tempfile.TemporaryDirectory(dir=self.folder) as own:
            port = free_port()
            peer = peers.peer(name, Path(own), port, f"http://127.0.0.1:{self.upstream_port}", self.cache)
            if peer is None:
                print(f"{name}: not installed, left out", file=sys.stderr)
                return
            with process(pinned(0, peer.command), peer.environ, Path(own)) as running:
                if peer.prints_address:
                    assert running.stdout is not None
                    port = int(re.search(r":(\d+)", running.stdout.readline())[1])
                self.folder_log(own)
                self.wait(port, peer, running)
                self.load(port, peer, ("1k", 32, 1.0 if self.quick else peer.warm_s, 0.0))
                seen = {key: self.one(port, peer, scenario, running.pid) for key, scenario in self.scenarios.items()}
                seen["memory"] = {"pss_mb": pss_mb(tree(running.pid))}
        self.results.setdefault(name, []).append(seen)

    def folder_log(self, own: str) -> None:
        """Let failures show the log of the gateway under test."""
        log = self.folder / "log"
        log.unlink(missing_ok=True)
        log.symlink_to(Path(own) / "log")

    def one(self, port: int, peer: peers.Peer, scenario: tuple[str, int, float, float], pid: int) -> dict[str, float]:
        """Drive one scenario; add the CPU of the gateway per answer."""
        relaying, meaning = split(tree(pid))
        quiet(meaning, 60.0)
        before, before_meaning = cpu_s(relaying), cpu_s(meaning)
        seen = self.load(port, peer, scenario)
        good = seen["good"] or float("nan")
        seen["cpu_us"] = (cpu_s(relaying) - before) / good * 1e6
        quiet(meaning, 60.0)
        seen["meaning_us"] = (cpu_s(meaning) - before_meaning) / good * 1e6
        return seen

    def direct(self) -> dict[str, float]:
        """Return the p50 without any gateway, by scenario."""
        nobody = peers.Peer(command=[])
        return {
            key: self.load(self.upstream_port, nobody, scenario)["p50_ms"] for key, scenario in self.scenarios.items()
        }


def median(rounds: list[dict[str, dict[str, float]]], scenario: str, field: str) -> float:
    """Return the median of a field over rounds."""
    return statistics.median(seen[scenario][field] for seen in rounds)


def summary(bench: Bench, direct: dict[str, float]) -> dict[str, dict[str, Any]]:
    """Return medians per gateway and scenario, with ratios to nginx."""
    table: dict[str, dict[str, Any]] = {}
    for name, rounds in bench.results.items():
        row: dict[str, Any] = {"pss_mb": round(median(rounds, "memory", "pss_mb"), 1)}
        for key in bench.scenarios:
            cpu = median(rounds, key, "cpu_us")
            p50 = median(rounds, key, "p50_ms")
            entry = {
                "cpu_us": round(cpu, 1),
                "meaning_us": round(median(rounds, key, "meaning_us"), 1),
                "rate": round(median(rounds, key, "rate")),
                "p50_ms": p50,
                "added_p50_ms": round(p50 - direct[key], 3),
                "bad": sum(seen[key]["bad"] + seen[key]["broken"] for seen in rounds),
            }
            if "nginx" in bench.results:
                entry["of_nginx"] = round(cpu / median(bench.results["nginx"], key, "cpu_us"), 2)
            row[key] = entry
        table[name] = row
    return table


def show(table: dict[str, dict[str, Any]], scenarios: list[str]) -> None:
    """Print CPU per call and its ratio to nginx, then what each adds to the median at low load."""
    print("CPU per call in us (x nginx)")
    print(f"{'':12}" + "".join(f"{key:>22}" for key in scenarios) + f"{'PSS MB':>10}")
    for name, row in table.items():
        cells = "".join(f"{row[key]['cpu_us']:>12.0f} ({row[key].get('of_nginx', 0):>5.1f}x) " for key in scenarios)
        print(f"{name:12}{cells}{row['pss_mb']:>10}")
        if any(row[key]["meaning_us"] for key in scenarios):
            print(f"{'  + meaning':12}" + "".join(f"{row[key]['meaning_us']:>12.0f}{'':10}" for key in scenarios))
    print("\nadded p50 in ms / answers a second / bad or broken")
    for name, row in table.items():
        print(
            f"{name:12}"
            + "".join(
                f"{row[key]['added_p50_ms']:>10.2f} {row[key]['rate']:>7} {row[key]['bad']:>3.0f}" for key in scenarios
            )
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *NAMES])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*", default=[], help="scenarios whose name contains one of these")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-install", action="store_true", help="use the peers that are installed already")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "reenact-bench")
    options = parser.parse_args()
    names = options.names or (["nginx", "reenact"] if options.quick else list(NAMES))
    if not options.no_install and set(names) - {"nginx", "bare", "reenact"}:
        peers.install(options.cache)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.cache, options.quick)
        if options.only:
            bench.scenarios = {
                key: value for key, value in bench.scenarios.items() if any(part in key for part in options.only)
            }
        upstream = pinned(1, [str(bench.folder / "upstream"), str(bench.upstream_port)])
        (bench.folder / "upstream-run").mkdir()
        with process(upstream, {}, bench.folder / "upstream-run"):
            time.sleep(0.2)
            direct = bench.direct()
            for _ in range(1 if options.quick else options.rounds):
                for name in names:
                    try:
                        bench.measure(name)
                    except RuntimeError as error:
                        print(f"{name}: {error}", file=sys.stderr)
    table = summary(bench, direct)
    if options.json:
        told = msgspec.to_builtins([*verdicts(table)])
        print(json.dumps({"direct_p50_ms": direct, "gateways": table, "targets": told}))
    else:
        show(table, list(bench.scenarios))
        print()
        for verdict in verdicts(table):
            print(f"{'met   ' if verdict.is_met else 'MISSED'} {verdict.target}; measured {verdict.measured}")


if __name__ == "__main__":
    main()
