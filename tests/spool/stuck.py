"""A disk whose syncs or writes hang until they are let go, and a writer on it whose first record is being synced."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reenact.spool.disk import Disk
from reenact.spool.writer import SpoolWriter
from tests.spool.exchanges import an_exchange


class Stuck:
    """The disk, and whom it holds up."""

    def __init__(self, folder: Path, *, writes: bool, queue_bytes: int, hold_s: float) -> None:
        self.syncing = threading.Event()
        self.writing = threading.Event()
        self.failure: OSError | None = None
        """What becomes of a write, when it is not to go well."""
        self._writes = writes
        self._going_on = threading.Event()
        disk = Disk(sync=self._sync, write=self._write, slow_sync_s=0.0, queue_bytes=queue_bytes, hold_s=hold_s)
        self.writer = SpoolWriter(folder, clock=lambda: 5, disk=disk)

    def let_go(self) -> None:
        """Let everything go on."""
        self._going_on.set()

    def _sync(self, file: int) -> None:
        self.syncing.set()
        assert self._going_on.wait(60)
        os.fsync(file)

    def _write(self, file: int, parts: Sequence[bytes]) -> int:
        if self._writes and self.syncing.is_set():
            self.writing.set()
            assert self._going_on.wait(60)
        if self.failure is not None:
            raise self.failure
        return os.writev(file, parts)


@contextmanager
def stuck(folder: Path, *, writes: bool = False, queue_bytes: int = 1_000_000, hold_s: float = 60.0) -> Iterator[Stuck]:
    """Run a writer whose sync of exchange 0 hangs, and from then on each write, when *writes*."""
    disk = Stuck(folder, writes=writes, queue_bytes=queue_bytes, hold_s=hold_s)
    disk.writer.append(an_exchange(0))
    assert disk.syncing.wait(10)
    try:
        yield disk
    finally:
        disk.let_go()
        disk.writer.close()
