"""Retainer: removes what is older or more than the settings keep, a little at a time, on a thread."""

import heapq
import logging
import threading
from collections.abc import Callable

import msgspec

from reenact.errors import ReenactError
from reenact.store.upkeep import Place, Upkeep

_DAY_US = 24 * 3600 * 1_000_000
_AT_ONCE = 25
"""Calls in one transaction."""
_PAUSE_S = 0.01
"""Between two transactions, for those that ingest waits to make."""
_LOOK_AGAIN_S = 300.0
_SLICE = 500
"""How many of the oldest calls are looked at when room is needed."""

_log = logging.getLogger(__name__)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept; 0 is no limit."""

    days: float = 0
    """After its newest call a session is kept so long; as is a call without a session."""
    used_bytes: int = 0
    """Of the store; the oldest sessions go first."""


class Retainer:
    """One for a store."""

    def __init__(self, store: Upkeep, limits: Limits, clock: Callable[[], int]) -> None:
        """Take the parts; *clock* gives microseconds since the epoch. Nothing runs before `start`."""
        self._store = store
        self._limits = limits
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="reenact-retainer", daemon=True)
        self.removed_calls = 0
        """Since the start."""
        self.trouble = ""
        """Why what should go could not be removed; empty when all is well."""

    @property
    def is_limited(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._limits.days or self._limits.used_bytes)

    def notes(self) -> list[str]:
        """Return what is kept and how many calls were removed since the start; nothing where there is no limit."""
        limits = self._limits
        by_age = [f"{limits.days:g} days after a session's newest call"] if limits.days else []
        by_size = [f"as far as they fit into {limits.used_bytes} bytes"] if limits.used_bytes else []
        if not self.is_limited:
            return []
        return [f"Calls are kept {' and '.join(by_age + by_size)}; removed since the start: {self.removed_calls}."]

    def start(self) -> None:
        """Begin, where there is a limit."""
        if self.is_limited:
            self._thread.start()

    def stop(self) -> None:
        """Finish the transaction under way and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def run(self) -> int:
        """Remove what is over the limits now; return how many calls it was.

        Raises:
            StoreFailed: the store could not be read or written.
        """
        removed = 0
        if self._limits.days:
            removed = self._remove_before(self._clock() - round(self._limits.days * _DAY_US))
            if removed:
                self._store.sweep()
        return removed + (self._make_room() if self._limits.used_bytes else 0)

    def _make_room(self) -> int:
        """Remove the oldest sessions until the store is small enough, or nothing is left of it."""
        removed, looked_at = 0, _SLICE
        while self._store.used_bytes() > self._limits.used_bytes and not self._stopping.is_set():
            oldest = self._oldest(looked_at)
            if not oldest:
                break
            gone = self._remove_before(oldest[-1].created_us + 1)
            removed += gone
            if gone:
                self._store.sweep()
                looked_at = _SLICE
            else:
                looked_at *= 2  # sessions that still go on stand before what may go
        return removed

    def _oldest(self, limit: int) -> list[Place]:
        """Return the places of the oldest calls of all organisations; a tenth of them when that is less."""
        pages = [self._store.places(name, Place(), limit) for name in self._store.organisations()]
        merged = list(heapq.merge(*pages))[:limit]
        return merged if len(merged) == limit else merged[: -(-len(merged) * limit // (_SLICE * 10))]

    def _remove_before(self, before_us: int) -> int:
        removed = 0
        for organisation_id in self._store.organisations():
            while not self._stopping.is_set():
                ids = self._store.expired(organisation_id, before_us, _AT_ONCE)
                if not ids:
                    break
                self._store.discard(organisation_id, ids)
                removed += len(ids)
                self.removed_calls += len(ids)
                self._stopping.wait(_PAUSE_S)
        return removed

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                self.run()
                self.trouble = ""
            except Exception as error:  # noqa: BLE001 - the thread must outlive whatever failed: it looks again
                self.trouble = error.message if isinstance(error, ReenactError) else type(error).__name__
                _log.error("What is over the limits could not be removed: %s", self.trouble)
            self._stopping.wait(_LOOK_AGAIN_S)
