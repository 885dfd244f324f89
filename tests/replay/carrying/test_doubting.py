"""What programs make of answers and no record tells: signs escaped, names that repeat, dates worked out, answers refused."""

import json

import pytest

from reenact.domain.divergence import Unknown
from reenact.domain.message import Json
from tests.replay.carrying.tapes import a_tape, asked, back, said, system
from tests.replay.test_chaining import Driven, answers

AT_ONCE_US = 200_000
CLAIM = "The oldest map of the harbour hangs in the hall of the guild."
QUOTING = 'It says "harbour" & it isn\'t there.'


def sent_text(take: Driven, index: int) -> str:
    """Return the last message of a request of the take."""
    text: str = take.sent[index, 0]["messages"][-1]["content"]
    return text


@pytest.mark.parametrize(
    ("question", "escaped", "unknowns"),
    [
        ("What &quot;harbour&quot;?", "It says &quot;harbour&quot; &amp; it isn&#x27;t there.", set()),
        ("Maps &amp; halls?", "It says &quot;harbour&quot; &amp; it isn&#x27;t there.", {Unknown.SPACING}),
        ("Maps and halls?", QUOTING, set()),
    ],
)
def test_an_answer_is_escaped_as_the_text_around_it(question: str, escaped: str, unknowns: set[Unknown]) -> None:
    """The recorded one had nothing to escape; whether quotes are is told by quotes alone."""
    prompt = f"<question>{question}</question>\n<claim>{CLAIM}</claim>\nIs it sound?"
    tape = a_tape((asked("Claim."), said(CLAIM)), (asked(prompt), said("Yes.")))

    take = Driven(tape, answers(said(QUOTING), said("No.")))

    assert prompt.replace(CLAIM, escaped) == sent_text(take, 2)
    assert unknowns == take.unknowns(2)


def test_an_answer_that_was_not_escaped_among_others_that_were_stays_as_it_is() -> None:
    """Its own recorded signs show it."""
    recorded = "The map isn't in the hall of the guild any more, they say."
    prompt = f"<question>What &quot;map&quot;?</question>\n{recorded}"
    tape = a_tape((asked("Claim."), said(recorded)), (asked(prompt), said("Yes.")))

    take = Driven(tape, answers(said(QUOTING), said("No.")))

    assert prompt.replace(recorded, QUOTING) == sent_text(take, 2)


@pytest.mark.parametrize(("slot", "unknowns"), [("food", {Unknown.DECISION}), ("sport", set())])
def test_a_name_that_another_line_has_is_doubted(slot: str, unknowns: set[Unknown]) -> None:
    """Programs keep one value for each name; a name that is new to the lines may stand there."""
    notes = {
        "food": "likes the taste of plain rice",
        "work": "keeps bees behind the old mill",
        "travel": "would rather take the night train",
    }
    calls = []
    for place, (name, note) in enumerate(notes.items(), start=1):
        known = "\n".join(f"- {one}: {said_of}" for one, said_of in list(notes.items())[:place])
        calls += [
            (asked(f"Note {place}."), said(json.dumps({"slot": name, "note": note}))),
            (asked(f"You know:\n{known}\nGo on."), said(f"Answer {place}.")),
        ]
    new = said(json.dumps({"slot": slot, "note": "sleeps on any bench in the sun"}))

    take = Driven(a_tape(*calls), answers(*(one for _, one in calls[:4]), new, said("y")))

    assert f"- {slot}: sleeps on any bench in the sun" in sent_text(take, 6)
    assert unknowns == take.unknowns(6)


