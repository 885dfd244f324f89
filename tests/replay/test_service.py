"""The service reads recorded sessions from the real stores, and knows replays that run and replays that are kept."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import msgspec
import pytest

from reenact.domain.call import Reading
from reenact.domain.exchange import Exchange
from reenact.domain.patch import AppendSystem, Change, Patch, Selector
from reenact.domain.playback import Driver, Playback
from reenact.domain.replay import Answered, Mode, Plan, Progress, State
from reenact.errors import InvalidPatch, NotFound
from reenact.replay.orderer import Orderer
from reenact.replay.question import Question
from reenact.replay.recording import Recording
from reenact.replay.request import ReplayRequest
from reenact.replay.service import Replays
from reenact.store.control.store import ControlStore
from reenact.store.sqlite.store import SqliteStore
from tests.fakes.replaying import FreshAsker, a_runner, some_playbacks
from tests.replay.recordings import a_call, chat

BODIES = [b'{ "model": "gpt-4o-mini", "messages": [] }', msgspec.json.encode(chat("two"))]


class GatedAsker(FreshAsker):
    """Answers with 200 once the gate is open."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.gate = asyncio.Event()

    def check(self, plan: Plan, recording: Recording, provider_keys: Mapping[str, str]) -> None:
        """Let everything pass."""

    async def ask(self, question: Question, provider_keys: Mapping[str, str]) -> Answered:
        """Answer when the gate is open."""
        self.asked.append(question)
        await self.gate.wait()
        return Answered(index=question.ask.index, call_id=f"new-{question.ask.index}", status=200)


class Stage(msgspec.Struct):
    """The service and its parts."""

    replays: Replays
    asker: GatedAsker
    control: ControlStore


