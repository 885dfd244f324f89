"""Runner: performs planned replays in the background, all calls that may go at once, and keeps what became of each.

The recording of a take is its journal: a step whose answer is recorded is not asked again when a replay is resumed, after a
crash, a limit or a stop, here or by another worker that holds the replay's lease.

Long, since what is asked of a replay under way and what drives it share the runs of this worker.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

import msgspec

from reenact.domain.policy import Policies
from reenact.domain.replay import Answered, AskCall, AskTool, Plan, Progress, Replay, Spent, State, Take
from reenact.errors import NotFound, StoreFailed
from reenact.replay.attempter import Attempter
from reenact.replay.desk import Desk, ToolResult
from reenact.replay.governor import Exhausted, Governor
from reenact.replay.performing import advance, result, skipped
from reenact.replay.planning import without_bodies
from reenact.replay.question import Asker
from reenact.replay.recording import Recording
from reenact.replay.run import Order, Run
from reenact.store.calls import CallStore

logger = logging.getLogger(__name__)

_KEEP_EVERY_S = 0.5
"""How soon a result is kept; the calls themselves are recorded before their answers end."""


class Keeper(Protocol):
    """Whoever keeps replays; the control store."""

    def save_replay(self, replay: Replay) -> None:
        """Keep *replay* in place of what was kept under its id."""
        ...


class Leases(Protocol):
    """Whoever knows which worker performs which replay."""

    async def claim(self, replay_id: str) -> bool:
        """Take a replay for this worker; return False when another one holds it. Held until released."""
        ...

    async def release(self, replay_id: str) -> None:
        """Let go of a replay."""
        ...

    async def wish(self, replay_id: str, state: State) -> bool:
        """Tell the worker that performs a replay, whoever it is, to bring it to *state*; return whether any does."""
        ...


class Runner:
    """Performs orders on the running event loop; every take is a session of its own."""

    def __init__(  # noqa: PLR0913 - the parts of the machine, named at the one place that puts them together
        self,
        asker: Asker,
        keeper: Keeper,
        *,
        desk: Desk,
        store: CallStore,
        leases: Leases,
        drain: Callable[[], Awaitable[bool]],
        clock: Callable[[], int],
        new_id: Callable[[], str],
        chance: Callable[[], float],
    ) -> None:
        """Take the parts.

        Args:
            asker: sends the calls.
            keeper: keeps replays.
            desk: has the user's own tools answer, where a policy says so.
            store: where takes are read that were recorded before.
            leases: keeps two workers from performing one replay.
            drain: waits until what was recorded until now can be read from the store; False when that takes too long.
            clock: the time in microseconds since the epoch.
            new_id: makes a UUID.
            chance: gives random numbers in [0, 1).
        """
        self._asker = asker
        self._attempter = Attempter(asker, store, chance)
        self._keeper = keeper
        self._desk = desk
        self._store = store
        self._leases = leases
        self._drain = drain
        self._clock = clock
        self._new_id = new_id
        self._runs: dict[str, Run] = {}
        self._claimed: set[str] = set()
        """Those that run, and those that are about to."""

    async def start(self, order: Order, *, replay_id: str | None = None, above: Governor | None = None) -> Replay:
        """Keep *order* as a replay, begin to perform it in the background, and return it as it stands.

        Args:
            order: what to perform.
            replay_id: the id to give it; a new one when None.
            above: holds a whole batch to its limits.

        Raises:
            InvalidInput: a call cannot be sent, such as for want of a provider's key; nothing was sent.
        """
        self.check(order)
        replay = Replay(
            id=replay_id or self._new_id(),
            organisation_id=order.organisation_id,
            created_us=self._clock(),
            plan=without_bodies(order.plan),
            session_name=order.session_name,
            state=State.RUNNING,
            takes=self._takes(order),
            limits=order.limits,
            reuse=order.reuse,
            root_session_id=order.root_session_id,
            batch_id=order.batch_id,
        )
        await self.claim(replay.id)
        await asyncio.to_thread(self._keeper.save_replay, replay)
        return await self._launch(Run(replay, order, Governor(order.limits, replay.spent, above=above)))

    async def resume(self, replay: Replay, order: Order, *, above: Governor | None = None) -> Replay:
        """Go on with a kept *replay* that was claimed, asking only what no answer is recorded for.

        Raises:
            InvalidInput: as `start`.
        """
        self.check(order)
        while not await self._drain():
            logger.warning("Replay %s waits for what was recorded of it before.", replay.id)
        recorded, spent = await asyncio.to_thread(self._recorded, replay)
        replay = msgspec.structs.replace(replay, state=State.RUNNING, detail="", limits=order.limits, spent=spent)
        await asyncio.to_thread(self._keeper.save_replay, replay)
        governor = Governor(order.limits, spent, above=above)
        return await self._launch(Run(replay, order, governor, recorded))

    async def claim(self, replay_id: str) -> bool:
        """Take a replay that is not under way; return False when it is, here or at another worker."""
        if replay_id in self._claimed:
            return False
        self._claimed.add(replay_id)
        has_it = False
        try:
            has_it = await self._leases.claim(replay_id)
        finally:
            if not has_it:
                self._claimed.discard(replay_id)
        return has_it

    async def release(self, replay_id: str) -> None:
        """Let go of a replay that was claimed and is not performed."""
        await self._leases.release(replay_id)
        self._claimed.discard(replay_id)

    async def set_aside(self, replay: Replay, detail: str) -> None:
        """Keep that a replay that was claimed waits for something, and let go of it."""
        paused = msgspec.structs.replace(replay, state=State.PAUSED, detail=detail)
        await asyncio.to_thread(self._keeper.save_replay, paused)
        await self.release(replay.id)

    def check_policies(self, policies: Policies) -> None:
        """Make sure that the tools that *policies* name may be called.

        Raises:
            InvalidInput: an address may not; `field` is its place.
        """
        self._desk.check_policies(policies)

    def check_addresses(self, plan: Plan, recording: Recording) -> None:
        """Make sure that every call of *plan* has somewhere to go.

        Raises:
            InvalidInput: a call's address leads nowhere.
        """
        self._asker.check_addresses(plan, recording)

    def check(self, order: Order) -> None:
        """Make sure that every call of *order* can be sent.

        Raises:
            InvalidInput: a provider's or a tool's key is missing, or a call's address leads nowhere.
        """
        self._desk.check(order)
        for plan in order.plans:
            self._asker.check(plan, order.recording, order.provider_keys)

    def running(self, organisation_id: str, replay_id: str) -> Replay | None:
        """Return a replay that is under way here as it stands now; None when it is not."""
        run = self._runs.get(replay_id)
        return run.replay if run is not None and run.organisation_id == organisation_id else None

    async def take_result(self, organisation_id: str, replay_id: str, tool_id: str, given: ToolResult) -> None:
        """Take what the client's tool gave back for a tool call that waits; once this returns it is recorded.

        Raises:
            NotFound: no such tool call waits in a replay that is performed here.
        """
        if self.running(organisation_id, replay_id) is None:
            raise NotFound(f"The replay {replay_id} is not under way on this server.")
        await self._desk.take(replay_id, tool_id, given)

    async def wish(self, replay_id: str, state: State) -> bool:
        """Tell the worker that performs this, whoever it is, to bring it to *state*; return whether any does."""
        return await self._leases.wish(replay_id, state)

    def performs(self, replay_id: str) -> bool:
        """Return whether a replay is under way here."""
        return replay_id in self._runs

    def lost(self, replay_id: str) -> None:
        """Stop performing a replay whose lease another worker has taken; nothing is kept."""
        run = self._runs.get(replay_id)
        if run is not None and run.task is not None:
            run.is_stopping = run.is_lost = True
            run.task.cancel()

    async def watch(self, replay_id: str) -> AsyncIterator[Progress]:
        """Yield the progress of a replay under way at once and whenever it changes, last when it is over."""
        run = self._runs.get(replay_id)
        while run is not None:
            changed = run.changed
            progress = run.progress
            yield progress
            if progress.is_over or run.is_ended:
                return
            await changed.wait()

    async def stop(self, replay_id: str, state: State) -> None:
        """Bring a replay under way to *state*, paused or cancelled, calls in flight included; return when that is kept.

        One that another worker performs is stopped there, within seconds.
        """
        run = self._runs.get(replay_id)
        if run is None:
            await self._leases.wish(replay_id, state)
        else:
            await _stopped([run], state, f"{state.value} on request")

    async def close(self) -> None:
        """Stop every replay: the server ends. They stay running, for whoever comes next."""
        await _stopped(list(self._runs.values()), State.RUNNING, "")

    def _takes(self, order: Order) -> tuple[Take, ...]:
        arms = ["changed"] * order.plan.takes + ["control"] * order.plan.control_takes
        return tuple(
            Take(number=number, session_id=self._new_id(), arm=arm) for number, arm in enumerate(arms, start=1)
        )

    async def _launch(self, run: Run) -> Replay:
        self._runs[run.id] = run
        run.task = asyncio.create_task(self._drive(run), name=f"replay {run.id}")
        await asyncio.sleep(0)  # a task cancelled before its first step would end without keeping that
        return run.replay

    def _recorded(self, replay: Replay) -> tuple[dict[str, int | None], Spent]:
        """Return what each call cost that was made of *replay*, by its id, and what all cost."""
        calls = [call for take in replay.takes for call in self._store.session(replay.organisation_id, take.session_id)]
        asked = [call for call in calls if call.handling.attempts]
        known = Spent(
            calls=len(asked),
            cost_nanodollars=sum(call.cost_nanodollars or 0 for call in asked),
            unpriced_calls=sum(call.cost_nanodollars is None for call in asked),
        )
        kept = replay.spent
        spent = Spent(
            calls=max(known.calls, kept.calls),
            cost_nanodollars=max(known.cost_nanodollars, kept.cost_nanodollars),
            unpriced_calls=known.unpriced_calls,
            elapsed_us=kept.elapsed_us,
        )
        return {call.id: call.cost_nanodollars for call in calls}, spent

    async def _drive(self, run: Run) -> None:
        """Perform the takes and keep how it ended."""
        keeping = asyncio.create_task(self._keep_up(run))
        state, detail = await self._ending(run)
        run.settled.set()
        await keeping
        over = run.over(state, detail)
        if not run.is_lost:
            await self._keep(over)
            await self._leases.release(run.id)
        run.close(over)
        run.end()
        del self._runs[run.id]
        self._claimed.discard(run.id)

    async def _ending(self, run: Run) -> tuple[State, str]:
        """Perform all takes and return how that ended."""
        try:
            async with asyncio.timeout(run.governor.seconds_left):
                async with asyncio.TaskGroup() as group:
                    for take in run.takes:
                        group.create_task(self._perform(run, take))
            await self._drain()
            await self._fill_costs(run)
        except asyncio.CancelledError:
            return run.stopping
        except TimeoutError:
            return State.PAUSED, f"The time is used up. {_left(run)}"
        except Exception as error:  # a worker loop: whatever broke a replay off is kept with it and shown
            logger.exception("Replay %s broke off.", run.id)
            return State.FAILED, _in_words(error)
        if run.exhausted:
            return State.PAUSED, f"{run.exhausted[:1].upper()}{run.exhausted[1:]}. {_left(run)}"
        return State.DONE, ""

    async def _fill_costs(self, run: Run) -> None:
        """Learn from the store what the calls cost, where that was not wanted at once."""
        if run.needs_meaning:
            return
        try:
            costs, spent = await asyncio.to_thread(self._recorded, run.replay)
        except StoreFailed:  # the calls are recorded; what they cost can be asked of the store later
            logger.exception("What replay %s cost is not known yet.", run.id)
        else:
            run.price(costs)
            run.governor.tell(spent)

    async def _keep_up(self, run: Run) -> None:
        """Keep results as they come, those that come soon after one another together."""
        kept = run.replay
        while not run.settled.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(run.settled.wait(), _KEEP_EVERY_S)
            if run.replay is not kept and not run.is_lost:
                kept = run.replay
                await self._keep(kept)

    async def _keep(self, replay: Replay) -> None:
        try:
            await asyncio.to_thread(self._keeper.save_replay, replay)
        except Exception:  # the takes themselves are recorded all the same; the next keeping may succeed
            logger.exception("Replay %s could not be kept.", replay.id)

    async def _perform(self, run: Run, take: Take) -> None:
        """Perform one take, asking whatever may be asked as soon as it may.

        What an answer makes possible is asked in the same step of the loop, by whoever awaited the answer: where many come at
        once, the first goes on while the others are still to be looked at, so that they do not walk in step from then on.
        """
        run.add(take, *(skipped(call) for call in run.order.plan_of(take).calls if call.action != "ask"))
        performance = run.order.performance(take)
        backlog = deque[AskCall | AskTool]()
        under_way = 0

        def move(answered: Answered | None = None) -> None:
            step = advance(performance, answered)
            if isinstance(step, Take):
                run.finish(step)
            else:
                backlog.extend(step)

        def may_ask() -> bool:
            return bool(backlog) and not run.exhausted

        def spread() -> None:
            nonlocal under_way
            while may_ask() and under_way < run.order.limits.concurrency:
                under_way += 1
                group.create_task(go_on(backlog.popleft()))

        async def go_on(ask: AskCall | AskTool) -> None:
            nonlocal under_way
            while True:
                answered = await self._ask(run, take, ask)
                if answered is not None:
                    if answered.tool is None:
                        run.add(take, result(run.planned(take, answered.index), answered))
                    move(answered)
                if not may_ask():
                    break
                ask = backlog.popleft()
                spread()
            under_way -= 1

        async with asyncio.TaskGroup() as group:
            move()
            spread()

    async def _ask(self, run: Run, take: Take, ask: AskCall | AskTool) -> Answered | None:
        """Return what became of one step; None when a limit was reached."""
        try:
            if isinstance(ask, AskTool):
                return await self._desk.answer(run, take, ask)
            return await self._attempter.answer(run, take, ask)
        except Exhausted as limit:
            run.exhausted = limit.message
            return None


async def _stopped(runs: Sequence[Run], state: State, detail: str) -> None:
    """Stop *runs* and return when they have ended; one that ends already is left to it."""
    for run in runs:
        if run.task is not None and not run.is_stopping and not run.settled.is_set():
            run.is_stopping, run.stopping = True, (state, detail)
            run.task.cancel()
    if tasks := [run.task for run in runs if run.task is not None]:
        await asyncio.wait(tasks)


def _left(run: Run) -> str:
    """Return in words what is still to be asked."""
    progress = run.progress
    return f"{progress.left} of {progress.calls} calls are left; what came is kept, and resuming asks only the rest"


def _in_words(error: BaseException) -> str:
    """Return what went wrong first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