@pytest.mark.parametrize(
    ("line", "unknowns"),
    [
        ("Effort: {} days, so it is due on 28 April 2026.", {Unknown.DERIVED}),
        ("Effort: {} days, which costs € 9,400.", {Unknown.DERIVED}),
        ("Effort: {} days, until 2026-04-28.", {Unknown.DERIVED}),
        ("Effort: {} days.\nToday is 28 April 2026.", set()),
        ("Effort: {} days in room 12.", set()),
    ],
)
def test_a_date_or_an_amount_beside_a_number_that_changed_is_doubted(line: str, unknowns: set[Unknown]) -> None:
    """It may have been worked out of it; on a line of its own it is taken to be the prompt's."""

    def estimate(task: str, days: int) -> Json:
        return said(json.dumps({"task": task, "days": days}))

    boat, roof = "paint the old boat house", "mend the roof of the barn"
    tape = a_tape(
        (asked("Estimate one."), estimate(boat, 47)),
        (asked(f"Task: {boat}\n{line.format(47)}"), said("x")),
        (asked("Estimate two."), estimate(roof, 31)),
        (asked(f"Task: {roof}\n{line.format(31)}"), said("y")),
    )

    same = Driven(tape, answers(estimate(boat, 47), said("x"), estimate(roof, 31), said("y")))
    other = Driven(tape, answers(estimate(boat, 47), said("x"), estimate(roof, 12), said("y")))

    assert [set(), unknowns] == [same.unknowns(4), other.unknowns(4)]
    assert "Effort: 12 days" in sent_text(other, 4)


def test_whether_an_answer_is_taken_is_in_no_record_where_others_of_its_kind_were_refused() -> None:
    """What was made of one that was taken is doubted when it changes; where none was refused, it is not."""
    first, second, third = ("A hundred crates of pears, please.", "Ten crates of apples, please.", "A crate of plums.")
    order, complaint = "Read order one.", "That is not possible. Read it again."
    confirmed = f"Confirm: {second}"
    read = (asked(order), said(first))
    again = (asked(order, back(first), complaint), said(second))
    tape = a_tape(read, again, (asked(confirmed), said("Done.")), pause_us=AT_ONCE_US)

    same = Driven(tape, answers(said(first), said(second), said("Done.")))
    other = Driven(tape, answers(said(first), said(third), said("Done.")))
    alone = Driven(a_tape((asked(order), said(second)), (asked(confirmed), said("x"))), answers(said(third), said("x")))

    assert [set(), {Unknown.DECISION}, set()] == [same.unknowns(3), other.unknowns(3), alone.unknowns(2)]


def test_a_refusal_is_known_though_something_else_was_asked_in_between() -> None:
    """It comes right after the agent was answered, whatever was asked then; and by its first or last line."""
    code, other = "print('the tides of the harbour')", "print('the maps of the guild')"
    tape = a_tape(
        (asked("Write code."), said(code)),
        (asked(f"Describe: {code}"), said("It prints.")),
        (asked("Write code.", back(code), "The tests failed:\nlantern\nMend it."), said("Mended.")),
        pause_us=AT_ONCE_US,
    )

    take = Driven(tape, answers(said(other), said("It prints."), said("Mended.")))

    assert [set(), {Unknown.DECISION}] == [take.unknowns(2), take.unknowns(3)]


@pytest.mark.parametrize(
    ("there", "new", "unknowns"),
    [
        ("old%20harbour%20maps", "tides%20of%20May", set()),
        ("old+harbour+maps", "tides+of+May", set()),
        ("old%20harbour%20maps", "tides%20%26%20moons", set()),
        ("old%20harbour%20maps", "tides/moons%20of%20May", {Unknown.SPACING}),
    ],
)
def test_an_answer_in_a_link_is_written_as_links_are(there: str, new: str, unknowns: set[Unknown]) -> None:
    """Of several ways that gave the recorded link, one may give another for the new answer: that is doubted."""
    said_now = new.replace("+", " ").replace("%20", " ").replace("%26", "&")
    tape = a_tape(
        (asked("Title?"), said("old harbour maps")), (asked(f"Link: https://blog.example/?title={there}"), said("x"))
    )

    take = Driven(tape, answers(said(said_now), said("y")))

    assert f"Link: https://blog.example/?title={new}" == sent_text(take, 2)
    assert unknowns == take.unknowns(2)


