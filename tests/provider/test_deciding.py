"""The scripted provider's pure parts: faults, scripts, counting, choosing, phrasing, manners, schemas."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.domain.message import Message, Prompt, Role, Text, ToolResult
from reenact.errors import InvalidInput
from reenact.provider.choosing import Chooser
from reenact.provider.counting import count_text, pieces
from reenact.provider.fault import Fault
from reenact.provider.faulting import marked_fault, read_fault, without_marker
from reenact.provider.filling import Filler
from reenact.provider.manner import Manner, read_manner
from reenact.provider.phrasing import names, numbers, topics
from reenact.provider.script import Match, Rule, Script, ScriptedCall
from reenact.provider.scripting import new_results, read_script, user_text
from tests.dialects.shapes import json_values


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", Fault()),
        ("delay=200ms", Fault(delay_ms=200)),
        ("delay=2s; slow=50ms", Fault(delay_ms=2000, slow_ms=50)),
        ("status=429;retry-after=1;times=2", Fault(status=429, retry_after_seconds=1, times=2)),
        ("cut=3;malformed;wrong-length;hang", Fault(cut_after=3, is_malformed=True, has_wrong_length=True, hangs=True)),
    ],
)
def test_faults_are_read(text: str, fault: Fault) -> None:
    """Words parted by semicolons."""
    assert read_fault(text) == fault


@pytest.mark.parametrize("text", ["explode", "delay=5", "status=high", "cut", "malformed=1"])
def test_unknown_faults_are_refused(text: str) -> None:
    """By the word that is none."""
    with pytest.raises(InvalidInput, match=f"`{text}` is no fault"):
        read_fault(text)


def test_a_marker_is_found_and_taken_out() -> None:
    """So that the answer does not speak of it."""
    assert marked_fault("Hello [[fault: cut=3]] there") == " cut=3"
    assert without_marker("Hello [[fault: cut=3]] there") == "Hello there"
    assert marked_fault("Hello") is None


def test_scripts_are_read_from_yaml_and_json() -> None:
    """Alike."""
    script = Script(
        rules=(
            Rule(match=Match(model="gpt-*", user="ping"), text="pong"),
            Rule(
                match=Match(after_tool=False),
                tool_calls=(ScriptedCall(name="find", arguments={"a": 1}),),
                fault="cut=3",
            ),
        )
    )
    yaml = b"""
rules:
  - match: {model: gpt-*, user: ping}
    text: pong
  - match: {after_tool: false}
    tool_calls: [{name: find, arguments: {a: 1}}]
    fault: cut=3
