"""A whole comparison of two small sessions."""

from reenact.comparison.comparing import answer_text, compare
from reenact.comparison.totalling import total
from reenact.domain.comparison import Change, Comparison, JsonChange, Pair, Span, Turn
from reenact.domain.message import Answer
from tests.comparison.turns import a_call, a_prompt, a_turn, an_answer


def test_a_comparison_tells_all_differences() -> None:
    """One changed call with a changed prompt, one call that only the left has."""
    first, second = a_turn("a", asked="Why?", said="Because."), a_turn("b", path="/end")
    again = a_turn("c", asked="Why not?", said="Because not.", source="a")

    assert compare([first, second], [again]) == Comparison(
        left_session_id="one",
        right_session_id="one",
        left_name="",
        right_name="",
        pairs=(
            Pair(
                left=first,
                right=again,
                prompt_changes=(
                    JsonChange(path="/messages/1/content", change=Change.REMOVED, value="Why?"),
                    JsonChange(path="/messages/1/content", change=Change.ADDED, value="Why not?"),
                ),
                answer_spans=(
                    Span(Change.SAME, "Because"),
                    Span(Change.ADDED, " not"),
                    Span(Change.SAME, "."),
                ),
            ),
            Pair(left=second, right=None),
        ),
        left=total([first.call, second.call]),
        right=total([again.call]),
    )


def test_a_session_equals_itself() -> None:
    """Comparing a session with itself finds nothing."""
    turns = [a_turn("a", asked="x"), a_turn("b", asked="y")]
    comparison = compare(turns, turns)

    assert (comparison.paired, comparison.different) == (2, 0)


def test_a_failure_is_a_difference_though_both_said_nothing() -> None:
    """An empty answer of a call that failed is not the empty answer of one that went well."""
    good = Turn(call=a_call("a"), prompt=a_prompt("s"), answer=an_answer(""))
    bad = Turn(call=a_call("b", status=500), prompt=a_prompt("s"), answer=None)

    assert compare([good], [bad]).different == 1


def test_very_long_lists_of_changes_are_cut() -> None:
    """A pair says that there is more."""
    left = Turn(call=a_call("a"), prompt=a_prompt(*(f"left {at}" for at in range(300))), answer=None)
    right = Turn(call=a_call("a"), prompt=a_prompt(*(f"right {at}" for at in range(300))), answer=None)
    (pair,) = compare([left], [right]).pairs

    assert (len(pair.prompt_changes), pair.prompt_changes_are_cut) == (200, True)


def test_an_answer_in_words() -> None:
    """Text, then the error; JSON when the answer has no message."""
    assert [answer_text(None), answer_text(Answer(error="overloaded")), answer_text(Answer(origin={"a": 1}))] == [
        "",
        "overloaded",
        '{\n  "a": 1\n}',
    ]
