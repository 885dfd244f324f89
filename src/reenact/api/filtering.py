"""Filtering: Helicone's filter JSON, in both of its forms, as a domain Filter (surface 3.3).

What is not understood is refused with the place it stands at, and never read as "match everything": a replay of all
sessions because of a misspelt column would be costly. For the same reason a leaf without a condition is refused: it is what
`{"equals": undefined}` becomes on its way through JSON. All columns and all operators of a leaf must hold.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from reenact.api.coercing import read_value
from reenact.api.columns import (
    PROPERTIES,
    STRANGE,
    TABLES,
    Constant,
    HasScores,
    Kept,
    Meaning,
    OwnOrganisation,
    SessionSum,
    SessionTag,
    Unmet,
)
from reenact.api.holding import holds
from reenact.api.rating import FEEDBACK, SCORED, UNSCORED, rated
from reenact.api.sessioning import CallsOf, Counted, Summed, Tagged, Wish
from reenact.domain.filter import OPERATORS, All, AnyOf, Condition, Everything, Filter, Kind, Operator
from reenact.domain.filtering import MOST_CONDITIONS, check
from reenact.domain.message import Json
from reenact.errors import InvalidFilter

MAX_DEPTH = 100

NOTHING = AnyOf(of=())
"""No call at all."""

_SESSION = "session"
"""Ours: asks about the calls of whole sessions, `{"session": {"any": FILTER, "count": {"of": FILTER, "gte": 3}}}`."""
_ANY_TEXT, _ANY_NUMBER = Constant(kind=Kind.TEXT), Constant(kind=Kind.NUMBER)


def read_filter(raw: Json, organisation_id: str, path: str = "filter", calls_of: CallsOf | None = None) -> Filter:
    """Return the filter that *raw* says, for whoever asks on behalf of *organisation_id*.

    Args:
        raw: JSON.
        organisation_id: whose calls are asked for.
        path: where *raw* stands.
        calls_of: finds the calls of sessions; None where a filter cannot ask about whole sessions.

    Raises:
        InvalidFilter: it is not one; `field` is the place, such as `filter.left.request_response_rmt.foo`.
    """
    where = _node(raw, _Asker(organisation_id, calls_of), path, 0)
    if sum(1 for _ in conditions(where)) > MOST_CONDITIONS:
        raise InvalidFilter(f"A filter may have at most {MOST_CONDITIONS} conditions.", path)
    return where


def conditions(where: Filter) -> Iterator[Condition]:
    """Yield every condition of *where*."""
    if isinstance(where, Condition):
        yield where
    elif isinstance(where, All | AnyOf):
        for part in where.of:
            yield from conditions(part)


def named_session(where: Filter) -> str | None:
    """Return the one session id that every match of *where* must have; None when it does not say."""
    if isinstance(where, All):
        return next((name for part in where.of if (name := named_session(part)) is not None), None)
    if not isinstance(where, Condition) or where.operator is not Operator.EQUALS or not isinstance(where.value, str):
        return None
    by_property = where.column == "properties" and (where.key or "").lower() == "helicone-session-id"
    return where.value if where.column == "session_id" or by_property else None


class _Asker(msgspec.Struct, frozen=True):
    """Who asks, and how sessions are found for them."""

    organisation_id: str
    calls_of: CallsOf | None


def _node(raw: Json, asker: _Asker, path: str, depth: int) -> Filter:
    if depth > MAX_DEPTH:
        raise InvalidFilter(f"A filter may be nested at most {MAX_DEPTH} deep.", path)
    if raw in ("all", {}):
        return Everything()
    if not isinstance(raw, dict):
        raise InvalidFilter('Expected "all" or an object.', path, raw)
    if raw.keys() & {"left", "right", "operator"}:
        return _branch(raw, asker, path, depth)
    return every([_table(name, columns, asker, f"{path}.{name}", depth) for name, columns in raw.items()])


def _branch(raw: dict[str, Json], asker: _Asker, path: str, depth: int) -> Filter:
    if unknown := raw.keys() - {"left", "right", "operator"}:
        raise InvalidFilter("A branch has `left`, `operator` and `right` only.", f"{path}.{min(unknown)}")
    for side in ("left", "operator", "right"):
        if side not in raw:
            raise InvalidFilter("A branch needs `left`, `operator` and `right`.", f"{path}.{side}")
    if raw["operator"] not in ("and", "or"):
        raise InvalidFilter("Expected `and` or `or`.", f"{path}.operator", raw["operator"])
    sides = [_node(raw[side], asker, f"{path}.{side}", depth + 1) for side in ("left", "right")]
    return every(sides) if raw["operator"] == "and" else _either(sides)


def every(parts: Sequence[Filter]) -> Filter:
    """Return *parts* ANDed, flat: a long chain of branches is one level for the store."""
    flat = [inner for part in parts for inner in (part.of if isinstance(part, All) else (part,))]
    if NOTHING in flat:
        return NOTHING
    kept = [part for part in flat if not isinstance(part, Everything)]
    if not kept:
        return Everything()
    return kept[0] if len(kept) == 1 else All(of=tuple(kept))


def _either(parts: list[Filter]) -> Filter:
    flat = [inner for part in parts for inner in (part.of if isinstance(part, AnyOf) else (part,))]
    if any(isinstance(part, Everything) for part in flat):
        return Everything()
    return flat[0] if len(flat) == 1 else AnyOf(of=tuple(flat))


def _table(name: str, columns: Json, asker: _Asker, path: str, depth: int) -> Filter:
    if name == _SESSION:
        return every(
            [_quantified(word, test, asker, f"{path}.{word}", depth) for word, test in _entries(columns, path)]
        )
    if name in STRANGE:
        raise InvalidFilter(f"Calls cannot be asked for by Helicone's table {name}: its rows are no calls.", path)
    if name != "properties" and name not in TABLES:
        raise InvalidFilter(f"Unknown table; known: {', '.join(sorted([*TABLES, 'properties', _SESSION]))}.", path)
    parts: list[Filter] = []
    for column, test in _entries(columns, path):
        here = f"{path}.{column}"
        if name == "properties":
            parts.append(_tests(PROPERTIES, test, column, here))
            continue
        meaning = TABLES[name].get(column)
        if meaning is None:
            raise InvalidFilter(f"Unknown column; known: {', '.join(sorted(TABLES[name]))}.", here)
        parts.append(_column(meaning, test, asker, here))
    return every(parts)


def _column(meaning: Meaning, test: Json, asker: _Asker, path: str) -> Filter:
    match meaning:
        case Unmet(reason=reason):
            raise InvalidFilter(f"Not supported: {reason}.", path)
        case SessionSum(column=column, kind=kind):
            constant = Constant(kind=kind)
            wishes = [_test_parts(constant, name, value, f"{path}.{name}") for name, value in _entries(test, path)]
            return every(
                [
                    _of_sessions(asker, Summed(column=column, operator=operator, value=value), path)
                    for operator, value in wishes
                ]
            )
        case SessionTag():
            wishes = [_test_parts(_ANY_TEXT, name, value, f"{path}.{name}") for name, value in _entries(test, path)]
            return every(
                [
                    _of_sessions(asker, Tagged(operator=operator, value=str(value or "")), path)
                    for operator, value in wishes
                ]
            )
        case HasScores():
            return every([_has_scores(name, value, f"{path}.{name}") for name, value in _entries(test, path)])
        case OwnOrganisation():
            return _tests(Constant(kind=Kind.TEXT, value=asker.organisation_id), test, None, path)
        case Kept(kind=Kind.NUMBER_MAP):
            return every([_scores(meaning, inner, key, f"{path}.{key}") for key, inner in _entries(test, path)])
        case Kept(kind=Kind.MAP):
            return every([_tests(meaning, inner, key, f"{path}.{key}") for key, inner in _entries(test, path)])
        case _:
            return _tests(meaning, test, None, path)


def _entries(raw: Json, path: str) -> list[tuple[str, Json]]:
    """Return the pairs of an object that must say something."""
    if not isinstance(raw, dict):
        raise InvalidFilter("Expected an object.", path, raw)
    if not raw:
        raise InvalidFilter("Names no condition. Was its value undefined where it was made?", path, raw)
    return list(raw.items())


def _has_scores(operator: str, value: Json, path: str) -> Filter:
    if operator not in ("equals", "not-equals") or value != "{}":
        raise InvalidFilter('`scores_column` takes `equals` or `not-equals` and "{}" only.', path, value)
    return SCORED if operator == "not-equals" else UNSCORED


def _scores(meaning: Kept, raw: Json, key: str, path: str) -> Filter:
    """Return what is asked of one score; feedback is one."""
    if key.lower() != FEEDBACK:
        return _tests(meaning, raw, key, path)
    tests = [_test_parts(meaning, name, value, f"{path}.{name}") for name, value in _entries(raw, path)]
    return every([rated(operator, value) for operator, value in tests])


def _tests(meaning: Kept | Constant, raw: Json, key: str | None, path: str) -> Filter:
    return every([_test(meaning, name, value, key, f"{path}.{name}") for name, value in _entries(raw, path)])


def _quantified(word: str, raw: Json, asker: _Asker, path: str, depth: int) -> Filter:
    """Return what `any`, `all` or `count` says of the calls of sessions."""
    if word in ("any", "all"):
        inner = _node(raw, asker, path, depth + 1)
        return _of_sessions(asker, Counted(of=inner, of_all=word == "all"), path)
    if word != "count" or not isinstance(raw, dict):
        raise InvalidFilter("Of sessions there are `any` and `all` with a filter, and `count`.", path, raw)
    inner = _node(raw.get("of", "all"), asker, f"{path}.of", depth + 1)
    tests = {name: value for name, value in raw.items() if name != "of"}
    found = [_test_parts(_ANY_NUMBER, name, value, f"{path}.{name}") for name, value in _entries(tests, path)]
    return every(
        [_of_sessions(asker, Counted(of=inner, operator=operator, value=value), path) for operator, value in found]
    )


def _of_sessions(asker: _Asker, wish: Wish, path: str) -> Filter:
    if not isinstance(wish, Tagged) and getattr(wish, "value", 0) is None:
        raise InvalidFilter("A sum is never null.", path)
    if asker.calls_of is None:
        raise InvalidFilter("Here a filter cannot ask about whole sessions.", path)
    return asker.calls_of(wish)


def _test_parts(meaning: Kept | Constant, name: str, raw: Json, path: str) -> tuple[Operator, Any]:
    """Return the operator and the value of a test."""
    allowed = meaning.operators if isinstance(meaning, Kept) else OPERATORS[meaning.kind]
    if name not in {operator.value for operator in allowed}:
        known = ", ".join(operator.value for operator in Operator if operator in allowed)
        raise InvalidFilter(f"Unknown operator for this column; known: {known}.", path, raw)
    operator = Operator(name)
    return operator, read_value(meaning.kind, operator, raw, path)


def _test(meaning: Kept | Constant, name: str, raw: Json, key: str | None, path: str) -> Filter:
    operator, value = _test_parts(meaning, name, raw, path)
    if isinstance(meaning, Constant):
        return Everything() if holds(meaning, operator, value) else NOTHING
    if meaning.lower and isinstance(value, str):
        value = value.lower()
    if meaning.absent is not None and value == meaning.absent:
        value = ""
    if meaning.substring and operator is Operator.EQUALS and value:
        operator = Operator.CONTAINS
    condition = Condition(column=meaning.column, operator=operator, value=value, key=key)
    try:
        check(condition)
    except InvalidFilter as error:
        raise InvalidFilter(error.message, path, raw) from None
    return condition
