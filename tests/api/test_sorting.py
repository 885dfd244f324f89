"""Orders: Helicone's `sort`, the guide's `sort_by`, and refusals that name their place."""

from typing import Any

import pytest

from reenact.api.sorting import read_sort
from reenact.domain.filter import Sort
from reenact.errors import InvalidFilter


@pytest.mark.parametrize(
    ("sort", "sort_by", "expected"),
    [
        (None, None, Sort()),
        ({}, None, Sort()),
        ({"created_at": "asc"}, None, Sort(column="created_us", ascending=True)),
        ({"random": True}, None, Sort(column="random")),
        ({"latency": "desc"}, None, Sort(column="latency_ms")),
        ({"properties": {"app": "asc"}}, None, Sort(column="properties", key="app", ascending=True)),
        (None, {"key": "request_created_at", "direction": "asc"}, Sort(column="created_us", ascending=True)),
        ({"request_prompt": "asc"}, None, Sort(column="asked_text", ascending=True)),
        ({"response_text": "desc"}, None, Sort(column="answered_text")),
        (None, {"key": "cost"}, Sort(column="cost_dollars")),
    ],
)
def test_both_forms(sort: Any, sort_by: Any, expected: Sort) -> None:
    """Either form names a column and a direction; neither means newest first."""
    assert expected == read_sort(sort, sort_by)


@pytest.mark.parametrize(
    ("sort", "sort_by", "place"),
    [
        ("created_at", None, "sort"),
        ({"created_at": "asc", "cost": "asc"}, None, "sort"),
        ({"created_at": "up"}, None, "sort.created_at"),
        ({"colour": "asc"}, None, "sort.colour"),
        ({"random": "asc"}, None, "sort.random"),
        ({"random": False}, None, "sort.random"),
        (None, {"key": "random"}, "sort_by.key"),
        ({"properties": "asc"}, None, "sort.properties"),
        ({"properties": {"app": "up"}}, None, "sort.properties.app"),
        (None, {"direction": "asc"}, "sort_by"),
        (None, {"key": "colour", "direction": "asc"}, "sort_by.key"),
        (None, {"key": "cost", "direction": "up"}, "sort_by.direction"),
    ],
)
def test_what_is_not_understood_names_its_place(sort: Any, sort_by: Any, place: str) -> None:
    """An unknown key or direction is refused where it stands."""
    with pytest.raises(InvalidFilter) as raised:
        read_sort(sort, sort_by)

    assert place == raised.value.field
