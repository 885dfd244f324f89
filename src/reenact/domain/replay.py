"""Plan, Replay, Take: what running a session again will do, is doing, and did."""

import enum

import msgspec

from reenact.domain.message import Json
from reenact.domain.patch import Patch


class Mode(enum.Enum):
    """What a replay's requests contain, and so what its result can show (docs/glossary.md)."""

    PLAYBACK = "playback"
    ANCHORED = "anchored"
    CHAINED = "chained"
    FORK = "fork"


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a request body that a patch changes."""

    path: str
    """A JSON Pointer (RFC 6901) into the body, such as `/messages/0/content`."""
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
    """`ask` or `skip`."""
    reason: str = ""
    """For `skip`: why, in words."""
    changes: tuple[FieldChange, ...] = ()
    body: bytes = b""
    """The request body to send: the recorded bytes when nothing changes."""
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

    @property
    def asked(self) -> tuple[PlannedCall, ...]:
        """The calls that one take will ask."""
        return tuple(call for call in self.calls if call.action == "ask")


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


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """One performance of a plan: a session of its own."""

    number: int
    """Counted from 1."""
    session_id: str
    results: tuple[CallResult, ...] = ()
    arm: str = "changed"


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
