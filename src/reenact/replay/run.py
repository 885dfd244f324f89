"""Run: one replay under way, as it stands from moment to moment."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

import msgspec

from reenact.domain.labels import ReplayLink
from reenact.domain.replay import (
    AskCall,
    AskTool,
    CallResult,
    Limits,
    Mode,
    Plan,
    PlannedCall,
    Progress,
    Replay,
    State,
    Take,
    WaitingTool,
)
from reenact.replay.chain import Chain
from reenact.replay.governor import Governor
from reenact.replay.naming import step_id
from reenact.replay.performing import Performance, perform
from reenact.replay.question import Question, ToolQuestion
from reenact.replay.recording import Recording

_TELL_EVERY_S = 0.1
"""How soon whoever watches hears of answers: a message for each would cost as much as the asking."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A plan to be performed, and how."""

    organisation_id: str
    plan: Plan
    """With the bodies to send."""
    control: Plan | None = None
    """The same without the patch, bodies and all; None when no control takes run."""
    recording: Recording
    session_name: str
    limits: Limits = Limits()
    reuse: bool = False
    root_session_id: str = ""
    batch_id: str | None = None
    provider_keys: Mapping[str, str]
    chain: Chain | None = None
    """For mode chained: what takes are made of."""

    def performance(self, take: Take) -> Performance:
        """Return the performance of *take*, not begun."""
        plan = self.plan_of(take)
        return perform(plan, take) if self.chain is None else self.chain.perform(plan, take)

    @property
    def plans(self) -> tuple[Plan, ...]:
        """What each arm performs."""
        return (self.plan,) if self.control is None else (self.plan, self.control)

    def plan_of(self, take: Take) -> Plan:
        """Return what *take* performs."""
        return self.control if self.control is not None and take.arm == "control" else self.plan

    def __repr__(self) -> str:
        return f"Order(session_id={self.plan.session_id!r}, session_name={self.session_name!r})"


