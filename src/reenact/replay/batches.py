"""Batches: replay every session of a frozen cohort, within one budget, and keep the failed ones among the others.

Long, since it states what it needs of the two floors below (`Book`, `Shelf`) and what becomes of a batch from order to end.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Protocol

import msgspec

from reenact.domain.batch import Batch, BatchItem, BatchOrder, Cohort
from reenact.domain.filter import Filter
from reenact.domain.message import Json
from reenact.domain.patch import Patch
from reenact.domain.replay import Limits, Mode, Plan, Replay, Spent, State
from reenact.errors import InvalidInput, ReenactError
from reenact.replay.governor import Governor
from reenact.replay.naming import item_id
from reenact.replay.orderer import Orderer
from reenact.replay.planning import check_budget
from reenact.replay.request import Manner, ReplayRequest, ResumeRequest
from reenact.replay.runner import Runner
from reenact.store.calls import CallStore

logger = logging.getLogger(__name__)

_WIDTH = 8
"""How many sessions are performed at once; the calls of all of them share one limit."""
_PAGE = 500
_LOOK_EVERY_S = 0.5
_STOP_WITHIN_S = 15.0
"""How long to wait for another worker to stop a batch."""


class BatchRequest(Manner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A batch that somebody asks for: what is done with every session, beside which sessions."""

    name: str = "Batch"
    """Of the cohort; asking again under it makes the cohort's next version."""
    sessions: tuple[str, ...] | None = None
    """Session ids; None when a filter chooses them."""
    filter: Json = None
    """As `POST /v1/request/query` takes it: sessions that hold a call it selects."""
    patch: Patch = Patch()
    mode: Mode = Mode.ANCHORED
    takes: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    control: bool = True
    reuse: bool = False

    def __repr__(self) -> str:
        return f"BatchRequest(name={self.name!r}, mode={self.mode}, takes={self.takes})"


class Book(Protocol):
    """Where cohorts and batches are kept; the control store's."""

    def freeze(self, cohort: Cohort) -> Cohort:
        """Keep *cohort* for ever and return it with the version that it is of its name."""
        ...

    def cohort(self, organisation_id: str, cohort_id: str) -> Cohort:
        """Return a cohort."""
        ...

    def save(self, batch: Batch) -> None:
        """Keep *batch*, without its items."""
        ...

    def get(self, organisation_id: str, batch_id: str) -> Batch:
        """Return a batch without its items."""
        ...

    def all(self, organisation_id: str) -> list[Batch]:
        """Return the batches of an organisation without their items, newest first."""
        ...


class Shelf(Protocol):
    """Where replays are kept; the control store."""

    def save_replay(self, replay: Replay) -> None:
        """Keep *replay*."""
        ...

    def replays_by_id(self, organisation_id: str, replay_ids: Sequence[str]) -> dict[str, Replay]:
        """Return replays by id; unknown ids are left out."""
        ...


class _Under(msgspec.Struct):
    """A batch under way."""

    batch: Batch
    cohort: Cohort
    governor: Governor
    provider_keys: Mapping[str, str]
    task: "asyncio.Task[None] | None" = None
    stopping: State | None = None
    is_lost: bool = False
    """Whether another worker goes on with it."""


