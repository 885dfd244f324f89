"""What makes two calls look like the same step."""

from reenact.comparison.resembling import NEVER, likeness, trait
from reenact.domain.call import Kind
from tests.comparison.turns import a_turn


def test_the_same_step_scores_highest() -> None:
    """Path and text agree, then one of them, then none."""
    one = trait(a_turn("a", path="/plan", asked="Which hotel is near the sea?"))
    scores = [
        likeness(one, trait(a_turn("b", path=path, asked=asked)))
        for path, asked in [
            ("/plan", "Which hotel is near the sea?"),
            ("/plan", "Book the second one."),
            ("/book", "0123456789"),
        ]
    ]

    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.5
    assert scores[2] < -0.5


def test_prompt_ids_that_differ_speak_against() -> None:
    """A named prompt is a strong sign."""
    named, other, none = (trait(a_turn("a", prompt_id=name)) for name in ("con", "pro", None))

    assert likeness(named, named) > likeness(none, none) > likeness(named, other)


def test_another_kind_is_never_the_same_step() -> None:
    """A tool event is no model call, whatever its text."""
    assert likeness(trait(a_turn("a")), trait(a_turn("b", kind=Kind.TOOL))) == NEVER
