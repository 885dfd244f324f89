"""Call: what an Exchange means. "Request" in the Helicone API."""

import enum

import msgspec

from reenact.domain.exchange import NOTHING_SPECIAL, Chunk, Ending, Exchange, Frame, Handling, Header, Tagged, Told
from reenact.domain.labels import Labels
from reenact.domain.message import Json, Usage


class Kind(enum.Enum):
    """What sort of event a call is; only `model` calls can be replayed."""

    MODEL = "model"
    TOOL = "tool"
    VECTOR = "vector_db"
    DATA = "data"
    OPAQUE = "opaque"
    """Crossed the gateway but has no dialect: forwarded, recorded, shown."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """The row of a call: all that lists, filters and sums need, without the bodies."""

    id: str
    organisation_id: str
    created_us: int
    """When the request came, microseconds since the epoch."""
    duration_us: int
    first_token_us: int | None
    """Streams: from the request to the first byte of the answer; None otherwise."""
    kind: Kind
    dialect: str
    """`opaque` when no dialect reads it."""
    provider: str
    model: str
    """Override, else request, else response, else from the URL, else `unknown` (surface 2.2)."""
    request_model: str | None
    response_model: str | None
    response_id: str | None
    status: int
    """HTTP status, or Helicone's negative ones: -2 timed out, -3 the client left, -100 other."""
    ending: Ending
    detail: str
    streamed: bool
    stop_reason: str | None
    error: str | None
    labels: Labels
    session_inferred: bool = False
    usage: Usage = Usage()
    cost_nanodollars: int | None = None
    """None when the model's price is not known: unknown is not free."""
    url: str
    target_url: str
    method: str
    request_body_bytes: int
    response_body_bytes: int
    unreadable: str | None = None
    """Why the body could not be read as its dialect, when it could not."""
    scores: dict[str, float] = {}
    feedback: bool | None = None
    handling: Handling = NOTHING_SPECIAL
    """What the gateway did beyond relaying: retried, answered from the cache, left bodies out."""
    told: Told | None = None
    """Set when the call did not cross the gateway but was told afterwards: a log or a traced span."""


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """An image, a sound or a file that stood inline in a body, kept once by its digest."""

    id: str
    """The digest of its bytes, hexadecimal."""
    media_type: str
    """What its first bytes say it is; `application/octet-stream` when they say nothing that is known."""
    asset_bytes: int


class Bodies(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes of a call, as they crossed the gateway."""

    request: bytes
    response: bytes
    """Still compressed or SSE if it was; `answer` is what it means."""
    answer_json: bytes | None = None
    """The response as JSON text, streams merged; None when it is not JSON."""
    request_headers: tuple[Header, ...] = ()
    response_headers: tuple[Header, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    tagged: Tagged | None = None
    frames: tuple[Frame, ...] = ()
    assets: tuple[Asset, ...] = ()
    """What stood inline in them and is large enough to be kept by itself, in order, each once."""
    lost: tuple[str, ...] = ()
    """Objects that could not be read: a marker stands in the bodies where each of them was."""

    @property
    def answer(self) -> Json:
        """The response as JSON, read anew each time; None when it is not JSON."""
        return None if self.answer_json is None else msgspec.json.decode(self.answer_json)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange as ingest understood it: what the store saves."""

    call: Call
    exchange: Exchange
    answer: Json = None
    """The response as JSON, streams merged; None when it is not JSON."""
    search_text: str = ""
    """What the newest turn of the request says, for full-text search; bounded."""
    answer_text: str = ""
    """What the answer says, for full-text search; bounded."""


class SessionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One session, summed: the pair (session id, session name) as Helicone groups them (surface 3.5)."""

    session_id: str
    session_name: str
    created_us: int
    latest_us: int
    """When its newest call was made."""
    calls: int
    failed_calls: int
    input_tokens: int
    output_tokens: int
    cost_nanodollars: int
    unpriced_calls: int
    """Model calls whose price is not known and which the cost therefore leaves out."""
    mean_duration_us: int
    models: tuple[str, ...]
    user_ids: tuple[str, ...]
    replay_id: str | None = None
    """The replay that made it, if it is a take."""
    source_session_id: str | None = None
