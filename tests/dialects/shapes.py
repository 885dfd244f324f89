"""Generated JSON for the dialects' tests: bodies that are nearly right."""

from typing import Any

from hypothesis import strategies as st

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
short = st.text(max_size=6)


def objects_of(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of these fields, each of its own shape or of any, and unknown ones."""
    known = st.fixed_dictionaries({}, optional={name: shape | json_values for name, shape in fields.items()})
    return st.builds(lambda one, other: other | one, known, st.dictionaries(short, json_values, max_size=2))


def strictly(
    objects: st.SearchStrategy[dict[str, Any]], **fields: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    """Objects whose *fields* are there and of their own shape: the ones that reading insists on."""
    return st.builds(lambda one, other: one | other, objects, st.fixed_dictionaries(fields))