"""
    assert read_script(yaml) == script
    assert read_script(msgspec.json.encode(script)) == script


@pytest.mark.parametrize("content", [b"rules: [{say: hello}]", b"rules: 3", b"[", b"rules: [{fault: explode}]"])
def test_bad_scripts_are_refused(content: bytes) -> None:
    """Before the first request comes."""
    with pytest.raises(InvalidInput):
        read_script(content)


@given(st.text())
def test_pieces_are_the_text(text: str) -> None:
    """Nothing is lost by cutting, and there are as many as are counted."""
    assert "".join(pieces(text)) == text
    assert count_text(text) == len(pieces(text))


def test_choices_follow_their_seed() -> None:
    """The same seed chooses the same, another something else sooner or later."""

    def row(seed: bytes) -> list[int]:
        chooser = Chooser(seed)
        return [chooser.number(100) for _ in range(20)]

    assert row(b"a") == row(b"a")
    assert row(b"a") != row(b"b")
    assert all(0 <= number < 100 for number in row(b"a"))
    assert sorted(Chooser(b"a").several([1, 2, 3], 5)) == [1, 2, 3]


def test_topics_are_what_a_text_is_about() -> None:
    """Runs of telling words; a sentence's first capital is not a name's."""
    assert topics("Economic resources should focus on immediate human needs rather than combating climate change.") == [
        "economic resources",
        "immediate human needs",
        "climate change",
    ]
    assert topics("What's the capital of France?") == ["capital", "France"]
    assert topics("And so on.") == []


def test_names_and_numbers_are_found() -> None:
    """They become the arguments of tools."""
    assert names('Book "seat 3A" on flight HAT136 for Ann Lee.') == ["seat 3A", "HAT136", "Ann Lee"]
    assert numbers("From 3 to -2.5, not A4") == [3.0, -2.5]


@pytest.mark.parametrize(
    ("system", "user", "manner"),
    [
        ("Keep responses concise.", "Hi", Manner(is_concise=True)),
        (
            "Take the persona of a field expert and provide more persuasive arguments.",
            "Hi",
            Manner(is_expert=True, is_persuasive=True),
        ),
        ("Answer in German.", "Use two sentences.", Manner(language="german", sentences=2)),
        ("Use 50 words.", "Use 10 words.", Manner(words=10)),
        ("", 'Just say "pong".', Manner(exactly="pong")),
    ],
)
def test_manners_are_read(system: str, user: str, manner: Manner) -> None:
    """The user's newest word goes before the system's."""
    assert read_manner(system, user) == manner


def test_only_the_newest_results_are_new() -> None:
    """What the user says after them closes the matter."""
    result = ToolResult("c", "3")
    asked = Message(role=Role.USER, parts=(Text("Hi"),))
    given_back = Message(role=Role.TOOL, parts=(result,))
    assert new_results(Prompt(dialect="d", model="m", messages=(asked, given_back, given_back))) == (result, result)
    assert new_results(Prompt(dialect="d", model="m", messages=(given_back, asked))) == ()
    assert user_text(Prompt(dialect="d", model="m", messages=(asked, given_back))) == "Hi"


def fits(value: Any, schema: Any) -> bool:
    """Return whether *value* is one that the schema's type and bounds allow."""
    match schema.get("type"):
        case "object":
            return set(schema.get("required", [])) <= set(value) and all(
                fits(one, schema["properties"][key]) for key, one in value.items()
            )
        case "array":
            bounded = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 99)
            return bounded and all(fits(one, schema["items"]) for one in value)
        case "integer":
            return isinstance(value, int) and schema["minimum"] <= value <= schema["maximum"]
        case "string":
            return isinstance(value, str) and schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 99)
        case "boolean":
            return isinstance(value, bool)
        case _:
            return value in schema["enum"]


digits = st.integers(0, 9)
leaves = st.one_of(
    st.just({"type": "boolean"}),
    st.builds(
        lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more},
        st.integers(-9, 9),
        st.integers(0, 9),
    ),
    st.builds(
        lambda low, more: {"type": "string", "minLength": low, "maxLength": low + more},
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    st.builds(lambda values: {"enum": values}, st.lists(st.text(max_size=4) | st.none(), min_size=1)),
)
schemas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda item, low: {"type": "array", "items": item, "minItems": low}, inner, st.integers(0, 3)),
        st.dictionaries(st.text(max_size=4), inner, max_size=3).map(
            lambda properties: {"type": "object", "properties": properties, "required": list(properties)}
        ),
    ),
    max_leaves=6,
)


@given(schemas, st.text(max_size=30), st.binary(max_size=4))
def test_filled_values_fit_their_schema(schema: Any, text: str, seed: bytes) -> None:
    """Whatever was said."""
    assert fits(Filler(schema, text, Chooser(seed)).fill(), schema)


def test_schemas_may_refer_to_themselves() -> None:
    """The value ends nevertheless."""
    tree: Any = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}},
        "required": ["name", "children"],
    }
    assert set(Filler(tree, "oak", Chooser(b"a")).fill()) == {"name", "children"}


@given(json_values)
def test_odd_schemas_never_raise(schema: Any) -> None:
    """They are a client's to write."""
    Filler(schema, "oak", Chooser(b"a")).fill()


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "OBJECT", "properties": {"n": {"type": "INTEGER", "maximum": -5, "minimum": -5}}}, {"n": -5}),
        ({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5}, 4),
        ({"type": ["null", "string"], "format": "email"}, "ann@example.com"),
        ({"anyOf": [{"type": "null"}, {"const": 7}]}, 7),
        ({"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]}, {"a": 1, "b": 2}),
        ({"type": "null"}, None),
    ],
)
def test_schemas_leave_one_value(schema: Any, expected: Any) -> None:
    """Then it is that one."""
    assert Filler(schema, "", Chooser(b"a")).fill() == expected
