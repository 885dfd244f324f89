"""The command line: what is imported, what is told, how it ends."""

import subprocess
import sys

import pytest

from reenact import __version__
from reenact.cli import COMMANDS, Command, load


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `reenact ARGUMENTS` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "reenact", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_version_is_told() -> None:
    """`--version` prints the version and nothing else."""
    done = run("--version")

    assert (0, f"reenact {__version__}\n", "") == (done.returncode, done.stdout, done.stderr)


def test_help_names_every_command() -> None:
    """`--help` lists the commands with their sentences."""
    done = run("--help")

    assert 0 == done.returncode
    for command in COMMANDS:
        assert command.name in done.stdout


def test_help_imports_no_server() -> None:
    """Asking for help does not import what only a server needs."""
    program = (
        "import sys; from reenact.cli import build; build(['--help']);"
        "print(sorted({'litestar', 'aiohttp', 'sqlalchemy', 'uvicorn', 'httpx2'} & sys.modules.keys()))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "[]\n" == done.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_list_of_commands_says_what_each_says_of_itself(command: Command) -> None:
    """The sentence in the table is the first line of the command's docstring."""
    assert command.summary == (load(command).__doc__ or "").strip().splitlines()[0]


def test_an_unknown_command_is_a_usage_error() -> None:
    """What no command is called ends with exit code 2."""
    assert 2 == run("fly").returncode


def test_our_errors_are_one_line_without_a_traceback() -> None:
    """A setting that is not valid is one sentence that names the flag."""
    done = run("serve", "--public-url", "nowhere")

    assert (2, "reenact: --public-url is not valid: expected scheme and host such as https://reenact.example.\n") == (
        done.returncode,
        done.stderr,
    )
