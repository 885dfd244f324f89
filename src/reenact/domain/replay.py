"""Plan, Replay, Take: what running a session again will do, is doing, and did."""

import enum
from typing import Annotated

import msgspec

from reenact.domain.divergence import Divergence, Doubt, Rewrite, Validity
from reenact.domain.message import Answer, Json, Lost
from reenact.domain.patch import Fault, Patch
from reenact.domain.playback import Level, Playback, PlayedCall, Server
from reenact.domain.policy import Policies


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


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a replay may use before it pauses; None: as much as it takes."""

    cost_nanodollars: Annotated[int, msgspec.Meta(ge=0)] | None = None
    calls: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """How many requests are sent, retried ones counted each."""
    seconds: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """Of wall time."""
    allow_unpriced: bool = False
    """Whether a budget in money may be given though the price of some calls is not known: they count as free."""


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast one provider may be asked; None: as fast as it answers."""

    requests_per_minute: Annotated[float, msgspec.Meta(gt=0)] | None = None
    tokens_per_minute: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """Of prompts and answers together."""
    concurrency: Annotated[int, msgspec.Meta(ge=1)] | None = None


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much and how fast a replay may ask."""

    concurrency: Annotated[int, msgspec.Meta(ge=1, le=256)] = 16
    """How many calls may be under way at once."""
    budget: Budget = Budget()
    rates: dict[str, Rate] = {}
    """By provider."""
    retries: Annotated[int, msgspec.Meta(ge=0, le=10)] = 3
    """How often a call is asked again that failed in passing: 429, 5xx, or a connection that broke."""


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay has used of its budget."""

    calls: int = 0
    """Requests sent, retried ones counted each."""
    cost_nanodollars: int = 0
    """Of the calls whose price is known; a call that broke off counts as much as it may have cost."""
    unpriced_calls: int = 0
    elapsed_us: int = 0
    """Of wall time, while it ran."""


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
    """After the patch."""
    action: str
    """`ask`, `serve` (the recorded answer is given) or `skip`."""
    reason: str = ""
    """For `skip`: why, in words."""
    dialect: str = ""
    """The format of the request, after the patch; empty for calls of no format."""
    is_other_model: bool = False
    """Whether another model or provider is asked than was recorded."""
    changes: tuple[FieldChange, ...] = ()
    fault: Fault | None = None
    """What the patch has go wrong with it."""
    lost: tuple[Lost, ...] = ()
    """What the request says less than the recorded one because another model or provider is asked."""
    url: str = ""
    """The absolute gateway URL to call; the recorded one, unless the patch swaps a model that the URL names."""
    body: bytes = b""
    """The request body to send: the recorded bytes when nothing changes. Left out where plans are kept and shown."""
    expected_input_tokens: int | None = None
    expected_output_tokens: int | None = None
    expected_duration_us: int = 0
    """As long as it took when it was recorded, and what its fault adds."""
    expected_cost_nanodollars: int | None = None
    most_cost_nanodollars: int | None = None
    """What the call may cost at most: what is set aside of a budget while it is under way. It holds when the request limits its
    output; else the answer is taken to be twice as long as the recorded one at most."""
    is_reused: bool = False
    """Whether its answer is taken from the record, because the request is unchanged: nobody is asked and it costs nothing."""
    carried_from: tuple[int, ...] = ()
    """For mode chained: the calls whose new answers its request will hold."""
    maybe_from: tuple[int, ...] = ()
    """For mode chained: calls of whose answers its request may hold copies, and those that may decide whether it is asked; when
    one of them changes, this call is marked as doubtful."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that a replay will do, before it does anything. Making one sends nothing."""

    session_id: str
    session_name: str
    mode: Mode
    patch: Patch
    takes: int
    calls: tuple[PlannedCall, ...]
    control_takes: int = 0
    """How many takes of the unchanged session run beside those of the patch."""
    control_cost_nanodollars: int = 0
    """What one of these is expected to cost, the calls of unknown price left out."""
    expected_duration_us: int | None = None
    """About how long all takes together take; None for takes that an agent drives."""
    playback: Playback | None = None
    """For modes playback and fork: how it is played."""
    policies: Policies | None = None
    """For mode chained: who answers tools, and what becomes of what no record can tell."""

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
        """What all takes together are expected to cost, control takes among them, the calls of unknown price left out."""
        changed = sum(call.expected_cost_nanodollars or 0 for call in self.asked)
        return self.takes * changed + self.control_takes * self.control_cost_nanodollars

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
    provider: str = ""
    """After the patch."""
    dialect: str = ""
    """The format of *body*."""
    round: int = 0
    """For a call that no recorded one stands for: how many rounds beyond the record, counted from 1."""
    tool: int | None = None
    """For a model that plays a tool: which tool call of the answer to this call, counted from 0."""


