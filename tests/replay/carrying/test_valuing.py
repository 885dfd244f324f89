"""The values of an answer, and the same places of another answer."""

import json

import pytest

from reenact.replay.carrying.valuing import (
    MISSING,
    Place,
    document_in,
    item_in,
    length_at,
    lists_on,
    value_at,
    with_item,
)
from tests.replay.carrying.tapes import answer, said

PLAN = {"title": "Sun", "tasks": ["measure the light", "draw the map"], "size": {"days": 3}}


@pytest.mark.parametrize(
    ("text", "place", "value"),
    [
        (json.dumps(PLAN), Place("json", 0, ("tasks", 1)), "draw the map"),
        (f"Here you are:\n```json\n{json.dumps(PLAN)}\n```\nDone.", Place("json", 0, ("size", "days")), 3),
        (f"Sure! {json.dumps(PLAN)}", Place("json", 0, ("title",)), "Sun"),
        (json.dumps(PLAN), Place("json", 0, ("tasks", 2)), MISSING),
        ("no JSON", Place("json", 0, ("title",)), MISSING),
        ("Topic: solar power\nTone: dry", Place("label", 0, ("Topic",)), "solar power"),
        ("List:\n1. first thing\n2. second thing", Place("item", 1), "second thing"),
        ("One.\n\nTwo.", Place("paragraph", 1), "Two."),
        ("See:\n```python\nprint(1)\n```", Place("block", 0), "print(1)"),
        ("whole text", Place("text"), "whole text"),
        ("   ", Place("text"), MISSING),
        ("one line", Place("line", 3), MISSING),
    ],
)
def test_values_at_places(text: str, place: Place, value: object) -> None:
    """What is not there is missing."""
    assert value == value_at(answer(said(text)), place)


def test_arguments_have_places_too() -> None:
    """By the number of the tool call."""
    one = answer(said(None, ("a", "ask", {"task": "dig"}), ("b", "ask", {"task": "sow"})))

    assert ("sow", MISSING) == (value_at(one, Place("tool_use", 1, ("task",))), value_at(one, Place("tool_use", 2)))


def test_lists_know_their_items() -> None:
    """Those of JSON, and those of plain text."""
    json_list, lines = Place("json", 0, ("tasks",)), Place("item")
    one = answer(said(json.dumps(PLAN)))

    assert [(json_list, 2)] == list(lists_on(one, Place("json", 0, ("tasks", 1))))
    assert (1, None, 4) == (
        item_in(Place("json", 0, ("tasks", 1)), json_list),
        item_in(Place("json", 0, ("title",)), json_list),
        item_in(Place("item", 4), lines),
    )
    assert (Place("json", 0, ("tasks", 5)), Place("item", 5)) == (with_item(json_list, 5), with_item(lines, 5))
    assert 2 == length_at(answer(said("1. a\n2. b")), lines)


def test_a_bare_number_is_no_document() -> None:
    """Only objects and lists are."""
    assert MISSING == document_in("42")
