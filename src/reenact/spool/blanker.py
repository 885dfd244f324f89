"""Blanker: takes what is in the store out of the journal's files, while a writer may be appending to them."""

import os
from pathlib import Path

from reenact.domain.exchange import Cursor
from reenact.spool.segment import segments

_PIECE_BYTES = 1024 * 1024


def blank(folder: Path, before: Cursor) -> None:
    """Overwrite with zeros what lies before the cursor in the segments of *folder*, and sync it.

    Whole segments are deleted, but the newest: its number must stay known. A reader that begins in the zeros skips them.

    Raises:
        OSError: a segment cannot be written.
    """
    found = segments(folder)
    for segment in found:
        if segment.number < before.segment and segment is not found[-1]:
            segment.path.unlink(missing_ok=True)
        elif segment.number <= before.segment:
            is_past = segment.number < before.segment
            _overwrite(segment.path, segment.path.stat().st_size if is_past else before.offset_bytes)


def _overwrite(path: Path, end: int) -> None:
    """Write zeros up to *end*, which is never past the file's end; pieces that are zeros already are left alone."""
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        end = min(end, os.fstat(file).st_size)
        for start in range(0, end, _PIECE_BYTES):
            piece = os.pread(file, min(_PIECE_BYTES, end - start), start)
            if any(piece):
                os.pwrite(file, bytes(len(piece)), start)
        os.fsync(file)
    finally:
        os.close(file)