def test_an_answer_that_begins_a_line_is_written_with_a_capital() -> None:
    """At a place that repeats; where capitals inside the answer tell the ways apart, it is doubted."""
    calls = []
    for number, name in enumerate(("old friend", "kind neighbour"), start=1):
        calls += [
            (
                asked(f"Mail {number}."),
                said(json.dumps({"greeting": name, "aim": f"to sell boat number {number} in May"})),
            ),
            (asked(f"{name.capitalize()},\n\nthis is to sell boat number {number} in May."), said("x")),
        ]
    tape = a_tape(*calls)

    def take(greeting: str) -> Driven:
        new = said(json.dumps({"greeting": greeting, "aim": "to sell boat number 2 in May"}))
        return Driven(tape, answers(calls[0][1], calls[1][1], new, said("y")))

    plain, odd = take("dear captain"), take("dear Ada")

    assert sent_text(plain, 4).startswith("Dear captain,")
    assert [set(), {Unknown.SPACING}] == [plain.unknowns(4), odd.unknowns(4)]


def test_what_a_choice_among_the_fields_of_an_answer_decides_is_in_no_record() -> None:
    """One that stands in no request though another field does; where it stands in one, or is the same, nothing is doubted."""

    def plan(tone: str, aim: str) -> Json:
        return said(json.dumps({"tone": tone, "aim": aim}))

    first, second = "tell them that the ferry is late", "ask them whether they come in May"
    hidden = a_tape((asked("Plan."), plan("firm", first)), (asked(system("Be short."), f"Write: {first}"), said("x")))
    shown = a_tape((asked("Plan."), plan("firm", first)), (asked(f"Write: {first}. Tone: firm"), said("x")))

    assert {Unknown.DECISION} == Driven(hidden, answers(plan("formal", second), said("y"))).unknowns(2)
    assert set() == Driven(hidden, answers(plan("firm", second), said("y"))).unknowns(2)
    assert Unknown.DECISION not in Driven(shown, answers(plan("formal", second), said("y"))).unknowns(2)


def test_an_error_is_a_refusal_though_a_colleagues_words_stand_beside_it() -> None:
    """A critic's words alone are none: the agent may always ask for another draft."""
    query, review, other = (
        "the ships of the northern line",
        "It counts the ships by line and year.",
        "It counts all ships.",
    )
    for told, unknowns in (("Error: no table", {Unknown.DECISION}), ("Once more, please: try again.", set())):
        tape = a_tape(
            (asked("Query."), said(query)),
            (asked(f"Review: {query}"), said(review)),
            (asked("Query.", back(query), f"{told}\nA colleague said: {review}"), said("New.")),
            pause_us=AT_ONCE_US,
        )

        take = Driven(tape, answers(said("the ships of the southern line"), said(other), said("New.")))

        assert unknowns == take.unknowns(3)


def test_words_of_failure_among_what_was_found_are_no_refusal() -> None:
    """A complaint stands in the first line or the last; what stands between was found somewhere."""
    answer, other = "the ships of the northern line", "the ships of the southern line"
    found = "What of the ferries?\nPassages: the winter timetable\n[1] Error: no such page\n[2] the summer timetable"
    tape = a_tape(
        (asked("Ships?"), said(answer)), (asked("Ships?", back(answer), found), said("Ferries.")), pause_us=AT_ONCE_US
    )

    assert set() == Driven(tape, answers(said(other), said("Ferries."))).unknowns(2)


def test_a_date_that_is_a_copy_itself_is_not_taken_to_be_worked_out() -> None:
    """Beside a number that changed it is the answer's own, whatever it is now."""

    def estimate(days: int, due: str) -> Json:
        return said(json.dumps({"days": days, "due": due}))

    first, second, new = (47, "28 April 2026"), (31, "12 May 2026"), (12, "3 June 2026")
    calls = []
    for number, (days, due) in enumerate((first, second), start=1):
        line = f"Effort: {days} days, so it is due on {due} at last."
        calls += [(asked(f"Estimate {number}."), estimate(days, due)), (asked(line), said("x"))]

    take = Driven(a_tape(*calls), answers(calls[0][1], calls[1][1], estimate(*new), said("y")))

    assert "Effort: 12 days, so it is due on 3 June 2026 at last." == sent_text(take, 4)
    assert set() == take.unknowns(4)


