"""What a Filter means, in plain Python: the reference that every store is tested against.

Rules: absent text is the empty string, and None as a value means the same; an absent number satisfies no comparison but
`equals None`. A negative operator holds when its positive one does not. `contains` and `ilike` ignore the case of ASCII
letters, `like` does not; `like` and `ilike` take SQL wildcards: percent, underscore, a backslash before a literal one.
Keys of maps are compared lower-cased. A search holds when the text has every word of the value, in any order and case.
"""

import math
import operator as operators
import re
from collections.abc import Callable

import msgspec

from reenact.domain.call import Call
from reenact.domain.filter import COLUMNS, OPERATORS, All, AnyOf, Condition, Everything, Filter, Kind, OneOf, Operator
from reenact.errors import InvalidFilter

MOST_CONDITIONS = 500
"""In one filter; databases bound the size of an expression."""
MOST_DEPTH = 20
"""Of ANDs of ORs of ANDs; databases bound the depth of what they parse."""
MOST_PATTERN_BYTES = 50_000
"""In one text value; databases bound the length of a pattern."""

POSITIVE = {Operator.NOT_EQUALS: Operator.EQUALS, Operator.NOT_CONTAINS: Operator.CONTAINS}
"""The operator that a negative one is the opposite of."""
ARITHMETIC: dict[Operator, Callable[[float, float], bool]] = {
    Operator.EQUALS: operators.eq,
    Operator.NOT_EQUALS: operators.ne,
    Operator.GTE: operators.ge,
    Operator.LTE: operators.le,
    Operator.GT: operators.gt,
    Operator.LT: operators.lt,
}
LABEL_KEYS = {
    "helicone-session-id": "session_id",
    "helicone-session-name": "session_name",
    "helicone-session-path": "session_path",
    "helicone-prompt-id": "prompt_id",
}
"""Property keys, lower-cased, that are labels of their own; they read and write the label (surface 1.2)."""

_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
# Scripts written without blanks: each character is a word.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")


class Texts(msgspec.Struct, frozen=True):
    """What a call's search looks through."""

    request: str = ""
    response: str = ""


NO_TEXTS = Texts()


def matches(where: Filter, call: Call, texts: Texts = NO_TEXTS) -> bool:
    """Return whether *call* is one that *where* asks for.

    Raises:
        InvalidFilter: an unknown column, an operator that its column does not take, or a value of the wrong type.
    """
    match where:
        case Everything():
            return True
        case All(of):
            # Every part is asked, so that a filter is refused or not whatever the call.
            return min((matches(part, call, texts) for part in of), default=True)
        case AnyOf(of):
            return max((matches(part, call, texts) for part in of), default=False)
        case OneOf():
            check_one_of(where)
            return (_text(where.column, call) in where.values) != where.are_excluded
        case Condition():
            return _holds(where, call, texts)


def flatten(where: Filter) -> Filter:
    """Return the same filter as shallow as it can be written: what a store compiles.

    Raises:
        InvalidFilter: it has more than MOST_CONDITIONS, or is deeper than MOST_DEPTH even so.
    """
    flat = _flat(where)
    if _size(flat) > MOST_CONDITIONS:
        raise InvalidFilter(f"A filter may have {MOST_CONDITIONS} conditions")
    if _depth(flat) > MOST_DEPTH:
        raise InvalidFilter(f"A filter may be {MOST_DEPTH} levels deep")
    return flat


def check(condition: Condition) -> Kind:
    """Return what the column of *condition* holds, once column, operator, key and value are known to fit.

    Raises:
        InvalidFilter: they do not.
    """
    kind = COLUMNS.get(condition.column)
    if kind is None:
        raise InvalidFilter(f"There is no column {condition.column!r} to filter by", condition.column)
    if condition.operator not in OPERATORS[kind]:
        raise InvalidFilter(f"{condition.column} cannot be compared with {condition.operator.value}", condition.column)
    if (kind in {Kind.MAP, Kind.NUMBER_MAP}) != (condition.key is not None):
        raise InvalidFilter(f"{condition.column} takes {'a' if condition.key is None else 'no'} key", condition.column)
    if not _fits(kind, condition):
        raise InvalidFilter(f"{condition.value!r} is no value to compare {condition.column} with", condition.column)
    return kind


def check_one_of(where: OneOf) -> None:
    """Refuse a column that has no single text.

    Raises:
        InvalidFilter: it has none.
    """
    if COLUMNS.get(where.column) is not Kind.TEXT or where.column == "property_key":
        raise InvalidFilter(f"{where.column!r} cannot be one of several texts", where.column)


def text_holds(actual: str, operator: Operator, expected: str) -> bool:
    """Return whether *actual* satisfies a positive *operator*."""
    match operator:
        case Operator.EQUALS:
            return actual == expected
        case Operator.CONTAINS:
            return fold(expected) in fold(actual)
        case Operator.LIKE:
            return bool(like_regex(expected).fullmatch(actual))
        case _:
            return bool(like_regex(fold(expected)).fullmatch(fold(actual)))


def fold(text: str) -> str:
    """Return *text* with ASCII letters lower-cased, the case folding that all stores share."""
    return text.translate(_ASCII_LOWER)


def like_pieces(pattern: str) -> list[str | None]:
    """Return *pattern* as literal characters, with `%` as None and `_` as the empty string."""
    pieces: list[str | None] = []
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            pieces.append(next(characters, "\\"))
        else:
            pieces.append(None if character == "%" else "" if character == "_" else character)
    return pieces


def like_regex(pattern: str) -> re.Pattern[str]:
    """Return the regular expression that a LIKE *pattern* means."""
    pieces = (".*" if piece is None else re.escape(piece) if piece else "." for piece in like_pieces(pattern))
    return re.compile("".join(pieces), re.DOTALL)


