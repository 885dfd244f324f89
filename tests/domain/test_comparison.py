"""What pairs say of themselves."""

from reenact.domain.comparison import Change, Pair, Span, ToolPair, Turn
from tests.comparison.turns import a_call


def turn(call_id: str, status: int = 200) -> Turn:
    """Return a call without bodies."""
    return Turn(call=a_call(call_id, status=status), prompt=None, answer=None)


def test_same_needs_both_sides_words_tools_and_endings() -> None:
    """Each of them alone makes a pair different."""
    left, right = turn("a"), turn("b")
    tool = ToolPair(left_name="search", right_name=None)

    assert [
        pair.is_same_answer
        for pair in (
            Pair(left=left, right=right, answer_spans=(Span(Change.SAME, "x"),)),
            Pair(left=left, right=None),
            Pair(left=left, right=right, answer_spans=(Span(Change.ADDED, "x"),)),
            Pair(left=left, right=right, tools=(tool,)),
            Pair(left=left, right=turn("b", status=429)),
        )
    ] == [True, False, False, False, False]