def test_who_is_asked_because_of_an_item_is_doubted_when_it_names_another() -> None:
    """The names of a list stand over the answers that came of them; what a desk that was never asked is told is unknown."""
    triage = {"summary": "the parcel never came to the door", "desks": ["billing desk", "shipping desk"]}
    asked_desks = [
        asked(system(f"You are one of {name}."), f"In short: {triage['summary']}") for name in ("us", "them")
    ]
    replies = ("The money goes back to you today.", "The ship is late by two days or three.")
    sections = "\n\n".join(f"## From the {desk}\n{told}" for desk, told in zip(triage["desks"], replies, strict=True))
    tape = a_tape(
        (asked("Sort."), said(json.dumps(triage))),
        *((one, said(told)) for one, told in zip(asked_desks, replies, strict=True)),
        (asked(f"One answer, please.\n\n{sections}"), said("x")),
    )

    other = said(json.dumps(triage | {"desks": ["repairs desk", "shipping desk"]}))
    take = Driven(tape, answers(other, *map(said, replies), said("y")))

    assert [{Unknown.DECISION}, set()] == [take.unknowns(2), take.unknowns(3)]


def test_what_follows_a_program_that_was_run_is_doubted_when_it_changes() -> None:
    """Its outcome is in no record; before it was run, and where it was not run, nothing is doubted."""
    code, other = "print('the tides of the harbour')", "print('the maps of the guild')"
    fenced = said(f"Here:\n```python\n{code}\n```")
    tape = a_tape(
        (asked("Write code."), fenced),
        (asked(f"Describe: {code}"), said("It prints.")),
        (asked(f"{code}\nTests: all 12 passed"), said("Good.")),
        (asked(f"Good code so far:\n{code}\nWrite more."), said("More.")),
    )

    new = said(f"Here:\n```python\n{other}\n```")
    take = Driven(tape, answers(new, said("It prints."), said("Good."), said("More.")))
    same = Driven(tape, answers(fenced, said("It prints."), said("Good."), said("More.")))

    assert [set(), {Unknown.TOOL_RESULT}, {Unknown.DECISION}] == [take.unknowns(number) for number in (2, 3, 4)]
    assert [set(), set(), set()] == [same.unknowns(number) for number in (2, 3, 4)]


def offering(*choices: str) -> Json:
    """Return the answer format of a request that offers choices."""
    return {"type": "json_object", "schema": {"properties": {"action": {"enum": list(choices)}}}}


def test_a_choice_of_several_words_is_one_where_the_request_offered_it() -> None:
    """It stands nowhere, and what is done with the fact hangs on it; as a remark that nothing offered it would be none."""

    def noted(action: str, fact: str) -> Json:
        return said(json.dumps({"action": action, "fact": fact}))

    first, second = "has kept bees for ten years now", "sleeps on any bench in the sun"
    note = asked("Note.", response_format=offering("add", "add and mark it well", "skip"))
    tape = a_tape((note, noted("add and mark it well", first)), (asked(f"Known:\n- {first} (!)"), said("x")))
    free = a_tape((asked("Note."), noted("add and mark it well", first)), (asked(f"Known:\n- {first} (!)"), said("x")))

    assert {Unknown.DECISION} == Driven(tape, answers(noted("add", second), said("y"))).unknowns(2)
    assert set() == Driven(free, answers(noted("add", second), said("y"))).unknowns(2)


def test_a_call_that_only_some_of_a_kind_led_to_hangs_on_their_choices() -> None:
    """One of three judgements led to a rescue: with another risk there may be none, whatever else its answer says."""

    def card(risk: str, objection: str) -> Json:
        return said(json.dumps({"action": risk, "objection": objection}))

    objections = ("the price is far too high", "the ship comes in too late", "the colour does not fit in")
    judge = [asked(f"Judge call {number}.", response_format=offering("low", "high")) for number in range(3)]
    table = "\n".join(f"| {risk} | {one} |" for risk, one in zip(("high", "low", "low"), objections, strict=True))
    tape = a_tape(
        (judge[0], card("high", objections[0])),
        (asked(f"Rescue this: {objections[0]}"), said("Call them.")),
        (judge[1], card("low", objections[1])),
        (judge[2], card("low", objections[2])),
        (asked(f"Report:\n{table}"), said("x")),
        families=("/judge", "/rescue", "/judge", "/judge", "/report"),
    )

    def take(risk: str) -> Driven:
        new = card(risk, "the price is a bit too high")
        return Driven(
            tape, answers(new, said("Call them."), card("low", objections[1]), card("low", objections[2]), said("y"))
        )

    assert [{Unknown.DECISION}, set()] == [take("low").unknowns(2), take("high").unknowns(2)]


