"""Columns: Helicone's filter tables and what each of their columns is here (surface 3.3, 2026-11)."""

import msgspec

from reenact.domain.filter import ANSWERED_TEXT, ASKED_TEXT, COLUMNS, OPERATORS, WORDED, Kind, Operator

ZERO_UUID = "00000000-0000-0000-0000-000000000000"
"""A `cache_reference_id` that says: not answered from a cache."""

Value = str | float | bool | None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A column that the store keeps."""

    column: str
    """A key of domain.filter.COLUMNS."""
    operators: frozenset[Operator]
    lower: bool = False
    """Kept in lower case while Helicone's label is in upper case."""
    substring: bool = False
    """`equals` means a part of the text (`search_properties`)."""
    absent: str | None = None
    """What Helicone writes where there is none."""

    @property
    def kind(self) -> Kind:
        """What the column holds."""
        return COLUMNS[self.column]


class Constant(msgspec.Struct, frozen=True, kw_only=True):
    """A column of Helicone's that has the same value in every row here; conditions on it are decided at once."""

    kind: Kind
    value: Value = None


class Unmet(msgspec.Struct, frozen=True, kw_only=True):
    """A column that Helicone names and this server cannot filter by; refused with the reason."""

    reason: str


class OwnOrganisation(msgspec.Struct, frozen=True, kw_only=True):
    """The organisation of whoever asks: theirs in every row they can see."""


class HasScores(msgspec.Struct, frozen=True, kw_only=True):
    """`scores_column`: compared with `{}` only, it says whether a row has scores."""


class SessionSum(msgspec.Struct, frozen=True, kw_only=True):
    """A sum over the calls of the session that a call is in."""

    column: str
    kind: Kind = Kind.NUMBER


class SessionTag(msgspec.Struct, frozen=True, kw_only=True):
    """The tag of the session that a call is in."""


Meaning = Kept | Constant | Unmet | OwnOrganisation | HasScores | SessionSum | SessionTag


def _kept(column: str, *, lower: bool = False) -> Kept:
    return Kept(column=column, operators=OPERATORS[COLUMNS[column]], lower=lower)


_NO_TEXT = Constant(kind=Kind.TEXT)
_NO_NUMBER = Constant(kind=Kind.NUMBER)
_FALSE = Constant(kind=Kind.BOOLEAN, value=False)
_PROPERTIES = _kept("properties")

REQUESTS: dict[str, Meaning] = {
    "assets": Unmet(reason="what is in bodies is not kept by call; `asset_ids` of a row tells it"),
    "cache_enabled": _kept("cache_enabled"),
    "cache_reference_id": Kept(column="cache_reference_id", operators=OPERATORS[Kind.TEXT], absent=ZERO_UUID),
    "cached": _kept("cached"),
    "completion_tokens": _kept("output_tokens"),
    "cost": _kept("cost_dollars"),
    "country_code": _NO_TEXT,
    "helicone-score-feedback": _kept("feedback"),
    "is_passthrough_billing": _FALSE,
    "job_id": _NO_TEXT,
    "latency": _kept("latency_ms"),
    "model": _kept("model"),
    "node_id": _NO_TEXT,
    "organization_id": OwnOrganisation(),
    "prompt_cache_read_tokens": _kept("cache_read_tokens"),
    "prompt_cache_write_tokens": _kept("cache_write_tokens"),
    "prompt_id": _kept("prompt_id"),
    "prompt_tokens": _kept("input_tokens"),
    "prompt_version": _kept("prompt_version"),
    "properties": _PROPERTIES,
    "property_key": Kept(column="property_key", operators=frozenset({Operator.EQUALS})),
    "provider": _kept("provider", lower=True),
    "request_body": _kept("request_body"),
    "request_created_at": _kept("created_us"),
    "request_id": _kept("request_id"),
    "request_path": _kept("url"),
    "request_referrer": _kept("referrer"),
    "response_body": _kept("response_body"),
    "response_created_at": _kept("completed_us"),
    "scores": _kept("scores"),
    "scores_column": HasScores(),
    "search_properties": Kept(column="properties", operators=WORDED, substring=True),
    "status": _kept("status"),
    "target_url": _kept("target_url"),
    "threat": _kept("threat"),
    "time_to_first_token": _kept("first_token_ms"),
    "total_tokens": _kept("total_tokens"),
    "user_id": _kept("user_id"),
}
"""`request_response_rmt`."""

