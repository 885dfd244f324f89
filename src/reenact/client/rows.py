"""Request, Session: what the API says of a call and of a session, under the API's own names."""

from typing import Literal

import msgspec

from reenact.domain.labels import ReplayLink
from reenact.domain.message import Json


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call, bodies and all. Fields of the API that are not named here are left out."""

    request_id: str
    created_at: str
    """ISO 8601 in UTC."""
    request_path: str
    """The absolute gateway URL that was called."""
    body: Json
    """The request's body."""
    response_body: Json
    """Streams merged into one answer."""
    response_status: int
    """HTTP status, or -2 timed out, -3 the client left, -100 other."""
    provider: str
    model: str
    delay_ms: float
    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    cost: float | None
    """US dollars; None when the model's price is not known."""
    path: str
    """The session path, `/` when none was sent."""
    prompt_id: str | None
    request_user_id: str | None
    properties: dict[str, str]
    """The session's under `Helicone-Session-Id`, `-Name` and `-Path` among them."""
    scores: dict[str, float]
    feedback_rating: bool | None
    replay: ReplayLink | None
    """Where a take's call comes from."""


class NamedPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt that is kept under a name."""

    id: str
    name: str
    tags: list[str]
    created_at: str
    """ISO 8601 in UTC."""


class PromptVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a prompt."""

    id: str
    prompt_id: str
    major_version: int
    minor_version: int
    commit_message: str
    environments: list[str]
    """Where it is in use."""
    created_at: str
    model: str
    prompt_body: Json = None
    """A chat request with variables; None in lists."""

    @property
    def number(self) -> str:
        """Its number, such as `2.1`."""
        return f"{self.major_version}.{self.minor_version}"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One session, summed. The same id under two names is two sessions."""

    session_id: str
    session_name: str
    created_at: str
    """ISO 8601 in UTC."""
    latest_request_created_at: str
    total_requests: int
    failed_requests: int
    total_cost: float
    """US dollars of the calls whose price is known."""
    unpriced_requests: int
    prompt_tokens: int
    completion_tokens: int
    avg_latency: float
    """Milliseconds."""
    models: tuple[str, ...]
    user_ids: tuple[str, ...]
    replay_id: str | None = None
    """The replay that made it, if one did."""
    replay_of: str | None = None
    """The session that it is a replay of."""


Deletable = Literal["request", "session", "user", "organization"]
"""What can be deleted by id."""


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """What was deleted."""

    requests: int
    sessions: list[str]
    """Ids of the sessions that lost a request."""
    wiped: bool
    """Whether every byte is gone from the server's files."""


Permissions = Literal["r", "w", "rw"]
"""To read what was recorded; to record and change; both."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """One API key that works: never the key itself."""

    id: int
    api_key_name: str
    last_four: str
    key_permissions: str
    created_at: str
