"""Filter and Sort as SQL text and the values to bind: what `domain.filtering` says, in SQLite's words.

The text is made of this module's own tables and words alone; whatever a user gave is bound.
"""

from collections.abc import Iterable

import msgspec

from reenact.domain.filter import (
    COLUMNS,
    RANDOM,
    All,
    AnyOf,
    Condition,
    Everything,
    Filter,
    Kind,
    OneOf,
    Operator,
    Sort,
)
from reenact.domain.filtering import (
    LABEL_KEYS,
    POSITIVE,
    check,
    check_one_of,
    flatten,
    fold,
    like_pieces,
    number_bound,
    text_holds,
    words,
)
from reenact.domain.grouping import MONDAY_US, STEP_US
from reenact.domain.total import Step
from reenact.errors import InvalidFilter

Value = str | float | int | None

_TEXTS = {
    "request_id": "c.id",
    "session_id": "c.session_id",
    "session_name": "c.session_name",
    "session_path": "c.session_path",
    "prompt_id": "c.prompt_id",
    "prompt_version": "NULL",
    "user_id": "c.user_id",
    "model_override": "c.model_override",
    "referrer": "iif(json_extract(c.handling, '$.body_mapping') IS NULL, NULL, 'ai-gateway')",
    "provider": "c.provider",
    "model": "c.model",
    "response_id": "c.response_id",
    "target_url": "(SELECT f.target_url FROM forms f WHERE f.form = c.form)",
    "url": "(SELECT f.url FROM forms f WHERE f.form = c.form)",
    "cache_reference_id": "json_extract(c.handling, '$.cache_reference_id')",
}
_NUMBERS = {
    "created_us": "c.created_us",
    "completed_us": "(c.created_us + c.duration_us)",
    "status": "c.status",
    "latency_ms": "(c.duration_us / 1000)",
    "first_token_ms": "(c.first_token_us / 1000)",
    "input_tokens": "c.input_tokens",
    "output_tokens": "c.output_tokens",
    "total_tokens": "coalesce(c.input_tokens + c.output_tokens, c.input_tokens, c.output_tokens)",
    "cache_read_tokens": "c.cache_read_tokens",
    "cache_write_tokens": "c.cache_write_tokens",
    "cost_dollars": "c.cost_nanodollars",
}
_BOOLEANS = {
    "feedback": "c.feedback",
    "scored": "EXISTS (SELECT 1 FROM scores s WHERE s.call = c.call)",
    "threat": "coalesce(json_extract(c.handling, '$.is_threat'), 0)",
    "cache_enabled": "coalesce(json_extract(c.handling, '$.cache_enabled'), 0)",
    "cached": "(json_extract(c.handling, '$.cache_reference_id') IS NOT NULL)",
}
_SIGNS = {
    Operator.EQUALS: "=",
    Operator.NOT_EQUALS: "<>",
    Operator.GTE: ">=",
    Operator.LTE: "<=",
    Operator.GT: ">",
    Operator.LT: "<",
}
SIDES = {"request_body": 0, "response_body": 1}
"""Which entries of the table `words` a search column looks through."""


class Sql(msgspec.Struct, frozen=True):
    """A piece of SQL and the values for its question marks, in order."""

    text: str
    values: tuple[Value, ...] = ()


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A filter compiled: where rows are taken from and which are kept."""

    source: str
    """For FROM; calls are `c`, and what drives the query, if not they, is `d`."""
    where: Sql
    created: str
    """The column to sort by creation with: the driver's own, so that its index gives the order."""


def compile_query(organisation: int, where: Filter) -> Query:
    """Return the query for the calls of an *organisation* that match *where*.

    Raises:
        InvalidFilter: an unknown column, an operator that its column does not take, a value of the wrong type, too many.
    """
    where = flatten(where)
    compiled = _compile(where)
    driver = next((found for part in _conjuncts(where) if (found := _driver(part))), None)
    if driver is None:
        kept = Sql(f"c.organisation = ? AND {compiled.text}", (organisation, *compiled.values))
        return Query(source="calls c", where=kept, created="c.created_us")
    table, key, value = driver
    # A database that took the newest calls first would look at every call to find a rare value: begin at the value instead.
    # Its index holds the time of creation, so that newest-first and time bounds are read from the index too.
    text = f"d.organisation = ? AND d.{key} = ?{value.text} AND {compiled.text.replace('c.created_us', 'd.created_us')}"
    return Query(
        source=f"{table} d CROSS JOIN calls c ON c.call = d.call",
        where=Sql(text, (organisation, *value.values, *compiled.values)),
        created="d.created_us",
    )


def compile_where(where: Filter) -> Sql:
    """Return *where* as one expression over calls `c`.

    Raises:
        InvalidFilter: as `compile_query`.
    """
    return _compile(flatten(where))


