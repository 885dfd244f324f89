"""The processes under measurement: started, pinned, ended, and what the kernel says of them."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def pinned(core: int, command: list[str]) -> list[str]:
    """Return *command* bound to a core."""
    return ["taskset", "-c", str(core), *command]


def tree(pid: int) -> list[int]:
    """Return a process and all below it."""
    found, left = [], [pid]
    while left:
        found.append(left.pop())
        for task in Path(f"/proc/{found[-1]}/task").glob("*/children"):
            try:
                left += map(int, task.read_text().split())
            except OSError:
                continue
    return found


WORKER = b"reenact.server.worker"


def split(pids: list[int]) -> tuple[list[int], list[int]]:
    """Return the processes that relay, and those that work out what the calls mean; the latter of Reenact only."""
    relaying = [pid for pid in pids if WORKER in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return (relaying, [pid for pid in pids if pid not in relaying]) if relaying else (pids, [])


def quiet(pids: list[int], patience_s: float) -> None:
    """Return when these processes have nothing left to do."""
    deadline, before = time.monotonic() + patience_s, -1.0
    while pids and time.monotonic() < deadline and (now := cpu_s(pids)) - before > 0.02:
        before = now
        time.sleep(0.5)


def cpu_s(pids: list[int]) -> float:
    """Return the seconds that the kernel has run these processes for."""
    total = 0
    for pid in pids:
        for stat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(stat.read_text().split()[0])
            except OSError:
                continue
    return total / 1e9


def pss_mb(pids: list[int]) -> float:
    """Return the memory of these processes, shared pages divided."""
    total = 0
    for pid in pids:
        try:
            total += int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)[1])
        except (OSError, TypeError):
            continue
    return total / 1024


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(command: list[str], environ: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a session of its own for the time of a block; then end all of it."""
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        try:
            yield running
        finally:
            for sign in (signal.SIGTERM, signal.SIGKILL):
                for pid in reversed(tree(running.pid)):
                    try:
                        os.kill(pid, sign)
                    except ProcessLookupError:
                        continue
                time.sleep(0.5)
            running.wait()
