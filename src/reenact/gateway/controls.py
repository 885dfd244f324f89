"""Controls: what the headers of one call switch on beside relaying it (surface 1.4 to 1.6). Most calls switch on nothing."""

import enum

import msgspec

from reenact.domain.exchange import Header
from reenact.domain.message import Json


class CacheUse(msgspec.Struct, frozen=True, kw_only=True):
    """How a call wants the cache."""

    reads: bool
    saves: bool
    seed: str = ""
    slots: int = 1
    """How many answers are gathered before one of them is given: the bucket's size."""
    max_age_s: int = 604_800
    ignored_keys: tuple[str, ...] = ()
    """Top-level keys of the body that make no difference."""
    headers: tuple[Header, ...] = ()
    """The cache headers themselves: they are part of the key."""


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """How often a call is asked again, and how long it waits before."""

    count: int = 5
    factor: float = 2.0
    min_ms: int = 1000
    max_ms: int = 10_000


class Unit(enum.Enum):
    """What a rate limit counts."""

    REQUEST = "request"
    CENTS = "cents"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How much may be used in a window, and by whom (surface 5.4)."""

    quota: int
    window_s: int
    unit: Unit = Unit.REQUEST
    segment: str | None = None
    """`user`, the lower-case name of a property, or None: the whole organisation."""

    @property
    def text(self) -> str:
        """The policy as its header is echoed: the default unit is left out."""
        unit = "" if self.unit is Unit.REQUEST else f";u={self.unit.value}"
        return f"{self.quota};w={self.window_s}{unit}" + (f";s={self.segment}" if self.segment else "")


class StatusRange(msgspec.Struct, frozen=True):
    """HTTP statuses from one to another, both included."""

    start: int = msgspec.field(name="from")
    end: int = msgspec.field(name="to")


class Fallback(msgspec.Struct, frozen=True):
    """One of the places that a call may be sent to, in the order of the list (surface 5.5)."""

    target_url: str = msgspec.field(name="target-url")
    headers: dict[str, str] = {}
    on_codes: tuple[int | StatusRange, ...] = msgspec.field(name="onCodes", default=())
    """With these statuses the next one is asked."""
    body_override: dict[str, Json] = msgspec.field(name="bodyKeyOverride", default={})

    def __repr__(self) -> str:
        return f"Fallback({self.target_url!r})"  # the headers hold keys


class Mapping(enum.Enum):
    """What an OpenAI-compatible call's body is for its provider (surface 1.4)."""

    OPENAI = "OPENAI"
    RESPONSES = "RESPONSES"
    NO_MAPPING = "NO_MAPPING"


class Overflow(enum.Enum):
    """What is done with a prompt that its model finds too long, where the provider is left to the gateway (surface 1.4)."""

    TRUNCATE = "truncate"
    MIDDLE_OUT = "middle-out"
    FALLBACK = "fallback"
    """The next model is asked; as without the header."""


class Screening(enum.Enum):
    """How thoroughly a call is looked at for prompt injection."""

    NONE = "none"
    BASIC = "basic"
    ADVANCED = "advanced"


class Fault(msgspec.Struct, frozen=True):
    """A control that was given wrongly and that has a documented error: the call is not relayed."""

    status: int
    kind: str
    message: str


class Controls(msgspec.Struct, frozen=True, kw_only=True):
    """All that headers switch on for one call."""

    cache: CacheUse | None = None
    retries: Retries | None = None
    policy: Policy | None = None
    fallbacks: tuple[Fallback, ...] = ()
    omits_request: bool = False
    omits_response: bool = False
    adds_usage: bool = False
    """Ask the provider to tell a stream's tokens."""
    forces_format: bool = False
    """Pass a stream on in pieces that are whole events."""
    moderates: bool = False
    screening: Screening = Screening.NONE
    ignores_tags: bool = False
    """Send prompt tags on as they are, though the call names its prompt."""
    reads_tags: bool = False
    """Take the tags out of the prompt: the call names its prompt and has some."""
    is_patient: bool = False
    """Wait up to 30 minutes for the provider."""
    mapping: Mapping = Mapping.OPENAI
    overflow: Overflow | None = None
    notes: tuple[str, ...] = ()
    """What could not be understood and was left out, in words; kept with the call."""
    fault: Fault | None = None


NONE = Controls()
"""The controls of a call that switches on nothing: the very object, so that `is` tells."""
