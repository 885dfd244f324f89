"""Differences of JSON bodies have exact places, and applying them to the first gives the second."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reenact.domain.message import Json
from reenact.domain.replay import FieldChange, Operation
from reenact.replay.differing import changes, pointer, same

ADD, REMOVE = Operation.ADD, Operation.REMOVE


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, ()),
        ({"a": 1}, {"a": 2}, (FieldChange(path="/a", before=1, after=2),)),
        ({"a": 1}, {"a": True}, (FieldChange(path="/a", before=1, after=True),)),
        ({"a": None}, {}, (FieldChange(path="/a", operation=REMOVE),)),
        ({}, {"a/b~": 1}, (FieldChange(path="/a~1b~0", operation=ADD, after=1),)),
        (
            {"messages": [{"role": "system", "content": "A"}]},
            {"messages": [{"role": "system", "content": "A!"}]},
            (FieldChange(path="/messages/0/content", before="A", after="A!"),),
        ),
        ([1, 2, 3], [1, 9, 2, 3], (FieldChange(path="/1", operation=ADD, after=9),)),
        ([1, 2, 3], [2, 3], (FieldChange(path="/0", operation=REMOVE, before=1),)),
        ([1, 1], [1], (FieldChange(path="/1", operation=REMOVE, before=1),)),
        ([], {}, (FieldChange(path="", before=[], after={}),)),
    ],
)
def test_every_difference_has_its_place(before: Json, after: Json, expected: tuple[FieldChange, ...]) -> None:
    """One entry for each place; an inserted item is one entry however many follow it."""
    assert expected == changes(before, after)


def applied(value: Json, differences: tuple[FieldChange, ...]) -> Json:
    """Return *value* after the differences, from the last to the first so that places in lists stay good."""
    holder: dict[str, Any] = {"": value}
    removed = [one for one in differences if one.operation is REMOVE]
    others = [one for one in differences if one.operation is not REMOVE]
    for one in [*others[: len(others)], *reversed(removed)]:
        *parents, last = [token.replace("~1", "/").replace("~0", "~") for token in one.path.split("/")]
        at: Any = holder
        for token in parents:
            at = at[int(token)] if isinstance(at, list) else at[token]
        if isinstance(at, list):
            if one.operation is REMOVE:
                del at[int(last)]
            elif one.operation is ADD:
                at.insert(int(last), one.after)
            else:
                at[int(last)] = one.after
        elif one.operation is REMOVE:
            del at[last]
        else:
            at[last] = one.after
    return holder[""]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab/~0", max_size=2),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab/~0", max_size=2), inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None)
@given(before=values, after=values)
def test_the_differences_applied_to_the_first_give_the_second(before: Json, after: Json) -> None:
    """Nothing that differs is left out, and nothing that is the same is named."""
    differences = changes(before, after)

    assert same(before, after) == (not differences)
    assert same(after, applied(before, differences))


def test_pointers_escape_as_the_standard_says() -> None:
    """RFC 6901 section 3: tilde and slash."""
    assert "/a~0b/c~1d/0" == pointer(pointer(pointer("", "a~b"), "c/d"), 0)
