"""The runner asks what a plan says, as much at once as it may, and keeps what became of it while it goes."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from reenact.domain.patch import Patch
from reenact.domain.replay import Answered, CallResult, Limits, Mode, Plan, Replay, State, Take
from reenact.errors import InvalidInput
from reenact.replay.planning import plan, without_bodies
from reenact.replay.question import Question
from reenact.replay.recording import Recording
from reenact.replay.run import Order
from reenact.replay.runner import Runner
from reenact.store.sqlite.store import SqliteStore
from tests.fakes.replaying import FreshAsker, a_runner
from tests.replay.recordings import a_recording, chat


class HeldAsker(FreshAsker):
    """An asker whose answers are held until they are let go; a provider without a key is refused."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.most = 0
        self.gate = asyncio.Semaphore(0)
        self.on_answer: Callable[[], object] = bool
        self._under_way = 0
        self._came = asyncio.Condition()

    def check(self, plan: Plan, recording: Recording, provider_keys: Mapping[str, str]) -> None:
        """Refuse to go without OpenAI's key."""
        if "openai" not in provider_keys:
            raise InvalidInput("No key for openai.", "provider_keys.openai")

    async def ask(self, question: Question, provider_keys: Mapping[str, str]) -> Answered:
        """Answer when let go: call 2 fails, call 13 is a fault of our own."""
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        async with self._came:
            self.asked.append(question)
            self._came.notify_all()
        await self.gate.acquire()
        self._under_way -= 1
        self.on_answer()
        index = question.ask.index
        if index == 13:
            raise ValueError("unlucky")
        if index == 2:
            return Answered(index=index, call_id="new-2", status=500, failure="HTTP 500: no")
        return Answered(index=index, call_id=f"new-{index}", status=200)

    def let_go(self, count: int) -> None:
        """Let so many answers come."""
        for _ in range(count):
            self.gate.release()

    async def until_asked(self, count: int) -> None:
        """Return when so many calls have been asked."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.asked) >= count)


class Shelf:
    """Keeps every replay it is given, in order."""

    def __init__(self) -> None:
        self.kept: list[Replay] = []
        self._came = threading.Condition()

    def save_replay(self, replay: Replay) -> None:
        """Keep *replay*."""
        with self._came:
            self.kept.append(replay)
            self._came.notify_all()

    def until_kept(self, results: int) -> Replay:
        """Return the first that is kept with so many results in its first take, when it is."""
        with self._came:
            self._came.wait_for(lambda: len(self.kept[-1].takes[0].results) >= results)
            return self.kept[-1]


class Stage(msgspec.Struct):
    """A runner and its parts."""

    runner: Runner
    asker: HeldAsker
    shelf: Shelf
    drained: asyncio.Event


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A runner on held answers."""
    async with _staged(tmp_path) as staged:
        yield staged


@asynccontextmanager
async def _staged(folder: Path) -> AsyncIterator[Stage]:
    asker, shelf, drained, ids = HeldAsker(), Shelf(), asyncio.Event(), itertools.count(1)

    async def drain() -> bool:
        drained.set()
        return True

    store = SqliteStore(folder / "calls")
    runner = a_runner(
        asker, shelf, store, drain=drain, clock=lambda: 1_700_000_000_000_000, new_id=lambda: f"id-{next(ids)}"
    )
    yield Stage(runner, asker, shelf, drained)
    await runner.close()
    store.close()


def an_order(recording: Recording, *, takes: int = 1, concurrency: int = 16, **keys: str) -> Order:
    """Return an order to replay *recording* unchanged."""
    return Order(
        organisation_id="org",
        plan=plan(recording, Patch(), Mode.ANCHORED, takes, lambda *_: None),
        recording=recording,
        session_name="Replay of AI Debate",
        limits=Limits(concurrency=concurrency),
        provider_keys=keys or {"openai": "sk-secret"},
    )


def turns(count: int) -> Recording:
    """Return a recorded session of so many calls."""
    return a_recording(*[chat(f"turn {number}") for number in range(count)])


async def over(stage: Stage, replay: Replay) -> Replay:
    """Return *replay* when it is over."""
    states = [progress.state async for progress in stage.runner.watch(replay.id)]
    assert states[-1] is not State.RUNNING
    return stage.shelf.kept[-1]


async def test_a_replay_is_done_when_every_call_was_asked(stage: Stage) -> None:
    """Failures are kept with the calls and stop nothing; the last thing kept is the whole."""
    order = an_order(turns(3))

    replay = await stage.runner.start(order)
    started = Replay(
        id="id-1",
        organisation_id="org",
        created_us=1_700_000_000_000_000,
        plan=without_bodies(order.plan),
        session_name="Replay of AI Debate",
        state=State.RUNNING,
        takes=(Take(number=1, session_id="id-2"),),
    )
    assert started == replay

    stage.asker.let_go(3)
    done = await over(stage, replay)

    results = (
        CallResult(index=1, source_call_id="call-1", call_id="new-1", status=200),
        CallResult(index=2, source_call_id="call-2", call_id="new-2", status=500, failure="HTTP 500: no"),
        CallResult(index=3, source_call_id="call-3", call_id="new-3", status=200),
    )
    take = Take(number=1, session_id="id-2", results=results)
    assert msgspec.structs.replace(started, state=State.DONE, takes=(take,), spent=done.spent) == done
    assert stage.drained.is_set()
    assert stage.runner.running("org", replay.id) is None


