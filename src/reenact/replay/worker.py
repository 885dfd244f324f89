"""ReplayWorker: keeps the leases of the replays that are performed here, and goes on with those that nobody performs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from typing import Protocol

logger = logging.getLogger(__name__)

LEASE_S = 30.0
"""How long a worker may be silent before another takes its replays."""
_LOOK_EVERY_S = 5.0

Found = tuple[str, str]
"""Organisation and id."""


class Book(Protocol):
    """Where leases are kept; the control store's."""

    def claim(self, replay_id: str, worker: str, *, now_us: int, until_us: int) -> bool:
        """Give a replay to *worker* until then, unless another one holds it now; return whether it has it."""
        ...

    def renew(self, replay_ids: Collection[str], worker: str, *, until_us: int) -> set[str]:
        """Let *worker* keep these replays until then; return those that it still has."""
        ...

    def release(self, replay_id: str, worker: str) -> None:
        """Let go of a replay."""
        ...


class Holder:
    """Holds leases for one worker; the Leases that a runner needs."""

    def __init__(self, book: Book, worker: str, clock: Callable[[], int], lease_s: float = LEASE_S) -> None:
        """Take the parts; *worker* is the same after a restart, so that a worker finds its own leases open."""
        self._book = book
        self._worker = worker
        self._clock = clock
        self._lease_us = round(lease_s * 1_000_000)
        self._held: set[str] = set()

    async def claim(self, replay_id: str) -> bool:
        """Take a replay for this worker; return False when another one holds it. Held until released."""
        now_us = self._clock()
        until_us = now_us + self._lease_us
        has_it = await asyncio.to_thread(self._book.claim, replay_id, self._worker, now_us=now_us, until_us=until_us)
        if has_it:
            self._held.add(replay_id)
        return has_it

    async def release(self, replay_id: str) -> None:
        """Let go of a replay."""
        self._held.discard(replay_id)
        await asyncio.to_thread(self._book.release, replay_id, self._worker)

    async def renew(self) -> set[str]:
        """Keep what is held for another while; return what another worker has taken meanwhile."""
        held = set(self._held)
        if not held:
            return set()
        until_us = self._clock() + self._lease_us
        lost = held - await asyncio.to_thread(self._book.renew, held, self._worker, until_us=until_us)
        lost &= self._held  # what was let go of meanwhile is not lost
        self._held -= lost
        return lost


class ReplayWorker:
    """Works in the background from `start` to `close`."""

    def __init__(
        self,
        holder: Holder,
        *,
        unfinished: Callable[[], Sequence[Found]],
        recover: Callable[[str, str], Awaitable[bool]],
        lost: Callable[[str], None],
        look_every_s: float = _LOOK_EVERY_S,
    ) -> None:
        """Take the parts.

        Args:
            holder: holds this worker's leases.
            unfinished: returns the replays that are under way or should be, wherever.
            recover: goes on with one, unless it is not for this worker to do.
            lost: told of a replay that another worker has taken.
            look_every_s: how often to look.
        """
        self._holder = holder
        self._unfinished = unfinished
        self._recover = recover
        self._lost = lost
        self._look_every_s = look_every_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look, at once and then again and again."""
        self._task = asyncio.create_task(self._work(), name="replay worker")

    async def close(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def look(self) -> None:
        """Renew the leases, and go on with what nobody performs."""
        for replay_id in await self._holder.renew():
            self._lost(replay_id)
        for organisation_id, replay_id in await asyncio.to_thread(self._unfinished):
            try:
                await self._recover(organisation_id, replay_id)
            except Exception:  # a worker loop: one replay that cannot go on holds up no other
                logger.exception("Replay %s could not go on.", replay_id)

    async def _work(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:  # a worker loop: a store that fails now may answer later
                logger.exception("Replays that a stopped worker left could not be looked for.")
            await asyncio.sleep(self._look_every_s)
