"""SpoolWriter: keeps exchanges in the journal, whole, in the time of one write, and makes them durable right after."""

import contextlib
import logging
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from reenact.domain.exchange import Exchange, Gap
from reenact.errors import SpoolFailed
from reenact.spool.framing import frame
from reenact.spool.segment import Segment, named, segments

_log = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0
"""How often gaps are tried again while nothing else is appended."""

_sync_data: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class Counters(msgspec.Struct):
    """What a writer has done since it was made."""

    records: int = 0
    """Exchanges and gaps together."""
    bytes: int = 0
    syncs: int = 0
    failed_syncs: int = 0
    gaps: int = 0
    """Exchanges that could not be kept."""


class SpoolWriter:
    """Appends to the newest segment of a folder; a Recorder for the gateway.

    A record is in the kernel's hands when `append` returns: a killed process loses none. A thread of its own syncs what was
    written while its last sync ran, so that no caller ever waits for a disk. One writer a folder; any thread may call it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Callable[[], int],
        segment_bytes: int = 64 * 1024 * 1024,
        on_append: Callable[[], None] | None = None,
    ) -> None:
        """Touch nothing yet: a folder that cannot be written shows at the first append, as a gap.

        Args:
            folder: where the segments lie; made when missing.
            clock: microseconds since the epoch.
            segment_bytes: a segment that has reached this size is followed by a new one.
            on_append: called after every record, on the appending thread; must be quick and never raise.
        """
        self.counters = Counters()
        self._folder = folder
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._on_append = on_append
        self._lock = threading.Lock()
        self._file: int | None = None
        self._segment: Segment | None = None
        self._offset_bytes = 0
        self._full: list[int] = []
        self._folder_changed = False
        self._gaps: dict[tuple[str, str], Gap] = {}
        self._wake = threading.Event()
        self._closing = False
        self._syncer = threading.Thread(target=self._sync_until_closed, name="reenact-spool-sync", daemon=True)
        self._syncer.start()

    def append(self, exchange: Exchange) -> None:
        """Keep *exchange*; a process killed after this returns has kept it.

        Raises:
            SpoolFailed: it could not be kept.
        """
        with self._lock:
            if self._closing:
                raise SpoolFailed(f"The spool in {self._folder} is closed.")
            try:
                self._write(exchange)
            except OSError as error:
                raise SpoolFailed(f"Cannot write the spool in {self._folder}: {error.strerror or error}.") from error
            self._write_gaps()
        self._announce()

    def gap(self, organisation_id: str, reason: str) -> None:
        """Count one exchange that was lost; it goes into the journal as soon as writing works again."""
        now_us = self._clock()
        with self._lock:
            self.counters.gaps += 1
            known = self._gaps.get((organisation_id, reason))
            if known is None:
                _log.error("Calls of %s are not being recorded: %s", organisation_id, reason)
            self._gaps[organisation_id, reason] = Gap(
                organisation_id=organisation_id,
                first_us=known.first_us if known else now_us,
                last_us=now_us,
                count=known.count + 1 if known else 1,
                reason=reason,
            )
        self._wake.set()

    def close(self) -> None:
        """Write and sync what is left, and let go of the files. Gaps that still cannot be written are logged."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
        self._wake.set()
        self._syncer.join()

    def _write(self, record: Exchange | Gap) -> None:
        file, segment = self._open()
        parts = frame(record, segment.salt)
        record_bytes = len(parts[0]) + len(parts[1])
        try:
            written = os.writev(file, parts)
            while written < record_bytes:
                written += os.write(file, b"".join(parts)[written:])
        except OSError:
            self._cut_torn_record(file)
            raise
        self._offset_bytes += record_bytes
        self.counters.records += 1
        self.counters.bytes += record_bytes

    def _open(self) -> tuple[int, Segment]:
        if self._file is not None and self._offset_bytes >= self._segment_bytes:
            self._retire()
        if self._file is None or self._segment is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            existing = segments(self._folder)
            segment = named(self._folder, existing[-1].number + 1 if existing else 1, secrets.randbits(32))
            self._file = os.open(segment.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._segment, self._offset_bytes, self._folder_changed = segment, 0, True
        return self._file, self._segment

    def _retire(self) -> None:
        """Leave the newest segment to the syncing thread; the next record opens another."""
        if self._file is not None:
            self._full.append(self._file)
            self._file = None

    def _cut_torn_record(self, file: int) -> None:
        """Take back the part of a record that was written before the disk was full."""
        try:
            os.ftruncate(file, self._offset_bytes)
        except OSError:
            self._retire()  # a torn tail in a segment that nobody appends to is skipped by readers

    def _write_gaps(self) -> None:
        with contextlib.suppress(OSError):  # what is left stays in memory and is tried again
            while self._gaps:
                key, gap = next(iter(self._gaps.items()))
                self._write(gap)
                del self._gaps[key]

    def _announce(self) -> None:
        self._wake.set()
        if self._on_append is not None:
            self._on_append()

    def _sync_until_closed(self) -> None:
        while not self._closing:
            self._wake.wait(_RETRY_SECONDS if self._gaps else None)
            self._wake.clear()
            self._retry_gaps()
            self._sync()
        self._finish()

    def _retry_gaps(self) -> None:
        with self._lock:
            before = self.counters.records
            self._write_gaps()
            has_written = self.counters.records > before
        if has_written:
            self._announce()

    def _sync(self) -> None:
        with self._lock:
            full, self._full = self._full, []
            newest = self._file
            folder_changed, self._folder_changed = self._folder_changed, False
        for file in full:
            self._sync_file(file)
            os.close(file)
        if newest is not None and not self._sync_file(newest):
            self._abandon(newest)
        if folder_changed:
            self._sync_folder()

    def _sync_file(self, file: int) -> bool:
        try:
            _sync_data(file)
        except OSError:
            self.counters.failed_syncs += 1
            _log.exception("The spool in %s could not be synced; a power cut may lose records.", self._folder)
            return False
        self.counters.syncs += 1
        return True

    def _abandon(self, file: int) -> None:
        """Go on in a new segment: after a failed sync the kernel may have dropped pages of this one."""
        with self._lock:
            if self._file == file:
                self._retire()

    def _sync_folder(self) -> None:
        try:
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError:
            self.counters.failed_syncs += 1
            _log.exception("The spool folder %s could not be synced.", self._folder)

    def _finish(self) -> None:
        self._retry_gaps()
        with self._lock:
            self._retire()
        self._sync()
        for gap in self._gaps.values():
            _log.error("%d calls of %s were not recorded: %s", gap.count, gap.organisation_id, gap.reason)
