"""SpoolWriter: keeps exchanges in the journal, whole, in the time of one write, and makes them durable right after.

Long, since everything that one lock guards stands in one place.
"""

import contextlib
import logging
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from reenact.domain.exchange import Exchange, Gap, Spill
from reenact.errors import SpoolFailed
from reenact.spool.framing import frame
from reenact.spool.segment import Segment, named, segments
from reenact.spool.spillage import SpillFile, discard_orphans
from reenact.spool.spilled import Spilled

_log = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0
"""How often gaps are tried again while nothing else is appended."""
_GROUP_SECONDS = 0.02
"""How long a record may wait for its sync, so that those of many calls share one: a sync costs as much as a call."""
_SLOW_WRITE_SECONDS = 0.05
"""A disk that takes longer is not written to by whoever appends: that is the event loop that agents wait on."""

_ENVELOPE_BYTES = 4096
"""About what a record takes beside its bodies."""

_sync_data: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync
_now_s = time.monotonic


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """What a writer expects of the disk below it, and does while it is slower."""

    slow_sync_s: float = 0.25
    """While a sync takes longer, whoever appends does not touch the disk."""
    queue_bytes: int = 64 * 1024 * 1024
    """How much may wait for a slow one; what comes after is a gap."""
    sync: Callable[[int], None] = _sync_data
    """Makes what was written to a descriptor durable."""


class Counters(msgspec.Struct):
    """What a writer has done since it was made."""

    records: int = 0
    """Exchanges and gaps together."""
    bytes: int = 0
    syncs: int = 0
    failed_syncs: int = 0
    gaps: int = 0
    """Exchanges that could not be kept."""
    queued_bytes: int = 0
    """Of records that a slow disk has yet to take; a killed process loses them."""
    most_queued_bytes: int = 0
    """The most that there ever were."""


class _Spilling(msgspec.Struct, frozen=True):
    """An exchange whose bodies lie in files that have no names yet."""

    exchange: Exchange
    request: SpillFile | None
    response: SpillFile | None


