"""Folder: the data folder on disk, and the lock that keeps two servers from writing into it."""

import errno
import fcntl
import hashlib
import os
import secrets
from pathlib import Path
from typing import Self

from reenact.errors import FolderInUse, FolderUnusable

_SECRET_BYTES = 32


class Folder:
    """An opened data folder; nobody else can open it until it is closed or its process is gone.

    Raises:
        FolderInUse: another process holds it; the message names its pid.
        FolderUnusable: it is not a folder, or this user may not read or write it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            (path / "spool").mkdir(mode=0o700, exist_ok=True)
            self._lock = _locked(path / "lock")
        except FileExistsError:
            raise FolderUnusable(f"The data folder {path} is a file, not a folder. Name another with --data.") from None
        except OSError as error:
            raise FolderUnusable(_sentence(path, error)) from None

    @property
    def spool(self) -> Path:
        """The folder of the journal's segments."""
        return self.path / "spool"

    def spools(self, workers: int) -> list[tuple[str, Path]]:
        """Return name and folder of every journal: the server's own first, then those of its gateway workers.

        Among them are those that workers of an earlier start may have left something in.
        """
        left = {int(path.name) for path in self.spool.iterdir() if path.is_dir() and path.name.isdigit()}
        numbers = sorted(left.union(range(1, workers + 1)))
        return [("spool", self.spool), *((f"spool/{number}", self.spool / str(number)) for number in numbers)]

    @property
    def cache(self) -> Path:
        """The folder of answers that agents asked to have kept; made by whoever fills it, safe to delete."""
        return self.path / "cache"

    @property
    def control(self) -> Path:
        """The control data's database file."""
        return self.path / "control.sqlite3"

    @property
    def prices(self) -> Path:
        """What the owner pays instead of the listed prices; often missing."""
        return self.path / "prices.json"

    def name(self) -> str:
        """Return what this folder's server is called among others that share a control database; the same after a restart.

        Raises:
            FolderUnusable: its secret cannot be read or written.
        """
        return hashlib.sha256(b"worker " + self.secret()).hexdigest()[:32]

    def secret(self) -> bytes:
        """Return the random secret of this folder, made on first use and readable by its owner only.

        Raises:
            FolderUnusable: it cannot be read or written.
        """
        file = self.path / "secret"
        try:
            if not file.exists():
                _write_whole(file, secrets.token_bytes(_SECRET_BYTES))
            return file.read_bytes()
        except OSError as error:
            raise FolderUnusable(_sentence(self.path, error)) from None

    def close(self) -> None:
        """Let go of the lock; a second time does nothing."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _locked(file: Path) -> int:
    """Return the descriptor of *file*, locked for this process; the system lets go of it however the process ends."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
        os.close(descriptor)
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        whose = f" (process {holder})" if holder.isdigit() else ""
        raise FolderInUse(
            f"The data folder {file.parent} is in use by another server{whose}. Stop it, or name another with --data."
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _write_whole(file: Path, content: bytes) -> None:
    """Write *file*, readable by its owner only, whole or not at all."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    with fresh.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
    fresh.rename(file)


def _sentence(path: Path, error: OSError) -> str:
    """Return what is wrong with *path*, and what to do."""
    place = error.filename or path
    return f"The data folder {path} cannot be used: {place}: {error.strerror}. Name another with --data."
