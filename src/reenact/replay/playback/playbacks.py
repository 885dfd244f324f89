"""Playbacks: plans, opens, watches and ends playbacks and forks. Used on the event loop that serves."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import msgspec

from reenact.domain.playback import Driver
from reenact.domain.replay import Plan, Progress, Replay, State, Take
from reenact.errors import InvalidInput
from reenact.replay.expanding import names
from reenact.replay.matching.assigning import Card
from reenact.replay.matching.normalising import Normaliser
from reenact.replay.planning import without_bodies
from reenact.replay.playback.openreplay import OpenReplay, with_base_paths
from reenact.replay.playback.player import Player
from reenact.replay.playback.shuffling import cards_of
from reenact.replay.playback.stager import Archive, Stager
from reenact.replay.recording import Recording

logger = logging.getLogger(__name__)

_KEEP_EVERY_S = 0.5
_READ_TOGETHER = 200
_PATIENCE_S = 30 * 60.0
"""After so long without a request a replay that an agent drives is over: the agent is gone and told nobody."""
_LAST_CALLS_S = 2.0
"""How long the end of a replay waits for requests that are still being answered."""


class Keeper(Protocol):
    """Whoever keeps replays; the control store."""

    def save_replay(self, replay: Replay) -> None:
        """Keep *replay* in place of what was kept under its id."""
        ...


class Leases(Protocol):
    """Whoever knows which server performs which replay."""

    async def claim(self, replay_id: str) -> bool:
        """Take a replay for this server; return False when another one holds it. Held until released."""
        ...

    async def release(self, replay_id: str) -> None:
        """Let go of a replay."""
        ...


class PlayOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A plan to be played."""

    organisation_id: str
    plan: Plan
    recording: Recording
    session_name: str
    root_session_id: str


