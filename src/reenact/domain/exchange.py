"""Exchange: one HTTP request and its answer exactly as they crossed the gateway. The truth; Calls are derived from it.

One that did not cross the gateway is what its sender told of it (`told`).
"""

import enum
from typing import Protocol

import msgspec

from reenact.domain.labels import Labels
from reenact.domain.message import Json, Usage

Header = tuple[bytes, bytes]
"""A name as it came (lower-cased by the HTTP parser) and a value, both raw bytes."""


class Ending(enum.Enum):
    """How an exchange ended."""

    ANSWERED = "answered"
    """The provider answered whole, with whatever status, and the answer was passed on whole."""
    CLIENT_LEFT = "client_left"
    """The agent went away before the answer's end; what had come by then is kept."""
    PROVIDER_CUT = "provider_cut"
    """The provider broke off in the middle of its answer; what had come by then is kept."""
    TIMED_OUT = "timed_out"
    """The provider did not answer in time."""
    UNREACHED = "unreached"
    """The provider could not be reached: name, connection or TLS failed."""
    REFUSED = "refused"
    """The gateway itself refused the call: bad key, unknown target, over a limit."""


class Chunk(msgspec.Struct, frozen=True, array_like=True):
    """One piece of the answer's body as it arrived from the provider."""

    body_bytes: int
    """How many bytes of the body it was; the pieces together are the body."""
    after_us: int
    """When it arrived, counted from the exchange's start."""


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """One frame of a WebSocket; its payload lies in the body of the side that sent it, one after the other."""

    by_agent: bool
    """Whether it lies in the request's body; else in the response's."""
    opcode: int
    """0 goes on with a message, 1 text, 2 binary, 8 close, 9 ping, 10 pong (RFC 6455, 5.2)."""
    body_bytes: int
    after_us: int
    """When it began to come, counted from the exchange's start."""


class Metrics(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a body that was not kept said, in numbers and names."""

    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    stop_reason: str | None = None
    error: str | None = None
    streamed: bool = False
    usage: Usage = Usage()
    request_body_bytes: int = 0
    response_body_bytes: int = 0


class AsAsked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent asked where that is not what was sent: the gateway chose who answers, and with which model."""

    provider: str
    """As the agent named it; `ai-gateway` where it left that to the gateway."""
    target: str
    """Path and query, secrets redacted."""
    fields: dict[str, Json] = {}
    """Top-level fields of the body that were sent otherwise or left out, as they came."""
    added: tuple[str, ...] = ()
    """Top-level fields that were sent and had not come."""


class Handling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the gateway did with a call beyond relaying it, because the call's headers asked for it."""

    attempts: int = 1
    """How often providers were asked; 0 when none was: answered from the cache, or refused."""
    cache_enabled: bool = False
    """Whether the cache was looked into."""
    cache_reference_id: str | None = None
    """The call whose kept answer was given instead of asking the provider: such a call used no tokens and cost nothing."""
    played_from: str | None = None
    """The recorded call whose answer was given again instead of asking the provider: such a call cost nothing."""
    fallback_index: int | None = None
    """Which target of the call's list answered, counted from 0."""
    changed_by: tuple[str, ...] = ()
    """Which headers changed the body that the agent sent; `request_body` is what the provider was given."""
    body_mapping: str | None = None
    """Set where the gateway was to choose who answers: what format the body was in, `OPENAI`, `RESPONSES` or `NO_MAPPING`."""
    asked: AsAsked | None = None
    """Set where the gateway chose who answers: what the agent asked, which is what a playback knows the call by."""
    omitted_request: bool = False
    """The request's body was not kept, as the agent or the server's owner wished: it is empty here. Such a call cannot be
    replayed."""
    omitted_response: bool = False
    metrics: Metrics | None = None
    """Taken from the bodies before one of them was left out; None when none was."""
    is_threat: bool = False
    """Refused because a check of its text took it for an attack."""
    is_rate_limited: bool = False
    notes: tuple[str, ...] = ()
    """Headers that could not be understood or done, in words."""

    @property
    def referrer(self) -> str:
        """Who chose the provider, as Helicone names it; empty for the agent itself."""
        return "" if self.body_mapping is None else "ai-gateway"


NOTHING_SPECIAL = Handling()


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a traced call stands in its trace, as OpenTelemetry names it."""

    trace_id: str
    """Hexadecimal, as `span_id` and `parent_id`."""
    span_id: str
    parent_id: str | None = None
    name: str = ""


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of an exchange that did not cross the gateway: what its sender said of it beside the bodies."""

    span: Span | None = None
    """None for a log, which knows of no trace."""
    cost_nanodollars: int | None = None
    """What the sender says it cost; goes before the price table."""


class Tagged(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent marked in a prompt with Helicone's tags (surface 5.6); the body is kept as it was sent, without them."""

    inputs: dict[str, str]
    """By key, without blanks around them."""
    template: str
    """The body as JSON with a mark for each input; `<helicone-auto-prompt-input idx=N />` stands for every object that has no
    tag inside, such as the other messages: they stand in the body at the same place."""


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request and its answer as they crossed the gateway, provider secrets redacted from the headers."""

    id: str
    """A UUID: the `Helicone-Id` the agent was given, the `request_id` of the API."""
    organisation_id: str
    started_us: int
    """When the request's head had come; microseconds since the epoch."""
    duration_us: int
    """From `started_us` to the last byte of the answer."""
    first_byte_us: int | None
    """From `started_us` to the first byte of the answer's body; None when none came."""
    method: str
    url: str
    """The absolute URL on the gateway the agent called."""
    target_url: str
    """The absolute URL at the provider it was forwarded to."""
    provider: str
    """Lower-case name out of the provider table, such as `openai`."""
    labels: Labels
    request_headers: tuple[Header, ...]
    request_body: bytes
    status: int
    """The HTTP status the agent was given; 0 when it was given none."""
    response_headers: tuple[Header, ...]
    response_body: bytes
    """As it crossed: still compressed if the provider compressed it, still SSE if it was a stream."""
    chunks: tuple[Chunk, ...]
    ending: Ending
    detail: str = ""
    """For an ending other than `answered`: what went wrong, in words."""
    handling: Handling = NOTHING_SPECIAL
    frames: tuple[Frame, ...] = ()
    """Of a WebSocket, both sides' in the order they came; the bodies are the payloads, unmasked. Empty for all else."""
    told: Told | None = None
    """Set when it was told afterwards through a log route or a trace; None when it crossed the gateway."""
    tagged: Tagged | None = None
    """Set when the prompt had tags and the agent named the prompt that it belongs to."""


class Spill(Protocol):
    """A body too large to be held in memory, on its way into a file of the spool."""

    def write(self, piece: bytes) -> None:
        """Add a piece.

        Raises:
            SpoolFailed: the disk does not take it.
        """
        ...

    def drop(self) -> None:
        """Delete it."""
        ...


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """The recorded fact that exchanges were not recorded."""

    organisation_id: str
    first_us: int
    last_us: int
    count: int
    reason: str
    """In words, such as `No space left on device`."""


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """A record that could not be read as an exchange; kept raw with the reason."""

    raw: bytes
    reason: str


class Cursor(msgspec.Struct, frozen=True, order=True, array_like=True):
    """How far a spool has been read: everything before it is in the store."""

    segment: int = 0
    offset_bytes: int = 0
