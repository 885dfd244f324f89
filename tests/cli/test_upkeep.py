"""The commands that keep data in order: what each refuses, in one sentence."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from reenact.server.runner import running_server
from reenact.settings import Settings
from tests.golden.make import make


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `reenact ARGUMENTS` in *folder* to its end."""
    return subprocess.run(
        [sys.executable, "-m", "reenact", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("reingest", "--all"), "reenact-data is no data folder"),
        (("reingest",), "Say which calls"),
        (("reingest", "--since", "soon"), "--since is not valid"),
        (("export", "out.jsonl"), "reenact-data is no data folder"),
        (("import", "missing.jsonl"), "missing.jsonl cannot be read"),
        (("backup", "copy"), "reenact-data is no data folder"),
        (("restore", "missing"), "cannot be restored"),
        (("delete",), "Name one of"),
        (("delete", "--session", "a", "--user", "b"), "Name one of"),
    ],
)
def test_what_is_wrong_is_one_sentence(arguments: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    """On one line, with exit code 2 and no traceback."""
    done = run(tmp_path, *arguments)
    assert (2, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
    assert sentence in done.stderr


def test_beside_a_running_server(tmp_path: Path) -> None:
    """Reading commands work; those that write are told who holds the folder."""
    with running_server(Settings(data=tmp_path / "data", port=0)):
        done = [
            run(tmp_path, *arguments, "--data", "data").returncode
            for arguments in (("export", "out"), ("backup", "copy"), ("reingest", "--all"), ("import", "out"))
        ]
    assert [0, 0, 2, 2] == done


def test_as_json(tmp_path: Path) -> None:
    """Each prints JSON and nothing else; what waits in the journal is derived and exported too."""
    make(tmp_path / "data")
    commands = (
        ("reingest", "--all", "--data", "data"),
        ("export", "out.jsonl", "--data", "data"),
        ("import", "out.jsonl", "--data", "new"),
        ("backup", "copy", "--data", "data"),
        ("restore", "copy", "--data", "restored"),
        ("delete", "--session", "golden", "--data", "data"),
    )
    told = [msgspec.json.decode(run(tmp_path, *command, "--json").stdout) for command in commands]
    assert [6, 6, 6] == [one["calls"] for one in told[:3]]
    assert told[3] == told[4]
    assert (6, True) == (told[5]["requests"], told[5]["wiped"])
