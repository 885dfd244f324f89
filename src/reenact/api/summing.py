"""Summing: the part of a filter that is about users' sums (`users_view`), apart from the part that is about calls."""

from typing import Any

import msgspec

from reenact.api.coercing import read_value, time_us
from reenact.domain.filter import OPERATORS, Kind, Operator
from reenact.domain.filtering import ARITHMETIC, POSITIVE, text_holds
from reenact.domain.message import Json
from reenact.errors import InvalidFilter

_VIEW = "users_view"
_MOST_DEPTH = 100
_COLUMNS: dict[str, tuple[str, Kind]] = {
    "user_user_id": ("user_id", Kind.TEXT),
    "user_active_for": ("active_for", Kind.NUMBER),
    "user_first_active": ("first_active", Kind.TIME),
    "user_last_active": ("last_active", Kind.TIME),
    "user_total_requests": ("total_requests", Kind.NUMBER),
    "user_average_requests_per_day_active": ("average_requests_per_day_active", Kind.NUMBER),
    "user_average_tokens_per_request": ("average_tokens_per_request", Kind.NUMBER),
    "user_total_completion_tokens": ("total_completion_tokens", Kind.NUMBER),
    "user_total_prompt_tokens": ("total_prompt_tokens", Kind.NUMBER),
    "user_cost": ("cost", Kind.NUMBER),
}
"""Helicone's columns and our fields."""


class SumTest(msgspec.Struct, frozen=True, kw_only=True):
    """One sum compared with one value."""

    field: str
    kind: Kind
    operator: Operator
    value: Any


def part_of_users(raw: Json) -> tuple[list[Json], list[SumTest]]:
    """Return the filters of calls and the tests of sums that *raw* ANDs.

    Raises:
        InvalidFilter: a test of a sum stands below an `or`, or is none.
    """
    return _parted(raw, "filter", 0)


def holds_of_user(test: SumTest, user: msgspec.Struct) -> bool:
    """Return whether *user*, which has the fields of `UserMetrics`, passes."""
    actual = getattr(user, test.field)
    if test.kind is Kind.TEXT:
        positive = POSITIVE.get(test.operator, test.operator)
        return text_holds(actual, positive, str(test.value or "")) == (positive is test.operator)
    if test.value is None:
        return test.operator is Operator.NOT_EQUALS
    number = time_us(actual, test.field) if test.kind is Kind.TIME else actual
    return ARITHMETIC[test.operator](number, test.value)


def _parted(raw: Json, path: str, depth: int) -> tuple[list[Json], list[SumTest]]:
    if not isinstance(raw, dict) or not _mentions(raw, depth):
        return [raw], []
    if raw.keys() >= {"left", "right"}:
        if raw.get("operator") != "and":
            raise InvalidFilter("Sums of users can be ANDed only.", f"{path}.operator", raw.get("operator"))
        left, right = (_parted(raw[side], f"{path}.{side}", depth + 1) for side in ("left", "right"))
        return left[0] + right[0], left[1] + right[1]
    rest = {name: columns for name, columns in raw.items() if name != _VIEW}
    tests = [test for name, inner in _entries(raw[_VIEW], f"{path}.{_VIEW}") for test in _tests(name, inner, path)]
    return ([rest] if rest else []), tests


def _mentions(raw: Json, depth: int) -> bool:
    """Return whether sums of users are asked about anywhere in *raw*."""
    if not isinstance(raw, dict) or depth > _MOST_DEPTH:
        return False
    return _VIEW in raw or any(_mentions(raw.get(side), depth + 1) for side in ("left", "right"))


def _tests(name: str, raw: Json, path: str) -> list[SumTest]:
    here = f"{path}.{_VIEW}.{name}"
    if name not in _COLUMNS:
        raise InvalidFilter(f"Unknown column; known: {', '.join(sorted(_COLUMNS))}.", here)
    field, kind = _COLUMNS[name]
    found: list[SumTest] = []
    for word, value in _entries(raw, here):
        if word not in {operator.value for operator in OPERATORS[kind]}:
            raise InvalidFilter("Unknown operator for this column.", f"{here}.{word}", value)
        operator = Operator(word)
        read = read_value(kind, operator, value, f"{here}.{word}")
        found.append(SumTest(field=field, kind=kind, operator=operator, value=read))
    return found


def _entries(raw: Json, path: str) -> list[tuple[str, Json]]:
    if not isinstance(raw, dict) or not raw:
        raise InvalidFilter("Expected an object that names a condition.", path, raw)
    return list(raw.items())
