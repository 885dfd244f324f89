"""Copies of answers in prompts: found with evidence, left alone without."""

import json

import pytest

from reenact.domain.message import Json
from reenact.replay.carrying.fabric import Fabric
from reenact.replay.carrying.strand import Kept, Results, Span, Turn, Woven, flat, woven_in
from reenact.replay.carrying.weaving import weave
from tests.replay.carrying.tapes import a_tape, asked, back, result, said, system, uses_back

DRAFT = "The sun rises in the east, and the shadows fall to the west."


def spans(*calls: tuple[Json, Json], of: int) -> list[Span]:
    """Return the copies in a request."""
    strands, _ = weave(a_tape(*calls))
    return [span for woven in woven_in(strands[of].pieces) for found in woven.spans.values() for span in flat(found)]


def copied(*calls: tuple[Json, Json], of: int) -> list[tuple[int, str, str]]:
    """Return the sure copies in a request: call, place, spelling."""
    return [
        (origin.call, str(origin.place), origin.spelling)
        for span in spans(*calls, of=of)
        if span.is_sure
        for origin in span.origins[:1]
    ]


@pytest.mark.parametrize(
    ("answer", "prompt", "found"),
    [
        (DRAFT, f"Review this: {DRAFT}", (1, "text", "plain")),
        (f"{DRAFT}\n", f"<essay>{DRAFT}</essay>", (1, "text", "trimmed")),
        (f'{DRAFT} "Yes."', json.dumps({"essay": f'{DRAFT} "Yes."'}), (1, "text", "plain")),
        (f"{DRAFT} It's so.", f"Log: {[DRAFT + chr(32) + chr(73) + chr(116) + chr(39) + 's so.']}", (1, "text", "plain")),
        (json.dumps({"a": {"essay": DRAFT}}), f"Review: {DRAFT}", (1, "json/a/essay", "plain")),
        ('{"a": ["dig a hole", "sow corn"]}', "Do:\n- dig a hole\n- sow corn", (1, "json/a", "lines with dashes")),
        (f"Sure.\n```\n{DRAFT}\n```", f"Run:\n{DRAFT}", (1, "block 1", "plain")),
        (f"{DRAFT}\n\nAnswer: the eastern hills", "Said: the eastern hills", (1, "label 1/Answer", "plain")),
        ("Yes.", "Yes.", (1, "text", "plain")),
    ],
)  # fmt: skip
def test_copies_are_found_in_every_spelling(answer: str, prompt: str, found: tuple[int, str, str]) -> None:
    """Whole answers, fields, lines, blocks."""
    assert [found] == copied((asked("Write."), said(answer)), (asked(prompt), said("ok")), of=2)


def test_copies_are_found_in_every_role() -> None:
    """System prompts, tool results of a sub-agent, its task out of a tool call's arguments, and turns written anew."""
    task = "find the oldest map of the harbour"
    calls = [
        (asked("Go."), said(None, ("a", "expert", {"task": task}))),
        (asked(system("You help."), task), said(DRAFT)),
        (asked("Go.", uses_back(("a", "expert", {"task": task})), result("a", DRAFT)), said("done")),
        (asked(system(f"Known: {DRAFT}"), "More?"), said("no")),
    ]

    assert [(1, "tool_use 1/task", "plain")] == copied(*calls, of=2)
    assert [(2, "text", "plain")] == copied(*calls, of=3)
    assert [(2, "text", "plain")] == copied(*calls, of=4)


def test_a_text_that_was_known_before_is_no_copy() -> None:
    """The answer repeats the question; the next prompt has it from the user."""
    question = "How old is the oldest map of the harbour?"
    calls = [(asked(question), said(json.dumps({"question": question}))), (asked(f"Answer: {question}"), said("old"))]

    assert [] == copied(*calls, of=2)


def test_a_short_value_needs_a_place_that_repeats() -> None:
    """One occurrence may be a word of the prompt's own, and is only reported."""
    one = [(asked("Sort: x"), said('{"area": "billing"}')), (asked("Area: billing\nGo."), said("a"))]
    two = [(asked("Sort: y"), said('{"area": "refunds"}')), (asked("Area: refunds\nGo."), said("b"))]

    assert [False] == [span.is_sure for span in spans(*one, of=2)]
    assert [(1, "json/area", "plain")] == copied(*one, *two, of=2)
    assert [(3, "json/area", "plain")] == copied(*one, *two, of=4)


def test_words_inside_words_are_no_copies() -> None:
    """`art` does not stand in `party`."""
    assert [] == spans((asked("q"), said('{"a": "art"}')), (asked("The party goes on."), said("a")), of=2)


