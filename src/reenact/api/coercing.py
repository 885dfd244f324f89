"""Coercing: the values of a filter, lenient where Helicone is (numeric strings) and strict where a guess would be wrong."""

import datetime as dt
import math
from collections.abc import Mapping

from reenact.api.columns import Value
from reenact.domain.filter import EQUALITY, Kind, Operator
from reenact.domain.message import Json
from reenact.errors import InvalidFilter

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def read_value(kind: Kind, operator: Operator, raw: Json, path: str) -> Value:
    """Return *raw* as the column's kind; None for Helicone's "null".

    Raises:
        InvalidFilter: it is not of that kind; *path* is where it stands.
    """
    if (raw is None or raw == "null") and operator in EQUALITY:
        return None
    match kind:
        case Kind.NUMBER | Kind.NUMBER_MAP:
            return _number(raw, path)
        case Kind.TIME:
            return time_us(raw, path)
        case Kind.BOOLEAN:
            return _boolean(raw, path)
        case _:
            return _text(raw, operator, path)


def _text(raw: Json, operator: Operator, path: str) -> str:
    if raw == "__empty__" and operator in EQUALITY:
        return ""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise InvalidFilter("Expected text.", path, raw)
    return str(raw)


def _number(raw: Json, path: str) -> float:
    try:
        number = float(raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise InvalidFilter("Expected a number.", path, raw)
    return number


def _boolean(raw: Json, path: str) -> bool:
    known: Mapping[Json, bool] = {"true": True, "false": False}
    if isinstance(raw, bool):
        return raw
    if not isinstance(raw, str) or raw not in known:
        raise InvalidFilter("Expected true or false.", path, raw)
    return known[raw]


def time_us(raw: Json, path: str) -> float:
    """Return an ISO 8601 time as microseconds since the epoch; without an offset it is UTC.

    Raises:
        InvalidFilter: it is none; *path* is where it stands.
    """
    try:
        time = dt.datetime.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        time = None
    if time is None:
        raise InvalidFilter("Expected a time such as 2026-01-31T12:00:00.000Z.", path, raw)
    aware = time if time.tzinfo else time.replace(tzinfo=dt.UTC)
    return float((aware - _EPOCH) // dt.timedelta(microseconds=1))
