"""The data folder: made for its owner only, held by one server at a time, and one clear sentence for what is wrong."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reenact.errors import FolderInUse, FolderUnusable
from reenact.server.folder import Folder

HOLD = (
    "import sys, pathlib; from reenact.server.folder import Folder;"
    "held = Folder(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
)


def test_a_new_folder_is_its_owners_only(tmp_path: Path) -> None:
    """Folders are made on first use, readable by nobody else."""
    with Folder(tmp_path / "a" / "data") as folder:
        modes = [path.stat().st_mode & 0o777 for path in (folder.path, folder.spool)]

    assert [0o700, 0o700] == modes


def test_the_secret_is_made_once(tmp_path: Path) -> None:
    """A folder keeps its secret, readable by its owner only; another folder has another."""
    with Folder(tmp_path / "a") as folder:
        first = folder.secret()
    with Folder(tmp_path / "a") as folder, Folder(tmp_path / "b") as other:
        assert [first, False, 32, 0o600] == [
            folder.secret(),
            other.secret() == first,
            len(first),
            (tmp_path / "a" / "secret").stat().st_mode & 0o777,
        ]


def test_a_second_server_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    """The sentence names the folder and the process; it is free again when that process is killed."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert "held\n" == holder.stdout.readline()
        with pytest.raises(FolderInUse) as raised:
            Folder(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()

    expected = (
        f"The data folder {tmp_path} is in use by another server (process {holder.pid}). "
        "Stop it, or name another with --data."
    )
    assert expected == raised.value.message
    Folder(tmp_path).close()


def test_closing_lets_go(tmp_path: Path) -> None:
    """A closed folder can be opened again; closing twice is nothing."""
    folder = Folder(tmp_path)
    folder.close()
    folder.close()

    Folder(tmp_path).close()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """A file in its place is said to be one."""
    (tmp_path / "data").write_text("")

    with pytest.raises(FolderUnusable, match="is a file, not a folder"):
        Folder(tmp_path / "data")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere: run as another user")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """What the system says is told with the place."""
    tmp_path.chmod(0o500)

    with pytest.raises(FolderUnusable, match="Permission denied"):
        Folder(tmp_path / "data")
