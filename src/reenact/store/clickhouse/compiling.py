"""Filter, Sort and Grouping as ClickHouse's SQL: what `domain.filtering` says, over calls `c`.

The text is made of this module's own tables and words alone; whatever a user gave is bound. A test of text or number may
be NULL, which counts as false: only single tests are negated, and those say what they hold for an absent value.
"""

from collections.abc import Set as AbstractSet

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
from reenact.store.clickhouse.binding import Binder

ORGANISATION = "organisation_id = {organisation:String}"
"""Every statement has the organisation bound under this name."""

_TEXTS = {
    "request_id": "c.id",
    "session_id": "c.session_id",
    "session_name": "c.session_name",
    "session_path": "c.session_path",
    "prompt_id": "c.prompt_id",
    "prompt_version": "CAST(NULL, 'Nullable(String)')",
    "user_id": "c.user_id",
    "model_override": "c.model_override",
    "referrer": "if(JSONHas(c.handling, 'body_mapping'), 'ai-gateway', NULL)",
    "provider": "c.provider",
    "model": "c.model",
    "response_id": "c.response_id",
    "target_url": "c.target_url",
    "url": "c.url",
    "cache_reference_id": "if(c.is_cached, JSONExtractString(c.handling, 'cache_reference_id'), NULL)",
}
_NUMBERS = {
    "created_us": "c.created_us",
    "completed_us": "(c.created_us + c.duration_us)",
    "status": "c.status",
    "latency_ms": "intDiv(c.duration_us, 1000)",
    "first_token_ms": "intDiv(c.first_token_us, 1000)",
    "input_tokens": "c.input_tokens",
    "output_tokens": "c.output_tokens",
    "total_tokens": "coalesce(c.input_tokens + c.output_tokens, c.input_tokens, c.output_tokens)",
    "cache_read_tokens": "c.cache_read_tokens",
    "cache_write_tokens": "c.cache_write_tokens",
    "cost_dollars": "c.cost_nanodollars",
}
_SIGNS = {
    Operator.EQUALS: "=",
    Operator.NOT_EQUALS: "!=",
    Operator.GTE: ">=",
    Operator.LTE: "<=",
    Operator.GT: ">",
    Operator.LT: "<",
}
_EPOCH_DAY = 719528
"""1970-01-01, counted from the year 0."""
_SIDES = {"request_body": "c.request_words", "response_body": "c.answer_words"}
_LABELS = ", ".join(f"'{key}'" for key in LABEL_KEYS)


