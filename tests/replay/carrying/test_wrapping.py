"""Texts set line by line behind signs: carried by the rule that the record shows, marked where it shows none."""

import pytest

from reenact.domain.divergence import Unknown
from reenact.domain.message import Json
from reenact.replay.carrying.wrapping import may_wrap, ways, wrapped
from tests.replay.carrying.tapes import a_tape, asked, said
from tests.replay.test_chaining import Driven, answers

ONE_LINE = "Dear Ada, the parcel came today and it was dry."
LINES = "Dear Ada,\nthe parcel came today.\nIt was dry."
OTHER_LINES = "Dear Ben,\nno parcel came here.\nWe will look for it\nuntil noon."
GAPS = "Dear Ben,\n\nno parcel came here."


def quoted(text: str, sign: str = "> ") -> Json:
    """Return a request that quotes a text line by line."""
    lines = "\n".join(sign + line for line in text.splitlines())
    return asked(f"Answer this mail:\n{lines}\n\nBe brief.")


@pytest.mark.parametrize("sign", ["> ", "// ", "    ", "| ", "# "])
def test_a_text_of_several_lines_is_set_as_another_one_was(sign: str) -> None:
    """More lines than before, fewer, one: each behind the signs, none in doubt."""
    tape = a_tape((asked("Write."), said(LINES)), (quoted(LINES, sign), said("Done.")))

    for new in (OTHER_LINES, ONE_LINE, "Dear Ben,\nno parcel came."):
        take = Driven(tape, answers(said(new), said("Done.")))
        assert quoted(new, sign) == take.sent[2, 0]
        assert set() == take.unknowns(2)


def test_one_line_tells_no_rule_for_several() -> None:
    """It stands there behind a sign, and a text of several lines would stand there in some way."""
    tape = a_tape((asked("Write."), said(ONE_LINE)), (quoted(ONE_LINE), said("Done.")))

    assert {Unknown.SPACING} == Driven(tape, answers(said(LINES), said("Done."))).unknowns(2)
    assert set() == Driven(tape, answers(said(ONE_LINE.replace("dry", "wet")), said("Done."))).unknowns(2)


def test_lines_tell_no_rule_for_blank_ones() -> None:
    """The sign alone, the sign without its space, nothing: several fit what was seen."""
    shown = a_tape((asked("Write."), said(GAPS)), (quoted(GAPS), said("Done.")))
    hidden = a_tape((asked("Write."), said(LINES)), (quoted(LINES), said("Done.")))
    new = "Dear Cid,\n\nthe parcel is lost.\n\nSorry."

    assert quoted(new) == Driven(shown, answers(said(new), said("Done."))).sent[2, 0]
    assert set() == Driven(shown, answers(said(new), said("Done."))).unknowns(2)
    assert {Unknown.SPACING} == Driven(hidden, answers(said(new), said("Done."))).unknowns(2)


def test_another_place_behind_the_same_signs_shows_the_rule() -> None:
    """The first mail had one line, the second has several."""
    tape = a_tape(
        (asked("Write."), said(ONE_LINE)),
        (quoted(ONE_LINE), said(LINES)),
        (quoted(LINES), said("Done.")),
    )

    take = Driven(tape, answers(said(OTHER_LINES), said(LINES), said("Done.")))
    assert quoted(OTHER_LINES) == take.sent[2, 0]
    assert set() == take.unknowns(2)


def test_signs_that_enclose_a_text_are_not_set_before_its_lines() -> None:
    """Bold print, numbers, words."""
    assert not any(may_wrap(signs) for signs in ("**", "1. ", "Ada: ", "", "(", '"'))
    assert all(may_wrap(signs) for signs in ("> ", ">", "- ", "  ", "\t", "## ", "// ", "|"))


def test_the_control_is_exact_whatever_the_ways() -> None:
    """Mixed: set line by line here, in one piece there."""
    tape = a_tape(
        (asked("Write."), said(LINES)),
        (quoted(LINES), said(OTHER_LINES)),
        (asked(f"Answer this mail:\n> {OTHER_LINES}\n\nBe brief."), said("Done.")),
    )

    take = Driven(tape, answers(said(LINES), said(OTHER_LINES), said("Done.")))
    assert asked(f"Answer this mail:\n> {OTHER_LINES}\n\nBe brief.") == take.sent[3, 0]
    assert [set(), set(), set()] == [take.unknowns(index) for index in (1, 2, 3)]


