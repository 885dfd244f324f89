"""The commands that keep data in order: what each refuses, in one sentence."""

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from reenact.server.runner import running_server
from reenact.settings import Settings
from tests.golden.make import make
from tests.journeys.conftest import running


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


def test_on_the_embedded_engine(tmp_path: Path) -> None:
    """The store that lies in the folder is worked on without being named; a copy of it opens somewhere else."""
    make(tmp_path / "data")
    (tmp_path / "new").mkdir()
    shutil.copy(tmp_path / "data" / "control.sqlite3", tmp_path / "new")
    commands = (
        ("reingest", "--all", "--data", "data"),
        ("export", "golden.jsonl", "--data", "data"),
        ("import", "golden.jsonl", "--data", "new", "--store", "chdb"),
        ("reingest", "--all", "--data", "new"),
        ("backup", "copy.tar.zst", "--data", "new"),
        ("restore", "copy.tar.zst", "--data", "restored"),
        ("export", "out.jsonl", "--data", "restored"),
        ("delete", "--session", "golden", "--data", "new"),
        ("export", "rest.jsonl", "--data", "new"),
    )
    told = [msgspec.json.decode(run(tmp_path, *command, "--json").stdout) for command in commands]
    assert [6, 6, 6, 6] == [one["calls"] for one in (*told[1:4], told[6])]
    assert told[4] == told[5]
    assert (6, True, 0) == (told[7]["requests"], told[7]["wiped"], told[8]["calls"])
    lines = [sorted((tmp_path / name).read_bytes().splitlines()) for name in ("golden.jsonl", "out.jsonl")]
    assert lines[0] == lines[1]
    assert not (tmp_path / "restored" / "calls.sqlite3").exists()


def test_an_embedded_engine_that_a_server_holds(tmp_path: Path) -> None:
    """Is not read beside it: whoever asks is told to stop the server."""
    with running("serve", "--store", "chdb", "--data", str(tmp_path / "data"), "--port", "0"):
        done = [
            run(tmp_path, *arguments, "--data", "data")
            for arguments in (("export", "out"), ("backup", "copy"), ("reingest", "--all"))
        ]
    assert [2, 2, 2] == [one.returncode for one in done]
    assert all("in use by another" in one.stderr for one in done)


def test_which_store_must_be_clear(tmp_path: Path) -> None:
    """Two in one folder, or a server's, which is backed up where it is."""
    make(tmp_path / "data")
    (tmp_path / "data" / "chdb").mkdir()
    done = run(tmp_path, "reingest", "--all", "--data", "data")
    assert (2, "Name one with --store" in done.stderr) == (done.returncode, True)
    done = run(tmp_path, "reingest", "--all", "--data", "data", "--store", "sqlite")
    assert 0 == done.returncode
    done = run(tmp_path, "backup", "copy", "--data", "data", "--store", "clickhouse")
    assert (2, "BACKUP DATABASE" in done.stderr) == (done.returncode, True)