async def test_calls_are_asked_at_once_up_to_the_limit(stage: Stage) -> None:
    """Two takes of five calls, four at a time: never more, and never fewer while there are some."""
    replay = await stage.runner.start(an_order(turns(5), takes=2, concurrency=4))

    await stage.asker.until_asked(4)
    assert 4 == stage.asker.most

    stage.asker.let_go(10)
    done = await over(stage, replay)

    assert (4, 10) == (stage.asker.most, len(stage.asker.asked))
    assert [("id-2", 5), ("id-3", 5)] == [(take.session_id, len(take.results)) for take in done.takes]


async def test_the_first_answer_goes_on_before_the_next_is_looked_at(stage: Stage) -> None:
    """Whoever awaited an answer asks what follows in the same step: the calls then do not walk in step for ever."""
    await stage.runner.start(an_order(turns(4), concurrency=2))
    await stage.asker.until_asked(2)
    asked_when_answered = list[int]()
    stage.asker.on_answer = lambda: asked_when_answered.append(len(stage.asker.asked))

    stage.asker.let_go(2)
    await stage.asker.until_asked(4)

    assert [2, 3] == asked_when_answered


async def test_each_question_says_where_it_comes_from(stage: Stage) -> None:
    """The take's session, the source call and the link between them."""
    await stage.runner.start(an_order(turns(1), takes=2))
    await stage.asker.until_asked(2)

    first, second = stage.asker.asked
    assert ("id-2", "id-3") == (first.session_id, second.session_id)
    assert ("debate", "call-1", 2, "changed") == (
        second.link.source_session_id,
        second.link.source_call_id,
        second.link.take,
        second.link.arm,
    )


async def test_results_are_kept_as_they_come(stage: Stage) -> None:
    """A server that is killed has kept what came before."""
    await stage.runner.start(an_order(turns(3)))
    stage.asker.let_go(1)

    kept = await asyncio.to_thread(stage.shelf.until_kept, 1)

    assert (State.RUNNING, 1) == (kept.state, len(kept.takes[0].results))


async def test_progress_is_seen_while_it_goes(stage: Stage) -> None:
    """Each watcher sees where it stands at once, then what changed, then that it is over."""
    replay = await stage.runner.start(an_order(turns(3)))
    await stage.asker.until_asked(3)
    watching = stage.runner.watch(replay.id)

    seen = [await anext(watching)]
    for _ in range(2):
        stage.asker.let_go(1)
        seen.append(await anext(watching))
    stage.asker.let_go(1)
    *_, last = [progress async for progress in watching]

    assert [(3, 0, 0), (3, 1, 0), (3, 2, 1)] == [(one.calls, one.answered, one.failed) for one in seen]
    assert (State.DONE, 3, 1) == (last.state, last.answered, last.failed)


async def test_cancelling_stops_at_once_and_keeps_what_came(stage: Stage) -> None:
    """Calls in flight are stopped, those that wait are never asked."""
    replay = await stage.runner.start(an_order(turns(8), concurrency=2))
    await stage.asker.until_asked(2)
    stage.asker.let_go(1)
    await stage.asker.until_asked(3)

    await stage.runner.stop(replay.id, State.CANCELLED)

    kept = stage.shelf.kept[-1]
    assert (State.CANCELLED, 1, 3) == (kept.state, len(kept.takes[0].results), len(stage.asker.asked))
    assert stage.runner.running("org", replay.id) is None


async def test_a_replay_cancelled_at_once_is_kept_as_cancelled(stage: Stage) -> None:
    """Even before its first call."""
    replay = await stage.runner.start(an_order(turns(2)))

    await stage.runner.stop(replay.id, State.CANCELLED)

    assert State.CANCELLED is stage.shelf.kept[-1].state


async def test_a_server_that_ends_leaves_its_replays_running(tmp_path: Path) -> None:
    """Whoever comes next goes on with them."""
    async with _staged(tmp_path) as stage:
        await stage.runner.start(an_order(turns(2)))
        await stage.asker.until_asked(2)

    kept = stage.shelf.kept[-1]
    assert (State.RUNNING, "") == (kept.state, kept.detail)


async def test_a_fault_of_our_own_fails_the_replay_in_words(stage: Stage) -> None:
    """The replay does not hang, and says what broke it off."""
    replay = await stage.runner.start(an_order(turns(13)))
    stage.asker.let_go(13)

    done = await over(stage, replay)

    assert (State.FAILED, "ValueError: unlucky") == (done.state, done.detail)


async def test_nothing_is_kept_or_sent_without_a_key(stage: Stage) -> None:
    """What is missing is found before the first call."""
    with pytest.raises(InvalidInput, match="No key for openai"):
        await stage.runner.start(an_order(turns(1), anthropic="x"))

    assert ([], []) == (stage.shelf.kept, stage.asker.asked)


async def test_a_replay_of_another_organisation_is_not_there(stage: Stage) -> None:
    """Its id is no secret that opens it."""
    replay = await stage.runner.start(an_order(turns(1)))

    assert stage.runner.running("org", replay.id) is not None
    assert stage.runner.running("somebody-else", replay.id) is None


def test_orders_hide_their_keys() -> None:
    """The text form of an order holds no secret."""
    assert "sk-secret" not in repr(an_order(turns(1)))
