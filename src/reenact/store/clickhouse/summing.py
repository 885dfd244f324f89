"""Summing: statements that sum calls of an organisation, from sums of hours and days wherever those may be believed."""

from collections.abc import Mapping

from reenact.domain.total import Grouping, Step
from reenact.store.clickhouse.compiling import compile_start

_ADDED = {
    "calls": "1",
    "failed_calls": "c.status < 0 OR c.status >= 400",
    "cached_calls": "c.is_cached",
    "threats": "c.is_threat",
    "unpriced_calls": "c.kind = 'model' AND c.cost_nanodollars IS NULL",
    "cost_nanodollars": "c.cost_nanodollars",
    "input_tokens": "c.input_tokens",
    "output_tokens": "c.output_tokens",
    "cache_read_tokens": "c.cache_read_tokens",
    "cache_write_tokens": "c.cache_write_tokens",
    "duration_us": "c.duration_us",
    "first_token_us": "c.first_token_us",
    "first_token_calls": "c.first_token_us IS NOT NULL",
}
"""What a call adds to a field of Total; `span_sums` has columns of the same names."""
SUMS = {name: f"ifNull(sum(toInt64({text})), 0)" for name, text in _ADDED.items()}
FIELDS = ("start_us", "value", *SUMS, "first_us", "latest_us", "users", "active_days")
"""Of a Total, in the order that statements return."""
_OF_CALLS = {**SUMS, "first_us": "minOrNull(c.created_us)", "latest_us": "maxOrNull(c.created_us)"}
_OF_SPANS = {name: f"sum(c.{name})" for name in SUMS} | {
    "first_us": "minOrNull(c.first_us)", "latest_us": "maxOrNull(c.latest_us)"
}  # fmt: skip
_TOGETHER = {name: f"sum(s.field_{name})" for name in SUMS} | {
    "first_us": "minOrNull(s.field_first_us)", "latest_us": "maxOrNull(s.field_latest_us)"
}  # fmt: skip


def sum_calls(source: str, value: str, grouping: Grouping) -> str:
    """Return the statement that sums the calls of *source*, what follows FROM, without an order."""
    start = compile_start(grouping.step, grouping.offset_minutes)
    return _summed(source, start, value, {**_OF_CALLS, **_distinct(grouping)})


def sum_spans(source: str, value: str, grouping: Grouping) -> str:
    """Return the statement that adds up rows of `span_sums`, as `sum_calls`."""
    start = compile_start(grouping.step, grouping.offset_minutes, "(c.span * c.span_us)")
    return _summed(source, start, value, {**_OF_SPANS, "users": "NULL", "active_days": "NULL"})


def sum_together(statements: list[str], grouping: Grouping) -> str:
    """Return the statement that adds up what several statements of these give."""
    if len(statements) == 1:
        return statements[0]
    inner = " UNION ALL ".join(statements)
    start = "NULL" if grouping.step is None else "s.field_start_us"
    value = "NULL" if grouping.column is None else "s.field_value"
    return _summed(f"({inner}) AS s", start, value, {**_TOGETHER, "users": "NULL", "active_days": "NULL"})


def _summed(source: str, start: str, value: str, sums: Mapping[str, str]) -> str:
    """Return a statement over *source*; grouped by nothing it has one row even when there is no call."""
    fields = {"start_us": start, "value": value, **sums}
    named = ", ".join(f"{text} AS field_{name}" for name, text in fields.items())
    group = "" if start == value == "NULL" else " GROUP BY field_start_us, field_value"
    return f"SELECT {named} FROM {source}{group}"


def _distinct(grouping: Grouping) -> dict[str, str]:
    """Return what counts users and days, nothing unless it is asked for."""
    if not grouping.count_distinct:
        return {"users": "NULL", "active_days": "NULL"}
    day = compile_start(Step.DAY, grouping.offset_minutes)
    return {"users": "uniqExact(nullIf(c.user_id, ''))", "active_days": f"uniqExact({day})"}