class SpoolWriter:
    """Appends to the newest segment of a folder; a Recorder for the gateway.

    A record is in the kernel's hands when `append` returns: a killed process loses none. A thread of its own syncs what was
    written since its last sync, so that no caller ever waits for a disk. While the disk is slow, that thread writes, too, out
    of a bounded queue. One writer a folder; any thread may call it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Callable[[], int],
        segment_bytes: int = 64 * 1024 * 1024,
        quota_bytes: int | None = None,
        disk: Disk = Disk(),  # noqa: B008 - a frozen value
        on_append: Callable[[], None] | None = None,
    ) -> None:
        """Touch nothing yet: a folder that cannot be written shows at the first append, as a gap.

        Args:
            folder: where the segments lie; made when missing.
            clock: microseconds since the epoch.
            segment_bytes: a segment that has reached this size is followed by a new one.
            quota_bytes: how much may lie in the folder; what comes after is a gap until somebody has read and discarded.
            disk: what is expected of it.
            on_append: called after every record, on the appending thread; must be quick and never raise.
        """
        self.counters = Counters()
        self._folder = folder
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._quota_bytes = quota_bytes
        self._disk = disk
        self._on_append = on_append
        self._lock = threading.Lock()
        self._file: int | None = None
        self._segment: Segment | None = None
        self._offset_bytes = 0
        self._full: list[int] = []
        self._folder_changed = False
        self._is_clean = False
        self._gaps: dict[tuple[str, str], Gap] = {}
        self._queue: deque[tuple[Exchange | _Spilling, int]] = deque()
        self._is_aside = False
        """Whether the thread writes."""
        self._sync_since_s: float | None = None
        """When the sync under way began."""
        self._is_unsynced = False
        self._waiting: list[Callable[[], None]] = []
        self._hurry = threading.Event()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._syncer = threading.Thread(target=self._sync_until_closed, name="reenact-spool-sync", daemon=True)
        self._syncer.start()

    def spill(self) -> SpillFile:
        """Open a file for a body that is too large for memory.

        Raises:
            SpoolFailed: there can be none.
        """
        with self._lock:
            self._clean()
        return SpillFile(self._folder)

    def append_spilled(self, exchange: Exchange, request: Spill | None, response: Spill | None) -> None:
        """Keep *exchange*, whose bodies lie in files of this spool that are its own from now on; see `append`.

        Raises:
            SpoolFailed: it could not be kept.
        """
        assert request is None or isinstance(request, SpillFile)
        assert response is None or isinstance(response, SpillFile)
        self._append(_Spilling(exchange=exchange, request=request, response=response))

    def append(self, exchange: Exchange) -> None:
        """Keep *exchange*; a process killed after this returns has kept it, unless the disk is slow (see Counters).

        Raises:
            SpoolFailed: it could not be kept.
        """
        self._append(exchange)

    def _append(self, record: "Exchange | _Spilling") -> None:
        with self._lock:
            if self._closing.is_set():
                raise SpoolFailed(f"The spool in {self._folder} is closed.")
            try:
                if self._is_aside or self._is_slow():
                    self._enqueue(record)
                else:
                    self._write(record)
            except OSError as error:
                raise SpoolFailed(f"Cannot write the spool in {self._folder}: {error.strerror or error}.") from error
            if self._gaps and not self._is_aside:
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

    def when_durable(self, act: Callable[[], None]) -> None:
        """Have *act* called, on the syncing thread, once everything appended so far is safe from a power cut.

        It is called after a sync that fails, too: an agent that waits for its answer is not held up for ever.
        """
        with self._lock:
            self._waiting.append(act)
        self._hurry.set()
        self._wake.set()

    def close(self) -> None:
        """Write and sync what is left, and let go of the files. Gaps that still cannot be written are logged."""
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
        self._hurry.set()
        self._wake.set()
        self._syncer.join()

    # --- writing; under the lock, or by the thread while it writes aside

    def _is_slow(self) -> bool:
        """Return whether the sync under way takes too long: then a write could, too."""
        since_s = self._sync_since_s
        if since_s is None or _now_s() - since_s < self._disk.slow_sync_s:
            return False
        _log.warning("The disk of the spool in %s is slow; records wait in memory.", self._folder)
        self._is_aside = True
        return True

    def _enqueue(self, record: "Exchange | _Spilling") -> None:
        """Leave a record to the thread.

        Raises:
            SpoolFailed: too much waits already.
        """
        exchange = record.exchange if isinstance(record, _Spilling) else record
        record_bytes = len(exchange.request_body) + len(exchange.response_body) + _ENVELOPE_BYTES
        if self.counters.queued_bytes + record_bytes > self._disk.queue_bytes:
            raise SpoolFailed(
                f"The disk of the spool in {self._folder} is too slow: {self._disk.queue_bytes} bytes wait."
            )
        self.counters.queued_bytes += record_bytes
        self.counters.most_queued_bytes = max(self.counters.most_queued_bytes, self.counters.queued_bytes)
        self._queue.append((record, record_bytes))

    def _write(self, record: "Exchange | Gap | _Spilling") -> None:
        file = self._open()
        begun_s = _now_s()
        assert self._segment is not None
        whole = self._settled(record, self._segment.number) if isinstance(record, _Spilling) else record
        self._put(file, frame(whole, self._segment.salt))
        if _now_s() - begun_s > _SLOW_WRITE_SECONDS:
            _log.warning("The disk of the spool in %s is slow; records wait in memory.", self._folder)
            self._is_aside = True

    def _settled(self, record: "_Spilling", segment: int) -> Spilled:
        """Give the record's files their names; they are synced before it is."""
        names = ["", ""]
        for at, spill in enumerate((record.request, record.response)):
            if spill is not None:
                names[at], descriptor = spill.settle(segment)
                self._full.append(descriptor)
                self._folder_changed = True
        return Spilled(exchange=record.exchange, request_file=names[0], response_file=names[1])

    def _put(self, file: int, parts: tuple[bytes, bytes]) -> None:
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

    def _open(self) -> int:
        if self._file is not None and self._offset_bytes >= self._segment_bytes:
            self._retire()
        if self._file is None or self._segment is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._clean()
            existing = segments(self._folder)
            if self._quota_bytes is not None:
                self._heed_quota(existing)
            segment = named(self._folder, existing[-1].number + 1 if existing else 1, secrets.randbits(32))
            self._file = os.open(segment.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._segment, self._offset_bytes, self._folder_changed = segment, 0, True
        return self._file

    def _clean(self) -> None:
        """Delete, before anything is written, what a killed writer left."""
        if not self._is_clean:
            self._is_clean = True
            discard_orphans(self._folder)

    def _heed_quota(self, existing: list[Segment]) -> None:
        """Refuse to begin another segment that could lie beyond the quota.

        Raises:
            SpoolFailed: it could.
        """
        assert self._quota_bytes is not None
        lying_bytes = 0
        for segment in existing:
            with contextlib.suppress(FileNotFoundError):  # read and discarded meanwhile
                lying_bytes += segment.path.stat().st_size
        if lying_bytes + self._segment_bytes > self._quota_bytes:
            raise SpoolFailed(f"The spool in {self._folder} has reached its quota of {self._quota_bytes} bytes.")

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
        with contextlib.suppress(OSError, SpoolFailed):  # what is left stays in memory and is tried again
            while self._gaps:
                key, gap = next(iter(self._gaps.items()))
                self._write(gap)
                del self._gaps[key]

    def _announce(self) -> None:
        if not self._is_unsynced:
            self._is_unsynced = True
            self._wake.set()
        if self._on_append is not None:
            self._on_append()

    # --- the thread

    def _sync_until_closed(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(_RETRY_SECONDS if self._gaps else None)
            self._wake.clear()
            self._write_aside()
            self._retry_gaps()
            self._sync()
            self._hurry.wait(_GROUP_SECONDS)
            self._hurry.clear()
        self._finish()

    def _write_aside(self) -> None:
        """Write what waits in the queue; once nothing does, whoever appends writes again."""
        while self._is_aside:
            with self._lock:
                if not self._queue:
                    self._is_aside = False
                    return
                record, record_bytes = self._queue[0]
            try:  # without the lock, so that whoever appends goes on; while the thread writes, nobody else does
                self._write(record)
            except (OSError, SpoolFailed) as error:
                exchange = record.exchange if isinstance(record, _Spilling) else record
                self.gap(exchange.organisation_id, str(error))
            with self._lock:
                self._queue.popleft()
                self.counters.queued_bytes -= record_bytes

    def _retry_gaps(self) -> None:
        if not self._gaps:
            return
        with self._lock:
            before = self.counters.records
            self._write_gaps()
            has_written = self.counters.records > before
        if has_written and self._on_append is not None:
            self._on_append()

    def _sync(self) -> None:
        with self._lock:
            full, self._full = self._full, []
            newest = self._file if self._is_unsynced else None
            self._is_unsynced = False
            waiting, self._waiting = self._waiting, []
            folder_changed, self._folder_changed = self._folder_changed, False
        for file in full:
            self._sync_file(file)
            os.close(file)
        if newest is not None and not self._sync_file(newest):
            self._abandon(newest)
        if folder_changed:
            self._sync_folder()
        for act in waiting:
            act()

    def _sync_file(self, file: int) -> bool:
        self._sync_since_s = _now_s()
        try:
            self._disk.sync(file)
        except OSError:
            self.counters.failed_syncs += 1
            _log.exception("The spool in %s could not be synced; a power cut may lose records.", self._folder)
            return False
        finally:
            self._sync_since_s = None
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
        self._write_aside()
        self._retry_gaps()
        with self._lock:
            self._retire()
        self._sync()
        for gap in self._gaps.values():
            _log.error("%d calls of %s were not recorded: %s", gap.count, gap.organisation_id, gap.reason)
