"""What totals mean, in plain Python over calls: the reference that every store is tested against."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from reenact.domain.call import Call, Kind, Reading
from reenact.domain.filter import EVERYTHING, Filter
from reenact.domain.filtering import LABEL_KEYS, Texts, fold, matches
from reenact.domain.grouping import piece_start
from reenact.domain.total import Grouping, Percentiles, Rank, ScoreTotal, Step, Total


def matching(readings: Sequence[Reading], where: Filter) -> list[Call]:
    """The calls that match."""
    return [one.call for one in readings if matches(where, one.call, Texts(one.search_text, one.answer_text))]


def totals(readings: Sequence[Reading], where: Filter, grouping: Grouping, rank: Rank) -> list[Total]:
    """As `CallStore.totals`."""
    groups: defaultdict[tuple[int | None, str | None], list[Call]] = defaultdict(list)
    if grouping.step is None and grouping.column is None:
        groups[None, None] = []
    for call in matching(readings, where):
        start = start_of(call, grouping.step, grouping.offset_minutes)
        groups[start, None if grouping.column is None else value_of(call, grouping)].append(call)
    found = [summed(calls, start, value, grouping) for (start, value), calls in groups.items()]
    found.sort(key=lambda total: (total.start_us or 0, total.value or ""))
    found.sort(key=lambda total: ordered(getattr(total, rank.by)), reverse=not rank.ascending)
    return sorted(found, key=lambda total: getattr(total, rank.by) is None)


def ordered(value: Any) -> tuple[bool, Any]:
    """Numbers and texts so that they compare with nothing at all."""
    return (value is not None, 0 if value is None else value)


def start_of(call: Call, step: Step | None, offset_minutes: int) -> int | None:
    """When the call's piece of time begins."""
    return None if step is None else piece_start(call.created_us, step, offset_minutes)


def value_of(call: Call, grouping: Grouping) -> str:
    """What the call is grouped under."""
    if grouping.key is not None:
        return text_of(call, grouping.key)
    name = {"request_id": "id"}.get(str(grouping.column), str(grouping.column))
    return str(next(getattr(part, name) for part in (call.labels, call, call.handling) if hasattr(part, name)) or "")


def text_of(call: Call, key: str) -> str:
    """A property or a label."""
    if key.lower() in LABEL_KEYS:
        return getattr(call.labels, LABEL_KEYS[key.lower()]) or ""
    return {name.lower(): value for name, value in call.labels.properties.items()}.get(key.lower(), "")


def summed(calls: Sequence[Call], start: int | None, value: str | None, grouping: Grouping) -> Total:
    """The total of one group."""
    days = {piece_start(call.created_us, Step.DAY, grouping.offset_minutes) for call in calls}
    return Total(
        start_us=start,
        value=value,
        calls=len(calls),
        failed_calls=sum(call.status < 0 or call.status >= 400 for call in calls),
        cached_calls=sum(call.handling.cache_reference_id is not None for call in calls),
        threats=sum(call.handling.is_threat for call in calls),
        unpriced_calls=sum(call.kind is Kind.MODEL and call.cost_nanodollars is None for call in calls),
        cost_nanodollars=sum(call.cost_nanodollars or 0 for call in calls),
        input_tokens=sum(call.usage.input_tokens or 0 for call in calls),
        output_tokens=sum(call.usage.output_tokens or 0 for call in calls),
        cache_read_tokens=sum(call.usage.cache_read_tokens or 0 for call in calls),
        cache_write_tokens=sum(call.usage.cache_write_tokens or 0 for call in calls),
        duration_us=sum(call.duration_us for call in calls),
        first_token_us=sum(call.first_token_us or 0 for call in calls),
        first_token_calls=sum(call.first_token_us is not None for call in calls),
        first_us=min((call.created_us for call in calls), default=None),
        latest_us=max((call.created_us for call in calls), default=None),
        users=len({call.labels.user_id for call in calls} - {None, ""}) if grouping.count_distinct else None,
        active_days=len(days) if grouping.count_distinct else None,
    )


NUMBERS: dict[str, Callable[[Call], float | None]] = {
    "status": lambda call: call.status,
    "latency_ms": lambda call: call.duration_us // 1000,
    "first_token_ms": lambda call: None if call.first_token_us is None else call.first_token_us // 1000,
    "input_tokens": lambda call: call.usage.input_tokens,
    "total_tokens": lambda call: call.usage.total_tokens,
    "cost_dollars": lambda call: None if call.cost_nanodollars is None else call.cost_nanodollars / 1e9,
}


def percentiles(
    readings: Sequence[Reading],
    column: str,
    ranks: Sequence[float],
    where: Filter = EVERYTHING,
    step: Step | None = None,
    offset_minutes: int = 0,
) -> list[Percentiles]:
    """As `CallStore.percentiles`."""
    pieces: defaultdict[int | None, list[float]] = defaultdict(list)
    for call in matching(readings, where):
        if (number := NUMBERS[column](call)) is not None:
            pieces[start_of(call, step, offset_minutes)].append(number)
    return [
        Percentiles(
            start_us=start,
            values=tuple(sorted(values)[min(int(rank * len(values)), len(values) - 1)] for rank in ranks),
        )
        for start, values in sorted(pieces.items(), key=lambda piece: piece[0] or 0)
    ]


def score_totals(
    readings: Sequence[Reading], where: Filter = EVERYTHING, step: Step | None = None, offset_minutes: int = 0
) -> list[ScoreTotal]:
    """As `CallStore.score_totals`."""
    scores = sorted(
        (
            (start_of(call, step, offset_minutes), name, value)
            for call in matching(readings, where)
            for name, value in call.scores.items()
        ),
        key=lambda row: (row[0] or 0, row[1].lower()),
    )
    groups = [(key, [value for *_, value in rows]) for key, rows in itertools.groupby(scores, lambda row: row[:2])]
    return [
        ScoreTotal(start_us=start, name=name, count=len(values), sum=sum(values)) for (start, name), values in groups
    ]


def property_keys(readings: Sequence[Reading]) -> list[str]:
    """As `CallStore.property_keys`, lower-cased."""
    return sorted({key.lower() for one in readings for key in one.call.labels.properties})


def property_values(readings: Sequence[Reading], key: str, search: str = "") -> list[str]:
    """As `CallStore.property_values`."""
    values = {text_of(one.call, key) for one in readings} - {""}
    return sorted(value for value in values if fold(search) in fold(value))