class Playbacks:
    """Opens replays whose takes may be called, and plays those that the server drives."""

    def __init__(  # noqa: PLR0913 - the parts of the machine, named at the one place that puts them together
        self,
        stager: Stager,
        player: Player,
        archive: Archive,
        keeper: Keeper,
        *,
        leases: Leases,
        drain: Callable[[], Awaitable[object]],
        clock: Callable[[], int],
        new_id: Callable[[], str],
        patience_s: float = _PATIENCE_S,
    ) -> None:
        """Take the parts.

        Args:
            stager: answers the calls of what is open.
            player: makes the calls where no agent does.
            archive: where recorded exchanges are read.
            keeper: keeps replays.
            leases: tell other servers that a replay is open here.
            drain: returns when what was recorded until now can be read from the store.
            clock: the time in microseconds since the epoch.
            new_id: makes a UUID.
            patience_s: how long a replay that an agent drives is kept open without a request.
        """
        self._stager = stager
        self._player = player
        self._archive = archive
        self._keeper = keeper
        self._leases = leases
        self._drain = drain
        self._clock = clock
        self._new_id = new_id
        self._patience_s = patience_s
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._open: dict[str, OpenReplay] = {}
        self._endings: dict[str, tuple[State, str]] = {}

    async def start(self, order: PlayOrder) -> Replay:
        """Open *order*'s takes and return the replay, which is under way until it is ended.

        Raises:
            InvalidInput: nothing of the session can be played.
        """
        plan = order.plan
        assert plan.playback is not None
        if not plan.served and not plan.asked:
            raise InvalidInput("No call of this session can be played: the plan says why of each.", "session_id")
        normaliser = Normaliser(plan.playback.matching)
        cards = await asyncio.to_thread(self._cards, order, normaliser)
        replay = with_base_paths(
            Replay(
                id=self._new_id(),
                organisation_id=order.organisation_id,
                created_us=self._clock(),
                plan=without_bodies(plan),
                session_name=order.session_name,
                state=State.RUNNING,
                takes=tuple(Take(number=number, session_id=self._new_id()) for number in range(1, plan.takes + 1)),
                root_session_id=order.root_session_id,
            )
        )
        recording = order.recording
        told = [names(call, recording.bodies.get(call.id)).conversation for call in recording.calls]
        held = [conversation for conversation in told if conversation is not None]
        opened = OpenReplay(replay, cards, normaliser, recording.calls[0], held)
        begun = opened.replay
        self._open[replay.id] = opened  # before anybody can find it kept: `abandon` is for those that nobody performs
        try:
            await self._leases.claim(replay.id)
            await asyncio.to_thread(self._keeper.save_replay, begun)
        except BaseException:
            del self._open[replay.id]
            await self._leases.release(replay.id)
            raise
        self._stager.admit(opened)
        self._tasks[replay.id] = asyncio.create_task(self._drive(opened), name=f"replay {replay.id}")
        await asyncio.sleep(0)  # a task cancelled before its first step would end without keeping that
        return begun

    def running(self, organisation_id: str, replay_id: str) -> Replay | None:
        """Return a replay that is open as it stands now; None when it is not open."""
        found = self._open.get(replay_id)
        return found.replay if found is not None and found.organisation_id == organisation_id else None

    async def watch(self, replay_id: str) -> AsyncIterator[Progress]:
        """Yield the progress of an open replay at once and whenever it changes, last when it is over."""
        opened = self._open.get(replay_id)
        while opened is not None:
            changed = opened.changed
            progress = opened.progress
            yield progress
            if progress.is_over:
                return
            await changed.wait()

    def performs(self, replay_id: str) -> bool:
        """Return whether a replay is open here."""
        return replay_id in self._open

    def lost(self, replay_id: str) -> None:
        """End an open replay whose lease another worker has taken, who keeps that it is over."""
        if task := self._tasks.get(replay_id):
            self._endings.setdefault(replay_id, (State.FAILED, "The server was stopped while it was open."))
            task.cancel()

    async def stop(self, replay_id: str, state: State) -> None:
        """End an open replay at once, as somebody wished at another worker; it cannot be paused."""
        await self._stop(replay_id, State.CANCELLED, f"{state.value} on request")

    async def finish(self, replay_id: str) -> None:
        """End an open replay as done, once the calls under way are answered, and return when that is kept."""
        opened = self._open.get(replay_id)
        if opened is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_CALLS_S):
                while not opened.is_idle:
                    await opened.changed.wait()
        await self._stop(replay_id, State.DONE, "")

    async def cancel(self, replay_id: str) -> None:
        """End an open replay at once and return when that is kept."""
        await self._stop(replay_id, State.CANCELLED, "stopped on request")

    async def abandon(self, replay: Replay) -> None:
        """Keep that *replay*, which a stopped server left open, is over: its agent's calls were refused since."""
        over = msgspec.structs.replace(replay, state=State.FAILED, detail="The server was stopped while it was open.")
        await asyncio.to_thread(self._keeper.save_replay, over)

    async def close(self) -> None:
        """End every replay: the server stops."""
        for replay_id in list(self._open):
            await self._stop(replay_id, State.FAILED, "the server stopped")

    async def _stop(self, replay_id: str, state: State, detail: str) -> None:
        task = self._tasks.get(replay_id)
        if task is None:
            return
        if self._endings.setdefault(replay_id, (state, detail)) == (state, detail):
            task.cancel()
        await asyncio.wait([task])

    async def _drive(self, opened: OpenReplay) -> None:
        """Keep a replay open until it is over, and keep how it ended."""
        settled = asyncio.Event()
        keeping = asyncio.create_task(self._keep_up(opened, opened.changed, settled))
        state, detail = await self._ending(opened)
        self._stager.dismiss(opened.id)
        settled.set()
        await keeping  # a thread that keeps it as under way would go on if cancelled, and might be the last to write
        over = msgspec.structs.replace(opened.replay, state=state, detail=detail)
        await self._keep(over)
        await self._leases.release(opened.id)
        opened.end(state, detail)
        for known in (self._open, self._tasks, self._endings):
            known.pop(opened.id, None)

    async def _ending(self, opened: OpenReplay) -> tuple[State, str]:
        try:
            detail = ""
            if opened.playback.driver is Driver.SERVER:
                async with asyncio.TaskGroup() as group:
                    for take in opened.takes.values():
                        group.create_task(self._player.play(opened, take))
            else:
                await self._attend(opened)
                detail = "No request came for a long time."
            await self._drain()
        except asyncio.CancelledError:
            return self._endings.get(opened.id, (State.FAILED, "the server stopped"))
        except Exception as error:  # a worker loop: whatever broke a replay off is kept with it and shown
            logger.exception("Replay %s broke off.", opened.id)
            return State.FAILED, f"{type(error).__name__}: {error}"
        return State.DONE, detail

    async def _attend(self, opened: OpenReplay) -> None:
        """Return when no request has come for too long."""
        while True:
            try:
                async with asyncio.timeout(self._patience_s):
                    await opened.changed.wait()
            except TimeoutError:
                if opened.is_idle:
                    return

    async def _keep_up(self, opened: OpenReplay, changed: asyncio.Event, settled: asyncio.Event) -> None:
        """Keep what became of requests as they come, those that come soon after one another together."""
        while not settled.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(settled.wait(), _KEEP_EVERY_S)
            if changed.is_set() and not settled.is_set():
                changed = opened.changed
                await self._keep(opened.replay)

    async def _keep(self, replay: Replay) -> None:
        try:
            await asyncio.to_thread(self._keeper.save_replay, replay)
        except Exception:  # the takes themselves are recorded all the same; the next keeping may succeed
            logger.exception("Replay %s could not be kept.", replay.id)

    def _cards(self, order: PlayOrder, normaliser: Normaliser) -> list[Card]:
        """Read the record, never much of it at once."""
        planned = {call.call_id: call for call in order.plan.calls}
        ids = [call.id for call in order.recording.calls]
        cards: list[Card] = []
        for start in range(0, len(ids), _READ_TOGETHER):
            exchanges = self._archive.exchanges(order.organisation_id, ids[start : start + _READ_TOGETHER])
            cards += cards_of(exchanges, planned, normaliser)
        return cards