def compile_sort(sort: Sort, created: str) -> Sql:
    """Return what to sort by; absent numbers come last in either direction.

    Raises:
        InvalidFilter: an unknown column, one that has no order, or a map without a key.
    """
    direction = "ASC" if sort.ascending else "DESC"
    ties = f"{created} {direction}, c.id {direction}"
    kind = COLUMNS.get(sort.column)
    key = (sort.key or "").lower()
    if (kind in {Kind.MAP, Kind.NUMBER_MAP}) != (sort.key is not None):
        raise InvalidFilter(f"Sorting by {sort.column} takes {'a' if sort.key is None else 'no'} key", "sort")
    if sort.column == RANDOM:
        return Sql("random()")
    if sort.column == "created_us":
        return Sql(ties)
    if sort.column in _TEXTS:
        return Sql(f"coalesce({_TEXTS[sort.column]}, '') {direction}, {ties}")
    if kind is Kind.MAP:
        chosen = _property(key)
        return Sql(f"coalesce({chosen.text}, '') {direction}, {ties}", chosen.values)
    if kind is Kind.NUMBER_MAP:
        score = "(SELECT s.value FROM scores s WHERE s.call = c.call AND s.name_lower = ?)"
        return Sql(f"{score} {direction} NULLS LAST, {ties}", (key,))
    expression = _NUMBERS.get(sort.column) or _BOOLEANS.get(sort.column)
    if expression is None:
        raise InvalidFilter(f"There is no order by {sort.column!r}", "sort")
    return Sql(f"{expression} {direction} NULLS LAST, {ties}")


def compile_group(column: str, key: str | None) -> Sql:
    """Return the text that calls `c` are grouped by: a groupable column, or the property *key*."""
    if key is not None:
        chosen = _property(key.lower())
        return Sql(f"coalesce({chosen.text}, '')", chosen.values)
    return Sql(f"coalesce({_TEXTS.get(column, 'CAST(c.status AS TEXT)')}, '')")


def compile_number(column: str) -> str:
    """Return a NUMBER column of calls `c`, in the unit it is kept in."""
    return _NUMBERS[column]


def compile_words(asked: Iterable[str]) -> str:
    """Return what the index of words is asked for entries that have each of these words; empty when there is none."""
    return " AND ".join(f'"{word}"' for word in dict.fromkeys(asked))


def compile_start(created: str, step: Step | None, offset_minutes: int) -> str:
    """Return when the piece of time begins that the time *created* is in, as `grouping.piece_start` says."""
    if step is None:
        return "NULL"
    offset_us = int(offset_minutes) * STEP_US[Step.MINUTE]
    local = f"({created} + {offset_us})"
    if step in {Step.MONTH, Step.YEAR}:
        begun = f"strftime('%s', {local} / 1000000, 'unixepoch', 'start of {step.value}')"
        return f"(CAST({begun} AS INTEGER) * 1000000 - {offset_us})"
    shift_us = MONDAY_US if step is Step.WEEK else 0
    return f"(({local} + {shift_us}) / {STEP_US[step]} * {STEP_US[step]} - {shift_us + offset_us})"


def _conjuncts(where: Filter) -> list[Filter]:
    """Return what must hold in any case for a flattened *where* to hold."""
    return list(where.of) if isinstance(where, All) else [where]


def _driver(part: Filter) -> tuple[str, str, Sql] | None:
    """Return the table, its key column and the key with what narrows it, when *part* is best answered from there."""
    if not isinstance(part, Condition) or part.key is None or part.value in {None, ""}:
        return None
    key = part.key.lower()
    if COLUMNS[part.column] is Kind.NUMBER_MAP:
        return "scores", "name_lower", Sql(f" AND d.value {_SIGNS[part.operator]} ?", (key, float(part.value)))
    if part.operator is Operator.EQUALS and key not in LABEL_KEYS:
        return "properties", "key_lower", Sql(" AND d.value = ?", (key, str(part.value)))
    return None


def _compile(where: Filter) -> Sql:
    """Return *where* as one SQL expression that stands alone."""
    match where:
        case Everything():
            return Sql("1")
        case All(of):
            return _joined([_compile(part) for part in of], " AND ", "1")
        case AnyOf(of):
            return _joined([_compile(part) for part in of], " OR ", "0")
        case OneOf():
            return _one_of(where)
        case Condition():
            return _condition(where)


def _one_of(where: OneOf) -> Sql:
    """Return whether a text is in a list, which is bound as one value."""
    check_one_of(where)
    listed, column = msgspec.json.encode(where.values).decode(), _TEXTS[where.column]
    if not where.are_excluded and "" not in where.values:
        return Sql(f"({column} IN (SELECT value FROM json_each(?)))", (listed,))
    word = "NOT IN" if where.are_excluded else "IN"
    return Sql(f"(coalesce({column}, '') {word} (SELECT value FROM json_each(?)))", (listed,))