def test_what_was_found_with_an_answer_that_stands_nowhere_is_in_no_record_for_another() -> None:
    """A question that was rewritten, and passages at once after it; after a while somebody may have asked by himself."""
    rewritten, other = (
        "Which of the harbours of the north have a crane today?",
        "How many cranes are there in the north?",
    )
    calls = (
        (asked("Rewrite: and cranes?"), said(rewritten)),
        (asked("Passages:\nNarvik has a crane.\n\nAnd cranes?"), said("Narvik.")),
    )

    at_once = Driven(a_tape(*calls, pause_us=AT_ONCE_US), answers(said(other), said("x")))
    later = Driven(a_tape(*calls), answers(said(other), said("x")))

    assert [{Unknown.DECISION}, set()] == [at_once.unknowns(2), later.unknowns(2)]


def test_what_stands_behind_an_arrow_came_of_what_was_run() -> None:
    """As traces of tools are written."""
    query, other = "ships of the northern line", "ferries of the southern line"
    tape = a_tape(
        (asked("Next?"), said(json.dumps({"query": query}))), (asked(f"search({query!r}) -> 12 ships"), said("x"))
    )

    assert {Unknown.TOOL_RESULT} == Driven(tape, answers(said(json.dumps({"query": other})), said("y"))).unknowns(2)


def test_an_error_among_listed_findings_is_no_refusal_though_it_stands_last() -> None:
    """An item of a list was found somewhere; a line of its own complains."""
    answer, other = "the ships of the northern line", "the ships of the southern line"
    for last, unknowns in (("[2] Error: no such page", set()), ("Error: no such ship", {Unknown.DECISION})):
        found = f"What of the ferries?\nPassages:\n[1] the winter timetable\n{last}"
        tape = a_tape(
            (asked("Ships?"), said(answer)),
            (asked("Ships?", back(answer), found), said("Ferries.")),
            pause_us=AT_ONCE_US,
        )

        assert unknowns == Driven(tape, answers(said(other), said("Ferries."))).unknowns(2)


def judged(action: str, text: str) -> Json:
    """Return an answer with a choice and a text."""
    return said(json.dumps({"action": action, "text": text}))


def test_what_follows_the_last_of_a_chain_hangs_on_no_choice_of_it() -> None:
    """Each before it led to the next of its kind, and the last to something else: a loop that was over."""
    texts = ("minutes of the morning talk", "minutes of the whole long day", "minutes of the day, shortened")
    form = offering("draft", "final")
    calls, said_before = [], ""
    for text in texts:
        calls.append((asked(f"Write anew: {said_before}", response_format=form), judged("draft", text)))
        said_before = text
    tape = a_tape(
        *calls, (asked(f"Cover for this (draft): {texts[2]}"), said("x")), families=("/min", "/min", "/min", "/cover")
    )

    take = Driven(tape, answers(*(one for _, one in calls[:2]), judged("final", texts[2]), said("y")))

    assert "Cover for this (final)" in sent_text(take, 4)
    assert set() == take.unknowns(4)


def test_a_call_that_the_sessions_end_left_out_makes_no_other_hang_on_a_choice() -> None:
    """The last judgement led to nothing, since nothing came any more."""
    first, second = "the price is far too high", "the ship comes in too late"
    form = offering("high", "low")
    tape = a_tape(
        (asked("Judge one.", response_format=form), judged("high", first)),
        (asked(f"Rescue this (high): {first}"), said("Call them.")),
        (asked("Judge two.", response_format=form), judged("low", second)),
        families=("/judge", "/rescue", "/judge"),
    )

    take = Driven(tape, answers(judged("low", first), said("Call them."), judged("low", second)))

    assert set() == take.unknowns(2)
