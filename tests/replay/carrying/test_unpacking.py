"""Literals inside texts are found, and come back as they were written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from reenact.replay.carrying.spelling import DOCUMENT_SPELLINGS, spell
from reenact.replay.carrying.unpacking import documents_in, nodes_of, replaced

leaves = some.text(max_size=20) | some.integers(-99, 99) | some.booleans() | some.none()
values = some.recursive(
    leaves, lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3)
)
documents = some.lists(values, min_size=1, max_size=3) | some.dictionaries(
    some.text(max_size=5), values, min_size=1, max_size=3
)


@given(value=documents, spelling=some.sampled_from(DOCUMENT_SPELLINGS))
def test_a_literal_in_a_text_is_read_and_written_as_it_was(value: object, spelling: str) -> None:
    """In every spelling, wherever it stands."""
    written = spell(spelling, value)
    assert written is not None

    found = documents_in(f"Here: {written} - that is all.")

    if len(written) >= 4:
        (one,) = found
        assert written == spell(one.spelling, one.value)
        assert value == one.value


@given(value=documents)
def test_replacing_nothing_changes_nothing(value: object) -> None:
    """And replacing the whole gives the other value."""
    assert (value, "x") == (replaced(value, {}, {}), replaced(value, {(): "x"}, {}))


def test_one_text_is_replaced_where_it_stands() -> None:
    """All else stays."""
    value = {"a": ["x", {"b": "y"}], "c": 1}

    assert {"a": ["x", {"b": "z"}], "c": 1} == replaced(value, {("a", 1, "b"): "z"}, {})


def test_a_name_is_replaced_where_it_stands() -> None:
    """Its value and the order stay; of two that come to the same name the later value stands, as in the program."""
    value = {"a": {"x": 1}, "b": 2, "c": 3}

    assert [("new", {"y": 1}), ("b", 3)] == list(
        replaced(value, {}, {("a",): "new", ("a", "x"): "y", ("c",): "b"}).items()
    )


@pytest.mark.parametrize("text", ["no literal", "[Oslo]", "{name}", "f(x[1])", '{"a": 1,   "b": 2}', "[" * 500])
def test_what_is_no_literal_in_a_known_spelling_is_left_alone(text: str) -> None:
    """Also what would not come back as it was written."""
    assert [] == [one for one in documents_in(text) if one.stop - one.start > 3]


def test_nodes_come_with_the_way_to_them() -> None:
    """Outer ones first."""
    assert [(), ("a",), ("a", 0)] == [steps for steps, _ in nodes_of({"a": ["x"]})]


def test_a_json_document_inside_words_is_found() -> None:
    """With its exact place."""
    text = f"Facts:\n{json.dumps({'title': 'Sun'}, indent=2)}\nEnd."

    (one,) = documents_in(text)

    assert ("JSON indented by 2", {"title": "Sun"}, text.index("{"), text.index("\nEnd")) == (
        one.spelling, one.value, one.start, one.stop,
    )  # fmt: skip
