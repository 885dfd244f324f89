"""Syncer: a thread that makes what was written durable, so that nobody else ever waits for that."""

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from reenact.spool.appender import Appender
from reenact.spool.disk import Counters, Disk

_log = logging.getLogger(__name__)

_GROUP_SECONDS = 0.05
"""How long a record may wait for its sync, so that those of many calls share one: a sync costs as much as a call."""

_now_s = time.monotonic


class Syncer:
    """Syncs what an appender wrote since the last sync; what is written while one runs shares the next."""

    def __init__(self, folder: Path, appender: Appender, disk: Disk, counters: Counters) -> None:
        self._folder = folder
        self._appender = appender
        self._disk = disk
        self._counters = counters
        self._is_unsynced = False
        self._since_s: float | None = None
        """When the sync under way began."""
        self._is_told = False
        """Whether it was said of the sync under way that it takes too long."""
        self._lock = threading.Lock()
        self._waiting: list[Callable[[], None]] = []
        self._hurry = threading.Event()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._sync_until_closed, name="reenact-spool-sync", daemon=True)
        self._thread.start()

    def notice(self) -> None:
        """Tell, after a write, that there is something to sync."""
        if not self._is_unsynced:
            self._is_unsynced = True
            self._wake.set()

    def when_synced(self, act: Callable[[], None]) -> None:
        """Have *act* called, on the thread, once everything written so far is synced.

        It is called after a sync that fails, too: an agent that waits for its answer is not held up for ever.
        """
        with self._lock:
            self._waiting.append(act)
        self._hurry.set()
        self._wake.set()

    def is_slow(self) -> bool:
        """Return whether the sync under way takes too long: then a write could, too."""
        since_s = self._since_s
        if since_s is None or _now_s() - since_s < self._disk.slow_sync_s:
            return False
        if not self._is_told:
            self._is_told = True
            _log.warning(
                "The disk of the spool in %s is slow: a sync takes over %s s.", self._folder, self._disk.slow_sync_s
            )
        return True

    def close(self) -> None:
        """Sync what is left; nobody writes any more."""
        self._closing.set()
        self._hurry.set()
        self._wake.set()
        self._thread.join()

    def _sync_until_closed(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            self._sync()
            self._hurry.wait(_GROUP_SECONDS)
            self._hurry.clear()
        self._sync()

    def _sync(self) -> None:
        with self._lock:  # first: what these wait for was written before
            waiting, self._waiting = self._waiting, []
        if is_unsynced := self._is_unsynced:
            self._is_unsynced = False  # before the sync: what is noticed from here on has one of its own
        files = self._appender.unsynced()
        for file in files.full:
            self._sync_file(file)
            os.close(file)
        if files.newest is not None and is_unsynced and not self._sync_file(files.newest):
            self._appender.doubt(files.newest)  # the kernel may have dropped pages of it: what follows goes elsewhere
        if files.folder_changed:
            self._sync_folder()
        for act in waiting:
            act()

    def _sync_file(self, file: int) -> bool:
        self._is_told = False
        self._since_s = _now_s()
        try:
            self._disk.sync(file)
        except OSError:
            self._counters.failed_syncs += 1
            _log.exception("The spool in %s could not be synced; a power cut may lose records.", self._folder)
            return False
        finally:
            self._since_s = None
        self._counters.syncs += 1
        return True

    def _sync_folder(self) -> None:
        try:
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError:
            self._counters.failed_syncs += 1
            _log.exception("The spool folder %s could not be synced.", self._folder)