SESSIONS: dict[str, Meaning] = {
    "session_session_id": _kept("session_id"),
    "session_session_name": _kept("session_name"),
    "session_tag": SessionTag(),
    "session_total_cost": SessionSum(column="session_total_cost"),
    "session_total_tokens": SessionSum(column="session_total_tokens"),
    "session_prompt_tokens": SessionSum(column="session_prompt_tokens"),
    "session_completion_tokens": SessionSum(column="session_completion_tokens"),
    "session_total_requests": SessionSum(column="session_total_requests"),
    "session_created_at": SessionSum(column="session_created_at", kind=Kind.TIME),
    "session_latest_request_created_at": SessionSum(column="session_latest_request_created_at", kind=Kind.TIME),
}
"""`sessions_request_response_rmt`."""

_LOGGED = (
    "latency", "status", "request_created_at", "response_created_at", "model", "user_id", "organization_id", "node_id",
    "job_id", "threat",
)  # fmt: skip
TABLES: dict[str, dict[str, Meaning]] = {
    "request_response_rmt": REQUESTS,
    "request_response_log": {"auth_hash": _NO_TEXT} | {name: REQUESTS[name] for name in _LOGGED},
    "sessions_request_response_rmt": SESSIONS,
    "request": {
        "auth_hash": _NO_TEXT,
        "country_code": _NO_TEXT,
        "created_at": _kept("created_us"),
        "id": _kept("request_id"),
        "model": _kept("model"),
        "modelOverride": _kept("model_override"),
        "node_id": _NO_TEXT,
        "org_id": OwnOrganisation(),
        "path": _kept("url"),
        "prompt": _kept("request_body"),
        "prompt_id": _kept("prompt_id"),
        "user_id": _kept("user_id"),
    },
    "response": {
        "body_completion": _kept("response_body"),
        "body_model": _kept("model"),
        "body_tokens": _kept("total_tokens"),
        "model": _kept("model"),
        "status": _kept("status"),
    },
    "feedback": {
        "created_at": Constant(kind=Kind.TIME),
        "id": _NO_NUMBER,
        "rating": _kept("feedback"),
        "response_id": _kept("response_id"),
    },
}
"""Every leaf table but `properties`, whose columns are free."""

STRANGE = frozenset(
    {
        "cache_metrics", "experiment", "experiment_hypothesis_run", "job", "job_node", "organization_properties", "prompt_v2",
        "prompts_versions", "properties_table", "properties_v3", "property_with_response_v1", "rate_limit_log", "score_value",
        "user_api_keys", "user_metrics", "users_view", "values",
    }
)  # fmt: skip
"""Tables that Helicone names and whose rows are not calls."""

PROPERTIES = _PROPERTIES
"""What any column of the legacy table `properties` is."""

SORTS: dict[str, str] = {
    "body_model": "model",
    "cache_created_at": "created_us",
    "completion_tokens": "output_tokens",
    "cost": "cost_dollars",
    "created_at": "created_us",
    "delay_ms": "latency_ms",
    "is_cached": "cached",
    "last_active": "created_us",
    "latency": "latency_ms",
    "model": "model",
    "prompt_tokens": "input_tokens",
    "provider": "provider",
    "request_created_at": "created_us",
    "request_id": "request_id",
    "request_user_id": "user_id",
    "response_created_at": "completed_us",
    "response_status": "status",
    "status": "status",
    "time_to_first_token": "first_token_ms",
    "total_tokens": "total_tokens",
    "user_id": "user_id",
    "request_prompt": ASKED_TEXT,
    "response_text": ANSWERED_TEXT,
}
"""Helicone's sort keys and the names that its rows use."""

SORT_MAPS = frozenset({"properties", "values"})
"""Sort keys that name a property below them."""
