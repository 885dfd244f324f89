"""What lies about in a folder's files, for tests that look for what should be gone."""

from pathlib import Path

import zstandard

from reenact.store.packing import decompressor


def lying_about(folder: Path) -> bytes:
    """Return the bytes of every file, compressed frames once more as what they hold."""
    raw = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    inside, at = [], raw.find(zstandard.FRAME_HEADER)
    while at >= 0:
        reader = decompressor().stream_reader(raw[at:])
        try:
            inside.append(reader.read(1 << 20))
        except zstandard.ZstdError:
            inside.append(b"")
        at = raw.find(zstandard.FRAME_HEADER, at + 1)
    return raw + b"".join(inside)
