"""IngestWorker: a thread that reads the spool, lets each exchange be understood, and saves it with the cursor."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence

import msgspec

from reenact.domain.call import Reading
from reenact.domain.exchange import Cursor, Exchange, Gap, Unreadable
from reenact.errors import BucketFailed, StoreFailed
from reenact.ingest.decoding import leave_unread
from reenact.spool.reader import Batch, SpoolReader
from reenact.store.calls import CallStore

_LOOK_AGAIN_S = 1.0
"""How long to wait without being told of a record; another process may append to the spool."""
_GATHER_S = 0.05
"""How long what is appended may wait for more, unless somebody waits for it: calls that are read together cost less, and one
that just ended is followed by the next, which should find the interpreter free."""
_NICENESS = 10
_FIRST_BACKOFF_S, _MOST_BACKOFF_S = 0.1, 10.0

_log = logging.getLogger(__name__)


class Batches(msgspec.Struct, frozen=True, kw_only=True):
    """How much is saved at once; small by default, for this thread shares the interpreter with an event loop."""

    most_records: int = 64
    most_bytes: int = 4 * 1024 * 1024


SMALL = Batches()


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How ingest is doing."""

    behind: int
    """Records this process appended that are not in the store yet."""
    saved: int
    """Calls saved since the start."""
    gaps: int
    """Of the records read since the start."""
    unreadable: int
    """Calls and records that could not be read, since the start."""
    failures: int
    """Times that the spool could not be read or the store not be written."""
    last_error: str
    """Why it is waiting to try again; empty when all is well."""
    bucket: str = ""
    """The same as a sentence that anybody may read, when it is the bucket of objects that fails; else empty."""


