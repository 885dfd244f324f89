"""What a Grouping means: which columns group, and where pieces of time begin."""

import datetime as dt

from reenact.domain.filter import COLUMNS, Kind
from reenact.domain.total import Grouping, Percentiles, Rank, Step, Total
from reenact.errors import InvalidFilter

GROUPABLE = frozenset(
    {name for name, kind in COLUMNS.items() if kind is Kind.TEXT} - {"property_key", "prompt_version"} | {"status"}
)
"""Columns that group without a key."""
RANKED = frozenset(Total.__struct_fields__)
"""Fields that totals can be ordered by."""
MEASURED = frozenset(name for name, kind in COLUMNS.items() if kind is Kind.NUMBER)
"""Columns that have percentiles."""
STEP_US = {Step.MINUTE: 60_000_000, Step.HOUR: 3_600_000_000, Step.DAY: 86_400_000_000, Step.WEEK: 604_800_000_000}
"""Steps of one length."""
MONDAY_US = 3 * STEP_US[Step.DAY]
"""What to add to a time so that weeks counted from the epoch, a Thursday, begin on Monday."""


def check_grouping(grouping: Grouping, rank: Rank) -> None:
    """Refuse what cannot be grouped or ordered so.

    Raises:
        InvalidFilter: an unknown column, a key too many or too few, an offset beyond a day, an unknown field.
    """
    column, key = grouping.column, grouping.key
    if column not in (GROUPABLE if key is None else {"properties"}) and column is not None:
        raise InvalidFilter(f"Calls cannot be grouped by {column!r}" + (" with a key" if key else ""), "group")
    if column is None and key is not None:
        raise InvalidFilter("A key needs its column", "group")
    if abs(grouping.offset_minutes) > 24 * 60:
        raise InvalidFilter("Local time is at most a day from UTC", "offset")
    if rank.by not in RANKED:
        raise InvalidFilter(f"Totals have no {rank.by!r} to be ordered by", "sort")


def check_measured(column: str, ranks: tuple[float, ...]) -> None:
    """Refuse what has no percentiles.

    Raises:
        InvalidFilter: a column that is no number, or a rank that is not between 0 and 1.
    """
    if column not in MEASURED:
        raise InvalidFilter(f"There are no percentiles of {column!r}", column)
    if not ranks or not all(0 <= rank <= 1 for rank in ranks):
        raise InvalidFilter("Ranks of percentiles are between 0 and 1", "ranks")


def piece_start(time_us: int, step: Step, offset_minutes: int) -> int:
    """Return when the piece of time begins that *time_us* is in; both are microseconds since the epoch."""
    offset_us = offset_minutes * STEP_US[Step.MINUTE]
    local = time_us + offset_us
    if step in {Step.MONTH, Step.YEAR}:
        day = dt.datetime.fromtimestamp(local // 1_000_000, dt.UTC)
        begun = dt.datetime(day.year, day.month if step is Step.MONTH else 1, 1, tzinfo=dt.UTC)
        return int(begun.timestamp()) * 1_000_000 - offset_us
    shift_us = MONDAY_US if step is Step.WEEK else 0
    return (local + shift_us) // STEP_US[step] * STEP_US[step] - shift_us - offset_us


def place(rank: float, count: int) -> int:
    """Return which of *count* ascending values is the percentile of *rank*: as many as that lie below it."""
    return min(int(rank * count), count - 1)


def pick(counts: list[tuple[float, int]], ranks: tuple[float, ...], start_us: int | None) -> Percentiles:
    """Return percentiles of values that are given ascending, each with how often it occurs; at least one."""
    count = sum(times for _, times in counts)
    places = {rank: place(rank, count) for rank in ranks}
    found: dict[float, float] = {}
    seen = 0
    for value, times in counts:
        seen += times
        found |= {rank: value for rank, at in places.items() if rank not in found and at < seen}
    return Percentiles(start_us=start_us, values=tuple(found[rank] for rank in ranks))
