"""Run: one replay under way, as it stands from moment to moment."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from reenact.domain.labels import ReplayLink
from reenact.domain.replay import AskCall, CallResult, Plan, Progress, Replay, State, Take
from reenact.replay.planning import Recording
from reenact.replay.question import Question


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


class Run:
    """One replay under way. Adding a result costs the same however many there are; `replay` puts them together when asked."""

    def __init__(self, replay: Replay, order: Order) -> None:
        """Begin with *replay*, whose takes have no results yet."""
        self.id = replay.id
        self.organisation_id = replay.organisation_id
        self.takes = replay.takes
        """As they began."""
        self.order = order
        self.changed = asyncio.Event()
        """Set, and replaced by a new one, whenever something changes."""
        self.settled = asyncio.Event()
        """Set when no more results will come."""
        self.gate = asyncio.Semaphore(order.concurrency)
        self.task: asyncio.Task[None] | None = None
        self.is_stopping = False
        self.stopping = (State.FAILED, "the server stopped")
        """What the replay comes to when it is stopped."""
        self._replay: Replay | None = replay
        self._last = replay
        self._progress = replay.progress
        self._results: dict[int, list[CallResult]] = {take.number: [] for take in replay.takes}
        self._calls = {call.id: call for call in order.recording.calls}

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return self._progress

    @property
    def replay(self) -> Replay:
        """The replay as it stands: the same value as long as nothing changes."""
        if self._replay is None:
            takes = tuple(msgspec.structs.replace(take, results=self._ordered(take)) for take in self.takes)
            self._replay = self._last = msgspec.structs.replace(self._last, takes=takes)
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

    def end(self, state: State, detail: str) -> None:
        """Say how it ended."""
        self._last = msgspec.structs.replace(self.replay, state=state, detail=detail)
        self._change(state=state, detail=detail)

    def question(self, take: Take, ask: AskCall) -> Question:
        """Return *ask* with all that is known of it."""
        bodies = self.order.recording.bodies[ask.source_call_id]
        return Question(
            organisation_id=self.organisation_id,
            ask=ask,
            source=self._calls[ask.source_call_id],
            headers=bodies.request_headers,
            recorded_body=bodies.request,
            link=ReplayLink(
                replay_id=self.id,
                take=take.number,
                source_session_id=self.order.plan.session_id,
                source_call_id=ask.source_call_id,
                arm=take.arm,
            ),
            session_id=take.session_id,
            session_name=self.order.session_name,
        )

    def _ordered(self, take: Take) -> tuple[CallResult, ...]:
        return tuple(sorted(self._results[take.number], key=lambda one: one.index))

    def _count(self, results: Sequence[CallResult], sign: int) -> None:
        asked = [result for result in results if not result.skipped]
        failed = sum(result.failure is not None for result in asked)
        self._change(answered=self._progress.answered + sign * len(asked), failed=self._progress.failed + sign * failed)

    def _change(self, **progress: object) -> None:
        """Note what changed and wake whoever watches."""
        self._replay = None
        self._progress = msgspec.structs.replace(self._progress, **progress)
        self.changed.set()
        self.changed = asyncio.Event()
