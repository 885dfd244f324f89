"""ReplayWorker: keeps the leases of the replays that are performed here, and goes on with those that nobody performs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence, Set
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple, Protocol

from reenact.domain.replay import State

logger = logging.getLogger(__name__)

LEASE_S = 30.0
"""How long a worker may be silent before another takes its replays."""
_LOOK_EVERY_S = 3.0

Found = tuple[str, str]
"""Organisation and id."""


class Book(Protocol):
    """Where leases are kept; the control store's."""

    def claim(self, replay_id: str, worker: str, *, now_us: int, until_us: int) -> bool:
        """Give a replay to *worker* until then, unless another one holds it now; return whether it has it."""
        ...

    def renew(self, replay_ids: Collection[str], worker: str, *, until_us: int) -> dict[str, str | None]:
        """Let *worker* keep these replays until then; return those that it still has, each with what is wished of it."""
        ...

    def wish(self, replay_id: str, state: str) -> bool:
        """Tell the worker that performs a replay to bring it to *state*; return whether any does."""
        ...

    def release(self, replay_id: str, worker: str) -> None:
        """Let go of a replay."""
        ...


class Renewal(NamedTuple):
    """What has become of the replays that were held."""

    lost: Set[str] = frozenset()
    """Other workers have them."""
    wishes: Mapping[str, State] = MappingProxyType({})
    """What others were asked to have done with them."""


class Performing(Protocol):
    """Whoever performs what leases are for: replays, playbacks, batches."""

    def performs(self, replay_id: str) -> bool:
        """Return whether this is under way here."""
        ...

    def lost(self, replay_id: str) -> None:
        """Stop performing a replay whose lease another worker has taken; nothing is kept."""
        ...

    async def stop(self, replay_id: str, state: State) -> None:
        """Bring a replay under way to *state*, paused or cancelled."""
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

    async def wish(self, replay_id: str, state: State) -> bool:
        """Tell the worker that performs a replay, whoever it is, to bring it to *state*; return whether any does."""
        return await asyncio.to_thread(self._book.wish, replay_id, state.value)

    async def renew(self) -> Renewal:
        """Keep what is held for another while; return what others have taken, and what is wished of the rest."""
        held = set(self._held)
        if not held:
            return Renewal()
        until_us = self._clock() + self._lease_us
        kept = await asyncio.to_thread(self._book.renew, held, self._worker, until_us=until_us)
        lost = (held - kept.keys()) & self._held  # what was let go of meanwhile is not lost
        self._held -= lost
        return Renewal(lost, {replay_id: State(wish) for replay_id, wish in kept.items() if wish is not None})


class Search(NamedTuple):
    """How to find what a stopped worker left, and how to go on with it."""

    unfinished: Callable[[], Sequence[Found]]
    """Returns what is under way or should be, wherever."""
    recover: Callable[[str, str], Awaitable[bool]]
    """Goes on with one, unless it is not for this worker to do."""


class ReplayWorker:
    """Works in the background from `start` to `close`."""

    def __init__(
        self,
        holder: Holder,
        *,
        searches: Sequence[Search],
        performers: Sequence[Performing],
        look_every_s: float = _LOOK_EVERY_S,
    ) -> None:
        """Take the parts.

        Args:
            holder: holds this worker's leases.
            searches: what to look for.
            performers: perform what is held, each its own kind.
            look_every_s: how often to look.
        """
        self._holder = holder
        self._searches = searches
        self._performers = performers
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
        renewal = await self._holder.renew()
        for replay_id in renewal.lost:
            for one in self._performing(replay_id):
                one.lost(replay_id)
        for replay_id, state in renewal.wishes.items():
            for one in self._performing(replay_id):
                await one.stop(replay_id, state)
        for search in self._searches:
            for organisation_id, found_id in await asyncio.to_thread(search.unfinished):
                try:
                    await search.recover(organisation_id, found_id)
                except Exception:  # a worker loop: one replay that cannot go on holds up no other
                    logger.exception("Replay %s could not go on.", found_id)

    def _performing(self, replay_id: str) -> list[Performing]:
        return [one for one in self._performers if one.performs(replay_id)]

    async def _work(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:  # a worker loop: a store that fails now may answer later
                logger.exception("Replays that a stopped worker left could not be looked for.")
            await asyncio.sleep(self._look_every_s)
