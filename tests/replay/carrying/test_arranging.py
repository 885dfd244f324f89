"""Answers that something put in order, took letters of, or searched by: what of them no record tells is in doubt."""

import json

import msgspec

from reenact.domain.divergence import Unknown
from reenact.domain.message import Json
from reenact.replay.carrying.tape import Tape
from tests.replay.carrying.tapes import a_tape, asked, said
from tests.replay.test_chaining import Driven, answers

LATE = "The sun rises in the east, and the shadows fall."
SOON = "A moon sets over the sea, and the boats row home."
NEW = "Many birds fly south before the first snow falls."


def workers(*order: str) -> Tape:
    """Return the tape of two workers whose answers stand in the third request in this order."""
    merge = "Merge:\n\n" + "\n---\n".join(order)
    return a_tape((asked("One?"), said(LATE)), (asked("Two?"), said(SOON)), (asked(merge), said("Done.")))


def test_an_order_of_their_own_is_no_order_that_the_record_tells() -> None:
    """Sorted answers, when one of them changes."""
    take = Driven(workers(SOON, LATE), answers(said(NEW), said(SOON), said("Done.")))

    assert {Unknown.DECISION} == take.unknowns(3)


def test_the_order_in_which_they_were_asked_stays() -> None:
    """Nothing chose it."""
    take = Driven(workers(LATE, SOON), answers(said(NEW), said(SOON), said("Done.")))

    assert set() == take.unknowns(3)
    assert asked(f"Merge:\n\n{NEW}\n---\n{SOON}") == take.sent[3, 0]


def test_capitals_are_a_copy_too() -> None:
    """A new answer is written as the recorded one was; on one line where that was."""
    for recorded, write in (
        (LATE, str.upper),
        (LATE.replace(", ", ",\n"), lambda text: " ".join(text.upper().split())),
    ):
        tape = a_tape((asked("One?"), said(recorded)), (asked(f"Read: {write(recorded)}"), said("Done.")))

        take = Driven(tape, answers(said(NEW.replace(" south", "\nsouth")), said("Done.")))
        assert asked(f"Read: {write(NEW.replace(' south', chr(10) + 'south'))}") == take.sent[2, 0]


def test_what_was_found_with_a_query_is_in_no_record_for_another() -> None:
    """The passages stand beside it."""
    prompt = "Searched for: {}\nPassages:\nOslo is in the north."
    tape = a_tape(
        (asked("Query?"), said('{"query": "capital of Norway today"}')),
        (asked(prompt.format("capital of Norway today")), said("Oslo.")),
    )

    same = Driven(tape, answers(said('{"query": "capital of Norway today"}'), said("Oslo.")))
    other = Driven(tape, answers(said('{"query": "largest city of Peru"}'), said("Lima.")))
    assert set() == same.unknowns(2)
    assert {Unknown.TOOL_RESULT} == other.unknowns(2)


def at_once(between: str, *texts: str) -> Tape:
    """Return the tape of some workers asked at once, whose answers stand as asked in a last request."""
    merged = "".join(between.format(number) + text for number, text in enumerate(texts, start=1))
    tape = a_tape(*((asked(f"{number}?"), said(text)) for number, text in enumerate(texts)), at_once=True)
    last = a_tape((asked(merged), said("Done.")))[0]
    return (*tape, msgspec.structs.replace(last, index=len(texts) + 1, started_us=200_000_000, ended_us=201_000_000))


def test_an_order_that_may_be_sorted_is_marked_when_it_would_be_another() -> None:
    """The answers stood as asked and by their letters; nothing tells which it was."""
    tape = at_once("\n---\n", SOON, NEW, LATE)
    kept = Driven(tape, answers(said(SOON.replace("moon", "lamp")), said(NEW), said(LATE), said("Done.")))
    other = Driven(tape, answers(said("Zebras graze on the wide plain today."), said(NEW), said(LATE), said("Done.")))

    assert set() == kept.unknowns(4)
    assert {Unknown.DECISION} == other.unknowns(4)


def test_numbers_tell_that_answers_stand_as_asked() -> None:
    """And so does an order that is none."""
    other = (said("Zebras graze on the wide plain today."), said(NEW), said(LATE), said("Done."))

    assert set() == Driven(at_once("\nDraft {}: ", SOON, NEW, LATE), answers(*other)).unknowns(4)
    assert set() == Driven(at_once("\n---\n", LATE, NEW, SOON), answers(*other)).unknowns(4)


def test_an_order_that_four_answers_came_in_by_chance_is_none() -> None:
    """Of four, one order is thought of: their letters; that the longest came first says nothing, nor does a list cut short."""
    texts = [f"{word} {'and more ' * (9 - place)}" for place, word in enumerate(("Mice", "Bees", "Oxen", "Cats"))]
    tape = at_once("\n---\n", *texts)
    longer = f"Mice {'and so on ' * 2}"

    assert set() == Driven(tape, answers(said(longer), *map(said, texts[1:]), said("Done."))).unknowns(5)


def test_several_lines_in_place_of_one_that_was_asked_for_are_marked() -> None:
    """A program may take the first of them; not where the text has lines of its own to stand on."""
    lines = "Name the two main characters.\nShorten the second chapter."
    for ask, prompt, unknown in (
        ("Review it. One remark a line.", "Mend it. Remark: {}", {Unknown.SPACING}),
        ("Review it. One remark a line.", "Mend it. Remarks:\n{}", set()),
        ("Review it.", "Mend it. Remark: {}", set()),
    ):
        tape = a_tape((asked(ask), said(LATE)), (asked(prompt.format(LATE)), said("Done.")))
        take = Driven(tape, answers(said(lines), said("Done.")))
        assert unknown == take.unknowns(2)
        assert asked(prompt.format(lines)) == take.sent[2, 0]