def test_what_was_said_at_the_same_time_is_no_source() -> None:
    """Calls that were under way at once cannot have it from each other."""
    strands, _ = weave(a_tape((asked("a"), said(DRAFT)), (asked(f"b {DRAFT}"), said("x")), at_once=True))

    assert frozenset() == strands[2].sources


def test_a_beginning_that_was_cut_at_a_length_is_known_as_that() -> None:
    """It is a copy, but not one that can be made again."""
    calls = [(asked("Write."), said(DRAFT + " And so on.")), (asked(f"Go on: {DRAFT[:41]}..."), said("x"))]

    assert [(1, "beginning 42", "plain")] == copied(*calls, of=2)


def test_a_request_is_history_turn_results_and_news() -> None:
    """In the order in which it says them."""
    call = ("a", "weather", {"city": "Oslo"})
    calls = [
        (asked("Trip?"), said(None, call)),
        (asked("Trip?", uses_back(call), result("a", "rain")), said("Stay.")),
        (asked("Trip?", uses_back(call), result("a", "rain"), back("Stay."), "Why?"), said("Rain.")),
    ]

    strands, _ = weave(a_tape(*calls))

    assert [Kept, Turn, Results] == [type(piece) for piece in strands[2].pieces]
    assert [Kept, Turn, Woven] == [type(piece) for piece in strands[3].pieces]
    assert [False, True, False] == [strands[index].is_round for index in (1, 2, 3)]


def test_literals_are_copied_into_string_by_string() -> None:
    """So that quotes in a new answer cannot break them."""
    calls = [(asked("Write."), said(DRAFT)), (asked(json.dumps([{"role": "ada", "text": f"Ada: {DRAFT}"}])), said("x"))]

    strands, _ = weave(a_tape(*calls))
    (woven,) = woven_in(strands[2].pieces)
    (span,) = woven.spans[0]

    assert span.document is not None
    assert [(0, "text")] == [part.steps for part in span.document.parts]


def test_the_agents_habits_are_learnt() -> None:
    """Whether it trims, where an answer shows it."""
    trimmed = [(asked("q"), said(f"{DRAFT}\n")), (asked("q", back(DRAFT), "more"), said("x"))]
    kept = [(asked("q"), said(f"{DRAFT}\n")), (asked("q", back(f"{DRAFT}\n"), "more"), said("x"))]
    unseen = [(asked("q"), said(DRAFT)), (asked("q", back(DRAFT), "more"), said("x"))]

    assert [{"/": {True}}, {"/": {False}}, {}] == [
        Fabric(a_tape(*calls)).habits.trims for calls in (trimmed, kept, unseen)
    ]


def test_another_users_message_with_tool_calls_in_json_is_read() -> None:
    """An assistant's turn that no call said is searched like any text."""
    calls = [
        (asked("q"), said(DRAFT)),
        (
            asked("q", back(f"Summary: {DRAFT}"), "more", uses_back(("z", "f", {"t": DRAFT})), result("z", "r")),
            said("x"),
        ),
    ]

    assert [(1, "text", "plain"), (1, "text", "plain")] == copied(*calls, of=2)


def test_the_first_line_of_a_list_is_the_same_place_as_those_after_it() -> None:
    """Whatever stands before the list; and of two that offered the same, each line is of the one whose words it holds."""
    words = ("the old boat is worth it", "the sails are torn and grey", "take the oars with it then")
    offers = [
        (said(json.dumps({"offer": price, "words": said_of})))
        for price, said_of in zip((58, 31, 58), words, strict=True)
    ]
    listed = "\n".join(f"* buyer: {price} euros, {one}" for price, one in zip((58, 31, 58), words, strict=True))
    calls = [(asked(f"Round {number}."), offer) for number, offer in enumerate(offers)]

    found = copied(*calls, (asked(f"Write the contract.\n{listed}"), said("x")), of=4)

    assert [(call, place) for call in (1, 2, 3) for place in ("json/offer", "json/words")] == [one[:2] for one in found]


TASKS = (("paint the old boat house", "Ada", "Monday"), ("mend the roof of the barn", "Ben", "Friday"))


def planned(*tasks: tuple[str, str, str]) -> Json:
    """Return an answer with tasks, each with an owner and a day."""
    rows = [{"task": task, "owner": owner, "due": due} for task, owner, due in tasks]
    return said(json.dumps({"tasks": rows}))


