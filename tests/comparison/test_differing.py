"""Differences lose nothing: texts can be put together again, and JSON changes name true places."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reenact.comparison.differing import json_changes, word_spans
from reenact.domain.comparison import Change, JsonChange, Span

WORDY = st.text(alphabet="ab \n.,é", max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 2.5]) | st.text("ab/~", max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=4),
    max_leaves=12,
)


def joined(spans: tuple[Span, ...], gone: Change) -> str:
    """Return what remains of *spans* without those of one kind."""
    return "".join(span.text for span in spans if span.change is not gone)


@given(WORDY | st.text(), WORDY | st.text())
def test_spans_give_both_texts_back(left: str, right: str) -> None:
    """What was removed and what is the same is the left text; what was added and what is the same is the right text."""
    spans = word_spans(left, right)

    assert (joined(spans, Change.ADDED), joined(spans, Change.REMOVED)) == (left, right)


def test_one_word_changed() -> None:
    """A replaced word is one removal and one addition between what stayed."""
    assert word_spans("Hotel A is cheap.", "Hotel B is cheap.") == (
        Span(Change.SAME, "Hotel "),
        Span(Change.REMOVED, "A"),
        Span(Change.ADDED, "B"),
        Span(Change.SAME, " is cheap."),
    )


def test_a_changed_phrase_stays_whole() -> None:
    """White space between changed words does not cut a phrase into single words."""
    assert word_spans("I say no thanks.", "I say yes please.") == (
        Span(Change.SAME, "I say "),
        Span(Change.REMOVED, "no thanks"),
        Span(Change.ADDED, "yes please"),
        Span(Change.SAME, "."),
    )


def test_a_rewritten_sentence_is_not_cut_by_small_words() -> None:
    """A `the` that happens to stand in both is no part that stayed; a longer passage is."""
    left, right = "It was known to the captain of everything at sea.", "Nobody had told the old keeper a word at sea."

    assert word_spans(left, right) == (
        Span(Change.REMOVED, "It was known to the captain of everything"),
        Span(Change.ADDED, "Nobody had told the old keeper a word"),
        Span(Change.SAME, " at sea."),
    )


def test_a_new_beginning_leaves_the_space_that_stayed() -> None:
    """The space behind a replaced first word is not marked as changed."""
    assert word_spans("Natural cycles exist.", "I would say: natural cycles exist.") == (
        Span(Change.REMOVED, "Natural"),
        Span(Change.ADDED, "I would say: natural"),
        Span(Change.SAME, " cycles exist."),
    )


def test_equal_and_empty_texts() -> None:
    """Equal texts are one span, empty texts none."""
    assert (word_spans("same", "same"), word_spans("", "")) == ((Span(Change.SAME, "same"),), ())


def test_a_text_too_large_for_words_is_compared_by_line() -> None:
    """Twelve thousand words on each side still tell which line changed."""
    lines = [f"line {at} of many words\n" for at in range(3000)]

    spans = word_spans("".join(lines), "".join([*lines[:1500], "another\n", *lines[1501:]]))

    assert [span.text for span in spans if span.change is not Change.SAME] == ["line 1500 of many words", "another"]


def test_a_text_too_large_for_lines_is_replaced() -> None:
    """Beyond every bound the answer is still right, only coarse."""
    left, right = "a\n" * 9000, "b\n" * 9000

    assert word_spans(left, right) == (
        Span(Change.REMOVED, left[:-1]),
        Span(Change.ADDED, right[:-1]),
        Span(Change.SAME, "\n"),
    )


def test_json_pointers_are_escaped() -> None:
    """A slash and a tilde in a key are written as RFC 6901 says."""
    assert json_changes({"a/b": {"~": 1}}, {"a/b": {"~": 2}}) == (
        JsonChange(path="/a~1b/~0", change=Change.REMOVED, value=1),
        JsonChange(path="/a~1b/~0", change=Change.ADDED, value=2),
    )


def test_an_item_put_in_front_is_one_addition() -> None:
    """The items behind it moved but did not change."""
    assert json_changes([1, 2, 3], [0, 1, 2, 3]) == (JsonChange(path="/0", change=Change.ADDED, value=0),)


def test_true_is_not_one() -> None:
    """Python calls them equal; JSON does not."""
    assert len(json_changes({"a": [True]}, {"a": [1]})) == 2


def test_changes_are_bounded() -> None:
    """A limit ends the list of changes."""
    assert len(json_changes(list(range(1000)), [str(number) for number in range(1000)], limit=7)) == 7


def test_deep_values_are_compared_whole() -> None:
    """Nesting beyond the bound is one change and no error."""
    left: Any = "a"
    right: Any = "b"
    for _ in range(200):
        left, right = [left], [right]

    assert len(json_changes(left, right)) == 2


@given(JSON, JSON)
def test_json_changes_point_at_their_values(left: Any, right: Any) -> None:
    """Each removal is found on the left and each addition on the right, and no change means equal."""
    changes = json_changes(left, right)

    for change in changes:
        assert pointed(left if change.change is Change.REMOVED else right, change.path) == change.value
    assert bool(changes) == (repr(left) != repr(right) and not same(left, right))


def pointed(value: Any, path: str) -> Any:
    """Return what an RFC 6901 pointer names."""
    for step in path.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def same(left: Any, right: Any) -> bool:
    """Return whether both are the same JSON, kinds of numbers included."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)
