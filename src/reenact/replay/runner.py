"""Runner: performs planned replays in the background, all calls that may go at once, and keeps what became of each."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from reenact.domain.labels import ReplayLink
from reenact.domain.replay import Answered, AskCall, CallResult, Plan, Progress, Replay, State, Take
from reenact.replay.performing import advance, perform, result, skipped
from reenact.replay.planning import Recording, without_bodies
from reenact.replay.question import Asker, Question

logger = logging.getLogger(__name__)


class Keeper(Protocol):
    """Whoever keeps replays; the control store."""

    def save_replay(self, replay: Replay) -> None:
        """Keep *replay* in place of what was kept under its id."""
        ...


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A plan to be performed, and how."""

    organisation_id: str
    plan: Plan
    """With the bodies to send."""
    recording: Recording
    session_name: str
    concurrency: int
    provider_keys: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Order(session_id={self.plan.session_id!r}, session_name={self.session_name!r})"


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
        self._runs: dict[str, _Run] = {}

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
        run = _Run(replay, order)
        self._runs[replay.id] = run
        run.task = asyncio.create_task(self._drive(run), name=f"replay {replay.id}")
        await asyncio.sleep(0)  # a task cancelled before its first step would end without keeping that
        return replay

    def running(self, organisation_id: str, replay_id: str) -> Replay | None:
        """Return a replay that is under way as it stands now; None when it is not under way."""
        run = self._runs.get(replay_id)
        return run.replay if run is not None and run.replay.organisation_id == organisation_id else None

    async def watch(self, replay_id: str) -> AsyncIterator[Progress]:
        """Yield the progress of a replay under way at once and whenever it changes, last when it is over."""
        run = self._runs.get(replay_id)
        while run is not None:
            changed = run.changed
            yield run.replay.progress
            if run.replay.is_over:
                return
            await changed.wait()

    async def cancel(self, replay_id: str) -> None:
        """Stop a replay under way at once, calls in flight included, and return when that is kept."""
        run = self._runs.get(replay_id)
        if run is not None and run.task is not None:
            run.stopped = (State.CANCELLED, "stopped on request")
            run.task.cancel()
            await asyncio.wait([run.task])

    async def close(self) -> None:
        """Stop every replay: the server ends."""
        tasks = [run.task for run in self._runs.values() if run.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _drive(self, run: "_Run") -> None:
        """Perform the takes and keep how it ended."""
        keeping = asyncio.create_task(self._keep_up(run))
        state, detail = await self._ending(run)
        run.settle()
        await keeping
        over = msgspec.structs.replace(run.replay, state=state, detail=detail)
        await self._keep(over)
        run.update(over)
        del self._runs[over.id]

    async def _ending(self, run: "_Run") -> tuple[State, str]:
        """Perform all takes and return how that ended."""
        try:
            async with asyncio.TaskGroup() as group:
                for take in run.replay.takes:
                    group.create_task(self._perform(run, take))
            await self._drain()
        except asyncio.CancelledError:
            return run.stopped
        except Exception as error:  # a worker loop: whatever broke a replay off is kept with it and shown
            logger.exception("Replay %s broke off.", run.replay.id)
            return State.FAILED, _in_words(error)
        return State.DONE, ""

    async def _keep_up(self, run: "_Run") -> None:
        """Keep results as they come; those that come while one keeping is under way are kept together by the next."""
        kept = run.replay
        while not run.is_settled:
            changed = run.changed
            if run.replay is kept:
                await changed.wait()
            else:
                kept = run.replay
                await self._keep(kept)

    async def _keep(self, replay: Replay) -> None:
        try:
            await asyncio.to_thread(self._keeper.save_replay, replay)
        except Exception:  # the takes themselves are recorded all the same; the next keeping may succeed
            logger.exception("Replay %s could not be kept.", replay.id)

    async def _perform(self, run: "_Run", take: Take) -> None:
        """Perform one take, asking whatever may be asked as soon as it may."""
        planned = {call.index: call for call in run.order.plan.calls}
        run.add(take.number, *(skipped(call) for call in planned.values() if call.action != "ask"))
        outcomes: asyncio.Queue[Answered] = asyncio.Queue()
        performance = perform(run.order.plan, take)
        async with asyncio.TaskGroup() as group:
            step = advance(performance)
            while not isinstance(step, Take):
                for ask in step:
                    group.create_task(self._ask(run, take, ask, outcomes))
                answered = await outcomes.get()
                run.add(take.number, result(planned[answered.index], answered))
                step = advance(performance, answered)
        run.finish(step)

    async def _ask(self, run: "_Run", take: Take, ask: AskCall, outcomes: "asyncio.Queue[Answered]") -> None:
        async with run.gate:
            question = run.question(take, ask)
            outcomes.put_nowait(await self._asker.ask(question, run.order.provider_keys))


def _in_words(error: BaseException) -> str:
    """Return what went wrong first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


class _Run:
    """One replay under way."""

    def __init__(self, replay: Replay, order: Order) -> None:
        self.replay = replay
        self.order = order
        self.changed = asyncio.Event()
        """Set, and replaced by a new one, whenever `replay` changes."""
        self.gate = asyncio.Semaphore(order.concurrency)
        self.task: asyncio.Task[None] | None = None
        self.stopped = (State.FAILED, "the server stopped")
        """What a cancelled run has come to."""
        self.is_settled = False
        """Whether no more results will come."""
        self._calls = {call.id: call for call in order.recording.calls}

    def question(self, take: Take, ask: AskCall) -> Question:
        """Return *ask* with all that is known of it."""
        bodies = self.order.recording.bodies[ask.source_call_id]
        return Question(
            organisation_id=self.order.organisation_id,
            ask=ask,
            source=self._calls[ask.source_call_id],
            headers=bodies.request_headers,
            recorded_body=bodies.request,
            link=ReplayLink(
                replay_id=self.replay.id,
                take=take.number,
                source_session_id=self.order.plan.session_id,
                source_call_id=ask.source_call_id,
                arm=take.arm,
            ),
            session_id=take.session_id,
            session_name=self.order.session_name,
        )

    def add(self, number: int, *results: CallResult) -> None:
        """Add results to the take of this number, in the order of the session."""
        take = self.replay.takes[number - 1]
        ordered = sorted((*take.results, *results), key=lambda one: one.index)
        self.finish(msgspec.structs.replace(take, results=tuple(ordered)))

    def finish(self, take: Take) -> None:
        """Put *take* in place of what is known of it."""
        takes = tuple(take if one.number == take.number else one for one in self.replay.takes)
        self.update(msgspec.structs.replace(self.replay, takes=takes))

    def settle(self) -> None:
        """Say that no more results will come."""
        self.is_settled = True
        self.update(self.replay)

    def update(self, replay: Replay) -> None:
        """Put *replay* in place and wake who watches."""
        self.replay = replay
        self.changed.set()
        self.changed = asyncio.Event()
