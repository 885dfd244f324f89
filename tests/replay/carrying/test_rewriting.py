"""Texts that a program made of answers: made anew where one way gives the very text, marked where none or several do."""

import html
import json
from urllib.parse import quote

import pytest

from reenact.domain.divergence import Unknown
from reenact.domain.message import Json
from reenact.replay.carrying.spelling import spell
from reenact.replay.carrying.tape import Tape
from tests.replay.carrying.tapes import a_tape, asked, said
from tests.replay.test_chaining import Driven, answers

TITLE = "Ferry timetable: northern fjords"
LONG = "Boats cross <Lake Mjøsa> daily.\nSailors don't fear winter storms.\nTickets cost forty crowns."
OTHER = "Trains climb <Mount Rigi> hourly.\nHikers can't miss evening descents.\nSeats cost eighty francs."


def passed_on(text: str, there: str) -> Tape:
    """Return the tape of an answer that stands in the next request in some form."""
    return a_tape((asked("Write."), said(text)), (asked(f"Continue with {there} now."), said("Done.")))


@pytest.mark.parametrize(
    "write",
    [
        lambda text: " ".join(text.split()).upper(),
        html.escape,
        lambda text: " | ".join(text.splitlines()),
        lambda text: text.splitlines()[0].lower(),
        lambda text: text.splitlines()[-1].upper(),
        lambda text: text.lower().replace(" ", "-"),
    ],
)
def test_a_way_that_gives_the_very_text_is_gone_again(write: object) -> None:
    """And the control is exact."""
    take = Driven(passed_on(LONG, write(LONG)), answers(said(OTHER), said("Done.")))  # type: ignore[operator]
    same = Driven(passed_on(LONG, write(LONG)), answers(said(LONG), said("Done.")))  # type: ignore[operator]

    assert asked(f"Continue with {write(OTHER)} now.") == take.sent[2, 0]  # type: ignore[operator]
    assert asked(f"Continue with {write(LONG)} now.") == same.sent[2, 0]  # type: ignore[operator]
    assert set() == same.unknowns(2)


def test_ways_that_differ_on_the_new_text_are_marked() -> None:
    """A title of words only: what becomes of signs does not show."""
    plain = "Ferry timetable northern fjords"
    tape = passed_on(plain, "notes/ferry-timetable-northern-fjords.md")

    assert {Unknown.SPACING} == Driven(tape, answers(said(TITLE), said("Done."))).unknowns(2)
    take = Driven(tape, answers(said("Winter closing southern piers"), said("Done.")))
    assert set() == take.unknowns(2)
    assert asked("Continue with notes/winter-closing-southern-piers.md now.") == take.sent[2, 0]


def test_words_in_a_row_that_no_way_explains_are_marked() -> None:
    """Some of the words, in an order of the program's own; only when the answer changes."""
    tape = passed_on(LONG, "a note that sailors fear winter storms (forty crowns)")

    assert {Unknown.AMBIGUOUS} == Driven(tape, answers(said(OTHER), said("Done."))).unknowns(2)
    assert set() == Driven(tape, answers(said(LONG), said("Done."))).unknowns(2)


def test_words_that_were_sent_before_their_answer_are_no_evidence() -> None:
    """The answer has them from the prompt, and the next prompt has them from there too."""
    topic = "granite quarries beside northern rivers"
    tape = a_tape(
        (asked(f"Tell me about {topic}."), said(f"Well: {topic.title()}! They are old.")),
        (asked(f"Write a poem on {topic}."), said("Done.")),
    )

    assert set() == Driven(tape, answers(said("I do not know."), said("Done."))).unknowns(2)


def test_small_words_in_a_row_are_no_evidence() -> None:
    """Any two texts have them."""
    tape = a_tape(
        (asked("Go."), said("It is one of the most, and so it will be for all of them.")),
        (asked("Say what it is, one of the most, and so it will be for all of us."), said("Done.")),
    )

    assert set() == Driven(tape, answers(said("No."), said("Done."))).unknowns(2)


def test_the_space_at_an_end_is_looked_at_inside_escaped_texts() -> None:
    """Whether the agent trims shows nowhere."""

    def board(text: str) -> Json:
        return asked('{\n   "plan" : "' + text.replace("\n", "\\n") + '"\n}')

    tape = a_tape(
        (asked("Plan."), said("Sow corn in spring, then wait.")), (board("Sow corn in spring, then wait."), said("x"))
    )

    assert {Unknown.SPACING} == Driven(tape, answers(said("Dig the field in autumn first.\n"), said("x"))).unknowns(2)


def test_names_in_json_are_the_requests_own_words() -> None:
    """A table's head is no copy of the fields that an answer has, though they come in the same order; what they say is."""
    card = {"discovery": 4, "pitch": 7, "closing": 2, "verdict": "talk less of the price and listen"}
    calls = ((asked("Judge."), said(json.dumps(card))),)
    head = asked("| Discovery | Pitch | Closing | Verdict |\n|---|---|---|---|\nWrite the rows.")
    words = asked("TALK LESS OF THE PRICE AND LISTEN")

    def unknowns(prompt: Json) -> set[Unknown]:
        return Driven(a_tape(*calls, (prompt, said("x"))), answers(said("{}"), said("y"))).unknowns(2)

    assert {Unknown.DECISION} == unknowns(head)
    assert Unknown.DECISION not in unknowns(words)


@pytest.mark.parametrize("text", ["a plain title", "v1.2_final-draft~", "Mjøsa & co?", "50 %"])
def test_texts_of_plain_words_stand_in_urls_as_all_do(text: str) -> None:
    """They are written without looking at each letter, and alike."""
    assert [quote(text), quote(text, safe="")] == [spell("in a URL's path", text), spell("in a URL", text)]


def test_a_place_where_lines_were_seen_tells_how_one_line_was_rewritten() -> None:
    """Escaped for HTML with its lines as they are; one line alone tells nothing of several."""
    claim = "<question>{}</question>\nIs it so?"
    one_line, new = (
        "Captains don't trust glass barometers above frozen rivers.",
        "Trains can't climb.\nHikers won't wait.",
    )
    shown = (asked("Say it."), said(LONG)), (asked(claim.format(html.escape(LONG))), said("Yes."))
    again = (asked("Say more."), said(one_line)), (asked(claim.format(html.escape(one_line))), said("Yes."))
    given = [said(LONG), said("Yes."), said(new), said("Yes.")]

    known = Driven(a_tape(*shown, *again), answers(*given))
    alone = Driven(a_tape(*again), answers(*given[2:]))

    assert asked(claim.format(html.escape(new))) == known.sent[4, 0]
    assert [set(), {Unknown.SPACING}] == [known.unknowns(4), alone.unknowns(2)]