def reading(call_id: str, order: int, body: bytes) -> Reading:
    """Return a recorded call of the debate, as ingest gives it to the store."""
    call = a_call(call_id, created_us=1_700_000_000_000_000 + order)
    exchange = Exchange(
        id=call.id,
        organisation_id="org",
        started_us=call.created_us,
        duration_us=call.duration_us,
        first_byte_us=None,
        method="POST",
        url=call.url,
        target_url=call.target_url,
        provider="openai",
        labels=call.labels,
        request_headers=((b"content-type", b"application/json"),),
        request_body=body,
        status=200,
        response_headers=(),
        response_body=b"{}",
        chunks=(),
        ending=call.ending,
    )
    return Reading(call=call, exchange=exchange, answer={})


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The service on stores that hold a session of two calls."""
    store, control, asker = SqliteStore(tmp_path / "calls"), ControlStore(tmp_path / "control"), GatedAsker()
    store.save([reading(f"call-{number}", number, body) for number, body in enumerate(BODIES, start=1)])
    ids = itertools.count(1)

    runner = a_runner(asker, control, store, clock=lambda: 1, new_id=lambda: f"id-{next(ids)}")
    playbacks = some_playbacks(control, store, clock=lambda: 1, new_id=lambda: f"id-{next(ids)}")
    yield Stage(
        Replays(Orderer(store, runner, lambda *_: 5, lambda _, patch: patch), control, runner, playbacks),
        asker,
        control,
    )
    await runner.close()
    control.close()
    store.close()


async def test_planning_reads_the_recorded_session_and_sends_nothing(stage: Stage) -> None:
    """The plan is the whole session, without bodies."""
    plan = await stage.replays.plan("org", ReplayRequest(session_id="debate", takes=2))

    assert [("call-1", b"", 5), ("call-2", b"", 5)] == [
        (call.call_id, call.body, call.expected_cost_nanodollars) for call in plan.calls
    ]
    assert ("AI Debate", 20, []) == (plan.session_name, plan.expected_cost_nanodollars, stage.asker.asked)


@pytest.mark.parametrize("mode", [Mode.ANCHORED, Mode.CHAINED])
async def test_what_is_planned_is_what_begins(stage: Stage, mode: Mode) -> None:
    """The plan alone is made without what only performing needs, and says the same."""
    patched = Patch(changes=(Change(select=Selector(), edits=(AppendSystem(" Be brief."),)),))
    request = ReplayRequest(session_id="debate", patch=patched, mode=mode)

    planned = await stage.replays.plan("org", request)
    started = await stage.replays.start("org", request)

    assert planned == started.plan
    assert all(call.changes for call in planned.calls)
    assert mode is Mode.ANCHORED or planned.policies is not None


async def test_the_recorded_bytes_are_asked(stage: Stage) -> None:
    """The empty patch, byte for byte, with the recorded headers beside it."""
    replay = await stage.replays.start("org", ReplayRequest(session_id="debate"))
    stage.asker.gate.set()
    watched = [progress async for progress in stage.replays.watch("org", replay.id)]

    assert BODIES == [question.ask.body for question in sorted(stage.asker.asked, key=lambda one: one.ask.index)]
    assert [((b"content-type", b"application/json"),)] * 2 == [question.headers for question in stage.asker.asked]
    over = Progress(replay_id="id-1", state=State.DONE, calls=2, answered=2, failed=0, spent=watched[-1].spent)
    assert over == watched[-1]


async def test_a_replay_is_the_same_while_it_runs_and_when_it_is_kept(stage: Stage) -> None:
    """By its id and in the list of its session; afterwards from the control store."""
    started = await stage.replays.start("org", ReplayRequest(session_id="debate", session_name="Mine"))
    assert started == (await stage.replays.get("org", started.id))

    stage.asker.gate.set()
    async for _ in stage.replays.watch("org", started.id):
        pass
    done = await stage.replays.get("org", started.id)

    assert ("Mine", State.DONE) == (done.session_name, done.state)
    assert done == stage.control.get_replay("org", started.id)
    assert [done] == await stage.replays.of_session("org", "debate")
    assert [done.progress] == [progress async for progress in stage.replays.watch("org", started.id)]


async def test_sessions_of_takes_are_named_after_their_source(stage: Stage) -> None:
    """When no name is given."""
    started = await stage.replays.start("org", ReplayRequest(session_id="debate"))

    assert "Replay of AI Debate" == started.session_name


async def test_cancelling_gives_back_how_it_ended(stage: Stage) -> None:
    """A replay that is over stays as it is."""
    started = await stage.replays.start("org", ReplayRequest(session_id="debate"))

    cancelled = await stage.replays.cancel("org", started.id)

    assert State.CANCELLED is cancelled.state
    assert cancelled == await stage.replays.cancel("org", started.id)


async def test_what_is_wrong_is_told_before_anything_begins(stage: Stage) -> None:
    """An unknown session, a patch that fits nothing."""
    missing = Patch(changes=(Change(select=Selector(prompt_id="none"), edits=(AppendSystem("!"),)),))

    with pytest.raises(NotFound, match="no-such-session"):
        await stage.replays.plan("org", ReplayRequest(session_id="no-such-session"))
    with pytest.raises(InvalidPatch):
        await stage.replays.start("org", ReplayRequest(session_id="debate", patch=missing))

    assert [] == await stage.replays.of_session("org")


async def test_another_organisation_sees_and_stops_nothing(stage: Stage) -> None:
    """Neither the session nor the replay is there for it."""
    started = await stage.replays.start("org", ReplayRequest(session_id="debate"))

    with pytest.raises(NotFound):
        await stage.replays.plan("other", ReplayRequest(session_id="debate"))
    with pytest.raises(NotFound):
        await stage.replays.get("other", started.id)
    with pytest.raises(NotFound):
        await stage.replays.cancel("other", started.id)
    with pytest.raises(NotFound):
        [progress async for progress in stage.replays.watch("other", started.id)]

    assert [] == await stage.replays.of_session("other", "debate")
    assert State.RUNNING is (await stage.replays.get("org", started.id)).state


async def test_a_playback_under_way_is_left_to_whoever_performs_it(stage: Stage) -> None:
    """The search for what stopped servers left finds it as well: it stays open here, and is kept as under way."""
    request = ReplayRequest(session_id="debate", mode=Mode.PLAYBACK, playback=Playback(driver=Driver.AGENT))
    started = await stage.replays.start("org", request)

    assert [("org", started.id)] == stage.control.unfinished_replays()
    assert not await stage.replays.recover("org", started.id)
    assert State.RUNNING is stage.control.get_replay("org", started.id).state
    assert State.DONE is (await stage.replays.finish("org", started.id)).state


async def test_a_playback_that_a_stopped_server_left_is_over(stage: Stage) -> None:
    """Nobody answers its agent's calls any more, which is what is kept of it."""
    request = ReplayRequest(session_id="debate", mode=Mode.PLAYBACK, playback=Playback(driver=Driver.AGENT))
    started = await stage.replays.start("org", request)
    await stage.replays.finish("org", started.id)
    stage.control.save_replay(started)

    assert not await stage.replays.recover("org", started.id)
    assert State.FAILED is stage.control.get_replay("org", started.id).state
