"""Segment: one append-only file of the spool, `<number>-<salt>.spool`, both numbers in its name."""

from pathlib import Path

import msgspec

_SUFFIX = ".spool"


class Segment(msgspec.Struct, frozen=True, order=True):
    """One file. Numbers rise; a higher number was written later."""

    number: int
    salt: int
    """32 bits, part of every checksum in the file."""
    path: Path


def named(folder: Path, number: int, salt: int) -> Segment:
    """Return the segment that has this number and salt."""
    return Segment(number=number, salt=salt, path=folder / f"{number:08d}-{salt:08x}{_SUFFIX}")


def segments(folder: Path) -> list[Segment]:
    """Return the segments in *folder*, oldest first; none when there is no such folder.

    Raises:
        OSError: the folder cannot be listed.
    """
    try:
        paths = list(folder.iterdir())
    except FileNotFoundError:
        return []
    return sorted(segment for path in paths if (segment := _read_name(path)) is not None)


def _read_name(path: Path) -> Segment | None:
    number, dash, salt = path.stem.partition("-")
    if path.suffix != _SUFFIX or not dash:
        return None
    try:
        return Segment(number=int(number), salt=int(salt, 16), path=path)
    except ValueError:
        return None
