"""Filter: which calls, as a small closed tree over a table of columns. Every store and a plain Python filter read it."""

import enum

import msgspec


class Kind(enum.Enum):
    """What a column holds, which decides the operators that it takes."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    BOOLEAN = "boolean"
    MAP = "map"
    """Free keys to text: properties. A condition on it names its key."""
    NUMBER_MAP = "number_map"
    """Free keys to numbers: scores."""
    SEARCH = "search"
    """Full text of a body."""


class Operator(enum.Enum):
    """Helicone's operators under their own names (surface 3.3)."""

    EQUALS = "equals"
    NOT_EQUALS = "not-equals"
    LIKE = "like"
    ILIKE = "ilike"
    CONTAINS = "contains"
    NOT_CONTAINS = "not-contains"
    GTE = "gte"
    LTE = "lte"
    GT = "gt"
    LT = "lt"


ORDERED = frozenset({Operator.GTE, Operator.LTE, Operator.GT, Operator.LT})
EQUALITY = frozenset({Operator.EQUALS, Operator.NOT_EQUALS})
WORDED = EQUALITY | {Operator.LIKE, Operator.ILIKE, Operator.CONTAINS, Operator.NOT_CONTAINS}

OPERATORS: dict[Kind, frozenset[Operator]] = {
    Kind.TEXT: WORDED,
    Kind.NUMBER: EQUALITY | ORDERED,
    Kind.TIME: ORDERED | {Operator.EQUALS},
    Kind.BOOLEAN: frozenset({Operator.EQUALS}),
    Kind.MAP: WORDED,
    Kind.NUMBER_MAP: EQUALITY | ORDERED,
    Kind.SEARCH: frozenset(
        {Operator.CONTAINS, Operator.NOT_CONTAINS, Operator.EQUALS, Operator.NOT_EQUALS, Operator.LIKE, Operator.ILIKE}
    ),
}

COLUMNS: dict[str, Kind] = {
    "request_id": Kind.TEXT,
    "created_us": Kind.TIME,
    "completed_us": Kind.TIME,
    "session_id": Kind.TEXT,
    "session_name": Kind.TEXT,
    "session_path": Kind.TEXT,
    "prompt_id": Kind.TEXT,
    "prompt_version": Kind.TEXT,
    "user_id": Kind.TEXT,
    "model_override": Kind.TEXT,
    "referrer": Kind.TEXT,
    "provider": Kind.TEXT,
    "model": Kind.TEXT,
    "response_id": Kind.TEXT,
    "status": Kind.NUMBER,
    "latency_ms": Kind.NUMBER,
    "first_token_ms": Kind.NUMBER,
    "input_tokens": Kind.NUMBER,
    "output_tokens": Kind.NUMBER,
    "total_tokens": Kind.NUMBER,
    "cache_read_tokens": Kind.NUMBER,
    "cache_write_tokens": Kind.NUMBER,
    "cost_dollars": Kind.NUMBER,
    "target_url": Kind.TEXT,
    "url": Kind.TEXT,
    "cache_reference_id": Kind.TEXT,
    "cached": Kind.BOOLEAN,
    "cache_enabled": Kind.BOOLEAN,
    "threat": Kind.BOOLEAN,
    "feedback": Kind.BOOLEAN,
    "properties": Kind.MAP,
    "property_values": Kind.MAP,
    "property_key": Kind.TEXT,
    "scores": Kind.NUMBER_MAP,
    "scored": Kind.BOOLEAN,
    "request_body": Kind.SEARCH,
    "response_body": Kind.SEARCH,
}
"""Every column a filter may name. `referrer` is `ai-gateway` where the gateway chose who answers. `properties` matches a
property by key, the session headers and Helicone-Prompt-Id among them; `property_values` the same; `property_key` the presence
of a key. Absent text reads as the empty string, so that `not-equals` keeps rows without it, as upstream does (surface 3.3); an
absent number matches no comparison."""


class Everything(msgspec.Struct, frozen=True, tag="everything"):
    """Every call of the organisation."""


class Condition(msgspec.Struct, frozen=True, kw_only=True, tag="condition"):
    """One column compared with one value."""

    column: str
    """A key of COLUMNS."""
    operator: Operator
    value: str | float | bool | None
    """TIME: microseconds since the epoch as a number. None: absent (Helicone's `"null"`), with equals or not-equals."""
    key: str | None = None
    """For maps: which key, compared without regard to case."""


class All(msgspec.Struct, frozen=True, tag="all"):
    """Every one of these holds."""

    of: "tuple[Filter, ...]"


class AnyOf(msgspec.Struct, frozen=True, tag="any"):
    """At least one of these holds."""

    of: "tuple[Filter, ...]"


class OneOf(msgspec.Struct, frozen=True, kw_only=True, tag="one_of"):
    """A text column has one of these values, however many they are; or none of them."""

    column: str
    """A TEXT column of COLUMNS but `property_key`; absent reads as the empty string."""
    values: tuple[str, ...]
    are_excluded: bool = False


Filter = Everything | Condition | OneOf | All | AnyOf

EVERYTHING = Everything()
"""The filter that leaves nothing out."""


RANDOM = "random"
"""As the column of a Sort: another order each time, so that its pages overlap; the first is a sample."""


ASKED_TEXT, ANSWERED_TEXT = "asked_text", "answered_text"
"""As the column of a Sort: what the newest message of the user says, and what the answer does. Stores keep texts in parts and
have no such order; `api.textsorter` makes it over any store."""


class Sort(msgspec.Struct, frozen=True, kw_only=True):
    """The order of a list; ties are broken by creation time and id so that pages never overlap."""

    column: str = "created_us"
    """A key of COLUMNS, RANDOM, ASKED_TEXT or ANSWERED_TEXT; a MAP column sorts by the value of `key`."""
    ascending: bool = False
    key: str | None = None