def test_every_way_leaves_one_line_alone() -> None:
    """The signs before the first line stand in the prompt already."""
    for signs in ("> ", "1. ", "\t"):
        assert {"one line"} == {wrapped(name, "one line") for name in ways(signs)[:-2]}
    assert "a\n2. b" == wrapped(ways("1. ")[0], "a\nb")


def test_space_after_a_copy_tells_whether_its_answer_was_trimmed() -> None:
    """The same place twice: what follows an answer without space at its end is the prompt's own."""
    first, second = "The ship left the harbour at dawn.", "The crew was glad to see land again.\n"
    tape = a_tape(
        (asked("One?"), said(first)),
        (asked(f"Log:\n{first}\n\nGo on."), said(second)),
        (asked(f"Log:\n{second.strip()}\n\nGo on."), said("Done.")),
    )

    take = Driven(tape, answers(said("The ship sank at the pier of the harbour.\n"), said(first), said("Done.")))
    assert asked("Log:\nThe ship sank at the pier of the harbour.\n\nGo on.") == take.sent[2, 0]
    assert asked(f"Log:\n{first}\n\nGo on.") == take.sent[3, 0]
    assert set() == take.unknowns(2) | take.unknowns(3)


def test_space_between_numbered_answers_tells_whether_they_are_trimmed() -> None:
    """Numbers count them and are no other place; what a prompt that ends with an answer makes of its space is in no record."""
    first, second, third = (
        "The ship left the harbour.\n",
        "The crew was glad to see land.",
        "The parrot said nothing at all.",
    )
    tape = a_tape(
        (asked("One?"), said(first)),
        (asked("Two?"), said(second)),
        (asked("Three?"), said(third)),
        (asked(f"[0] {first}\n\n[1] {second}\n\n[2] {third}"), said("1")),
        families=("/try", "/try", "/try", "/judge"),
    )

    inside = Driven(tape, answers(said(second), said(first), said(third), said("1")))
    assert asked(f"[0] {second}\n\n[1] {first}\n\n[2] {third}") == inside.sent[4, 0]
    assert set() == inside.unknowns(4)
    at_end = Driven(tape, answers(said(second), said(third), said(first), said("1")))
    assert {Unknown.SPACING} == at_end.unknowns(4)


def test_the_end_of_one_line_is_left_out_where_lines_are_set_one_by_one() -> None:
    """The agent was seen to set several lines so, and one line with an end is as many."""
    tape = a_tape(
        (asked("Write."), said(ONE_LINE)),
        (quoted(ONE_LINE), said(f"{LINES}\n")),
        (quoted(LINES), said("Done.")),
        families=("/write", "/boss", "/clerk"),
    )

    take = Driven(tape, answers(said(f"{ONE_LINE}\n"), said(LINES), said("Done.")))
    assert quoted(ONE_LINE) == take.sent[2, 0]
    assert set() == take.unknowns(2)


def test_space_between_answers_under_names_tells_whether_they_are_trimmed() -> None:
    """Names, like numbers, are no other place: what stands between two answers is the prompt's own in both."""
    first, second, third = (
        "The ship left the harbour.\n",
        "The crew was glad to see land.",
        "The parrot said nothing at all.",
    )
    texts = {"Ada": first.strip(), "Benedict": second, "Cleo": third}
    letters = "\n\n".join(f"To {name}:\n{text}" for name, text in texts.items())
    tape = a_tape(
        *((asked(f"Write to {name}."), said(text)) for name, text in zip(texts, (first, second, third), strict=True)),
        (asked(f"{letters}\n\nThree topics, please."), said("1")),
        families=("/coach", "/coach", "/coach", "/plan"),
    )

    take = Driven(tape, answers(said("The ship sank at the pier."), said(second), said(third), said("1")))

    assert (
        asked(f"{letters}\n\nThree topics, please.".replace("left the harbour", "sank at the pier")) == take.sent[4, 0]
    )
    assert set() == take.unknowns(4)
