"""How records lie in a segment: `magic kind length crc32 payload`, one after the other, and how they are found again.

A segment's salt is part of every checksum. A recorded body may hold bytes that look like a frame, but it cannot know the
salt, so that looking for the next whole frame behind a damaged one never takes recorded content for a record.
"""

import struct
import zlib
from collections.abc import Iterator

import msgspec

from reenact.domain.exchange import Exchange, Gap
from reenact.errors import SpoolFailed
from reenact.spool.spilled import Spilled

MAGIC = b"\xf1R1"
"""Opens every frame; the digit is the format's version."""
EXCHANGE = ord("E")
GAP = ord("G")
SPILLED = ord("S")

_HEADER = struct.Struct("<3sBII")
HEADER_BYTES = _HEADER.size
MAX_PAYLOAD_BYTES = 1 << 30
"""No record is larger; a length over it is damage."""

_encoder = msgspec.msgpack.Encoder()


class Frame(msgspec.Struct, frozen=True):
    """One whole record whose checksum holds."""

    kind: int
    payload: bytes
    end: int
    """Where the next frame begins, counted from the buffer's start."""


class Damage(msgspec.Struct, frozen=True):
    """A stretch that is no whole record although a record was there."""

    raw: bytes
    end: int
    """Where the next frame begins, or the buffer's end when none follows."""


def frame(record: Exchange | Gap | Spilled, salt: int) -> tuple[bytes, bytes]:
    """Return *record*'s header and payload, to be written together.

    Raises:
        SpoolFailed: it is too large for a record.
    """
    kind = EXCHANGE if isinstance(record, Exchange) else GAP if isinstance(record, Gap) else SPILLED
    payload = _encoder.encode(record)
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise SpoolFailed(f"An exchange of {len(payload)} bytes is larger than a record can be.")
    return _HEADER.pack(MAGIC, kind, len(payload), _checksum(kind, payload, salt)), payload


def frames(buffer: memoryview, salt: int) -> Iterator[Frame | Damage]:
    """Yield the records of *buffer*, which begins with one, and the damaged stretches between them.

    Ends before a torn tail: a last record that is not all there. Where the bytes behind the last yielded `end` begin is
    therefore where a record may still be being written.
    """
    start = 0
    while start < len(buffer):
        if (found := _frame_at(buffer, start, salt)) is not None:
            yield found
            start = found.end
            continue
        following = _next_frame(buffer, start + 1, salt)
        if following == len(buffer) and _is_torn(buffer[start:]):
            return
        yield Damage(raw=bytes(buffer[start:following]), end=following)
        start = following


def expected_bytes(buffer: memoryview) -> int:
    """Return how long the frame that *buffer* begins with says it is; 0 when no header is there."""
    if len(buffer) < HEADER_BYTES:
        return 0
    magic, _, length, _ = _HEADER.unpack_from(buffer)
    return HEADER_BYTES + length if magic == MAGIC and length <= MAX_PAYLOAD_BYTES else 0


def _checksum(kind: int, payload: bytes | memoryview, salt: int) -> int:
    return zlib.crc32(payload, zlib.crc32(struct.pack("<BI", kind, len(payload)), salt))


def _frame_at(buffer: memoryview, start: int, salt: int) -> Frame | None:
    if len(buffer) - start < HEADER_BYTES:
        return None
    magic, kind, length, checksum = _HEADER.unpack_from(buffer, start)
    end = start + HEADER_BYTES + length
    if magic != MAGIC or end > len(buffer):
        return None
    payload = buffer[start + HEADER_BYTES : end]
    return Frame(kind=kind, payload=bytes(payload), end=end) if _checksum(kind, payload, salt) == checksum else None


def _next_frame(buffer: memoryview, start: int, salt: int) -> int:
    """Return where the next whole frame begins; the buffer's length when there is none."""
    content = bytes(buffer[start:])
    at = content.find(MAGIC)
    while at >= 0:
        if _frame_at(buffer, start + at, salt) is not None:
            return start + at
        at = content.find(MAGIC, at + 1)
    return len(buffer)


def _is_torn(tail: memoryview) -> bool:
    """Return whether *tail* is the first part of a record, or the zeros a power cut leaves behind."""
    if len(tail) < HEADER_BYTES:
        beginning = bytes(tail[: len(MAGIC)])
        return MAGIC.startswith(beginning) or not any(tail)
    return expected_bytes(tail) > len(tail) or not any(tail)