def _joined(parts: list[Sql], word: str, empty: str) -> Sql:
    """Return the *parts* as one expression."""
    text = f"({word.join(part.text for part in parts)})" if parts else empty
    return Sql(text, tuple(value for part in parts for value in part.values))


def _condition(condition: Condition) -> Sql:
    """Return one condition as SQL."""
    kind = check(condition)
    column, value, key = condition.column, condition.value, (condition.key or "").lower()
    match kind:
        case Kind.SEARCH:
            return _search(condition)
        case Kind.TEXT if column == "property_key":
            return _has_key(condition)
        case Kind.TEXT:
            return _text(Sql(_TEXTS[column]), condition)
        case Kind.MAP:
            return _text(_property(key), condition)
        case Kind.NUMBER_MAP:
            score = Sql("(SELECT s.value FROM scores s WHERE s.call = c.call AND s.name_lower = ?)", (key,))
            return _number(score, condition)
        case Kind.BOOLEAN:
            return Sql(f"{_BOOLEANS[column]} IS ?", (None if value is None else int(value),))
        case Kind.NUMBER | Kind.TIME:
            return _number(Sql(_NUMBERS[column]), condition)


def _property(key: str) -> Sql:
    """Return the value of a property, NULL when the call has none."""
    if key in LABEL_KEYS:
        return Sql(f"c.{LABEL_KEYS[key]}")
    return Sql("(SELECT p.value FROM properties p WHERE p.call = c.call AND p.key_lower = ?)", (key,))


def _text(actual: Sql, condition: Condition) -> Sql:
    """Return a comparison of text that may be NULL, which reads as the empty string."""
    expected = str(condition.value or "")
    operator = POSITIVE.get(condition.operator, condition.operator)
    test, bound = _text_test(actual.text, operator, expected)
    absent_holds = text_holds("", operator, expected)
    if operator is not condition.operator:
        test, absent_holds = f"NOT {test}", not absent_holds
    if absent_holds:
        return Sql(f"({actual.text} IS NULL OR {test})", (*actual.values, *actual.values, bound))
    return Sql(test, (*actual.values, bound))


def _text_test(actual: str, operator: Operator, expected: str) -> tuple[str, str]:
    """Return the test for a positive *operator* and the value to bind last."""
    match operator:
        case Operator.EQUALS:
            return f"({actual} = ?)", expected
        case Operator.CONTAINS:
            return f"(instr(lower({actual}), ?) > 0)", fold(expected)
        case Operator.LIKE:
            return f"({actual} GLOB ?)", _glob(expected)
        case _:
            return f"(lower({actual}) GLOB ?)", _glob(fold(expected))


def _glob(pattern: str) -> str:
    """Return a LIKE *pattern* for GLOB, SQLite's only comparison that minds case."""
    return "".join(
        "*" if piece is None else "?" if not piece else f"[{piece}]" if piece in "*?[" else piece
        for piece in like_pieces(pattern)
    )


def _number(actual: Sql, condition: Condition) -> Sql:
    """Return a comparison of a number that may be NULL."""
    if condition.value is None:
        is_not = "" if condition.operator is Operator.EQUALS else "NOT "
        return Sql(f"({actual.text} IS {is_not}NULL)", actual.values)
    bound = number_bound(condition.column, float(condition.value))
    return Sql(f"({actual.text} {_SIGNS[condition.operator]} ?)", (*actual.values, bound))


def _has_key(condition: Condition) -> Sql:
    """Return whether the call has a property whose key compares so."""
    operator = POSITIVE.get(condition.operator, condition.operator)
    expected = str(condition.value or "").lower()
    test, bound = _text_test("p.key_lower", operator, expected)
    has = [f"EXISTS (SELECT 1 FROM properties p WHERE p.call = c.call AND {test})"]
    has += [f"c.{name} <> ''" for key, name in LABEL_KEYS.items() if text_holds(key, operator, expected)]
    text = f"({' OR '.join(has)})"
    return Sql(text if operator is condition.operator else f"NOT coalesce({text}, 0)", (bound,))


def _search(condition: Condition) -> Sql:
    """Return whether one side of the call has every word of the value."""
    found = (
        "SELECT w.call FROM words_index i JOIN words w ON w.entry = i.rowid WHERE words_index MATCH ? AND w.side = ?"
    )
    asked = compile_words(words(str(condition.value)))
    positive = Sql(f"(c.call IN ({found}))", (asked, SIDES[condition.column])) if asked else Sql("1")
    if condition.operator in POSITIVE:
        return Sql(f"(NOT {positive.text})", positive.values)
    return positive