class IngestWorker:
    """Reads one spool into one store. Losing power or being killed at any point loses nothing and doubles nothing."""

    def __init__(
        self,
        reader: SpoolReader,
        store: CallStore,
        decode: Callable[[Exchange], Reading],
        *,
        spool: str = "spool",
        yields: bool = False,
        batches: Batches = SMALL,
        gather_s: float = _GATHER_S,
    ) -> None:
        """Take the parts; *spool* is the name that the cursor is kept under.

        *yields* lets whatever else wants the processor go first (on Linux): the gateway's processes, whose agents wait.
        What is appended waits *gather_s* for more, unless somebody waits for it.
        """
        self._reader = reader
        self._store = store
        self._decode = decode
        self._batches = batches
        self._gather_s = gather_s
        self._spool = spool
        self._yields = yields
        self._wake = threading.Event()
        self._hurry = threading.Event()
        """Set when somebody waits."""
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._appended = 0
        self._settled = 0
        self._drains = 0
        self._drained = 0
        self._position = Cursor()
        self._status = Status(behind=0, saved=0, gaps=0, unreadable=0, failures=0, last_error="")
        self._thread = threading.Thread(target=self._work, name="reenact-ingest", daemon=True)

    def start(self) -> None:
        """Begin with what the spool already holds."""
        self._wake.set()
        self._thread.start()

    def notify(self) -> None:
        """Tell that a record was appended. Quick, never waits for the store; the spool writer's `on_append`."""
        self._appended += 1  # a lost count of two threads at once is made good by the next reading to the end
        self._wake.set()

    def drain(self, timeout_s: float) -> bool:
        """Wait until everything appended so far, by whatever process, is in the store; return False when it takes too long."""
        with self._changed:
            self._drains += 1  # another process may have appended: a reading that begins after this finds it
            target = self._drains
            self._hurry.set()
            self._wake.set()
            return self._changed.wait_for(lambda: self._drained >= target, timeout_s)

    def position(self) -> Cursor:
        """Return up to where the spool is in the store, as far as this worker has read it."""
        return self._position

    def status(self) -> Status:
        """Return how ingest is doing now."""
        return msgspec.structs.replace(self._status, behind=max(0, self._appended - self._settled))

    def stop(self) -> None:
        """Finish the batch under way and end; what is left waits in the spool."""
        self._stopping.set()
        self._hurry.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        """Read to the end whenever told; wait longer and longer while something fails."""
        if self._yields and sys.platform == "linux":  # where a thread has a priority of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        backoff_s = _FIRST_BACKOFF_S
        while not self._stopping.is_set():
            self._wake.clear()
            target, drains = self._appended, self._drains
            try:
                has_ended = self._read_to_end()
            except Exception as error:  # noqa: BLE001 - the thread must outlive whatever failed: the spool keeps the records
                self._tell_failure(error)
                self._stopping.wait(backoff_s)
                backoff_s = min(backoff_s * 2, _MOST_BACKOFF_S)
                self._wake.set()
                continue
            if has_ended:
                backoff_s = _FIRST_BACKOFF_S
                self._settle(target, drains)
                self._wake.wait(_LOOK_AGAIN_S)
                self._hurry.wait(self._gather_s)
                self._hurry.clear()

    def _read_to_end(self) -> bool:
        """Save batch after batch until nothing is left; return False when told to stop before that."""
        cursor = self._store.cursor(self._spool)
        while not self._stopping.is_set():
            most = self._batches
            batch = self._reader.read(cursor, limit_records=most.most_records, limit_bytes=most.most_bytes)
            if batch.is_empty:
                return True
            self._save(batch)
            if batch.cursor.segment > cursor.segment:
                self._reader.discard(batch.cursor)
            self._position = cursor = batch.cursor
        return False

    def _save(self, batch: Batch) -> None:
        """Save one batch with its cursor; what the store cannot take is kept raw."""
        readings = [self._understand(exchange) for exchange in batch.exchanges]
        unreadables = list(batch.unreadables)
        try:
            self._store.save(readings, gaps=batch.gaps, unreadables=unreadables, spool=self._spool, cursor=batch.cursor)
        except StoreFailed:
            raise
        except Exception:  # noqa: BLE001 - one call that no database takes must not hold up all that follow it
            readings, odd = self._save_singly(readings)
            unreadables += odd
            self._store.save([], gaps=batch.gaps, unreadables=unreadables, spool=self._spool, cursor=batch.cursor)
        self._count(readings, batch.gaps, unreadables)

    def _save_singly(self, readings: Sequence[Reading]) -> tuple[list[Reading], list[Unreadable]]:
        """Save one call after the other; return those that were saved, and those that the store cannot take, raw."""
        saved, odd = [], []
        for reading in readings:
            try:
                self._store.save([reading])
                saved.append(reading)
            except StoreFailed:
                raise
            except Exception as error:  # noqa: BLE001 - as above
                _log.exception("The call %s cannot be saved; it is kept raw", reading.exchange.id)
                odd.append(Unreadable(raw=msgspec.msgpack.encode(reading.exchange), reason=_reason(error)))
        return saved, odd

    def _understand(self, exchange: Exchange) -> Reading:
        """Return what *exchange* means; at least that it was."""
        try:
            return self._decode(exchange)
        except StoreFailed:  # it may be tried again
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours in reading one call must not hold up the others
            _log.exception("The call %s cannot be read; it is kept as it crossed", exchange.id)
            return leave_unread(exchange, _reason(error))

    def _count(self, readings: Sequence[Reading], gaps: Sequence[Gap], unreadables: Sequence[Unreadable]) -> None:
        """Note what was saved, and that all is well."""
        before = self._status
        self._status = msgspec.structs.replace(
            before,
            saved=before.saved + len(readings),
            gaps=before.gaps + sum(gap.count for gap in gaps),
            unreadable=before.unreadable + len(unreadables) + sum(bool(one.call.unreadable) for one in readings),
            last_error="",
            bucket="",
        )

    def _tell_failure(self, error: Exception) -> None:
        """Note a failure; log it when it is a new one."""
        told = _reason(error)
        if told != self._status.last_error:
            _log.error("Recorded calls wait in the spool: %s", told)
        bucket = str(error) if isinstance(error, BucketFailed) else ""
        failures = self._status.failures + 1
        self._status = msgspec.structs.replace(self._status, failures=failures, last_error=told, bucket=bucket)

    def _settle(self, target: int, drains: int) -> None:
        """Take that the first *target* records are saved, and let the first *drains* who wait go on; nothing fails any more."""
        self._status = msgspec.structs.replace(self._status, last_error="", bucket="")
        with self._changed:
            self._settled = max(self._settled, target)
            self._drained = max(self._drained, drains)
            self._changed.notify_all()


def _reason(error: Exception) -> str:
    """Return *error* in words, bounded."""
    return f"{type(error).__name__}: {error}"[:500]
