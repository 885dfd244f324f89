"""Patterns find and replace what they say, in bounded time and room, and what is wrong with one is told with its place."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.domain.patch import Change, Patch, ReplacePattern, ReplaceText, Selector
from reenact.domain.replay import Mode
from reenact.errors import InvalidPatch
from reenact.replay.patching import patched_body
from reenact.replay.patterning import matches, with_matches_replaced
from reenact.replay.planning import plan
from tests.replay.recordings import a_recording, chat
from tests.replay.test_patching import CHAT, patched

pytest.importorskip("re2")


@given(st.text("abé1 \n", max_size=30), st.sampled_from(["a+", "(a)(b)?", "[é1]", "a|b", "^a", "b$", "a*"]))
def test_it_replaces_what_pythons_engine_would(text: str, pattern: str) -> None:
    """Where both read the pattern alike."""
    assert (
        re.sub(pattern, "<x>", text) == with_matches_replaced(text, pattern, "<x>") or "*" in pattern or "$" in pattern
    )
    assert (re.search(pattern, text) is not None) == matches(pattern, text) or "$" in pattern


def test_groups_are_put_in() -> None:
    """A group that took no part is nothing; other backslashes stay."""
    assert r"b:a <ab> \n" == with_matches_replaced("ab", "(a)(b)", r"\2:\1 <\0> \n")
    assert "[a]" == with_matches_replaced("a", "(a)(b)?", r"[\1\2]")


def test_evil_patterns_take_no_longer_than_the_text_is_long() -> None:
    """Python's own engine would not come back."""
    began = time.process_time()
    assert not matches("(a|a)*(a|aa)+$", "a" * 50_000 + "b")
    assert time.process_time() - began < 5


def test_texts_do_not_grow_beyond_all_bounds() -> None:
    """By a pattern or by a plain text."""
    with pytest.raises(InvalidPatch, match="would grow"):
        with_matches_replaced("a" * 10_000, "a", "b" * 10_000)
    with pytest.raises(InvalidPatch, match="would grow"):
        patched(chat("a" * 10_000), ReplaceText("a", "b" * 10_000))


def test_an_edit_replaces_in_the_messages_of_a_role() -> None:
    """And leaves the very bytes where nothing matches."""
    edit = ReplacePattern(r"\bturn (\d+)", r"step \1", role="user")

    assert chat("Now step 12.") == patched(chat("Now turn 12."), edit)
    assert b'{"messages": []}' == patched_body(CHAT, b'{"messages": []}', [edit])


def test_a_selector_means_calls_that_match() -> None:
    """Somewhere in some message."""
    changes = (Change(select=Selector(matches=r"^turn [3-9]$"), edits=(ReplaceText("turn", "step"),)),)
    recording = a_recording(*(chat(f"turn {number}") for number in range(1, 5)))

    planned = plan(recording, Patch(changes=changes), Mode.ANCHORED, 1, lambda *_: None)

    assert [False, False, True, True] == [bool(call.changes) for call in planned.calls]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (Change(select=Selector(matches="(")), "changes[0].select.matches"),
        (Change(edits=(ReplacePattern(r"(a)\1", ""),)), "changes[0].edits[0].find"),
        (Change(edits=(ReplacePattern("turn", r"\1"),)), "changes[0].edits[0].replace"),
    ],
)
def test_what_is_wrong_with_a_pattern_is_told(change: Change, place: str) -> None:
    """With its place in the patch, before anything is sent."""
    with pytest.raises(InvalidPatch) as refused:
        plan(a_recording(chat("turn 1")), Patch(changes=(change,)), Mode.ANCHORED, 1, lambda *_: None)

    assert place == refused.value.field
