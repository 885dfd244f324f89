"""Tests of `domain.filtering`: single meanings, one at a time. Stores are checked against it in tests/store."""

import msgspec
import pytest

from reenact.domain.filter import COLUMNS, All, AnyOf, Condition, Everything, Kind, Operator
from reenact.domain.filtering import Texts, flatten, matches, words
from reenact.domain.labels import Labels
from reenact.domain.message import Usage
from tests.store.given import CREATED_US, given_reading

CALL = msgspec.structs.replace(
    given_reading().call,
    labels=Labels(session_id="s1", session_path="/Plan/Trip", prompt_id="p1", properties={"App": "Demo 50%"}),
    usage=Usage(input_tokens=10, output_tokens=5),
    cost_nanodollars=1_200_000,
    first_token_us=700_999,
    scores={"Quality": 0.5},
    feedback=True,
)
TEXTS = Texts(request="Where to go in spring? 東京", response="To Málaga.")


def condition(column: str, operator: str, value: str | float | bool | None, key: str | None = None) -> Condition:
    """A condition in short."""
    return Condition(column=column, operator=Operator(operator), value=value, key=key)


@pytest.mark.parametrize(
    "held",
    [
        condition("request_id", "equals", CALL.id),
        condition("session_path", "contains", "plan/t"),
        condition("session_path", "like", "/Plan%"),
        condition("session_path", "ilike", "/plan/____"),
        condition("user_id", "equals", None),
        condition("user_id", "not-equals", "u"),
        condition("user_id", "not-contains", "u"),
        condition("user_id", "like", "%"),
        condition("prompt_version", "equals", ""),
        condition("properties", "equals", "Demo 50%", "aPP"),
        condition("properties", "like", "%50\\%", "app"),
        condition("properties", "equals", None, "missing"),
        condition("properties", "not-equals", "x", "missing"),
        condition("properties", "equals", "s1", "helicone-SESSION-id"),
        condition("property_values", "contains", "demo", "app"),
        condition("property_key", "equals", "APP"),
        condition("property_key", "equals", "Helicone-Prompt-Id"),
        condition("property_key", "not-equals", "Helicone-Session-Name"),
        condition("created_us", "gte", CREATED_US + 1_000_000),
        condition("completed_us", "equals", CREATED_US + 2_500_000),
        condition("latency_ms", "lt", 1500.5),
        condition("first_token_ms", "equals", 700),
        condition("total_tokens", "equals", 15),
        condition("cache_read_tokens", "equals", None),
        condition("cost_dollars", "equals", 0.0012),
        condition("cost_dollars", "not-equals", None),
        condition("scores", "gt", 0.4, "quality"),
        condition("scores", "equals", None, "speed"),
        condition("scored", "equals", True),
        condition("cached", "equals", False),
        condition("feedback", "equals", True),
        condition("request_body", "contains", "SPRING where"),
        condition("request_body", "like", "%京%"),
        condition("response_body", "not-contains", "spring"),
    ],
)
def test_what_holds(held: Condition) -> None:
    """Each of these is true of the call."""
    assert matches(held, CALL, TEXTS)


@pytest.mark.parametrize(
    "wrong",
    [
        condition("request_id", "not-equals", CALL.id),
        condition("session_path", "like", "/plan%"),
        condition("session_path", "contains", "plan%"),
        condition("session_path", "ilike", "plan"),
        condition("properties", "like", "demo%", "app"),
        condition("properties", "equals", "Demo 50%", "other"),
        condition("property_key", "equals", "Helicone-Session-Name"),
        condition("cache_read_tokens", "gte", 0),
        condition("cache_read_tokens", "not-equals", 5),
        condition("scores", "not-equals", 1, "speed"),
        condition("created_us", "gt", CREATED_US + 1_000_000),
        condition("feedback", "equals", None),
        condition("cached", "equals", None),
        condition("request_body", "contains", "spr"),
        condition("request_body", "contains", "malaga"),
    ],
)
def test_what_does_not_hold(wrong: Condition) -> None:
    """Each of these is false of the call."""
    assert not matches(wrong, CALL, TEXTS)


def test_branches_hold_as_logic_says() -> None:
    """All of nothing is true, any of nothing is false."""
    yes, no = condition("status", "equals", 200), condition("status", "equals", 500)
    held = (Everything(), All(()), All((yes, yes)), AnyOf((no, yes)))
    wrong = (AnyOf(()), All((yes, no)), AnyOf((no, no)))
    assert [matches(where, CALL) for where in (*held, *wrong)] == [True] * 4 + [False] * 3


def test_flatten_joins_like_branches() -> None:
    """Chains of two become lists, lone parts lose their branch, unlike branches stay apart."""
    one, two, three = (condition("status", "equals", number) for number in (1, 2, 3))
    assert flatten(All((one, All((two, AnyOf((three,))))))) == All((one, two, three))
    assert flatten(AnyOf((one, All((two, three))))) == AnyOf((one, All((two, three))))
    assert flatten(All((AnyOf((All((one,)),)),))) == one


def test_words_are_folded_runs_of_letters() -> None:
    """Punctuation parts words, an underscore does not, unspaced scripts give one word for each character."""
    assert words("Don't STRASSE straße snake_case 3.5 東京へ ok") == [
        *("don", "t", "strasse", "strasse", "snake_case", "3", "5"),
        *("東", "京", "へ", "ok"),
    ]


def test_every_column_can_be_read() -> None:
    """No column of the table is forgotten here: each takes some condition."""
    given: dict[Kind, Condition] = {
        Kind.TEXT: condition("", "equals", "x"),
        Kind.NUMBER: condition("", "gt", 1),
        Kind.TIME: condition("", "gt", 1),
        Kind.BOOLEAN: condition("", "equals", True),
        Kind.SEARCH: condition("", "contains", "x"),
        Kind.MAP: condition("", "equals", "x", "k"),
        Kind.NUMBER_MAP: condition("", "gt", 1, "k"),
    }
    for column, kind in COLUMNS.items():
        assert matches(msgspec.structs.replace(given[kind], column=column), CALL) in {True, False}
