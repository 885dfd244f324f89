"""Appender: writes records behind one another into the newest segment of a folder."""

import contextlib
import os
import secrets
import threading
from pathlib import Path

import msgspec

from reenact.domain.exchange import Exchange, Gap
from reenact.errors import SpoolFailed
from reenact.spool.disk import Counters, Disk
from reenact.spool.framing import frame
from reenact.spool.segment import Segment, named, segments
from reenact.spool.spillage import SpillFile, discard_orphans
from reenact.spool.spilled import Spilled


class Spilling(msgspec.Struct, frozen=True):
    """An exchange whose bodies lie in files that have no names yet."""

    exchange: Exchange
    request: SpillFile | None
    response: SpillFile | None

    def drop(self) -> None:
        """Delete the files."""
        for spill in (self.request, self.response):
            if spill is not None:
                spill.drop()


class Unsynced(msgspec.Struct, frozen=True):
    """What may have been written since it was last asked for."""

    full: list[int]
    """Descriptors of files that nobody writes to any more; the taker's to sync and to close."""
    newest: int | None
    """The newest segment's; it stays open until it is among the full ones."""
    folder_changed: bool


class Appender:
    """One thread at a time writes, its caller sees to that. Another may take what is to be synced meanwhile."""

    def __init__(
        self, folder: Path, disk: Disk, counters: Counters, *, segment_bytes: int, quota_bytes: int | None
    ) -> None:
        """Touch nothing yet; see SpoolWriter."""
        self._folder = folder
        self._write = disk.write
        self._counters = counters
        self._segment_bytes = segment_bytes
        self._quota_bytes = quota_bytes
        self._file: int | None = None
        self._segment: Segment | None = None
        self._offset_bytes = 0
        self._is_clean = False
        self._is_doubtful = False
        self._lock = threading.Lock()
        """Guards which files there are; no write is waited for while it is held."""
        self._full: list[int] = []
        self._folder_changed = False

    def write(self, record: Exchange | Gap | Spilling) -> None:
        """Hand *record* to the kernel.

        Raises:
            OSError: it did not take it; what it took of it is taken back.
            SpoolFailed: the folder has reached its quota, or the record is too large.
        """
        file = self._open()
        assert self._segment is not None
        whole = self._settled(record, self._segment.number) if isinstance(record, Spilling) else record
        self._put(file, frame(whole, self._segment.salt))

    def clean(self) -> None:
        """Delete, before anything is written, what a killed writer left."""
        with self._lock:  # whoever opens a file of its own has to come after this
            if not self._is_clean:
                self._is_clean = True
                discard_orphans(self._folder)

    def retire(self) -> None:
        """Leave the newest segment to whoever syncs; the next record opens another."""
        with self._lock:
            if self._file is not None:
                self._full.append(self._file)
                self._file = None
                self._is_doubtful = False

    def doubt(self, file: int) -> None:
        """Have the next record open another segment if *file* is the newest's; any thread may call this."""
        with self._lock:
            self._is_doubtful = self._file == file

    def unsynced(self) -> Unsynced:
        """Return what is to be synced; any one thread may call this."""
        with self._lock:
            taken = Unsynced(full=self._full, newest=self._file, folder_changed=self._folder_changed)
            self._full, self._folder_changed = [], False
        return taken

    def _settled(self, record: Spilling, segment: int) -> Spilled:
        """Give the record's files their names; they are synced before it is."""
        names = ["", ""]
        for at, spill in enumerate((record.request, record.response)):
            if spill is not None:
                names[at], descriptor = spill.settle(segment)
                with self._lock:
                    self._full.append(descriptor)
                    self._folder_changed = True
        return Spilled(exchange=record.exchange, request_file=names[0], response_file=names[1])

    def _put(self, file: int, parts: tuple[bytes, bytes]) -> None:
        record_bytes = len(parts[0]) + len(parts[1])
        try:
            written = self._write(file, parts)
            while written < record_bytes:
                written += self._write(file, (b"".join(parts)[written:],))
        except OSError:
            self._cut_torn_record(file)
            raise
        self._offset_bytes += record_bytes
        self._counters.records += 1
        self._counters.bytes += record_bytes

    def _open(self) -> int:
        if self._file is not None and (self._offset_bytes >= self._segment_bytes or self._is_doubtful):
            self.retire()
        if self._file is not None:
            return self._file
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.clean()
        existing = segments(self._folder)
        if self._quota_bytes is not None:
            self._heed_quota(existing, self._quota_bytes)
        segment = named(self._folder, existing[-1].number + 1 if existing else 1, secrets.randbits(32))
        file = os.open(segment.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with self._lock:
            self._file, self._folder_changed = file, True
        self._segment, self._offset_bytes = segment, 0
        return file

    def _heed_quota(self, existing: list[Segment], quota_bytes: int) -> None:
        """Refuse to begin another segment that could lie beyond the quota.

        Raises:
            SpoolFailed: it could.
        """
        lying_bytes = 0
        for segment in existing:
            with contextlib.suppress(FileNotFoundError):  # read and discarded meanwhile
                lying_bytes += segment.path.stat().st_size
        if lying_bytes + self._segment_bytes > quota_bytes:
            raise SpoolFailed(f"The spool in {self._folder} has reached its quota of {quota_bytes} bytes.")

    def _cut_torn_record(self, file: int) -> None:
        """Take back the part of a record that was written before the disk was full."""
        try:
            os.ftruncate(file, self._offset_bytes)
        except OSError:
            self.retire()  # a torn tail in a segment that nobody appends to is skipped by readers
