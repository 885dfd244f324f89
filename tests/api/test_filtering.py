"""Helicone's filter JSON: both forms, every column, and a named place for whatever is not understood."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.api.columns import TABLES, Kept
from reenact.api.filtering import MAX_DEPTH, NOTHING, named_session, read_filter
from reenact.domain.filter import EVERYTHING, OPERATORS, All, AnyOf, Condition, Filter, Kind, Operator
from reenact.errors import InvalidFilter

ORGANISATION = "org"


def is_(column: str, value: str | float | bool | None, key: str | None = None) -> Condition:
    """Return an equals condition."""
    return Condition(column=column, operator=Operator.EQUALS, value=value, key=key)


def rmt(columns: dict[str, Any]) -> dict[str, Any]:
    """Return a leaf over the present table."""
    return {"request_response_rmt": columns}


UP, DOWN = is_("feedback", True), is_("feedback", False)
FAILED = rmt({"status": {"gte": 400}})


@pytest.mark.parametrize("raw", ["all", {}])
def test_two_forms_mean_everything(raw: Any) -> None:
    """The word and the empty object restrict nothing."""
    assert EVERYTHING == read_filter(raw, ORGANISATION)


@pytest.mark.parametrize(
    "raw",
    [
        {"properties": {"Helicone-Session-Id": {"equals": "s"}}},
        rmt({"properties": {"Helicone-Session-Id": {"equals": "s"}}}),
        {"left": {"properties": {"Helicone-Session-Id": {"equals": "s"}}}, "operator": "and", "right": "all"},
    ],
)
def test_the_guides_form_and_the_present_one_mean_the_same(raw: Any) -> None:
    """A session is named in the legacy table, in the present one, alone or in a branch."""
    assert is_("properties", "s", "Helicone-Session-Id") == read_filter(raw, ORGANISATION)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (rmt({"latency": {"gte": 1, "lt": "2.5"}}), [("latency_ms", "gte", 1.0), ("latency_ms", "lt", 2.5)]),
        (
            rmt({"status": {"equals": -3}, "model": {"like": "gpt%"}}),
            [("status", "equals", -3.0), ("model", "like", "gpt%")],
        ),
        (rmt({"cost": {"gt": 0.5}}), [("cost_dollars", "gt", 0.5)]),
        (rmt({"provider": {"equals": "OPENAI"}}), [("provider", "equals", "openai")]),
        (rmt({"user_id": {"equals": "null"}}), [("user_id", "equals", None)]),
        (rmt({"user_id": {"not-equals": "null"}}), [("user_id", "not-equals", None)]),
        (rmt({"user_id": {"equals": "__empty__"}}), [("user_id", "equals", "")]),
        (rmt({"request_body": {"contains": "flight"}}), [("request_body", "contains", "flight")]),
        (rmt({"helicone-score-feedback": {"equals": True}}), [("feedback", "equals", True)]),
        (rmt({"cached": {"equals": "false"}}), [("cached", "equals", False)]),
        (rmt({"property_key": {"equals": "app"}}), [("property_key", "equals", "app")]),
        (rmt({"request_created_at": {"gte": "1970-01-01T00:00:01.500Z"}}), [("created_us", "gte", 1_500_000.0)]),
        (rmt({"response_created_at": {"lt": "1970-01-01 01:00:00+01:00"}}), [("completed_us", "lt", 0.0)]),
        ({"request": {"created_at": {"lte": "1970-01-02"}}}, [("created_us", "lte", 86_400_000_000.0)]),
        ({"request": {"user_id": {"equals": "u"}}}, [("user_id", "equals", "u")]),
        ({"request": {"id": {"equals": "i"}}}, [("request_id", "equals", "i")]),
        ({"request": {"path": {"contains": "/chat"}}}, [("url", "contains", "/chat")]),
        ({"request": {"prompt": {"contains": "w"}}}, [("request_body", "contains", "w")]),
        ({"request": {"prompt_id": {"equals": "p"}}}, [("prompt_id", "equals", "p")]),
        ({"request": {"model": {"equals": "m"}}}, [("model", "equals", "m")]),
        ({"response": {"model": {"equals": "m"}}}, [("model", "equals", "m")]),
        ({"response": {"body_model": {"equals": "m"}}}, [("model", "equals", "m")]),
        ({"response": {"status": {"gte": 400}}}, [("status", "gte", 400.0)]),
        ({"response": {"body_tokens": {"gt": 9}}}, [("total_tokens", "gt", 9.0)]),
        ({"response": {"body_completion": {"contains": "w"}}}, [("response_body", "contains", "w")]),
        ({"feedback": {"rating": {"equals": False}}}, [("feedback", "equals", False)]),
        (
            {"sessions_request_response_rmt": {"session_session_id": {"equals": "s"}}},
            [("session_id", "equals", "s")],
        ),
        (
            {"sessions_request_response_rmt": {"session_session_name": {"contains": "n"}}},
            [("session_name", "contains", "n")],
        ),
    ],
)
def test_columns_and_operators(raw: Any, expected: list[tuple[str, str, Any]]) -> None:
    """Each leaf becomes the conditions of our columns, all of which must hold."""
    conditions = tuple(Condition(column=c, operator=Operator(o), value=v) for c, o, v in expected)

    assert (conditions[0] if len(conditions) == 1 else All(of=conditions)) == read_filter(raw, ORGANISATION)


def test_maps_name_their_key() -> None:
    """Properties, searches among them and scores are conditions on a key; a search matches a part of the value."""
    raw = rmt(
        {
            "properties": {"app": {"not-equals": "x"}},
            "search_properties": {"app": {"equals": "y"}},
            "scores": {"s": {"gt": "1"}},
        }
    )

    expected = All(
        of=(
            Condition(column="properties", operator=Operator.NOT_EQUALS, value="x", key="app"),
            Condition(column="properties", operator=Operator.CONTAINS, value="y", key="app"),
            Condition(column="scores", operator=Operator.GT, value=1.0, key="s"),
        )
    )
    assert expected == read_filter(raw, ORGANISATION)


def test_several_tables_in_a_leaf_must_all_hold() -> None:
    """Tables side by side are ANDed."""
    raw = {"request": {"user_id": {"equals": "u"}}, "properties": {"app": {"equals": "a"}}}

    assert All(of=(is_("user_id", "u"), is_("properties", "a", "app"))) == read_filter(raw, ORGANISATION)


def test_branches_nest_and_chains_are_flat() -> None:
    """And and or keep their meaning; a chain of the same word is one level."""
    one, two, three, four = (rmt({"user_id": {"equals": name}}) for name in "abcd")
    either = {"left": three, "operator": "or", "right": four}
    raw = {"left": one, "operator": "and", "right": {"left": two, "operator": "and", "right": either}}

    expected = All(of=(is_("user_id", "a"), is_("user_id", "b"), AnyOf(of=(is_("user_id", "c"), is_("user_id", "d")))))
    assert expected == read_filter(raw, ORGANISATION)


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ({"scores_column": {"not-equals": "{}"}}, AnyOf((is_("scored", True), UP, DOWN))),
        ({"scores_column": {"equals": "{}"}}, All((is_("scored", False), is_("feedback", None)))),
        ({"scores": {"Helicone-Score-Feedback": {"equals": "1"}}}, AnyOf((UP,))),
        ({"scores": {"helicone-score-feedback": {"lt": 2}}}, AnyOf((UP, DOWN))),
        ({"scores": {"helicone-score-feedback": {"gt": 1}}}, NOTHING),
        ({"scores": {"helicone-score-feedback": {"equals": "null"}}}, is_("feedback", None)),
    ],
)
def test_feedback_is_a_score(test: Any, expected: Filter) -> None:
    """As its row shows it: 1 for up, 0 for down."""
    assert expected == read_filter(rmt(test), ORGANISATION)


@pytest.mark.parametrize(
    ("column", "test", "expected"),
    [
        ("country_code", {"equals": "DE"}, NOTHING),
        ("country_code", {"not-equals": "DE"}, EVERYTHING),
        ("country_code", {"equals": "null"}, EVERYTHING),
        ("country_code", {"not-equals": "null"}, NOTHING),
        ("node_id", {"contains": "ai"}, NOTHING),
        ("node_id", {"not-contains": "ai"}, EVERYTHING),
        ("job_id", {"ilike": "%"}, EVERYTHING),
        ("is_passthrough_billing", {"equals": False}, EVERYTHING),
        ("is_passthrough_billing", {"equals": True}, NOTHING),
        ("organization_id", {"equals": ORGANISATION}, EVERYTHING),
        ("organization_id", {"equals": "another"}, NOTHING),
    ],
)
def test_columns_that_are_the_same_in_every_row(column: str, test: Any, expected: Filter) -> None:
    """What this server never fills in is decided at once: everything or nothing."""
    assert expected == read_filter(rmt({column: test}), ORGANISATION)


@pytest.mark.parametrize(("given", "kept"), [("00000000-0000-0000-0000-000000000000", ""), ("c0", "c0")])
def test_no_reference_is_the_zero_uuid(given: str, kept: str) -> None:
    """As Helicone writes that a call was not answered from the cache."""
    read = read_filter(rmt({"cache_reference_id": {"equals": given}}), ORGANISATION)

    assert is_("cache_reference_id", kept) == read


def test_nothing_and_something_is_nothing_or_something() -> None:
    """A branch that can never hold empties an and, and leaves an or alone."""
    never, some = rmt({"is_passthrough_billing": {"equals": True}}), rmt({"user_id": {"equals": "u"}})

    assert NOTHING == read_filter({"left": never, "operator": "and", "right": some}, ORGANISATION)
    assert is_("user_id", "u") == read_filter({"left": never, "operator": "or", "right": some}, ORGANISATION)


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (None, "filter"),
        ([], "filter"),
        ("every", "filter"),
        (True, "filter"),
        ({"unknown": {}}, "filter.unknown"),
        ({"values": {"x": {"equals": "y"}}}, "filter.values"),
        (rmt({"foo": {"equals": 1}}), "filter.request_response_rmt.foo"),
        ({"left": rmt({"foo": {}}), "operator": "and", "right": "all"}, "filter.left.request_response_rmt.foo"),
        ({"left": "all", "operator": "and", "right": {"left": "all"}}, "filter.right.operator"),
        ({"left": "all", "operator": "xor", "right": "all"}, "filter.operator"),
        ({"left": "all", "operator": "or"}, "filter.right"),
        ({"left": "all", "operator": "or", "right": "all", "request": {}}, "filter.request"),
        (rmt({"latency": {"contains": 1}}), "filter.request_response_rmt.latency.contains"),
        (rmt({"latency": {"gte": "soon"}}), "filter.request_response_rmt.latency.gte"),
        (rmt({"latency": {"gte": "nan"}}), "filter.request_response_rmt.latency.gte"),
        (rmt({"latency": {"gte": True}}), "filter.request_response_rmt.latency.gte"),
        (rmt({"latency": {"gte": 10**400}}), "filter.request_response_rmt.latency.gte"),
        (rmt({"user_id": {"equals": ["u"]}}), "filter.request_response_rmt.user_id.equals"),
        (rmt({"cached": {"equals": "yes"}}), "filter.request_response_rmt.cached.equals"),
        (rmt({"cached": {"not-equals": True}}), "filter.request_response_rmt.cached.not-equals"),
        (rmt({"request_created_at": {"gte": 5}}), "filter.request_response_rmt.request_created_at.gte"),
        (rmt({"request_created_at": {"gte": "tomorrow"}}), "filter.request_response_rmt.request_created_at.gte"),
        (rmt({"request_created_at": {"equals": "null"}}), "filter.request_response_rmt.request_created_at.equals"),
        (rmt({"scores": {"s": {"like": "%"}}}), "filter.request_response_rmt.scores.s.like"),
        (rmt({"scores_column": {"equals": "x"}}), "filter.request_response_rmt.scores_column.equals"),
        (rmt({"property_key": {"contains": "x"}}), "filter.request_response_rmt.property_key.contains"),
        ({"request_response_rmt": {"assets": {"contains": "x"}}}, "filter.request_response_rmt.assets"),
        ({"users_view": {"user_user_id": {"equals": "x"}}}, "filter.users_view"),
        (
            {"sessions_request_response_rmt": {"session_total_cost": {"gt": 1}}},
            "filter.sessions_request_response_rmt.session_total_cost",
        ),
        ({"properties": {"Helicone-Session-Id": {}}}, "filter.properties.Helicone-Session-Id"),
        ({"properties": {}}, "filter.properties"),
        ({"properties": {"x": "y"}}, "filter.properties.x"),
        (rmt({}), "filter.request_response_rmt"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(raw: Any, place: str) -> None:
    """Nothing unknown is ever read as everything, and a condition whose value was undefined is none."""
    with pytest.raises(InvalidFilter) as raised:
        read_filter(raw, ORGANISATION)

    assert place == raised.value.field


def test_depth_and_size_are_bounded() -> None:
    """A filter nested too deep, or with too many conditions, is refused."""
    deep: Any = "all"
    for _ in range(MAX_DEPTH + 1):
        deep = {"left": deep, "operator": "and", "right": "all"}
    wide = {"properties": {str(number): {"equals": "x"} for number in range(501)}}

    with pytest.raises(InvalidFilter, match="nested"):
        read_filter(deep, ORGANISATION)
    with pytest.raises(InvalidFilter, match="conditions"):
        read_filter(wide, ORGANISATION)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"properties": {"helicone-session-id": {"equals": "s"}}}, "s"),
        ({"sessions_request_response_rmt": {"session_session_id": {"equals": "s"}}}, "s"),
        ({"left": FAILED, "operator": "and", "right": {"properties": {"Helicone-Session-Id": {"equals": "s"}}}}, "s"),
        ({"left": FAILED, "operator": "or", "right": {"properties": {"Helicone-Session-Id": {"equals": "s"}}}}, None),
        ({"properties": {"Helicone-Session-Id": {"contains": "s"}}}, None),
        ("all", None),
    ],
)  # fmt: skip
def test_the_one_session_that_a_filter_names(raw: Any, expected: str | None) -> None:
    """Only a condition that every match must meet names a session."""
    assert expected == named_session(read_filter(raw, ORGANISATION))


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_kept_column_takes_its_operators(table: str) -> None:
    """Every column of every table that is kept can be asked with each of its operators."""
    values: dict[Kind, Any] = {Kind.NUMBER: 1, Kind.NUMBER_MAP: 1, Kind.BOOLEAN: True, Kind.TIME: "2026-01-01"}
    for column, meaning in TABLES[table].items():
        if isinstance(meaning, Kept):
            for operator in meaning.operators & OPERATORS[meaning.kind]:
                test: Any = {operator.value: values.get(meaning.kind, "x")}
                is_map = meaning.kind in (Kind.MAP, Kind.NUMBER_MAP)
                assert EVERYTHING != read_filter({table: {column: {"k": test} if is_map else test}}, ORGANISATION)


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["left", "right", "operator", "properties", "request_response_rmt", "equals", "gte", "status"]
            )
            | st.text(),
            inner,
            max_size=3,
        )
    ),
    max_leaves=20,
)


@given(_json)
def test_any_json_is_a_filter_or_a_named_refusal(raw: Any) -> None:
    """Whatever is sent, it is read or refused with a place; nothing else is ever raised."""
    try:
        found: Filter | str = read_filter(raw, ORGANISATION)
    except InvalidFilter as error:
        found = error.field

    assert not isinstance(found, str) or found.startswith("filter")