def test_short_fields_are_those_of_the_row_that_they_stand_in() -> None:
    """Set off by signs, beside a field of the same object, at a place that need not repeat; not those of another row."""
    table = "\n".join(f"| {task} | {owner} | {due} |" for task, owner, due in TASKS)
    found = copied((asked("Plan."), planned(*TASKS)), (asked(f"Check:\n{table}"), said("x")), of=2)
    twice = copied(
        (asked("Plan."), planned((TASKS[0][0], "Ada", "Monday"), (TASKS[1][0], "Ben", "Monday"))),
        (asked(f"Check: {TASKS[1][0]} (Monday)"), said("x")),
        of=2,
    )

    fields = ("task", "owner", "due")
    assert [f"json/tasks/{row}/{name}" for row in (0, 1) for name in fields] == [place for _, place, _ in found]
    assert ["json/tasks/1/task", "json/tasks/1/due"] == [place for _, place, _ in twice]


def test_a_short_field_among_words_is_no_field_of_the_row() -> None:
    """What stands between words beside it may be the template's."""
    calls = ((asked("Plan."), planned(TASKS[0])), (asked(f"On Monday we speak of this: {TASKS[0][0]}"), said("x")))

    assert ["json/tasks/0/task"] == [place for _, place, _ in copied(*calls, of=2)]
    assert 2 == len(spans(*calls, of=2))


def test_a_choice_that_the_request_offered_is_no_evidence() -> None:
    """It stood in the schema before anybody said it; the same words that nothing offered are one."""
    schema = {"type": "object", "properties": {"owner": {"type": "string", "enum": ["Ada Lovelace", "Grace Hopper"]}}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    answer, prompt = said('{"owner": "Grace Hopper"}'), "Transcript:\nGrace Hopper\nWhat now?"

    assert [] == copied((asked("Who?", response_format=form), answer), (asked(prompt), said("x")), of=2)
    assert ["json/owner"] == [one[1] for one in copied((asked("Who?"), answer), (asked(prompt), said("x")), of=2)]


def test_a_place_that_a_program_fills_holds_no_copy() -> None:
    """Where words stood that no answer had said, later ones are not taken for an answer's."""
    first = (asked("The customer is called Miriam today. Greet."), said('{"name": "Thomas"}'))
    second = "The customer is called Thomas today. Greet."

    assert [] == spans(first, (asked(second), said("x")), of=2)
    assert 1 == len(spans((asked("Greet."), said('{"name": "Thomas"}')), (asked(second), said("x")), of=2))


def test_places_are_looked_for_in_so_much_text_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands elsewhere is not known then, and the value stays in doubt."""
    monkeypatch.setattr("reenact.replay.carrying.repeating._MOST_LOOKED", 10)
    first = (asked("The customer is called Miriam today. Greet."), said('{"name": "Thomas"}'))

    assert 1 == len(spans(first, (asked("The customer is called Thomas today. Greet."), said("x")), of=2))


def test_of_a_line_and_a_paragraph_that_are_the_same_the_line_is_meant_where_lines_were_asked_for() -> None:
    """The first of several remarks, each with a blank line after it."""
    remarks = said(f"{DRAFT}\n\nThe second paragraph is too long by half.")
    prompt = f"Revise by this: <remark>{DRAFT}</remark>"

    def kinds(question: str) -> set[str]:
        found = spans((asked(question), remarks), (asked(prompt), said("x")), of=2)
        return {origin.place.kind for span in found for origin in span.origins}

    assert {"line"} == kinds("One remark a line, please.")
    assert {"line", "paragraph", "sentence"} == kinds("What do you say?")


def test_who_speaks_in_a_transcript_is_no_copy_of_who_was_named() -> None:
    """Whatever the line before ends with: lines of the kind began with others before anybody was named."""
    form = {"type": "json_object", "schema": {"enum": ["Ada Lovelace", "Grace Hopper", "Barbara Liskov"]}}
    first = asked(
        "Who does it?\nBarbara Liskov: I cannot come.\nAda Lovelace: I cannot come either.", response_format=form
    )
    named = said('{"owner": "Grace Hopper", "task": "paint the old boat house"}')
    second = asked("And what did they say then?\nGrace Hopper: I cannot come.\nBarbara Liskov: I cannot come either.")

    assert [] == spans((first, named), (second, said("x")), of=2)


def test_a_short_value_is_a_copy_where_a_long_one_of_its_kind_stood() -> None:
    """Among words that set it off by no sign."""
    readers = ("the keepers of all northern lights", "young sailors")
    calls = [
        call
        for number, one in enumerate(readers)
        for call in (
            (asked(f"Plan {number}."), said(json.dumps({"audience": one}))),
            (asked(f"You write for {one} today."), said("x")),
        )
    ]

    assert [(3, "json/audience", "plain")] == copied(*calls, of=4)
    assert [] == copied(*calls[2:], of=2)
