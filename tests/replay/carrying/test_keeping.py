"""Lines of names and values that answers set one after the other: what all of them make of the lines, whichever each sets."""

import json

import msgspec

from reenact.domain.divergence import Unknown
from reenact.domain.message import Json
from reenact.replay.carrying.cloning import Swap, copied_span
from reenact.replay.carrying.strand import Board, Origin, Span, Update
from reenact.replay.carrying.tape import Tape
from reenact.replay.carrying.valuing import Place
from tests.replay.carrying.tapes import a_tape, asked, said, system
from tests.replay.test_chaining import Driven, answers

NOTES = (
    ("food", "likes the taste of plain rice"),
    ("travel", "would rather take the train"),
    ("food", "eats no rice now"),
)


def note(slot: str, text: str) -> Json:
    """Return an answer that sets a line."""
    return said(json.dumps({"slot": slot, "note": text}))


def board(*notes: tuple[str, str], begun: tuple[str, ...] = ("food", "travel", "work")) -> str:
    """Return the lines after some notes."""
    lines = dict.fromkeys(begun, "unknown") | dict(notes)
    return "You know of the guest:\n" + "\n".join(f"- {slot}: {text}" for slot, text in lines.items())


def a_talk(*notes: tuple[str, str], begun: tuple[str, ...] = ("food", "travel", "work")) -> Tape:
    """Return a session that asks with the lines so far, then sets one."""
    calls = []
    for number, one in enumerate(notes):
        known = board(*notes[:number], begun=begun)
        calls += [(asked(system(known), f"Question {number}?"), said("Yes.")), (asked(f"Note {number}."), note(*one))]
    calls.append((asked(system(board(*notes, begun=begun)), "The last?"), said("Bye.")))
    return a_tape(*calls, families=("/answer", "/note") * len(notes) + ("/answer",))


def taken(tape: Tape, *notes: tuple[str, str]) -> Driven:
    """Return a take in which the notes are these."""
    new = [one for text in notes for one in (said("Yes."), note(*text))]
    return Driven(tape, answers(*new, said("Bye.")))


def known_in(take: Driven, index: int) -> str:
    """Return the system prompt of a request."""
    text: str = take.sent[index, 0]["messages"][0]["content"]
    return text


def test_an_answer_that_sets_another_line_leaves_the_one_that_it_set_before_as_it_was() -> None:
    """In every later request; a line that an answer had put in place of another one comes back, too."""
    new = (("work", "keeps bees"), ("travel", "walks"), ("work", "keeps no bees"))

    take = taken(a_talk(*NOTES), *new)

    assert [board(*new[:1]), board(*new[:2]), board(*new)] == [known_in(take, index) for index in (3, 5, 7)]
    assert set() == take.unknowns(3) | take.unknowns(5) | take.unknowns(7)


def test_the_control_is_exact() -> None:
    """And nothing is rewritten."""
    take = taken(a_talk(*NOTES), *NOTES)

    assert [board(*NOTES[:count]) for count in (1, 2, 3)] == [known_in(take, index) for index in (3, 5, 7)]
    assert not take.results[7, 0].rewrites


def test_a_new_name_is_a_new_line() -> None:
    """Where lines are added as they come."""
    notes = (("food", "likes rice a lot"), ("travel", "takes the train"), ("work", "keeps bees"))
    tape = a_talk(*notes, begun=("name", "age"))

    take = taken(tape, notes[0], ("sport", "rows at dawn"), ("food", "eats bread"))

    assert board(notes[0], ("sport", "rows at dawn"), ("food", "eats bread"), begun=("name", "age")) == known_in(
        take, 7
    )


def test_lines_that_this_does_not_explain_are_none() -> None:
    """An agent that forgets: which line a new answer would set, no record tells."""
    tape = a_talk(*NOTES)
    (last,) = a_tape((asked(system(board(NOTES[2])), "The last?"), said("Bye.")))
    forgetful = (*tape[:-1], msgspec.structs.replace(tape[-1], prompt=last.prompt))

    take = taken(forgetful, NOTES[0], NOTES[1], ("work", "keeps bees"))

    assert {Unknown.DECISION} <= take.unknowns(7)


def test_an_answer_without_the_fields_is_told() -> None:
    """It sets no line, and the request is doubted."""
    tape = a_talk(*NOTES)

    take = Driven(
        tape,
        answers(
            said("Yes."), said("No note."), said("Yes."), note(*NOTES[1]), said("Yes."), note(*NOTES[2]), said("Bye.")
        ),
    )

    assert Unknown.MISSING_VALUE in take.unknowns(3)
    assert board() == known_in(take, 3)


def test_lines_that_had_been_set_before_they_were_first_shown_are_none() -> None:
    """What they began with is in no record, so that nobody knows what a line says that is set no more."""
    tape = a_tape(
        (asked("Note 0."), note(*NOTES[0])),
        (asked(system(board(NOTES[0])), "One?"), said("Yes.")),
        (asked("Note 1."), note(*NOTES[1])),
        (asked(system(board(*NOTES[:2])), "Two?"), said("Yes.")),
        families=("/note", "/answer", "/note", "/answer"),
    )

    take = Driven(tape, answers(note("work", "keeps bees"), said("Yes."), note(*NOTES[1]), said("Yes.")))

    assert take.unknowns(2) or NOTES[0][1] not in known_in(take, 2)
    assert NOTES[0][1] not in known_in(take, 4)


def test_a_copy_of_a_call_has_the_lines_that_the_copies_of_others_set() -> None:
    """Asked again for another item."""
    value, name = Place("json", 0, ("note",)), Place("json", 0, ("slot",))
    lines = Board(before="- ", begun=(("food", "unknown"),), updates=(Update(call=2, name=name, value=value),))
    span = Span(start=0, stop=9, origins=(Origin(2, value, "plain"),), rule="", is_sure=True, board=lines)

    copied = copied_span(span, {2: 7}, Swap(before=1, old=Place("json", 0, (0,)), after=1, new=Place("json", 0, (1,))))

    assert copied.board is not None
    assert [7] == [update.call for update in copied.board.updates]
