"""Eraser: removes what was recorded, at once for every query, and then every byte of it from all files, on a thread."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from reenact.errors import ReenactError
from reenact.gateway.caching import Entry
from reenact.spool.blanker import blank
from reenact.store.control.store import ControlStore
from reenact.store.upkeep import Removal, Removed, Scope, Upkeep

_FIRST_BACKOFF_S, _MOST_BACKOFF_S = 0.5, 60.0

_entries = msgspec.msgpack.Decoder(Entry)
_log = logging.getLogger(__name__)


class Eraser:
    """One for a data folder. What it was told to remove is in the store, so that a restart goes on with it."""

    def __init__(
        self,
        store: Upkeep,
        control: ControlStore,
        *,
        spools: Callable[[], list[tuple[str, Path]]],
        cache: Path,
        on_wipe: Callable[[], None],
    ) -> None:
        """Take the parts; nothing runs before `start`.

        Args:
            store: the calls.
            control: the replays, whose plans tell of the sessions they were made of.
            spools: name and folder of every journal.
            cache: the folder of kept answers.
            on_wipe: lets those who hold kept answers in memory drop them.
        """
        self._store = store
        self._control = control
        self._spools = spools
        self._cache = cache
        self._on_wipe = on_wipe
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._wanted = 0
        self._done = 0
        self._trouble = ""
        self._thread = threading.Thread(target=self._work, name="reenact-eraser", daemon=True)

    @property
    def trouble(self) -> str:
        """Why bytes of removed calls still lie about; empty when none do, or not for long."""
        return self._trouble

    def start(self) -> None:
        """Begin with what is left of an earlier start."""
        if self._store.removed():
            self._want()
        self._thread.start()

    def erase(self, organisation_id: str, removal: Removal) -> Removed:
        """Remove calls, and the replays of their sessions: no query finds them any more. Their bytes go soon after.

        Raises:
            StoreFailed: a database could not be written; what is left is removed by the next try.
        """
        removed = self._store.remove(organisation_id, removal)
        if removal.scope is Scope.ORGANISATION:
            self._control.forget_replays(organisation_id, None)
        elif removal.scope is not Scope.CALL:
            self._control.forget_replays(organisation_id, removed.session_ids)
        if removed.calls or removal.scope is Scope.ORGANISATION:
            self._want()
        return removed

    def wait(self, timeout_s: float) -> bool:
        """Wait until no byte is left of what was removed by now; return False when it takes too long."""
        with self._changed:
            target = self._wanted
            return self._changed.wait_for(lambda: self._done >= target, timeout_s)

    def stop(self) -> None:
        """Finish what is under way and end."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _want(self) -> None:
        with self._changed:
            self._wanted += 1
        self._wake.set()

    def _work(self) -> None:
        backoff_s = _FIRST_BACKOFF_S
        while not self._stopping.is_set():
            self._wake.wait()
            self._wake.clear()
            target = self._wanted
            if self._stopping.is_set() or target == self._done:
                continue
            try:
                self._wipe()
            except Exception as error:  # noqa: BLE001 - the thread must outlive whatever failed: the store knows what is left
                self._tell(error)
                self._stopping.wait(backoff_s)
                backoff_s = min(backoff_s * 2, _MOST_BACKOFF_S)
                self._wake.set()
                continue
            backoff_s = _FIRST_BACKOFF_S
            with self._changed:
                self._trouble, self._done = "", target
                self._changed.notify_all()

    def _wipe(self) -> None:
        """Remove every byte of the removed calls: kept answers, the journal, and last the store, which forgets the ids."""
        gone = set(self._store.removed())
        self._on_wipe()
        for file in self._cache.glob("??/*"):
            _drop(file, gone)
        for name, folder in self._spools():
            blank(folder, self._store.cursor(name))
        self._control.wipe()
        self._store.wipe()

    def _tell(self, error: Exception) -> None:
        reason = error.message if isinstance(error, ReenactError) else f"{type(error).__name__}: {error}"
        if reason != self._trouble:
            _log.error("Bytes of removed calls still lie in the data folder: %s", reason)
        self._trouble = reason


def _drop(file: Path, gone: set[str]) -> None:
    """Delete a kept answer when it is one of the calls that are *gone*, or cannot be read."""
    try:
        is_gone = _entries.decode(file.read_bytes()).call_id in gone
    except FileNotFoundError:
        return
    except msgspec.DecodeError:
        is_gone = True
    if is_gone:
        file.unlink(missing_ok=True)
