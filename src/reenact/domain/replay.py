"""Plan, Replay, Take: what running a session again will do, is doing, and did."""

import enum

import msgspec

from reenact.domain.divergence import Divergence, Doubt, Rewrite, Validity
from reenact.domain.message import Answer, Json
from reenact.domain.patch import Patch
from reenact.domain.playback import Level, Playback, PlayedCall, Server


class Mode(enum.Enum):
    """What a replay's requests contain, and so what its result can show (docs/glossary.md)."""

    PLAYBACK = "playback"
    ANCHORED = "anchored"
    CHAINED = "chained"
    FORK = "fork"


class Operation(enum.Enum):
    """What became of one place, under JSON Patch's names (RFC 6902)."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a request body that a patch changes."""

    path: str
    """A JSON Pointer (RFC 6901) into the body, such as `/messages/0/content`; a removed place is one of the recorded body."""
    operation: Operation = Operation.REPLACE
    before: Json = None
    after: Json = None


class PlannedCall(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay will do with one recorded call."""

    index: int
    """Position in the session, counted from 1."""
    call_id: str
    path: str
    prompt_id: str | None
    model: str
    """After the patch."""
    provider: str
    action: str
    """`ask`, `serve` (the recorded answer is given) or `skip`."""
    reason: str = ""
    """For `skip`: why, in words."""
    changes: tuple[FieldChange, ...] = ()
    url: str = ""
    """The absolute gateway URL to call; the recorded one, unless the patch swaps a model that the URL names."""
    body: bytes = b""
    """The request body to send: the recorded bytes when nothing changes. Left out where plans are kept and shown."""
    expected_input_tokens: int | None = None
    expected_output_tokens: int | None = None
    expected_cost_nanodollars: int | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that a replay will do, before it does anything. Making one sends nothing."""

    session_id: str
    session_name: str
    mode: Mode
    patch: Patch
    takes: int
    calls: tuple[PlannedCall, ...]
    playback: Playback | None = None
    """For modes playback and fork: how it is played."""

    @property
    def served(self) -> tuple[PlannedCall, ...]:
        """The calls that one take answers from the record."""
        return tuple(call for call in self.calls if call.action == "serve")

    @property
    def asked(self) -> tuple[PlannedCall, ...]:
        """The calls that one take will ask."""
        return tuple(call for call in self.calls if call.action == "ask")

    @property
    def expected_cost_nanodollars(self) -> int:
        """What all takes together are expected to cost, the calls of unknown price left out."""
        return self.takes * sum(call.expected_cost_nanodollars or 0 for call in self.asked)

    @property
    def unpriced_calls(self) -> int:
        """How many of one take's calls have no expected cost: price or recorded tokens are not known."""
        return sum(call.expected_cost_nanodollars is None for call in self.asked)


class AskCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call that a take may ask now."""

    index: int
    source_call_id: str
    model: str
    """After the patch."""
    url: str
    """The absolute gateway URL."""
    body: bytes
    round: int = 0
    """For a call that no recorded one stands for: how many rounds beyond the record, counted from 1."""
    tool: int | None = None
    """For a model that plays a tool: which tool call of the answer to this call, counted from 0."""


class AskTool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool call that the user's own address is to answer."""

    index: int
    source_call_id: str
    tool: int
    """Which tool call of the answer to this call, counted from 0."""
    url: str
    name: str
    arguments: str
    """JSON text as the model wrote it."""
    round: int = 0


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an AskCall."""

    index: int
    call_id: str | None
    """The new call; None when it could not be sent."""
    status: int | None
    """HTTP status of the answer; None when none came."""
    failure: str | None = None
    """Why it failed, in words; None when it was answered whole with a status under 400."""
    answer: Answer | None = None
    """What was said; chained takes need it, anchored ones do not."""
    round: int = 0
    """As in the AskCall."""
    tool: int | None = None
    """As in the AskCall or AskTool."""
    result: str | None = None
    """What the user's address gave back for an AskTool."""


class State(enum.Enum):
    """Where a replay or one of its calls stands."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    """Every call was asked; some may have failed."""
    CANCELLED = "cancelled"
    FAILED = "failed"
    """The replay itself broke off; `detail` says why."""


class CallResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one planned call in one take."""

    index: int
    source_call_id: str
    call_id: str | None
    """The new call; None when it was skipped or could not be sent."""
    status: int | None
    """HTTP status of the answer."""
    failure: str | None = None
    """Why it failed or was skipped, in words; None when it was answered with a status under 400."""
    skipped: bool = False
    round: int = 0
    """For a call of a chained take that no recorded one stands for: how many rounds beyond the record, counted from 1."""
    validity: Validity | None = None
    """What the call is worth; only chained takes say."""
    divergence: Divergence | None = None
    """Where its action no longer follows the source's."""
    doubts: tuple[Doubt, ...] = ()
    """Why its request may not be what the agent would have sent."""
    stop: Doubt | None = None
    """Why its tool loop could not go on to an end."""
    rewrites: tuple[Rewrite, ...] = ()
    """What was written into its request in place of recorded texts."""


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """One performance of a plan: a session of its own."""

    number: int
    """Counted from 1."""
    session_id: str
    results: tuple[CallResult, ...] = ()
    arm: str = "changed"
    base_path: str = ""
    """For modes playback and fork: what stands between the server's address and a provider's name in the base URL of an agent
    whose calls are this take's, such as `/v1/replay/ID/takes/1/gateway`."""
    played: tuple[PlayedCall, ...] = ()
    """For modes playback and fork: what became of each request, in the order in which they came."""
    unconsumed: tuple[int, ...] = ()
    """For modes playback and fork: the positions of the recorded calls that no request asked for until now."""

    @property
    def missed(self) -> tuple[PlayedCall, ...]:
        """The requests that the record had no answer to."""
        return tuple(call for call in self.played if call.level is Level.NONE)

    @property
    def live(self) -> tuple[PlayedCall, ...]:
        """The requests that were asked for real."""
        return tuple(call for call in self.played if call.served is Server.LIVE)


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A plan and the takes made of it."""

    id: str
    organisation_id: str
    created_us: int
    plan: Plan
    session_name: str
    """The name its takes' sessions are given."""
    state: State
    takes: tuple[Take, ...] = ()
    detail: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will be asked any more."""
        return self.state in {State.DONE, State.CANCELLED, State.FAILED}

    @property
    def progress(self) -> "Progress":
        """How far it has come."""
        results = [result for take in self.takes for result in take.results]
        return Progress(
            replay_id=self.id,
            state=self.state,
            calls=(len(self.plan.asked) + len(self.plan.served)) * self.plan.takes,
            answered=sum(not result.skipped for result in results),
            failed=sum(not result.skipped and result.failure is not None for result in results),
            detail=self.detail,
        )


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a replay has come, in numbers: what is shown while it runs."""

    replay_id: str
    state: State
    calls: int
    """How many calls all takes together ask."""
    answered: int
    """How many of them are through, the failed ones included."""
    failed: int
    detail: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in {State.DONE, State.CANCELLED, State.FAILED}