class Run:
    """One replay under way. Adding a result costs the same however many there are; `replay` puts them together when asked."""

    def __init__(self, replay: Replay, order: Order, governor: Governor, recorded: Collection[str] = ()) -> None:
        """Begin with *replay*; the results that its takes have are made again out of what was recorded.

        Args:
            replay: as it was kept.
            order: what to perform.
            governor: holds it to its limits.
            recorded: the ids of the calls that were made of it before, when it is resumed.
        """
        replay = msgspec.structs.replace(
            replay, takes=tuple(msgspec.structs.replace(take, results=()) for take in replay.takes)
        )
        self.governor = governor
        self.recorded = recorded
        self.id = replay.id
        self.organisation_id = replay.organisation_id
        self.takes = replay.takes
        """As they began."""
        self.order = order
        self.changed = asyncio.Event()
        """Set, and replaced by a new one, when whoever watches is to look again: soon after something changed."""
        self._telling: asyncio.TimerHandle | None = None
        self.settled = asyncio.Event()
        """Set when no more results will come."""
        self.task: asyncio.Task[None] | None = None
        self.is_stopping = self.is_lost = self.is_ended = False
        self.stopping = (State.RUNNING, "")
        """What the replay comes to when it is stopped; one that stays running is resumed by whoever comes next."""
        self.exhausted = ""
        """Which limit was reached, in words; empty when none was."""
        self._replay: Replay | None = replay
        self._last = replay
        self._progress = replay.progress
        self._results: dict[int, list[CallResult]] = {take.number: [] for take in replay.takes}
        self._calls = {call.id: call for call in order.recording.calls}
        self._planned = {
            arm: {call.index: call for call in plan.calls}
            for arm, plan in (("changed", order.plan), ("control", order.control or order.plan))
        }
        budget = order.limits.budget
        self.needs_meaning = (
            order.plan.mode is Mode.CHAINED
            or budget.cost_nanodollars is not None
            or any(rate.tokens_per_minute is not None for rate in order.limits.rates.values())
        )

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return self._progress

    @property
    def replay(self) -> Replay:
        """The replay as it stands: the same value as long as nothing changes."""
        if self._replay is None:
            takes = tuple(msgspec.structs.replace(take, results=self._ordered(take)) for take in self.takes)
            self._replay = self._last = msgspec.structs.replace(self._last, takes=takes, spent=self._progress.spent)
        return self._replay

    def add(self, take: Take, *results: CallResult) -> None:
        """Add results to a take."""
        self._results[take.number] += results
        self._count(results, 1)

    def finish(self, take: Take) -> None:
        """Put the results of *take*, performed to its end, in place of what was known of it."""
        self._count(self._results[take.number], -1)
        self._results[take.number] = list(take.results)
        self._count(take.results, 1)

    def price(self, costs: Mapping[str, int | None]) -> None:
        """Write into the results what their calls cost, by call id."""
        for number, results in self._results.items():
            self._results[number] = [
                msgspec.structs.replace(result, cost_nanodollars=costs.get(result.call_id or "")) for result in results
            ]
        self._replay = None

    def over(self, state: State, detail: str) -> Replay:
        """Return the replay as it ended; `close` shows it, once that is kept."""
        return msgspec.structs.replace(self.replay, state=state, detail=detail, spent=self.governor.spent)

    def close(self, replay: Replay) -> None:
        """Show how it ended; watchers are woken by `end`."""
        self._last = self._replay = replay
        self._progress = msgspec.structs.replace(
            self._progress, state=replay.state, detail=replay.detail, spent=replay.spent
        )

    def end(self) -> None:
        """Wake whoever watches: it is over and kept."""
        self.is_ended = True
        self._tell()

    def planned(self, take: Take, index: int) -> PlannedCall:
        """Return the plan of the call at a position."""
        return self._planned[take.arm][index]

    def question(self, take: Take, ask: AskCall, attempt: int = 1) -> Question:
        """Return *ask* with all that is known of it."""
        bodies = self.order.recording.bodies[ask.source_call_id]
        call_id = step_id(self.id, take, ask, attempt)
        return Question(
            id=call_id,
            organisation_id=self.organisation_id,
            ask=ask,
            source=self._calls[ask.source_call_id],
            headers=bodies.request_headers,
            recorded_body=bodies.request,
            link=self._link(take, ask, call_id),
            session_id=take.session_id,
            session_name=self.order.session_name,
            fault=self.planned(take, ask.index).fault if ask.round == 0 and ask.tool is None else None,
            needs_meaning=self.needs_meaning,
        )

    def tool_question(self, take: Take, ask: AskTool, attempt: int = 1) -> ToolQuestion:
        """Return *ask* with all that is known of it."""
        call_id = step_id(self.id, take, ask, attempt)
        return ToolQuestion(
            id=call_id,
            organisation_id=self.organisation_id,
            replay_id=self.id,
            ask=ask,
            source=self._calls[ask.source_call_id],
            link=self._link(take, ask, call_id),
            session_id=take.session_id,
            session_name=self.order.session_name,
        )

    def wait(self, tool: WaitingTool) -> None:
        """Show that a tool call waits for the client."""
        self._change(tools=(*self._progress.tools, tool))
        self._tell()

    def wait_no_more(self, tool: WaitingTool) -> None:
        """Show that it does no longer."""
        self._change(tools=tuple(one for one in self._progress.tools if one != tool))

    def _link(self, take: Take, ask: AskCall | AskTool, call_id: str) -> ReplayLink:
        """Return where a call comes from; tools, and calls beyond the record, stand for none that was recorded."""
        stands_for_none = ask.round > 0 or ask.tool is not None
        return ReplayLink(
            replay_id=self.id,
            take=take.number,
            source_session_id=self.order.plan.session_id,
            source_call_id=call_id if stands_for_none else ask.source_call_id,
            arm=take.arm,
        )

    def _ordered(self, take: Take) -> tuple[CallResult, ...]:
        return tuple(sorted(self._results[take.number], key=lambda one: (one.index, one.round)))

    def _count(self, results: Sequence[CallResult], sign: int) -> None:
        asked = [result for result in results if not result.skipped]
        failed = sum(result.failure is not None for result in asked)
        self._change(answered=self._progress.answered + sign * len(asked), failed=self._progress.failed + sign * failed)

    def _change(self, **progress: object) -> None:
        """Note what changed; whoever watches hears of it soon, together with what changes until then."""
        self._replay = None
        self._progress = msgspec.structs.replace(self._progress, spent=self.governor.spent, **progress)
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(_TELL_EVERY_S, self._tell)

    def _tell(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        self.changed.set()
        self.changed = asyncio.Event()
