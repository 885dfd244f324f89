"""FileObjects: objects as files of a folder, readable by its owner only."""

import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from reenact.errors import FolderUnusable, StoreFailed
from reenact.store.objects.objects import Listed, Object

MARK = "mark"
"""The file that tells one folder from its copies; never copied."""
_FRESH = ".new"


class FileObjects:
    """Fills `Objects`. A file has its name only when it is whole and on the disk."""

    is_near = True

    def __init__(self, root: Path) -> None:
        """Take the folder, which is made when the first object comes."""
        self._root = root

    def put(self, wanted: Sequence[Object]) -> None:
        """Keep objects; one that is there with as many bytes stays."""
        try:
            folders = {path.parent for one in wanted if (path := self._put(one)) is not None}
            for folder in folders:
                _sync(folder)
        except OSError as error:
            raise StoreFailed(f"An object could not be written: {error.strerror}") from error

    def get(self, folder: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Return what these objects hold."""
        found = {}
        for key in keys:
            try:
                found[key] = self._path(folder, key).read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StoreFailed(f"An object could not be read: {error.strerror}") from error
        return found

    def delete(self, folder: str, keys: Sequence[str]) -> None:
        """Delete objects."""
        try:
            for key in keys:
                self._path(folder, key).unlink(missing_ok=True)
        except OSError as error:
            raise StoreFailed(f"An object could not be deleted: {error.strerror}") from error

    def all(self) -> Iterator[Listed]:
        """Yield every object, and what a killed process left half written."""
        for path in self._root.glob("*/*/*"):
            try:
                told = path.stat()
            except FileNotFoundError:
                continue
            folder = path.parent.parent.name
            yield Listed(folder=folder, key=path.name, content_bytes=told.st_size, written_s=told.st_mtime)

    def address(self, folder: str, key: str, lifetime_s: int) -> str | None:
        """Return None: the server itself has to serve files."""
        return None

    def _put(self, wanted: Object) -> Path | None:
        """Write one file; return it unless it was there."""
        path = self._path(wanted.folder, wanted.key)
        try:
            if path.stat().st_size == len(wanted.content):
                return None
        except FileNotFoundError:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}{_FRESH}")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, made with its mode
                file.write(wanted.content)
                file.flush()
                os.fsync(descriptor)
            fresh.replace(path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        return path

    def _path(self, folder: str, key: str) -> Path:
        return self._root / folder / key[:2] / key


def mark(root: Path) -> str:
    """Return what tells the folder from all others, made on first use: a copy of it shares no bucket with it.

    Raises:
        FolderUnusable: it cannot be read or written.
    """
    file = root / MARK
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            fresh = file.with_name(f"{MARK}{_FRESH}")
            fresh.write_text(secrets.token_hex(16))
            fresh.replace(file)
        return file.read_text()
    except OSError as error:
        raise FolderUnusable(f"The folder of objects {root} cannot be used: {error.strerror}") from error


def _sync(folder: Path) -> None:
    """Let the names in *folder*, and its own, be safe from a power cut."""
    for place in (folder, folder.parent, folder.parent.parent):
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
