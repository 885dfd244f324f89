"""Playback and fork: how a take is answered from the record, where it leaves it, and what became of each request."""

import enum
from typing import Annotated

import msgspec

from reenact.domain.message import Json
from reenact.domain.patch import Selector

Pattern = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Level(enum.Enum):
    """How well a request matches a recorded one."""

    EXACT = "exact"
    """The same bytes, asked of the same place."""
    EQUIVALENT = "equivalent"
    """The same but for spacing, the order of keys, ids that a run makes for itself, and what was declared volatile."""
    APPROXIMATE = "approximate"
    """Near enough, by the distance that was allowed; only where one was."""
    NONE = "none"
    """No recorded request that is still to be asked matches."""


class Server(enum.Enum):
    """Who answered a request of a take."""

    RECORD = "record"
    LIVE = "live"
    """The provider."""
    NOBODY = "nobody"
    """It was refused: the record has no answer, and it was not to be asked for real."""


class OnMiss(enum.Enum):
    """What becomes of a request that the record cannot answer."""

    STOP = "stop"
    """It is refused with the reason and the nearest recorded call."""
    LIVE = "live"
    """It is asked for real."""


class Driver(enum.Enum):
    """Who makes the requests of a take."""

    AGENT = "agent"
    """An agent that was given the take's base URL."""
    SERVER = "server"
    """The server makes each recorded request again: nobody's code runs."""


class Matching(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a request counts as a recorded one."""

    ignore: tuple[str, ...] = ()
    """JSON Pointers into the body (RFC 6901) whose values do not matter; `*` stands for any one step: `/messages/*/name`."""
    volatile: tuple[Pattern, ...] = ()
    """Regular expressions of texts that drift, wherever they stand in the body's strings."""
    approximate: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0
    """The greatest distance of an approximate match, from 0 (equal) to 1 (nothing alike); 0 allows none."""


class Fork(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests are asked for real. A take that has forked asks for real whatever the record cannot answer any more."""

    call: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Those that match the recorded call at this position, counted from 1, or a later one."""
    select: Selector | None = None
    """Those that match a recorded call that this selects."""
    changed: bool = False
    """Those that the patch changes."""
    first_miss: bool = False
    """All from the first on that the record cannot answer."""

    @property
    def is_nowhere(self) -> bool:
        """Whether nothing says where to fork."""
        return self == Fork()


class Playback(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a plan is played: what modes playback and fork have beside the patch."""

    driver: Driver = Driver.AGENT
    matching: Matching = Matching()
    on_miss: OnMiss = OnMiss.STOP
    fork: Fork = Fork()
    pace: Annotated[float, msgspec.Meta(ge=0, le=100)] = 0
    """How long recorded answers take: 1 as recorded, 0.5 half as long, 0 at once."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One place in which a request differs from a recorded one."""

    path: str
    """A JSON Pointer into the request body, or what of the request it is: `method`, `address`, `session path`, `body`."""
    before: Json = None
    """As recorded, long texts cut to where they differ; null where it is only in the new request."""
    after: Json = None


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """The recorded call that a request came nearest to."""

    index: int
    """Its position in the session, counted from 1."""
    call_id: str
    distance: float
    """From 0 (equal) to 1 (nothing alike)."""
    is_asked: bool
    """Whether it was asked already in this take."""
    differences: tuple[Difference, ...] = ()
    left_out: int = 0
    """Further differences that are not listed."""


class PlayedCall(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one request of a take."""

    number: int
    """In the order in which they came, counted from 1."""
    call_id: str
    """The call of the take's own session."""
    level: Level
    served: Server
    path: str
    """Session path, as the agent said it."""
    prompt_id: str | None = None
    index: int | None = None
    """The matched call's position in the source session; None when none matched."""
    source_call_id: str | None = None
    distance: float = 0
    """For an approximate match."""
    reason: str = ""
    """For a request that no recorded call answered: why, in words."""
    nearest: Nearest | None = None
    """For such a request: what comes nearest to it."""
    overrides: tuple[Difference, ...] = ()
    """What the patch changed in it before it was asked for real."""
    status: int | None = None
    """HTTP status of the answer; None until it came."""
    failure: str | None = None
    """Why it was not answered whole, in words; an error that the record holds is no failure."""

    @property
    def is_missed(self) -> bool:
        """Whether the record had no answer."""
        return self.level is Level.NONE