def words(text: str) -> list[str]:
    """Return the words of *text* in order, case-folded; unspaced scripts give one word for each character."""
    return _WORD.findall(text.casefold())


def number_bound(column: str, value: float) -> float:
    """Return *value* in the unit that *column* is kept in: dollars become whole nanodollars."""
    scaled = value * 1e9 if column == "cost_dollars" else value
    return float(round(scaled)) if column == "cost_dollars" and math.isfinite(scaled) else scaled


def _flat(where: Filter) -> Filter:
    """Return *where* with ANDs inside ANDs and ORs inside ORs made one, and lone parts unwrapped."""
    if not isinstance(where, All | AnyOf):
        return where
    parts: list[Filter] = []
    for part in map(_flat, where.of):
        parts.extend(part.of if isinstance(part, All | AnyOf) and type(part) is type(where) else [part])
    return parts[0] if len(parts) == 1 else type(where)(tuple(parts))


def _size(where: Filter) -> int:
    """Return how many conditions *where* has."""
    return sum(map(_size, where.of)) if isinstance(where, All | AnyOf) else 1


def _depth(where: Filter) -> int:
    """Return how many branches stand inside one another in *where*."""
    return 1 + max(map(_depth, where.of), default=0) if isinstance(where, All | AnyOf) else 0


def _fits(kind: Kind, condition: Condition) -> bool:
    """Return whether the value is one that a column of *kind* can be compared with."""
    value = condition.value
    if value is None:
        return kind not in {Kind.SEARCH, Kind.TIME} and (condition.operator in {Operator.EQUALS, Operator.NOT_EQUALS})
    match kind:
        case Kind.TEXT | Kind.MAP:
            return isinstance(value, str) and len(value.encode(errors="replace")) <= MOST_PATTERN_BYTES
        case Kind.SEARCH:
            return isinstance(value, str) and bool(words(value) or not value.strip())
        case Kind.BOOLEAN:
            return isinstance(value, bool)
        case Kind.NUMBER | Kind.TIME | Kind.NUMBER_MAP:
            return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _holds(condition: Condition, call: Call, texts: Texts) -> bool:
    """Return whether one condition holds."""
    kind = check(condition)
    positive = POSITIVE.get(condition.operator, condition.operator)
    is_negative = positive is not condition.operator
    column, value = condition.column, condition.value
    match kind:
        case Kind.SEARCH:
            text = texts.request if column == "request_body" else texts.response
            return (set(words(str(value))) <= set(words(text))) != is_negative
        case Kind.TEXT if column == "property_key":
            return any(text_holds(key, positive, str(value or "").lower()) for key in _keys(call)) != is_negative
        case Kind.TEXT:
            return text_holds(_text(column, call), positive, str(value or "")) != is_negative
        case Kind.MAP:
            actual = _properties(call).get(str(condition.key).lower(), "")
            return text_holds(actual, positive, str(value or "")) != is_negative
        case Kind.NUMBER_MAP:
            scores = {name.lower(): score for name, score in call.scores.items()}
            return _number_holds(scores.get(str(condition.key).lower()), condition)
        case Kind.BOOLEAN:
            return _boolean(column, call) is value
        case Kind.NUMBER | Kind.TIME:
            return _number_holds(_number(column, call), condition)


def _number_holds(actual: float | None, condition: Condition) -> bool:
    """Return whether a number, or its absence, satisfies *condition*."""
    if condition.value is None:
        return (actual is None) == (condition.operator is Operator.EQUALS)
    return actual is not None and ARITHMETIC[condition.operator](
        actual, number_bound(condition.column, float(condition.value))
    )


def _properties(call: Call) -> dict[str, str]:
    """Return every property of *call*, labels among them, by lower-cased key."""
    labels = {key: getattr(call.labels, name) or "" for key, name in LABEL_KEYS.items()}
    return {key.lower(): value for key, value in call.labels.properties.items()} | labels


def _keys(call: Call) -> list[str]:
    """Return the lower-cased keys of the properties that *call* has; an empty label is none."""
    return [key for key, value in _properties(call).items() if value or key not in LABEL_KEYS]


def _text(column: str, call: Call) -> str:
    """Return what *call* has in a text column; the empty string when nothing."""
    match column:
        case "request_id":
            return call.id
        case "prompt_version":
            return ""
        case "cache_reference_id":
            return call.handling.cache_reference_id or ""
        case "referrer":
            return call.handling.referrer
        case "session_id" | "session_name" | "session_path" | "prompt_id" | "user_id" | "model_override":
            return getattr(call.labels, column) or ""
        case _:
            return getattr(call, column) or ""


def _number(column: str, call: Call) -> float | None:
    """Return what *call* has in a number or time column, in the unit it is kept in."""
    match column:
        case "completed_us":
            return call.created_us + call.duration_us
        case "latency_ms":
            return call.duration_us // 1000
        case "first_token_ms":
            return None if call.first_token_us is None else call.first_token_us // 1000
        case "cost_dollars":
            return call.cost_nanodollars
        case "created_us":
            return call.created_us
        case "status":
            return call.status
        case _:
            tokens: int | None = getattr(call.usage, column)
            return tokens


def _boolean(column: str, call: Call) -> bool | None:
    """Return what *call* has in a boolean column."""
    match column:
        case "feedback":
            return call.feedback
        case "scored":
            return bool(call.scores)
        case "threat":
            return call.handling.is_threat
        case "cache_enabled":
            return call.handling.cache_enabled
        case _:
            return call.handling.cache_reference_id is not None