class Batches:
    """Used on the event loop that the runner works on."""

    def __init__(
        self,
        store: CallStore,
        book: Book,
        shelf: Shelf,
        orderer: Orderer,
        runner: Runner,
        *,
        clock: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        """Take the parts; *clock* gives microseconds since the epoch, *new_id* UUIDs."""
        self._store = store
        self._book = book
        self._shelf = shelf
        self._orderer = orderer
        self._runner = runner
        self._clock = clock
        self._new_id = new_id
        self._under: dict[str, _Under] = {}

    async def start(self, organisation_id: str, request: BatchRequest, where: Filter | None) -> Batch:
        """Freeze the sessions that are asked for, begin to replay them in the background, and return the batch.

        Args:
            organisation_id: whose sessions.
            request: what to do with each.
            where: what its filter means; None for sessions that are named.

        Raises:
            InvalidInput: no session is chosen, or by both ways.
        """
        if request.mode in {Mode.PLAYBACK, Mode.FORK}:
            raise InvalidInput("A batch replays anchored or chained.", "mode")
        if (request.sessions is None) == (where is None):
            raise InvalidInput("Say either which sessions or by what filter they are chosen.", "sessions")
        session_ids = request.sessions
        if where is not None:
            session_ids = await asyncio.to_thread(self._chosen, organisation_id, where)
        if not session_ids:
            raise InvalidInput("No session is chosen.", "sessions")
        patch = await asyncio.to_thread(self._orderer.filled, organisation_id, request.patch)
        cohort = await asyncio.to_thread(
            self._book.freeze,
            Cohort(
                id=self._new_id(),
                organisation_id=organisation_id,
                name=request.name,
                version=0,
                created_us=self._clock(),
                source=request.filter,
                session_ids=tuple(dict.fromkeys(session_ids)),
            ),
        )
        batch = Batch(
            id=self._new_id(),
            organisation_id=organisation_id,
            created_us=self._clock(),
            name=request.name,
            cohort_id=cohort.id,
            order=BatchOrder(
                patch=patch,
                mode=request.mode,
                takes=request.takes,
                control=request.control,
                reuse=request.reuse,
                limits=request.limits,
            ),
            state=State.RUNNING,
        )
        await self._runner.claim(batch.id)
        await asyncio.to_thread(self._book.save, batch)
        self._launch(_Under(batch, cohort, Governor(batch.order.limits, Spent()), request.provider_keys))
        return await self.get(organisation_id, batch.id)

    async def get(self, organisation_id: str, batch_id: str) -> Batch:
        """Return a batch as it stands, with what became of each of its sessions.

        Raises:
            NotFound: no such batch.
        """
        kept = await asyncio.to_thread(self._book.get, organisation_id, batch_id)
        under = self._under.get(batch_id)
        batch = kept if under is None else under.batch
        cohort = await asyncio.to_thread(self._book.cohort, organisation_id, batch.cohort_id)
        items = await asyncio.to_thread(self._items, batch, cohort)
        spent = kept.spent if under is None else under.governor.spent
        return msgspec.structs.replace(batch, items=items, spent=spent)

    async def all(self, organisation_id: str) -> list[Batch]:
        """Return the batches of an organisation without their items, newest first."""
        return await asyncio.to_thread(self._book.all, organisation_id)

    async def watch(self, organisation_id: str, batch_id: str, every_s: float = 0.5) -> AsyncIterator[Batch]:
        """Yield a batch as it stands, at once and again and again until it is over.

        Raises:
            NotFound: no such batch.
        """
        while True:
            batch = await self.get(organisation_id, batch_id)
            yield batch
            if batch.is_over:
                return
            under = self._under.get(batch_id)
            if under is not None and under.task is not None:
                await asyncio.wait([under.task], timeout=every_s)
            else:
                await asyncio.sleep(every_s)  # another worker performs it

    async def cancel(self, organisation_id: str, batch_id: str) -> Batch:
        """Stop a batch at once, wherever it is performed, and return it; one that is over stays as it is.

        Raises:
            NotFound: no such batch.
        """
        batch = await asyncio.to_thread(self._book.get, organisation_id, batch_id)
        if self.performs(batch_id):
            await self.stop(batch_id, State.CANCELLED)
        elif not batch.is_over and await self._runner.wish(batch_id, State.CANCELLED):
            with suppress(TimeoutError):  # the worker that performs it may take a while
                async with asyncio.timeout(_STOP_WITHIN_S):
                    async for _ in self.watch(organisation_id, batch_id):
                        pass
        return await self.get(organisation_id, batch_id)

    def performs(self, batch_id: str) -> bool:
        """Return whether a batch is under way here."""
        return batch_id in self._under

    async def stop(self, batch_id: str, state: State) -> None:
        """Bring a batch that is under way here to *state*, with the replays that it has begun; return when that is kept."""
        under = self._under.get(batch_id)
        if under is not None and under.task is not None:
            under.stopping = state
            under.task.cancel()
            await asyncio.wait([under.task])

    def lost(self, batch_id: str) -> None:
        """Stop performing a batch whose lease another worker has taken; nothing is kept."""
        under = self._under.get(batch_id)
        if under is not None and under.task is not None:
            under.is_lost = True
            under.task.cancel()

    async def resume(self, organisation_id: str, batch_id: str, request: ResumeRequest) -> Batch:
        """Go on with a batch that is not done: what is answered stays, sessions that failed are tried again.

        Raises:
            NotFound: no such batch.
            InvalidInput: it is done or under way.
        """
        batch = await asyncio.to_thread(self._book.get, organisation_id, batch_id)
        if batch.state is State.DONE or not await self._runner.claim(batch_id):
            raise InvalidInput(f"The batch {batch_id} is done or under way.", "batch_id")
        await self._go_on(batch, request.limits(batch.order.limits), request.provider_keys)
        return await self.get(organisation_id, batch_id)

    async def recover(self, organisation_id: str, batch_id: str) -> bool:
        """Go on with a batch that a worker left; return False when that is not for this one to do."""
        if not await self._runner.claim(batch_id):
            return False
        batch = await asyncio.to_thread(self._book.get, organisation_id, batch_id)
        if batch.is_over:
            await self._runner.release(batch_id)
            return False
        await self._go_on(batch, batch.order.limits, {})
        return True

    async def close(self) -> None:
        """Stop every batch: the server ends. They stay running, for whoever comes next."""
        tasks = [under.task for under in self._under.values() if under.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _go_on(self, batch: Batch, limits: Limits, provider_keys: Mapping[str, str]) -> None:
        cohort = await asyncio.to_thread(self._book.cohort, batch.organisation_id, batch.cohort_id)
        order = msgspec.structs.replace(batch.order, limits=limits)
        batch = msgspec.structs.replace(batch, state=State.RUNNING, detail="", order=order)
        await asyncio.to_thread(self._book.save, batch)
        self._launch(_Under(batch, cohort, Governor(limits, batch.spent), provider_keys))

    def _launch(self, under: _Under) -> None:
        self._under[under.batch.id] = under
        under.task = asyncio.create_task(self._drive(under), name=f"batch {under.batch.id}")

    async def _drive(self, under: _Under) -> None:
        """Replay session after session and keep how it ended."""
        batch = under.batch
        state, detail = State.RUNNING, ""
        try:
            gate = asyncio.Semaphore(_WIDTH)
            async with asyncio.TaskGroup() as group:
                for session_id in under.cohort.session_ids:
                    await gate.acquire()
                    group.create_task(self._replayed(under, session_id)).add_done_callback(lambda _: gate.release())
            items = await asyncio.to_thread(self._items, batch, under.cohort)
            state, detail = _ending(items)
        except asyncio.CancelledError:
            state = under.stopping or State.RUNNING
            detail = f"{state.value} on request" if under.stopping else ""
        except Exception as error:  # a worker loop: whatever broke a batch off is kept with it and shown
            logger.exception("Batch %s broke off.", batch.id)
            state, detail = State.FAILED, f"{type(error).__name__}: {error}"
        under.batch = msgspec.structs.replace(batch, state=state, detail=detail, spent=under.governor.spent)
        if not under.is_lost:
            await asyncio.to_thread(self._book.save, under.batch)
        await self._runner.release(batch.id)
        del self._under[batch.id]

    async def _replayed(self, under: _Under, session_id: str) -> None:
        """Replay one session to its end, go on with its replay, or keep why it cannot be replayed."""
        batch = under.batch
        replay_id = item_id(batch.id, session_id)
        kept = (await asyncio.to_thread(self._shelf.replays_by_id, batch.organisation_id, [replay_id])).get(replay_id)
        if kept is not None and kept.state is State.DONE:
            return
        if kept is not None and kept.takes:
            while not await self._runner.claim(replay_id):  # noqa: ASYNC110 - a killed worker holds it a little longer
                await asyncio.sleep(_LOOK_EVERY_S)
        beginning = asyncio.create_task(self._begun(under, session_id, kept))
        try:
            await asyncio.shield(beginning)  # a replay that is begun half would be performed by nobody
            async for _ in self._runner.watch(replay_id):
                pass
        except ReenactError as error:
            await asyncio.to_thread(self._shelf.save_replay, self._failed(batch, session_id, error))
            await self._runner.release(replay_id)
        except asyncio.CancelledError:
            await asyncio.wait([beginning])
            if under.stopping is not None:
                await self._runner.stop(replay_id, under.stopping)
            raise

    async def _begun(self, under: _Under, session_id: str, kept: Replay | None) -> None:
        batch, limits = under.batch, under.batch.order.limits
        own = Limits(concurrency=limits.concurrency, retries=limits.retries)  # the rest is the batch's as a whole
        request = ReplayRequest(
            session_id=session_id,
            patch=batch.order.patch,
            mode=batch.order.mode,
            takes=batch.order.takes,
            control=batch.order.control,
            reuse=batch.order.reuse,
            concurrency=own.concurrency,
            retries=own.retries,
            provider_keys=dict(under.provider_keys),
        )
        order = await asyncio.to_thread(self._orderer.order, batch.organisation_id, request)
        check_budget(limits.budget, order.plans)
        order = msgspec.structs.replace(order, batch_id=batch.id)
        replay_id = item_id(batch.id, session_id)
        if kept is None or not kept.takes:
            await self._runner.start(order, replay_id=replay_id, above=under.governor)
        else:
            await self._runner.resume(kept, order, above=under.governor)

    def _failed(self, batch: Batch, session_id: str, error: ReenactError) -> Replay:
        plan = Plan(
            session_id=session_id,
            session_name="",
            mode=batch.order.mode,
            patch=batch.order.patch,
            takes=batch.order.takes,
            calls=(),
        )
        return Replay(
            id=item_id(batch.id, session_id),
            organisation_id=batch.organisation_id,
            created_us=self._clock(),
            plan=plan,
            session_name=batch.name,
            state=State.FAILED,
            detail=error.message,
            batch_id=batch.id,
        )

    def _chosen(self, organisation_id: str, where: Filter) -> tuple[str, ...]:
        """Return the sessions that hold a call that *where* selects, oldest first."""
        found: list[str] = []
        while page := self._store.sessions(organisation_id, where=where, offset=len(found), limit=_PAGE):
            found += [one.session_id for one in page]
        return tuple(reversed(found))

    def _items(self, batch: Batch, cohort: Cohort) -> tuple[BatchItem, ...]:
        ids = [item_id(batch.id, session_id) for session_id in cohort.session_ids]
        kept = self._shelf.replays_by_id(batch.organisation_id, ids)
        return tuple(
            _item(session_id, replay_id, self._runner.running(batch.organisation_id, replay_id) or kept.get(replay_id))
            for session_id, replay_id in zip(cohort.session_ids, ids, strict=True)
        )


def _item(session_id: str, replay_id: str, replay: Replay | None) -> BatchItem:
    if replay is None:
        return BatchItem(session_id=session_id, replay_id=replay_id, state=State.PLANNED)
    progress = replay.progress
    return BatchItem(
        session_id=session_id,
        replay_id=replay_id,
        state=replay.state,
        detail=replay.detail,
        calls=progress.calls,
        answered=progress.answered,
        failed=progress.failed,
        cost_nanodollars=replay.spent.cost_nanodollars,
    )


def _ending(items: Sequence[BatchItem]) -> tuple[State, str]:
    """Return how a batch ended whose sessions all have been tried: sessions that failed stay among them."""
    paused = [item for item in items if item.state in {State.PAUSED, State.PLANNED}]
    if paused:
        left = f"{len(paused)} of {len(items)} sessions are left. {paused[0].detail}"
        return State.PAUSED, left.strip()
    failed = sum(item.state is not State.DONE for item in items)
    return State.DONE, f"{failed} of {len(items)} sessions could not be replayed to their end" if failed else ""
