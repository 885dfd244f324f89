"""A call that was asked several times is one turn: the attempt that was answered, with the others beside it."""

import msgspec

from reenact.comparison.comparing import compare
from reenact.comparison.folding import fold
from reenact.domain.comparison import Turn
from reenact.domain.exchange import Ending
from tests.comparison.turns import a_turn


def failed(call_id: str, source: str | None, status: int = 429, ending: Ending = Ending.ANSWERED) -> Turn:
    """Return a turn that gave nothing."""
    turn = a_turn(call_id, source=source)
    return msgspec.structs.replace(turn, call=msgspec.structs.replace(turn.call, status=status, ending=ending))


def folded(*turns: Turn) -> list[tuple[str, list[str]]]:
    """Return the ids of what is left, each with those of its other attempts."""
    return [(turn.call.id, [one.id for one in turn.attempts]) for turn in fold(turns)]


def test_the_answered_attempt_stands_for_all() -> None:
    """At its own place; a call between them stays where it is."""
    first, second = failed("x1", "x"), failed("x2", "x", ending=Ending.PROVIDER_CUT)

    assert [("y1", []), ("x3", ["x1", "x2"])] == folded(
        first, second, a_turn("y1", source="y"), a_turn("x3", source="x")
    )


def test_the_last_attempt_stands_when_none_was_answered() -> None:
    """Its failure is the result."""
    assert [("x2", ["x1"])] == folded(failed("x1", "x"), failed("x2", "x"))


def test_what_came_after_the_answer_does_not_stand_for_it() -> None:
    """Such as a call that was stopped when a second worker had it already."""
    assert [("x1", ["x2"])] == folded(a_turn("x1", source="x"), failed("x2", "x", -3, Ending.CLIENT_LEFT))


def test_an_agents_own_retries_are_calls_of_their_own() -> None:
    """No take says that they are one step; nor do calls that stand for none."""
    assert [("a", []), ("b", []), ("c", [])] == folded(failed("a", None), a_turn("b"), a_turn("c", source="c"))


def test_attempts_cost_and_are_no_calls() -> None:
    """The answered attempt is paired with the source; the sums hold what all attempts used."""
    attempt, answered = failed("x1", "x"), a_turn("x2", source="x")
    comparison = compare([a_turn("x")], [attempt, answered])

    [pair] = comparison.pairs
    assert pair.left is not None
    assert pair.right is not None
    assert ("x", "x2", (attempt.call,)) == (pair.left.call.id, pair.right.call.id, pair.right.attempts)
    assert (1, 0) == (comparison.right.calls, comparison.right.failed_calls)
    assert comparison.right.input_tokens == 2 * comparison.left.input_tokens