class Compiler:
    """Compiles the parts of one statement.

    *edited* are the keys, lower-cased, of properties that were set on calls of the organisation after they were recorded:
    only these need a look at the annotations.
    """

    def __init__(self, binder: Binder, edited: AbstractSet[str]) -> None:
        self._binder = binder
        self._edited = edited

    def where(self, where: Filter) -> str:
        """Return *where* as one expression.

        Raises:
            InvalidFilter: an unknown column, an operator that its column does not take, a value of the wrong type, too many.
        """
        return self._where(flatten(where))

    def order(self, sort: Sort) -> tuple[str, str]:
        """Return what to join for sorting, and what to sort by; absent numbers come last in either direction.

        Raises:
            InvalidFilter: an unknown column, one that has no order, or a map without a key.
        """
        direction = "ASC" if sort.ascending else "DESC"
        ties = f"c.created_us {direction}, c.id {direction}"
        if sort.column == "created_us" and sort.key is None:
            return "", ties
        if sort.column == RANDOM and sort.key is None:
            return "", "rand()"
        joined, expression = self._sorted_by(sort)
        return joined, f"{expression} {direction} NULLS LAST, {ties}"

    def group(self, column: str, key: str | None) -> tuple[str, str]:
        """Return what to join, and the text that calls are grouped by: a groupable column, or the property *key*."""
        if key is not None and key.lower() not in LABEL_KEYS:
            return self._property_value(key.lower())
        name = LABEL_KEYS[key.lower()] if key is not None else column
        return "", f"ifNull(toString({_TEXTS.get(name, 'c.status')}), '')"

    def _sorted_by(self, sort: Sort) -> tuple[str, str]:
        """Return what to join for a column other than the time of creation, and the column."""
        kind = COLUMNS.get(sort.column)
        key = (sort.key or "").lower()
        if (kind in {Kind.MAP, Kind.NUMBER_MAP}) != (sort.key is not None):
            raise InvalidFilter(f"Sorting by {sort.column} takes {'a' if sort.key is None else 'no'} key", "sort")
        if sort.column in _TEXTS:
            return "", f"ifNull({_TEXTS[sort.column]}, '')"
        if kind is Kind.MAP:
            return self.group("properties", key)
        if kind is Kind.NUMBER_MAP:
            return _joined(self._set("score", "toNullable(argMax(number, version))", key)), "a.value"
        if sort.column == "feedback":
            return _joined(_set("feedback", "toNullable(argMax(number, version))")), "a.value"
        expression = _NUMBERS.get(sort.column) or self._flag(sort.column)
        if expression is None:
            raise InvalidFilter(f"There is no order by {sort.column!r}", "sort")
        return "", expression

    def _flag(self, column: str) -> str | None:
        """Return a boolean column that a call always has."""
        if column == "cached":
            return "c.is_cached"
        if column == "threat":
            return "c.is_threat"
        if column == "cache_enabled":
            return "JSONExtractBool(c.handling, 'cache_enabled')"
        return _among(_set("score", "1")) if column == "scored" else None

    def _where(self, where: Filter) -> str:
        """Return a flattened filter as one expression that stands alone."""
        match where:
            case Everything():
                return "1"
            case All(of):
                return f"({' AND '.join(map(self._where, of))})" if of else "1"
            case AnyOf(of):
                return f"({' OR '.join(map(self._where, of))})" if of else "0"
            case OneOf(column=column, values=values, are_excluded=are_excluded):
                check_one_of(where)
                word = "NOT IN" if are_excluded else "IN"
                return f"(ifNull({_TEXTS[column]}, '') {word} {self._binder.texts(list(values))})"
            case Condition():
                return self._condition(where)

    def _condition(self, condition: Condition) -> str:
        """Return one condition as SQL."""
        kind = check(condition)
        column, key = condition.column, (condition.key or "").lower()
        match kind:
            case Kind.SEARCH:
                return self._search(condition)
            case Kind.TEXT if column == "property_key":
                return self._has_key(condition)
            case Kind.TEXT:
                return self._text(_TEXTS[column], condition)
            case Kind.MAP if key in LABEL_KEYS:
                return self._text(f"c.{LABEL_KEYS[key]}", condition)
            case Kind.MAP:
                return self._property(key, condition)
            case Kind.NUMBER_MAP:
                return self._annotated(self._set("score", "argMax(number, version)", key), condition)
            case Kind.BOOLEAN:
                return self._boolean(condition)
            case Kind.NUMBER | Kind.TIME:
                return self._number(_NUMBERS[column], condition)

    def _text(self, actual: str, condition: Condition) -> str:
        """Return a comparison of text that may be NULL, which reads as the empty string."""
        expected = str(condition.value or "")
        operator = POSITIVE.get(condition.operator, condition.operator)
        test = self._text_test(actual, operator, expected)
        absent_holds = text_holds("", operator, expected)
        if operator is not condition.operator:
            test, absent_holds = f"NOT {test}", not absent_holds
        return f"({actual} IS NULL OR {test})" if absent_holds else f"({test})"

    def _text_test(self, actual: str, operator: Operator, expected: str) -> str:
        """Return the test for a positive *operator*."""
        match operator:
            case Operator.EQUALS:
                return f"({actual} = {self._binder.text(expected)})"
            case Operator.CONTAINS:
                return f"(position(lower({actual}), {self._binder.text(fold(expected))}) > 0)"
            case Operator.LIKE:
                return f"({actual} LIKE {self._binder.text(_like(expected))})"
            case _:
                return f"(lower({actual}) LIKE {self._binder.text(_like(fold(expected)))})"

    def _property(self, key: str, condition: Condition) -> str:
        """Return a comparison of a property: of the value that was set, else of the recorded one."""
        recorded = self._text(f"c.properties[{self._binder.text(key)}]", condition)
        if key not in self._edited:
            return recorded
        edited = self._set("property", "argMax(text, version)", key)
        matching = f"SELECT created_us, call_id FROM ({edited}) WHERE {self._text('value', condition)}"
        return f"if({_among(edited)}, (c.created_us, c.id) IN ({matching}), {recorded})"

    def _property_value(self, key: str) -> tuple[str, str]:
        """Return what to join and a property, the empty string when the call has none."""
        recorded = f"c.properties[{self._binder.text(key)}]"
        if key not in self._edited:
            return "", recorded
        edited = self._set("property", "toNullable(argMax(text, version))", key)
        return _joined(edited), f"ifNull(a.value, {recorded})"

    def _has_key(self, condition: Condition) -> str:
        """Return whether the call has a property whose key compares so."""
        operator = POSITIVE.get(condition.operator, condition.operator)
        expected = str(condition.value or "").lower()
        has = [f"arrayExists(key -> {self._text_test('key', operator, expected)}, mapKeys(c.properties))"]
        has += [
            f"ifNull(c.{name}, '') != ''" for key, name in LABEL_KEYS.items() if text_holds(key, operator, expected)
        ]
        if self._edited:
            test = self._text_test("key_lower", operator, expected)
            has.append(_among(_set("property", "1", f"key_lower NOT IN ({_LABELS}) AND {test}")))
        text = f"({' OR '.join(has)})"
        return text if operator is condition.operator else f"(NOT {text})"

    def _boolean(self, condition: Condition) -> str:
        """Return a comparison of a boolean; only feedback may be absent."""
        value = condition.value
        if condition.column != "feedback":
            flag = self._flag(condition.column)
            return "0" if value is None else f"({flag})" if value else f"(NOT {flag})"
        if value is None:
            return f"(NOT {_among(_set('feedback', '1'))})"
        given = _set("feedback", "argMax(number, version)")
        return _among(f"SELECT created_us, call_id FROM ({given}) WHERE value = {int(bool(value))}")

    def _annotated(self, values: str, condition: Condition) -> str:
        """Return a comparison of a number that was set."""
        if condition.value is None:
            return f"({'NOT ' if condition.operator is Operator.EQUALS else ''}{_among(values)})"
        return _among(f"SELECT created_us, call_id FROM ({values}) WHERE {self._number('value', condition)}")

    def _number(self, actual: str, condition: Condition) -> str:
        """Return a comparison of a number that may be NULL."""
        if condition.value is None:
            return f"({actual} IS {'' if condition.operator is Operator.EQUALS else 'NOT '}NULL)"
        bound = number_bound(condition.column, float(condition.value))
        return f"({actual} {_SIGNS[condition.operator]} {self._binder.number(bound)})"

    def _search(self, condition: Condition) -> str:
        """Return whether one side of the call has every word of the value."""
        asked = list(dict.fromkeys(words(str(condition.value))))
        found = f"hasAllTokens({_SIDES[condition.column]}, {self._binder.texts(asked)})" if asked else "1"
        return f"(NOT {found})" if condition.operator in POSITIVE else found

    def _set(self, kind: str, value: str, key: str) -> str:
        """Return the calls that an annotation of this *key* was set on, with what was set last."""
        return _set(kind, value, f"key_lower = {self._binder.text(key)}")


