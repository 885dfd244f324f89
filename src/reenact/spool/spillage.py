"""Spillage: bodies too large for a record, in files beside the segments: `bodies/<segment>-<random>`, the record's segment."""

import contextlib
import os
import secrets
from pathlib import Path

import msgspec

from reenact.domain.exchange import Exchange
from reenact.errors import SpoolFailed
from reenact.spool.spilled import Spilled

_FOLDER = "bodies"
_OPEN = ".part"
"""Of a file whose record is yet to be written: of a killed process, nobody's."""


class SpillFile:
    """A body on its way into a file; see Spill."""

    def __init__(self, folder: Path) -> None:
        """Make the file in the spool's *folder*.

        Raises:
            SpoolFailed: it cannot be made.
        """
        self._folder = folder / _FOLDER
        self._name = secrets.token_hex(8)
        self.file = -1
        with _explained(folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.file = os.open(self._path(_OPEN), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, piece: bytes) -> None:
        """Add a piece.

        Raises:
            SpoolFailed: the disk does not take it.
        """
        with _explained(self._folder.parent):
            left = memoryview(piece)
            while left:
                left = left[os.write(self.file, left) :]

    def settle(self, segment: int) -> tuple[str, int]:
        """Give the file its name beside *segment*, where its record is about to be written.

        Returns the name, and the descriptor, which is the caller's to close now.

        Raises:
            OSError: it cannot be renamed.
        """
        name = f"{segment:08d}-{self._name}"
        self._path(_OPEN).rename(self._folder / name)
        descriptor, self.file = self.file, -1
        return name, descriptor

    def drop(self) -> None:
        """Delete it."""
        if self.file >= 0:
            os.close(self.file)
            self.file = -1
        with contextlib.suppress(OSError):  # whoever cleans up finds it
            self._path(_OPEN).unlink(missing_ok=True)

    def _path(self, suffix: str) -> Path:
        return self._folder / (self._name + suffix)


def read_spilled(folder: Path, spilled: Spilled) -> Exchange:
    """Return the exchange with its bodies.

    Raises:
        OSError: a body's file is not there.
    """
    bodies = {}
    if spilled.request_file:
        bodies["request_body"] = (folder / _FOLDER / spilled.request_file).read_bytes()
    if spilled.response_file:
        bodies["response_body"] = (folder / _FOLDER / spilled.response_file).read_bytes()
    return msgspec.structs.replace(spilled.exchange, **bodies)


def discard_spilled(folder: Path, before_segment: int) -> None:
    """Delete the bodies of records in segments before this one."""
    for path in _files(folder):
        number = path.name.partition("-")[0]
        if number.isdigit() and int(number) < before_segment:
            path.unlink(missing_ok=True)


def discard_orphans(folder: Path) -> None:
    """Delete what a killed writer left without a record; for the folder's one writer, before it writes."""
    for path in _files(folder):
        if path.suffix == _OPEN:
            path.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    try:
        return list((folder / _FOLDER).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


class _explained(contextlib.AbstractContextManager[None]):  # noqa: N801 - used as a function is
    """Turns an OSError into the spool's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, OSError):
            raise SpoolFailed(f"Cannot write the spool in {self._folder}: {error.strerror or error}.") from error
