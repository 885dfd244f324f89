"""Runner: performs planned replays in the background, all calls that may go at once, and keeps what became of each."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

import msgspec

from reenact.domain.replay import Answered, AskCall, Progress, Replay, State, Take
from reenact.replay.performing import advance, perform, result, skipped
from reenact.replay.planning import without_bodies
from reenact.replay.question import Asker
from reenact.replay.run import Order, Run

logger = logging.getLogger(__name__)

_KEEP_EVERY_S = 0.2
"""How soon a result is kept; the calls themselves are recorded before their answers end."""


class Keeper(Protocol):
    """Whoever keeps replays; the control store."""

    def save_replay(self, replay: Replay) -> None:
        """Keep *replay* in place of what was kept under its id."""
        ...


class Runner:
    """Performs orders on the running event loop; every take is a session of its own."""

    def __init__(
        self,
        asker: Asker,
        keeper: Keeper,
        *,
        drain: Callable[[], Awaitable[None]],
        clock: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        """Take the parts.

        Args:
            asker: sends the calls.
            keeper: keeps replays.
            drain: returns when what was recorded until now can be read from the store.
            clock: the time in microseconds since the epoch.
            new_id: makes a UUID.
        """
        self._asker = asker
        self._keeper = keeper
        self._drain = drain
        self._clock = clock
        self._new_id = new_id
        self._runs: dict[str, Run] = {}

    async def start(self, order: Order) -> Replay:
        """Keep *order* as a replay, begin to perform it in the background, and return it as it stands.

        Raises:
            InvalidInput: a call cannot be sent, such as for want of a provider's key; nothing was sent.
        """
        self._asker.check(order.plan, order.recording, order.provider_keys)
        replay = Replay(
            id=self._new_id(),
            organisation_id=order.organisation_id,
            created_us=self._clock(),
            plan=without_bodies(order.plan),
            session_name=order.session_name,
            state=State.RUNNING,
            takes=tuple(Take(number=number, session_id=self._new_id()) for number in range(1, order.plan.takes + 1)),
        )
        await asyncio.to_thread(self._keeper.save_replay, replay)
        run = Run(replay, order)
        self._runs[replay.id] = run
        run.task = asyncio.create_task(self._drive(run), name=f"replay {replay.id}")
        await asyncio.sleep(0)  # a task cancelled before its first step would end without keeping that
        return replay

    def running(self, organisation_id: str, replay_id: str) -> Replay | None:
        """Return a replay that is under way as it stands now; None when it is not under way."""
        run = self._runs.get(replay_id)
        return run.replay if run is not None and run.organisation_id == organisation_id else None

    async def watch(self, replay_id: str) -> AsyncIterator[Progress]:
        """Yield the progress of a replay under way at once and whenever it changes, last when it is over."""
        run = self._runs.get(replay_id)
        while run is not None:
            changed = run.changed
            progress = run.progress
            yield progress
            if progress.is_over:
                return
            await changed.wait()

    async def cancel(self, replay_id: str) -> None:
        """Stop a replay under way at once, calls in flight included, and return when that is kept."""
        run = self._runs.get(replay_id)
        if run is not None:
            await _stopped([run], State.CANCELLED, "stopped on request")

    async def close(self) -> None:
        """Stop every replay: the server ends."""
        await _stopped(list(self._runs.values()), State.FAILED, "the server stopped")

    async def _drive(self, run: Run) -> None:
        """Perform the takes and keep how it ended."""
        keeping = asyncio.create_task(self._keep_up(run))
        state, detail = await self._ending(run)
        run.settled.set()
        await keeping
        over = msgspec.structs.replace(run.replay, state=state, detail=detail)
        await self._keep(over)
        run.end(state, detail)
        del self._runs[over.id]

    async def _ending(self, run: Run) -> tuple[State, str]:
        """Perform all takes and return how that ended."""
        try:
            async with asyncio.TaskGroup() as group:
                for take in run.takes:
                    group.create_task(self._perform(run, take))
            await self._drain()
        except asyncio.CancelledError:
            return run.stopping
        except Exception as error:  # a worker loop: whatever broke a replay off is kept with it and shown
            logger.exception("Replay %s broke off.", run.id)
            return State.FAILED, _in_words(error)
        return State.DONE, ""

    async def _keep_up(self, run: Run) -> None:
        """Keep results as they come, those that come soon after one another together."""
        kept = run.replay
        while not run.settled.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(run.settled.wait(), _KEEP_EVERY_S)
            if run.replay is not kept:
                kept = run.replay
                await self._keep(kept)

    async def _keep(self, replay: Replay) -> None:
        try:
            await asyncio.to_thread(self._keeper.save_replay, replay)
        except Exception:  # the takes themselves are recorded all the same; the next keeping may succeed
            logger.exception("Replay %s could not be kept.", replay.id)

    async def _perform(self, run: Run, take: Take) -> None:
        """Perform one take, asking whatever may be asked as soon as it may."""
        planned = {call.index: call for call in run.order.plan.calls}
        run.add(take, *(skipped(call) for call in planned.values() if call.action != "ask"))
        outcomes: asyncio.Queue[Answered] = asyncio.Queue()
        performance = perform(run.order.plan, take)
        async with asyncio.TaskGroup() as group:
            step = advance(performance)
            while not isinstance(step, Take):
                for ask in step:
                    group.create_task(self._ask(run, take, ask, outcomes))
                answered = await outcomes.get()
                run.add(take, result(planned[answered.index], answered))
                step = advance(performance, answered)
        run.finish(step)

    async def _ask(self, run: Run, take: Take, ask: AskCall, outcomes: "asyncio.Queue[Answered]") -> None:
        async with run.gate:
            question = run.question(take, ask)
            outcomes.put_nowait(await self._asker.ask(question, run.order.provider_keys))


async def _stopped(runs: Sequence[Run], state: State, detail: str) -> None:
    """Stop *runs* and return when they have ended; one that ends already is left to it."""
    for run in runs:
        if run.task is not None and not run.is_stopping and not run.settled.is_set():
            run.is_stopping, run.stopping = True, (state, detail)
            run.task.cancel()
    if tasks := [run.task for run in runs if run.task is not None]:
        await asyncio.wait(tasks)


def _in_words(error: BaseException) -> str:
    """Return what went wrong first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
