"""Total: what many calls sum to, and how they are grouped first."""

import enum

import msgspec


class Step(enum.Enum):
    """The length of a piece of time; weeks begin on Monday."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Grouping(msgspec.Struct, frozen=True, kw_only=True):
    """What calls are grouped by: pieces of time, the values of a column, both or neither."""

    step: Step | None = None
    """None: all time is one piece."""
    offset_minutes: int = 0
    """How far local time is ahead of UTC; days, weeks, months and years begin at local midnight."""
    column: str | None = None
    """A text column of `filter.COLUMNS` but `property_key`, or `status`, or `properties` with a key; None: no column."""
    key: str | None = None
    """Of `properties`, whatever its case."""
    count_distinct: bool = False
    """Whether users and days are counted; it costs a look at every call, where sums may stand ready."""


TOGETHER = Grouping()
"""All calls as one group."""


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of one group of calls; absent numbers add nothing."""

    start_us: int | None = None
    """When the group's piece of time begins; None without a step."""
    value: str | None = None
    """What the group's calls have in the column, absent as the empty string, a status as digits; None without a column."""
    calls: int = 0
    failed_calls: int = 0
    """Status 400 or above, or one of Helicone's negative ones."""
    cached_calls: int = 0
    """Answered from the gateway's cache."""
    threats: int = 0
    """Refused as attacks."""
    unpriced_calls: int = 0
    """Model calls whose price is not known and which the cost therefore leaves out."""
    cost_nanodollars: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    duration_us: int = 0
    """Together; divided by `calls` it is the mean."""
    first_token_us: int = 0
    """Together, of the calls that have one; divided by `first_token_calls` it is the mean."""
    first_token_calls: int = 0
    first_us: int | None = None
    """When the first of the calls was made; None when there is none."""
    latest_us: int | None = None
    users: int | None = None
    """Distinct user ids that are not empty; None unless asked for."""
    active_days: int | None = None
    """Distinct local days on which calls were made; None unless asked for."""


class Rank(msgspec.Struct, frozen=True, kw_only=True):
    """The order of totals; ties are broken by `start_us` and `value`, both ascending."""

    by: str = "start_us"
    """A field of Total that is a number, or `value`."""
    ascending: bool = True


BY_TIME = Rank()


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """Percentiles of one piece of time."""

    start_us: int | None = None
    """None without a step."""
    values: tuple[float, ...]
    """One for each rank asked for."""


class ScoreTotal(msgspec.Struct, frozen=True, kw_only=True):
    """All scores of one name in one piece of time."""

    start_us: int | None = None
    """When the piece of time begins, by when the calls were made; None without a step."""
    name: str
    """As it was set, in one of the ways it was when they differ in case."""
    count: int
    sum: float
