"""SpoolReader: hands out what the journal holds, in order, while a writer may be appending to it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from reenact.domain.exchange import Cursor, Exchange, Gap, Unreadable
from reenact.spool.framing import EXCHANGE, GAP, SPILLED, Damage, Frame, expected_bytes, frames
from reenact.spool.segment import Segment, segments
from reenact.spool.spillage import discard_spilled, read_spilled
from reenact.spool.spilled import Spilled

_WINDOW_BYTES = 4 * 1024 * 1024

_decoders: dict[int, Callable[[bytes], Exchange | Gap | Spilled]] = {
    EXCHANGE: msgspec.msgpack.Decoder(Exchange).decode,
    GAP: msgspec.msgpack.Decoder(Gap).decode,
    SPILLED: msgspec.msgpack.Decoder(Spilled).decode,
}


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the journal. One id may stand in it twice; the later exchange is the fuller one."""

    exchanges: tuple[Exchange, ...]
    gaps: tuple[Gap, ...]
    unreadables: tuple[Unreadable, ...]
    cursor: Cursor
    """Where to read on."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing new was there."""
        return not (self.exchanges or self.gaps or self.unreadables)


class SpoolReader:
    """Reads the segments of a folder. It keeps nothing open and remembers nothing: the cursor is the caller's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, after: Cursor, *, limit_records: int = 500, limit_bytes: int = 16 * 1024 * 1024) -> Batch:
        """Return what follows *after*; at least one record when there is a whole one, whatever its size.

        The last record of the newest segment may still be being written: reading stops before it. Behind the last whole
        record of an older segment nothing can come any more: what a killed process left there is skipped.

        Raises:
            OSError: a segment cannot be read.
        """
        gathered = _Gathered(self._folder, after, limit_records, limit_bytes)
        found = segments(self._folder)
        if found and found[-1].number < after.segment:
            gathered.cursor = Cursor()  # the folder was emptied: numbers began anew
        for segment in found:
            is_newest = segment is found[-1]
            if segment.number >= gathered.cursor.segment:
                self._read_segment(segment, is_newest, gathered)
                if gathered.is_full:
                    break
                if not is_newest:
                    gathered.cursor = Cursor(segment=segment.number + 1)
        return gathered.batch()

    def discard(self, before: Cursor) -> None:
        """Delete the segments that *before* has left behind, whole ones only.

        Raises:
            OSError: a segment cannot be deleted.
        """
        for segment in segments(self._folder)[:-1]:
            if segment.number < before.segment:
                segment.path.unlink(missing_ok=True)
        discard_spilled(self._folder, before.segment)

    def _read_segment(self, segment: Segment, is_newest: bool, gathered: "_Gathered") -> None:
        begin = gathered.cursor.offset_bytes if gathered.cursor.segment == segment.number else 0
        file = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(file).st_size
            for found, offset in _records(file, segment.salt, begin, size):
                if is_newest and isinstance(found, Damage) and offset == size:
                    return  # being written: it may be whole next time
                gathered.take(found, Cursor(segment=segment.number, offset_bytes=offset))
                if gathered.is_full:
                    return
        finally:
            os.close(file)


def _records(file: int, salt: int, offset: int, size: int) -> Iterator[tuple[Frame | Damage, int]]:
    """Yield what is in *file* from *offset* on, each with the offset of what follows it."""
    window_bytes = _WINDOW_BYTES
    while offset < size:
        buffer = memoryview(os.pread(file, min(window_bytes, size - offset), offset))
        is_rest = offset + len(buffer) >= size
        end = 0
        for found in frames(buffer, salt):
            if isinstance(found, Damage) and found.end == len(buffer) and not is_rest:
                break  # what follows the damage lies behind the window
            end = found.end
            yield found, offset + end
        if is_rest:
            return
        window_bytes = _WINDOW_BYTES if end else _wider(buffer, size - offset)
        offset += end


def _wider(buffer: memoryview, rest_bytes: int) -> int:
    """Return how much to read when the window held no whole record: that record, or all that is left."""
    expected = expected_bytes(buffer)
    return expected if len(buffer) < expected <= rest_bytes else rest_bytes


class _Gathered:
    """A batch in the making."""

    def __init__(self, folder: Path, cursor: Cursor, limit_records: int, limit_bytes: int) -> None:
        self._folder = folder
        self.cursor = cursor
        self._records_left = limit_records
        self._bytes_left = limit_bytes
        self._exchanges: list[Exchange] = []
        self._gaps: list[Gap] = []
        self._unreadables: list[Unreadable] = []

    @property
    def is_full(self) -> bool:
        return self._records_left <= 0 or self._bytes_left <= 0

    def take(self, found: Frame | Damage, cursor: Cursor) -> None:
        self.cursor = cursor
        self._records_left -= 1
        self._bytes_left -= len(found.raw if isinstance(found, Damage) else found.payload)
        if isinstance(found, Damage) and not any(found.raw):
            return  # taken out of the journal once it was in the store
        if isinstance(found, Damage):
            self._unreadables.append(Unreadable(raw=found.raw, reason="the record is damaged"))
            return
        record = self._whole(_decode(found))
        if isinstance(record, Exchange):
            self._exchanges.append(record)
        elif isinstance(record, Gap):
            self._gaps.append(record)
        else:
            self._unreadables.append(record)

    def _whole(self, record: Exchange | Gap | Spilled | Unreadable) -> Exchange | Gap | Unreadable:
        """Return a record with its bodies out of their files."""
        if not isinstance(record, Spilled):
            return record
        try:
            exchange = read_spilled(self._folder, record)
        except OSError as error:
            raw = msgspec.msgpack.encode(record)
            return Unreadable(raw=raw, reason=f"the file of its body cannot be read: {error.strerror or error}")
        self._bytes_left -= len(exchange.request_body) + len(exchange.response_body)
        return exchange

    def batch(self) -> Batch:
        return Batch(
            exchanges=tuple(self._exchanges),
            gaps=tuple(self._gaps),
            unreadables=tuple(self._unreadables),
            cursor=self.cursor,
        )


def _decode(found: Frame) -> Exchange | Gap | Spilled | Unreadable:
    decode = _decoders.get(found.kind)
    if decode is None:
        return Unreadable(raw=found.payload, reason=f"a record of unknown kind {found.kind}")
    try:
        return decode(found.payload)
    except msgspec.MsgspecError as error:
        return Unreadable(raw=found.payload, reason=str(error))