class AskTool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool call that the user's own address, or the client that watches, is to answer."""

    index: int
    source_call_id: str
    tool: int
    """Which tool call of the answer to this call, counted from 0."""
    url: str | None
    """None: the client that watches answers."""
    name: str
    arguments: str
    """JSON text as the model wrote it."""
    timeout_s: float = 60.0
    is_keyed: bool = False
    """Whether the address is sent the key for tools."""
    round: int = 0


class WaitingTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call that waits for the client that watches the replay."""

    id: str
    """Where its result is to be given: `POST /v1/replay/{replay}/tools/{id}`. The same after a restart."""
    take: int
    name: str
    arguments: str
    """JSON text as the model wrote it."""


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
    """What the user's tool gave back for an AskTool."""
    cost_nanodollars: int | None = None
    tokens: int | None = None
    """Of prompt and answer together."""
    attempts: int = 1
    """How often it was asked."""
    is_passing: bool = False
    """For a failure: whether asking again may help, as after 429, 5xx or a connection that broke."""
    retry_after_s: float | None = None
    """When the provider wants to be asked again."""
    is_reused: bool = False
    """Whether the answer is the recorded one: nobody was asked."""


class State(enum.Enum):
    """Where a replay or one of its calls stands."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    """Every call was asked; some may have failed."""
    PAUSED = "paused"
    """A limit was reached or something is missing; `detail` says what, and what is left can be asked by resuming."""
    CANCELLED = "cancelled"
    FAILED = "failed"
    """The replay itself broke off; `detail` says why."""


_OVER = frozenset({State.DONE, State.PAUSED, State.CANCELLED, State.FAILED})


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
    lost: tuple[Lost, ...] = ()
    """What its request says less than its agent's would, because another model or provider was asked."""
    attempts: int = 1
    """How often it was asked; each time is a recorded call, `call_id` the last."""
    cost_nanodollars: int | None = None
    """Of the last attempt; None when its price is not known."""
    is_reused: bool = False
    """Whether the answer is the recorded one: nobody was asked and it cost nothing."""


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """One performance of a plan: a session of its own."""

    number: int
    """Counted from 1 over both arms, those of the patch first."""
    session_id: str
    results: tuple[CallResult, ...] = ()
    arm: str = "changed"
    """`changed`, or `control` for the unchanged session asked again."""
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
    limits: Limits = msgspec.field(default_factory=Limits)
    reuse: bool = False
    """Whether unchanged calls are answered from the record."""
    spent: Spent = Spent()
    root_session_id: str = ""
    """The session that was recorded from an agent, at the end of the line when a replay is replayed."""
    batch_id: str | None = None
    """The batch that it belongs to."""

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will be asked any more, unless it is resumed."""
        return self.state in _OVER

    @property
    def progress(self) -> "Progress":
        """How far it has come."""
        results = [result for take in self.takes for result in take.results]
        return Progress(
            replay_id=self.id,
            state=self.state,
            calls=(len(self.plan.asked) + len(self.plan.served)) * (self.plan.takes + self.plan.control_takes),
            answered=sum(not result.skipped for result in results),
            failed=sum(not result.skipped and result.failure is not None for result in results),
            detail=self.detail,
            spent=self.spent,
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
    spent: Spent = Spent()
    tools: tuple[WaitingTool, ...] = ()
    """Tool calls that wait for the client; only the server that performs the replay tells them."""

    @property
    def left(self) -> int:
        """How many calls are still to be asked, as far as is known now."""
        return max(self.calls - self.answered, 0)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come, unless it is resumed."""
        return self.state in _OVER