def listed(*items: str) -> Json:
    """Return an answer that is a list."""
    return said(json.dumps({"ideas": items}))


def test_items_that_something_chose_are_marked_when_the_list_changes() -> None:
    """The third alone, or two in another order; not the first ones in their order."""
    ideas = ("paint the old barn red", "sell the broken tractor", "breed some mountain goats")
    others = ("rent the upper meadow", *ideas[1:])
    for there, unknown in (
        (ideas[2], {Unknown.PICK}),
        (f"{ideas[1]}; then {ideas[0]}", {Unknown.PICK}),
        (ideas[0], set()),
        (f"{ideas[0]}; then {ideas[1]}", set()),
    ):
        tape = a_tape((asked("Ideas?"), listed(*ideas)), (asked(f"Do this: {there}"), said("Done.")))
        assert unknown == Driven(tape, answers(listed(*others), said("Done."))).unknowns(2)
        assert set() == Driven(tape, answers(listed(*ideas), said("Done."))).unknowns(2)


def test_items_that_may_be_brought_together_under_one_name_are_marked() -> None:
    """No two had the same owner in the record; where two have, a program may write to the owner once."""

    def tasks(*owners: str) -> Json:
        rows = [{"owner": one, "task": f"paint the {one} side of the boat"} for one in owners]
        return said(json.dumps({"tasks": rows}))

    mails = [asked(f"Write to {one}:\n- paint the {one} side of the boat") for one in ("Ada", "Ben")]
    tape = a_tape((asked("Plan."), tasks("Ada", "Ben")), *((mail, said("Sent.")) for mail in mails))

    other = Driven(tape, answers(tasks("Ada", "Cleo"), said("Sent."), said("Sent.")))
    twice = Driven(tape, answers(tasks("Cleo", "Cleo"), said("Sent."), said("Sent.")))

    assert [set(), set()] == [other.unknowns(2), other.unknowns(3)]
    assert [{Unknown.DECISION}, {Unknown.DECISION}] == [twice.unknowns(2), twice.unknowns(3)]


def test_a_step_that_is_named_again_after_the_whole_plan_was_not_chosen() -> None:
    """It is the one that is done now; one that stands before others of the list by itself was put in order."""
    steps, new = (
        ("dig a very deep hole today", "sow all of the winter corn"),
        ("cut the old hedge down", "burn all the leaves"),
    )
    plan = "\n".join(f"[ ] {one}" for one in steps)
    done = a_tape((asked("Plan."), listed(*steps)), (asked(f"Plan:\n{plan}\n\nNow do: {steps[0]}"), said("Done.")))
    turned = a_tape((asked("Plan."), listed(*steps)), (asked(f"Last first: {steps[1]}, {steps[0]}"), said("Done.")))

    take = Driven(done, answers(listed(*new), said("Done.")))

    assert set() == take.unknowns(2)
    assert asked("Plan:\n[ ] {}\n[ ] {}\n\nNow do: {}".format(*new, new[0])) == take.sent[2, 0]
    assert {Unknown.PICK} == Driven(turned, answers(listed(*new), said("Done."))).unknowns(2)


def fanned_out(*texts: str) -> Tape:
    """Return a plan of tasks, a call for each at once, and one that brings what they said together."""
    tasks = [f"describe the {number} of all the harbours" for number in range(len(texts))]
    works = [(asked(f"Do: {task}"), said(text)) for task, text in zip(tasks, texts, strict=True)]
    merged = asked("Merge:\n\n" + "\n---\n".join(texts))
    families = ("/plan", *("/work" for _ in texts), "/merge")
    plan, *rest = a_tape((asked("Plan."), listed(*tasks)), *works, (merged, said("Done.")), families=families)
    *middle, last = rest
    at_once_now = [msgspec.structs.replace(one, started_us=20_000_000, ended_us=90_000_000) for one in middle]
    return (plan, *at_once_now, msgspec.structs.replace(last, started_us=100_000_000, ended_us=101_000_000))


def test_calls_that_a_shorter_list_needs_no_more_are_in_no_order() -> None:
    """Four answers came by their letters; the two that are left do so, too."""
    tape = fanned_out("Ants build hills.", "Bees dance a lot.", "Cats sleep by day.", "Dogs dig for bones.")
    fewer = listed("describe the cranes of the ports", "describe the boats of the ports")

    take = Driven(tape, answers(fewer, said("Elks swim."), said("Foxes hide."), said("x"), said("x"), said("Done.")))

    assert asked("Merge:\n\nElks swim.\n---\nFoxes hide.") == take.sent[6, 0]
    assert set() == take.unknowns(6)


def test_space_at_the_end_of_what_comes_to_stand_last_is_doubted() -> None:
    """In the middle of a prompt it was kept; whether a prompt that ends with it is trimmed is in no record."""
    tape = fanned_out("Bees dance a lot.", "Ants build hills.\n", "Dogs dig for bones.")
    fewer = listed("describe the cranes of the ports", "describe the boats of the ports")

    ends = Driven(tape, answers(fewer, said("Elks swim."), said("Foxes hide.\n"), said("x"), said("Done.")))
    plain = Driven(tape, answers(fewer, said("Elks swim."), said("Foxes hide."), said("x"), said("Done.")))

    assert [{Unknown.SPACING}, set()] == [ends.unknowns(5), plain.unknowns(5)]
