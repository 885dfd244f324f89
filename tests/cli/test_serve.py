"""`reenact serve` as a process: what it tells, how it ends, and one line with exit code 2 for what it cannot use."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reenact.server.folder import Folder
from reenact.server.listener import listen


@pytest.fixture
def command(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """`reenact serve` as a process of its own, once it is ready."""
    with subprocess.Popen(
        [sys.executable, "-m", "reenact", "serve", "--data", str(tmp_path / "data"), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)])
def test_signals_end_it_cleanly(command: "subprocess.Popen[str]", number: int, code: int) -> None:
    """It tells where everything is, and ends without a word when it is told to."""
    assert command.stdout is not None
    told = []
    for line in command.stdout:
        told.append(line.split()[0])
        if line.startswith("Ready"):
            break
    command.send_signal(number)
    _, errors = command.communicate(timeout=20)

    assert ["Reenact", "Dashboard", "OpenAI", "Anthropic", "Gemini", "Other", "API", "Shown", "Ready."] == told
    assert (code, "") == (command.returncode, errors)


def refused(*arguments: str) -> tuple[int, str]:
    """Run `reenact serve ARGUMENTS`, which cannot start; return its exit code and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "reenact", "serve", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stderr


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    """The line says which port and what to do."""
    with contextlib.closing(listen("127.0.0.1", 0)) as bound:
        bound.listen()
        port = bound.getsockname()[1]
        said = refused("--data", str(tmp_path / "data"), "--port", str(port))

    expected = f"reenact: Port {port} on 127.0.0.1 is taken. Stop what listens there, or choose another with --port.\n"
    assert (2, expected) == said


def test_a_folder_in_use_is_one_line(tmp_path: Path) -> None:
    """The line names the folder and who holds it."""
    with Folder(tmp_path):
        code, said = refused("--data", str(tmp_path), "--port", "0")

    assert (2, 1, True) == (code, said.count("\n"), said.startswith(f"reenact: The data folder {tmp_path} is in use"))


def test_a_file_for_a_folder_is_one_line(tmp_path: Path) -> None:
    """A file is no data folder."""
    (tmp_path / "data").write_text("")

    code, said = refused("--data", str(tmp_path / "data"), "--port", "0")

    assert (2, 1, True) == (code, said.count("\n"), "is a file, not a folder" in said)
