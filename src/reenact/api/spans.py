"""Spans of time, and the pieces they are cut into, as Helicone's dashboards ask for them."""

from typing import Annotated, Literal

import msgspec

from reenact.api.coercing import time_us
from reenact.domain.filter import All, Condition, Filter, Operator
from reenact.domain.total import Step

Increment = Literal["min", "hour", "day", "week", "month", "year"]
Minutes = Annotated[float, msgspec.Meta(ge=-1440, le=1440)]
Seconds = Annotated[float, msgspec.Meta(ge=-8.64e12, le=8.64e12)]
"""Since the epoch; the bounds are those of JavaScript's dates."""
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]

STEPS: dict[Increment, Step] = {
    "min": Step.MINUTE,
    "hour": Step.HOUR,
    "day": Step.DAY,
    "week": Step.WEEK,
    "month": Step.MONTH,
    "year": Step.YEAR,
}


class TimeSpan(msgspec.Struct, frozen=True):
    """From a time to a time, both ISO 8601 and both within."""

    start: str
    end: str


class SecondSpan(msgspec.Struct, frozen=True, rename="camel"):
    """From a time to a time, in seconds since the epoch."""

    start_time_unix_seconds: Seconds
    end_time_unix_seconds: Seconds


def within(span: TimeSpan | None, path: str = "timeFilter") -> list[Filter]:
    """Return the conditions that *span* means.

    Raises:
        InvalidFilter: a time that is none; *path* is where the span stands.
    """
    if span is None:
        return []
    return between(time_us(span.start, f"{path}.start"), time_us(span.end, f"{path}.end"))


def within_seconds(span: SecondSpan | None) -> list[Filter]:
    """Return the conditions that *span* means."""
    if span is None:
        return []
    return between(span.start_time_unix_seconds * 1_000_000, span.end_time_unix_seconds * 1_000_000)


def between(first_us: float, last_us: float) -> list[Filter]:
    """Return the conditions that a call was made in a span of time."""
    first = Condition(column="created_us", operator=Operator.GTE, value=first_us)
    return [All((first, Condition(column="created_us", operator=Operator.LTE, value=last_us)))]


def ahead_minutes(time_zone_difference: float) -> int:
    """Return how far local time is ahead of UTC; JavaScript's `getTimezoneOffset` says how far it is behind."""
    return -round(time_zone_difference)
