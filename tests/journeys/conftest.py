"""What every journey starts from: the real commands as processes of their own, on free loopback ports."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import msgspec
import pytest

REENACT = [sys.executable, "-m", "reenact"]
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
KEY = re.compile(r"sk-helicone-[a-z0-9]{7}(?:-[a-z0-9]{7}){3}")


class Running(msgspec.Struct):
    """A command that runs: its address, what it printed until it was ready, its process."""

    url: str
    printed: str
    process: "subprocess.Popen[str]"

    @property
    def key(self) -> str:
        """The API key that it printed on first start."""
        found = KEY.search(self.printed)
        assert found is not None, self.printed
        return found.group()

    def kill(self) -> None:
        """End it as a power cut would, as far as a process can be ended so."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def start(*arguments: str, environ: dict[str, str] | None = None) -> Running:
    """Start `reenact ARGUMENTS`, which must serve something, and return when it answers."""
    process = subprocess.Popen(
        [*REENACT, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "REENACT_FRESH_WITHIN_S": "20", **(environ or {})},
    )  # fmt: skip
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if "Ready" in line:
            break
    found = ADDRESS.search(printed)
    if found is None:
        process.kill()
        process.wait()
        raise AssertionError(f"`reenact {' '.join(arguments)}` did not start:\n{printed}")
    return Running(found.group(), printed, process)


@contextmanager
def running(*arguments: str, environ: dict[str, str] | None = None) -> Iterator[Running]:
    """Run a command for the time of a block and end it as Ctrl-C would."""
    command = start(*arguments, environ=environ)
    try:
        yield command
    finally:
        stop(command)


def stop(command: Running) -> None:
    """End a command as Ctrl-C would; one that does not end in time is killed and told."""
    if command.process.poll() is None:
        command.process.send_signal(signal.SIGINT)
        try:
            command.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            command.process.kill()
            command.process.wait()
            raise
    assert command.process.stdout is not None
    command.process.stdout.close()


@pytest.fixture(scope="session")
def provider() -> Iterator[Running]:
    """The scripted provider."""
    with running("provider", "--port", "0") as command:
        yield command


@pytest.fixture
def server(provider: Running, tmp_path: Path) -> Iterator[Running]:
    """A server on a new data folder whose OpenAI is the scripted provider."""
    with running(
        "serve", "--data", str(tmp_path / "data"), "--port", "0", "--upstream", f"openai={provider.url}"
    ) as command:
        yield command


@pytest.fixture
def http() -> Iterator[httpx2.Client]:
    """A plain HTTP client."""
    with httpx2.Client(timeout=30, trust_env=False) as client:
        yield client