def columns_of(where: Filter) -> set[str]:
    """Return the columns that a flattened *where* names."""
    if isinstance(where, All | AnyOf):
        return {column for part in where.of for column in columns_of(part)}
    return {where.column} if isinstance(where, Condition) else set()


def narrowed(condition: str) -> str:
    """Return what holds for every call that *condition* holds for, told by rows as they are, merged or not.

    It is answered from indexes, and lets rows be merged for these calls alone.
    """
    return f"(c.created_us, c.id) IN (SELECT c.created_us, c.id FROM calls AS c WHERE c.{ORGANISATION} AND {condition})"


def compile_number(column: str) -> str:
    """Return a NUMBER column of calls `c`, in the unit it is kept in."""
    return _NUMBERS[column]


def compile_start(step: Step | None, offset_minutes: int, created_us: str = "c.created_us") -> str:
    """Return when a call's piece of time begins, as `grouping.piece_start` says."""
    if step is None:
        return "NULL"
    offset_us = int(offset_minutes) * STEP_US[Step.MINUTE]
    local = f"({created_us} + {offset_us})"
    if step in {Step.MONTH, Step.YEAR}:
        day = f"toDaysSinceYearZero(toStartOf{step.value.title()}(fromUnixTimestamp64Micro({local}, 'UTC')))"
        return f"((toInt64({day}) - {_EPOCH_DAY}) * {STEP_US[Step.DAY]} - {offset_us})"
    shift_us = MONDAY_US if step is Step.WEEK else 0
    return f"(intDiv({local} + {shift_us}, {STEP_US[step]}) * {STEP_US[step]} - {shift_us + offset_us})"


def _set(kind: str, value: str, keyed: str = "1") -> str:
    """Return the calls that annotations were set on; the last one wins, whether or not those before it are merged away."""
    return (
        f"SELECT created_us, call_id, {value} AS value FROM annotations "
        f"WHERE {ORGANISATION} AND kind = '{kind}' AND {keyed} GROUP BY created_us, call_id"
    )


def _among(keys: str) -> str:
    """Return whether the call is one that *keys*, a statement, finds; its two first columns are a call's key."""
    return f"((c.created_us, c.id) IN (SELECT created_us, call_id FROM ({keys})))"


def _joined(values: str) -> str:
    """Return a join that adds `a.value`, NULL where *values* have none."""
    return f"LEFT ANY JOIN ({values}) AS a ON a.created_us = c.created_us AND a.call_id = c.id"


def _like(pattern: str) -> str:
    """Return a LIKE *pattern* with each backslash before what it may stand before."""
    return "".join(
        "%" if piece is None else "_" if not piece else f"\\{piece}" if piece in "%_\\" else piece
        for piece in like_pieces(pattern)
    )
