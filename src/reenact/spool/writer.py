"""SpoolWriter: keeps exchanges in the journal, whole, in the time of one write, and makes them durable right after."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from reenact.domain.exchange import Exchange, Gap, Spill
from reenact.errors import SpoolFailed
from reenact.spool.appender import Appender, Spilling
from reenact.spool.disk import Counters, Disk
from reenact.spool.gaps import Gaps
from reenact.spool.spillage import SpillFile
from reenact.spool.syncer import Syncer

_log = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0
"""How often gaps are tried again while nothing else is appended."""
_ENVELOPE_BYTES = 4096
"""About what a record takes beside its bodies."""

_now_s = time.monotonic


class _Queued(msgspec.Struct):
    """A record that waits to be written."""

    record: Exchange | Spilling
    bytes: int
    acts: list[Callable[[], None]] = msgspec.field(default_factory=list)
    """Called once it is written, or cannot be."""


class SpoolWriter:
    """Appends to the newest segment of a folder; a Recorder for the gateway.

    While the disk is quick, whoever appends writes: the record is in the kernel's hands when `append` returns, and a killed
    process loses none. While it is slow, a thread writes out of a bounded queue, at once and beside the sync that takes so
    long; `when_written` tells. Another thread syncs (Syncer). One writer a folder; any thread may call it.
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
            on_append: called after every record, on the thread that wrote it; must be quick and never raise.
        """
        self.counters = Counters()
        self._folder = folder
        self._clock = clock
        self._disk = disk
        self._on_append = on_append
        self._appender = Appender(folder, disk, self.counters, segment_bytes=segment_bytes, quota_bytes=quota_bytes)
        self._syncer = Syncer(folder, self._appender, disk, self.counters)
        self._lock = threading.RLock()
        self._gaps = Gaps()
        self._queue: deque[_Queued] = deque()
        self._is_aside = False
        """Whether the thread writes, and nobody else."""
        self._is_sluggish = False
        """Whether the last write took too long for a loop that agents wait on."""
        self._since_s: float | None = None
        """When the thread's write under way began."""
        self._is_told = False
        """Whether it was said that agents are let go."""
        self._is_closed = False
        self._due = threading.Event()
        self._thread = threading.Thread(target=self._write_until_closed, name="reenact-spool-write", daemon=True)
        self._thread.start()

    def spill(self) -> SpillFile:
        """Open a file for a body that is too large for memory.

        Raises:
            SpoolFailed: there can be none.
        """
        with self._lock:
            self._appender.clean()
        return SpillFile(self._folder)

    def append(self, exchange: Exchange) -> bool:
        """Keep *exchange*; return whether it is written: a process killed from then on has kept it. If not, see `when_written`.

        Raises:
            SpoolFailed: it could not be kept.
        """
        return self._append(exchange)

    def append_spilled(self, exchange: Exchange, request: Spill | None, response: Spill | None) -> bool:
        """Keep *exchange*, whose bodies lie in files of this spool that are its own from now on; see `append`.

        Raises:
            SpoolFailed: it could not be kept.
        """
        assert request is None or isinstance(request, SpillFile)
        assert response is None or isinstance(response, SpillFile)
        return self._append(Spilling(exchange=exchange, request=request, response=response))

    def when_written(self, act: Callable[[], None]) -> float:
        """Have *act* called, on any thread, once everything appended so far is written, or cannot be.

        Returns for how many seconds an agent may wait for that: not at all once one write has taken longer than any should.
        """
        with self._lock:
            if self._queue:
                self._queue[-1].acts.append(act)
                since_s = self._since_s
                taken_s = 0.0 if since_s is None else _now_s() - since_s
                return max(0.0, self._disk.hold_s - taken_s)
        act()
        return self._disk.hold_s

    def when_durable(self, act: Callable[[], None]) -> None:
        """Have *act* called, on any thread, once everything appended so far is safe from a power cut, or cannot be made so."""
        self.when_written(lambda: self._syncer.when_synced(act))

    def let_go(self) -> None:
        """Count an exchange whose agent was given the end of its answer before it was written."""
        with self._lock:
            self.counters.let_go += 1
            is_told, self._is_told = self._is_told, True
        if not is_told:
            _log.warning(
                "The disk of the spool in %s is stuck: answers end before they are recorded, and would be lost if this "
                "process were killed now.",
                self._folder,
            )

    def gap(self, organisation_id: str, reason: str) -> None:
        """Count one exchange that was lost; it goes into the journal as soon as writing works again."""
        now_us = self._clock()
        one = Gap(organisation_id=organisation_id, first_us=now_us, last_us=now_us, count=1, reason=reason)
        with self._lock:
            self.counters.gaps += 1
            if self._gaps.add(one):
                _log.error("Calls of %s are not being recorded: %s", organisation_id, reason)
        self._due.set()

    def close(self) -> None:
        """Write and sync what is left, and let go of the files. Gaps that still cannot be written are logged."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._due.set()
        self._thread.join()
        self._appender.retire()
        self._syncer.close()
        for gap in self._gaps:
            _log.error("%d calls of %s were not recorded: %s", gap.count, gap.organisation_id, gap.reason)

    def _append(self, record: Exchange | Spilling) -> bool:
        with self._lock:
            if self._is_closed:
                raise SpoolFailed(f"The spool in {self._folder} is closed.")
            if self._is_aside or self._syncer.is_slow():
                self._enqueue(record)
                return False
            try:
                self._write(record)
            except OSError as error:
                raise SpoolFailed(self._failed(error)) from error
            if self._gaps:
                self._write_gaps()
        self._announce()
        return True

    def _enqueue(self, record: Exchange | Spilling) -> None:
        """Leave a record to the thread.

        Raises:
            SpoolFailed: too much waits already.
        """
        exchange = _exchange_of(record)
        record_bytes = len(exchange.request_body) + len(exchange.response_body) + _ENVELOPE_BYTES
        if self.counters.queued_bytes + record_bytes > self._disk.queue_bytes:
            raise SpoolFailed(
                f"The disk of the spool in {self._folder} is too slow: {self._disk.queue_bytes} bytes wait."
            )
        self.counters.queued_bytes += record_bytes
        self._queue.append(_Queued(record=record, bytes=record_bytes))
        self._is_aside = True
        self._due.set()

    def _write(self, record: Exchange | Gap | Spilling) -> None:
        """Write; under the lock, or by the thread while it writes aside."""
        begun_s = _now_s()
        self._appender.write(record)
        taken_s = _now_s() - begun_s
        if taken_s > self._disk.slow_write_s:
            _log.warning("The disk of the spool in %s is slow: a write took %.2f s.", self._folder, taken_s)
            self._is_aside = self._is_sluggish = True
        elif self._is_sluggish:
            self._is_sluggish = False

    def _write_gaps(self) -> None:
        """Write gaps behind a record that could be written."""
        while (gap := self._gaps.take()) is not None:
            if not self._write_gap(gap):
                return

    def _announce(self) -> None:
        self._syncer.notice()
        if self._on_append is not None:
            self._on_append()

    def _failed(self, error: OSError) -> str:
        return f"Cannot write the spool in {self._folder}: {error.strerror or error}."

    # --- the thread

    def _write_until_closed(self) -> None:
        while not self._is_closed:
            self._due.wait(_RETRY_SECONDS if self._gaps else None)
            self._due.clear()
            self._write_aside()
        self._write_aside()

    def _write_aside(self) -> None:
        """Write what waits, gaps last. Without the lock, so that whoever appends goes on; nobody else writes meanwhile."""
        with_gaps = True
        while (found := self._next(with_gaps)) is not None:
            if isinstance(found, Gap):
                with_gaps = self._write_gap(found)
                continue
            self._write_queued(found.record)
            for act in self._taken_off(found):
                act()

    def _next(self, with_gaps: bool) -> _Queued | Gap | None:
        """Return what is to be written now; when nothing is, whoever appends writes again."""
        with self._lock:
            found = self._queue[0] if self._queue else self._gaps.take() if with_gaps else None
            self._is_aside = found is not None or self._is_sluggish
            self._since_s = None if found is None else _now_s()
            return found

    def _write_queued(self, record: Exchange | Spilling) -> None:
        try:
            self._write(record)
        except OSError as error:
            self._lose(record, self._failed(error))
        except SpoolFailed as error:
            self._lose(record, error.message)
        except Exception as error:  # noqa: BLE001 - a fault of ours with one record is no reason to keep none after it
            _log.exception("A call could not be recorded.")
            self._lose(record, type(error).__name__)
        else:
            self._announce()

    def _lose(self, record: Exchange | Spilling, reason: str) -> None:
        if isinstance(record, Spilling):
            record.drop()
        self.gap(_exchange_of(record).organisation_id, reason)

    def _write_gap(self, gap: Gap) -> bool:
        try:
            self._write(gap)
        except (OSError, SpoolFailed):  # it stays in memory and is tried again
            with self._lock:
                self._gaps.add(gap)
            return False
        self._announce()
        return True

    def _taken_off(self, written: _Queued) -> list[Callable[[], None]]:
        """Take the first off the queue; return what is to be called now."""
        with self._lock:
            self._queue.popleft()
            self.counters.queued_bytes -= written.bytes
            self._is_told = self._is_told and bool(self._queue)
            return written.acts


def _exchange_of(record: Exchange | Spilling) -> Exchange:
    return record.exchange if isinstance(record, Spilling) else record
