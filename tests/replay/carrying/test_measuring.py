"""Numbers that a program made of answers: marked when they would be others now, left alone when they are no such numbers."""

import json

import pytest

from reenact.domain.divergence import Unknown
from reenact.domain.message import Json
from reenact.replay.carrying.tape import Tape
from tests.replay.carrying.tapes import a_tape, asked, said
from tests.replay.test_chaining import Driven, answers

POEM = "Snow lies on the roof.\nSmoke rises slowly from the chimney, and nobody speaks of spring."
SHORTER = "Snow lies on the roof, and nobody speaks."


def told(text: str, number: object, words: str = "The draft has {} words") -> Tape:
    """Return the tape of an answer and a request that tells a number of it."""
    return a_tape((asked("Write."), said(text)), (asked(f"{words.format(number)}:\n\n{text}"), said("Done.")))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (len(POEM.split()), "The draft has {} words"),
        (len(POEM), "Length {}"),
        (len(POEM), "Shorten it ({} now)"),
        (2, "It has {} lines"),
        (2, "Sentences: {}"),
    ],
)
def test_a_count_that_would_be_another_is_marked(number: int, words: str) -> None:
    """And only then."""
    tape = told(POEM, number, words)

    assert {Unknown.AMBIGUOUS} == Driven(tape, answers(said(SHORTER), said("Done."))).unknowns(2)
    same = Driven(tape, answers(said(POEM), said("Done.")))
    assert set() == same.unknowns(2)
    assert asked(f"{words.format(number)}:\n\n{POEM}") == same.sent[2, 0]


def test_a_number_of_the_prompts_own_is_not_marked() -> None:
    """It was told before, it numbers a list, it stands in a row, or it is too small to say anything."""
    count = len(POEM.split())
    limit = f"Use at most {count} words."
    before = a_tape((asked(f"Write. {limit}"), said(POEM)), (asked(f"{limit} Shorten: {POEM}"), said("Done.")))
    for tape in (
        before,
        told(POEM, 2, "{}. Check this"),
        told(POEM, 2, "One of 1, {}, 3"),
        told(POEM, 2, "Draft {}"),
        told(POEM, count + 40, "Use {} words"),
    ):
        assert set() == Driven(tape, answers(said(SHORTER), said("Done."))).unknowns(2)


def scores(*numbers: Json) -> str:
    """Return a JSON answer with numbers."""
    return json.dumps({"scores": numbers, "why": "the second draft reads well enough"})


def test_sums_and_means_of_a_list_are_marked() -> None:
    """When they would be others."""
    words = "Average {:.1f} for: the second draft reads well enough"
    tape = a_tape((asked("Judge."), said(scores(3, 4, 4))), (asked(words.format(11 / 3)), said("Done.")))

    assert {Unknown.AMBIGUOUS} == Driven(tape, answers(said(scores(9, 9, 8)), said("Done."))).unknowns(2)
    assert set() == Driven(tape, answers(said(scores(4, 4, 3)), said("Done."))).unknowns(2)


def test_sums_over_several_answers_are_marked() -> None:
    """Each has a number, and the next prompt has their sum."""

    def price(number: int) -> str:
        return json.dumps({"price": number, "item": "a wooden chair with three legs"})

    tape = a_tape(
        (asked("Chair?"), said(price(31))),
        (asked("Table?"), said(price(54))),
        (asked("Is 85 too much for a wooden chair with three legs?"), said("No.")),
    )

    assert Unknown.AMBIGUOUS in Driven(tape, answers(said(price(30)), said(price(54)), said("No."))).unknowns(3)
    assert set() == Driven(tape, answers(said(price(31)), said(price(54)), said("No."))).unknowns(3)


def test_the_length_of_a_list_is_marked() -> None:
    """When the list is longer."""

    def plan(*steps: str) -> str:
        return json.dumps({"steps": steps})

    tape = a_tape(
        (asked("Plan."), said(plan("dig a very deep hole", "plant an old oak"))),
        (asked("There are 2 steps. Start: dig a very deep hole"), said("Done.")),
    )
    longer = plan("dig a very deep hole", "plant an old oak", "water it every day")

    assert {Unknown.AMBIGUOUS} == Driven(tape, answers(said(longer), said("Done."))).unknowns(2)


def test_a_count_that_was_the_same_twice_is_one_still() -> None:
    """Two answers of as many words: the number is made of each, and no word of the template."""
    other = "Rain falls on the barn. Mist drifts slowly over the pasture, and somebody sings of autumn."
    words = f"The draft has {len(POEM.split())} words:\n\n"
    assert len(POEM.split()) == len(other.split())
    tape = a_tape(
        (asked("Write."), said(POEM)),
        (asked(f"{words}{POEM}"), said(other)),
        (asked(f"{words}{other}"), said("Done.")),
    )

    assert {Unknown.AMBIGUOUS} == Driven(tape, answers(said(POEM), said(SHORTER), said("Done."))).unknowns(3)
    assert set() == Driven(tape, answers(said(POEM), said(POEM), said("Done."))).unknowns(3)


def test_a_count_that_was_another_each_time_is_made_again() -> None:
    """In the same words twice, with two numbers: one way to count gives both, and the new one, too."""
    words = "The draft has {} words:\n\n{}"

    def told(text: str) -> str:
        return words.format(len(text.split()), text)

    tape = a_tape(
        (asked("Write."), said(POEM)),
        (asked(told(POEM)), said(SHORTER)),
        (asked(told(SHORTER)), said("Done.")),
    )
    new = "Snow lies on the old roof of the barn today."

    take = Driven(tape, answers(said(POEM), said(new), said("Done.")))

    assert asked(told(new)) == take.sent[3, 0]
    assert set() == take.unknowns(3)


def test_a_number_that_counts_on_is_made_of_nothing() -> None:
    """`Part 2` after `Part 1` is no count of what the answer holds, though it holds two."""
    items = json.dumps({"items": ["paint the old boat house", "mend the roof of the barn"]})
    more = json.dumps({"items": ["sow", "reap", "rest"]})
    part = "Part {} of the talk.\nSo far: {}"
    tape = a_tape((asked(part.format(1, "nothing")), said(items)), (asked(part.format(2, items)), said("Done.")))

    assert set() == Driven(tape, answers(said(more), said("Done."))).unknowns(2)


def test_a_number_in_words_that_hold_one_made_of_nothing_is_no_count() -> None:
    """`Part 2` and `Part 3` stood beside two items and three: by accident, as `Part 1` shows."""

    def items(*names: str) -> str:
        return json.dumps({"items": names})

    two, three, four = items("sow", "reap"), items("sow", "reap", "rest"), items("sow", "reap", "rest", "eat")
    part = "Part {} of the talk.\nSo far: {}"
    tape = a_tape(
        (asked(part.format(1, "nothing")), said(two)),
        (asked(part.format(2, two)), said(three)),
        (asked(part.format(3, three)), said("Done.")),
    )

    take = Driven(tape, answers(said(two), said(four), said("Done.")))

    assert asked(part.format(3, four)) == take.sent[3, 0]
    assert set() == take.unknowns(3)
