"""What a runner needs beside its asker, for tests with one worker and nothing recorded before."""

from collections.abc import Awaitable, Callable
from typing import Any

from reenact.domain.exchange import Exchange, Spill
from reenact.domain.replay import Answered, Plan, State
from reenact.gateway.ask import Ask, Sink
from reenact.gateway.guarding import Guard
from reenact.gateway.source import UpstreamAnswer, UpstreamRequest
from reenact.replay.desk import Desk
from reenact.replay.playback.playbacks import Playbacks
from reenact.replay.playback.player import Player
from reenact.replay.playback.stager import Stager
from reenact.replay.question import Asker, Question
from reenact.replay.recording import Recording
from reenact.replay.runner import Keeper, Runner
from reenact.replay.toolcaller import ToolCaller
from reenact.store.calls import CallStore


class AllLeases:
    """Gives every replay to whoever asks."""

    async def claim(self, replay_id: str) -> bool:
        """Give it."""
        return True

    async def release(self, replay_id: str) -> None:
        """Take it back."""

    async def wish(self, replay_id: str, state: State) -> bool:
        """Say that no other worker has it."""
        return False


class FreshAsker:
    """The half of an asker that looks back; the other half asks."""

    def recall(self, question: Question, exchange: Exchange) -> Answered:
        """Say what was recorded before."""
        return Answered(index=question.ask.index, call_id=exchange.id, status=exchange.status)

    def check_addresses(self, plan: Plan, recording: Recording) -> None:
        """Take every address."""

    async def fail(self, question: Question, exchange: Exchange) -> Answered:
        """Refuse."""
        raise AssertionError("no fault is set here")

    async def reuse(self, question: Question, exchange: Exchange) -> Answered:
        """Say that the recorded answer stands."""
        return Answered(index=question.ask.index, call_id=question.id, status=200, is_reused=True)


class NoTools:
    """Neither asks a tool nor keeps what one gave back: a source and a recorder."""

    async def open(self, request: UpstreamRequest) -> UpstreamAnswer:
        """Refuse."""
        raise AssertionError("no tool is asked here")

    def append(self, exchange: Exchange) -> bool:
        """Refuse."""
        raise AssertionError("no tool is asked here")

    def spill(self) -> Spill:
        """Refuse."""
        raise AssertionError("no tool is asked here")

    def append_spilled(self, exchange: Exchange, request: Spill | None, response: Spill | None) -> bool:
        """Refuse."""
        raise AssertionError("no tool is asked here")

    def when_written(self, act: Callable[[], None]) -> float:
        """Refuse."""
        raise AssertionError("no tool is asked here")

    def let_go(self) -> None:
        """Refuse."""
        raise AssertionError("no tool is asked here")

    def when_durable(self, act: Callable[[], None]) -> None:
        """Refuse."""
        raise AssertionError("no tool is asked here")

    def gap(self, organisation_id: str, reason: str) -> None:
        """Refuse."""
        raise AssertionError("no tool is asked here")


async def all_drained() -> bool:
    """Wait for nothing."""
    return True


def a_runner(
    asker: Asker,
    keeper: Keeper,
    store: CallStore,
    *,
    clock: Callable[[], int],
    new_id: Callable[[], str],
    drain: Callable[[], Awaitable[bool]] = all_drained,
    leases: Any = None,
) -> Runner:
    """Return a runner whose waits between attempts are the shortest."""
    return Runner(
        asker,
        keeper,
        desk=Desk(ToolCaller(NoTools(), Guard(), NoTools(), clock), store, clock),
        store=store,
        leases=leases or AllLeases(),
        drain=drain,
        clock=clock,
        new_id=new_id,
        chance=lambda: 0.0,
    )


class NoRelay:
    """Relays nothing."""

    async def relay(self, ask: Ask, sink: Sink) -> Exchange:
        """Refuse."""
        raise AssertionError("nothing is played here")


def some_playbacks(
    keeper: Keeper, store: CallStore, *, clock: Callable[[], int], new_id: Callable[[], str]
) -> Playbacks:
    """Return playbacks that nothing is played in."""
    return Playbacks(
        Stager(store),
        Player(NoRelay(), store, clock=clock, new_id=new_id),
        store,
        keeper,
        leases=AllLeases(),
        drain=all_drained,
        clock=clock,
        new_id=new_id,
    )
