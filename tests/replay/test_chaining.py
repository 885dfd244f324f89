"""Chained takes send what the agent would have sent, and say where no record can tell."""

import json
from collections.abc import Callable, Sequence

import msgspec

from reenact.domain.divergence import Departure, Unknown, Validity
from reenact.domain.message import Json, Prompt
from reenact.domain.patch import Patch
from reenact.domain.policy import Callback, ErrorResult, Policies, Simulate, Static, Stop, ToolRule, UserTurns
from reenact.domain.policy import Recorded as FromRecord
from reenact.domain.replay import Answered, AskCall, AskTool, CallResult, Mode, Plan, PlannedCall, Take
from reenact.replay.carrying.fabric import Fabric
from reenact.replay.carrying.tape import Tape
from reenact.replay.chaining import perform_chained
from reenact.replay.performing import advance
from tests.replay.carrying.tapes import a_tape, answer, asked, back, result, said, system, use, uses_back

OSLO, LIMA = ("a", "weather", {"city": "Oslo"}), ("b", "weather", {"city": "Lima"})
OSLO_AGAIN = ("z", "weather", {"city": "Oslo"})
LONG = "The sun rises in the east, and the shadows fall to the west."
OTHER = "The moon sets over the sea, and the fishermen row home."

Model = Callable[[AskCall], Json]


class Driven:
    """One take, driven to its end by a model that is a function."""

    def __init__(
        self,
        tape: Tape,
        model: Model,
        policies: Policies = Policies(),  # noqa: B008
        suffix: str = "",
        kin: Sequence[Tape] = (),
    ) -> None:
        calls = tuple(
            PlannedCall(
                index=call.index, call_id=f"call-{call.index}", path="/", prompt_id=None, model="m", provider="openai",
                action="ask", url="http://gateway", body=msgspec.json.encode(call.prompt.origin),
            )
            for call in tape
        )  # fmt: skip
        plan = Plan(session_id="s", session_name="", mode=Mode.CHAINED, patch=Patch(), takes=1, calls=calls)
        self.sent: dict[tuple[int, int], Json] = {}
        self.waves: list[list[int]] = []
        self.tools: list[AskTool] = []
        performance = perform_chained(plan, Take(number=1, session_id="t"), Fabric(tape, kin), policies, edit(suffix))
        step = advance(performance)
        waiting: list[AskCall | AskTool] = []
        while not isinstance(step, Take):
            if step:
                self.waves.append([ask.index for ask in step])
            waiting += step
            step = advance(performance, self._answered(waiting.pop(0), model))
        self.results: dict[tuple[int, int], CallResult] = {(one.index, one.round): one for one in step.results}

    def _answered(self, ask: AskCall | AskTool, model: Model) -> Answered:
        if isinstance(ask, AskTool):
            self.tools.append(ask)
            return Answered(
                index=ask.index, round=ask.round, tool=ask.tool, call_id=None, status=200, result="called back"
            )
        self.sent[ask.index, ask.round] = msgspec.json.decode(ask.body)
        response = model(ask)
        failure = None if response is not None else "HTTP 500"
        found = None if response is None else answer(response)
        return Answered(
            index=ask.index, round=ask.round, tool=ask.tool, call_id="new", status=200, failure=failure, answer=found
        )

    def validity(self, index: int, beyond: int = 0) -> Validity | None:
        """Return what a call is worth."""
        return self.results[index, beyond].validity

    def unknowns(self, index: int, round_number: int = 0) -> set[Unknown]:
        """Return what is unknown of a call."""
        return {doubt.unknown for doubt in self.results[index, round_number].doubts}


def edit(suffix: str) -> Callable[[int, Prompt], Prompt]:
    """Return a patch that adds to the model's name."""
    return lambda index, prompt: msgspec.structs.replace(prompt, model=f"{prompt.model}{suffix}")


def answers(*given: Json) -> Model:
    """Return a model that answers call 1 with the first, call 2 with the second; beyond the record by round."""
    return lambda ask: given[ask.index - 1 + ask.round]


CHAT = (
    (asked("one"), said(LONG)),
    (asked("one", back(LONG), "two"), said("Second.")),
    (asked("one", back(LONG), "two", back("Second."), "three"), said("Third.")),
)
LOOP = (
    (asked("Trip?"), said(None, OSLO)),
    (asked("Trip?", uses_back(OSLO), result("a", "rain")), said("Stay.")),
    (asked("Trip?", uses_back(OSLO), result("a", "rain"), back("Stay."), "Why?"), said("Rain.")),
)


def test_the_same_answers_send_the_recorded_bytes() -> None:
    """The control is exact."""
    for calls in (CHAT, LOOP):
        take = Driven(a_tape(*calls), answers(*(response for _, response in calls)))

        assert [body for body, _ in calls] == [take.sent[index, 0] for index in (1, 2, 3)]
        assert {Validity.ON_TAPE} == {one.validity for one in take.results.values()}


def test_new_answers_stand_where_recorded_ones_stood() -> None:
    """In every later turn; the patch is applied to what was carried."""
    take = Driven(a_tape(*CHAT), answers(said("New one."), said("New two."), said("New three.")), suffix="-new")

    assert {
        "model": "m-new",
        "messages": asked("one", back("New one."), "two", back("New two."), "three")["messages"],
    } == (take.sent[3, 0])
    assert Validity.ON_TAPE is take.validity(3)


def test_rewording_is_no_divergence_and_link_ids_follow_the_new_call() -> None:
    """The tool is asked with the same arguments under another link id."""
    take = Driven(a_tape(*LOOP), answers(said("Let me see.", OSLO_AGAIN), said("Go."), said("Sun.")))

    assert [use(*OSLO_AGAIN)] == take.sent[2, 0]["messages"][1]["tool_calls"]
    assert result("z", "rain") == take.sent[2, 0]["messages"][2]
    assert take.results[1, 0].divergence is None


def test_what_the_record_cannot_answer_stops_the_branch_exactly_there() -> None:
    """And says so; nothing after it is asked."""
    take = Driven(a_tape(*LOOP), answers(said(None, LIMA), said("x"), said("y")))

    divergence = take.results[1, 0].divergence
    assert divergence is not None
    assert Departure.OTHER_ARGUMENTS is divergence.departure
    assert [(1, 0)] == list(take.sent)
    assert {Unknown.TOOL_RESULT} == take.unknowns(2)
    assert [Validity.ON_TAPE, Validity.DROPPED, Validity.DROPPED] == [take.validity(index) for index in (1, 2, 3)]


def test_a_loop_that_ends_early_goes_on_with_the_next_user_turn() -> None:
    """Which stands after what was really said, and is marked."""
    take = Driven(a_tape(*LOOP), answers(said("No need."), said("x"), said("y")))

    assert asked("Trip?", back("No need."), "Why?") == take.sent[3, 0]
    assert [Validity.DROPPED, Validity.AFTER_DIVERGENCE] == [take.validity(2), take.validity(3)]


def test_a_loop_goes_on_beyond_the_record_as_long_as_the_record_answers() -> None:
    """Each further round is a call of its own, and the next user turn stands after the last."""
    again = ("y", "weather", {"city": "Oslo"})
    model = {(1, 0): said(None, OSLO), (2, 0): said(None, again), (2, 1): said("Go."), (3, 0): said("Because.")}

    take = Driven(a_tape(*LOOP), lambda ask: model[ask.index, ask.round])

    whole = [*asked("Trip?", uses_back(OSLO), result("a", "rain"), uses_back(again), result("y", "rain"))["messages"]]
    assert whole == take.sent[2, 1]["messages"]
    assert [*whole, back("Go."), {"role": "user", "content": "Why?"}] == take.sent[3, 0]["messages"]
    assert Validity.AFTER_DIVERGENCE is take.validity(2, 1)


def test_a_loop_has_a_limit() -> None:
    """After which it has no end, and nothing follows."""
    take = Driven(a_tape(*LOOP), lambda ask: said(None, OSLO), Policies(extra_rounds=3))

    assert [(1, 0), (2, 0), (2, 1), (2, 2), (2, 3)] == sorted(take.sent)
    stop = take.results[2, 0].stop
    assert stop is not None
    assert Unknown.ROUNDS is stop.unknown


def test_rounds_beyond_those_that_agents_go_are_marked() -> None:
    """No record says after how many this one gives up."""
    take = Driven(a_tape(*LOOP), lambda ask: said(None, OSLO))

    assert set() == take.unknowns(2, 8)
    assert {Unknown.ROUNDS} == take.unknowns(2, 9)


def test_tools_are_answered_by_policy() -> None:
    """Static, an error, a model, the user's address; and a stop even where the record knows."""
    loop, other = a_tape(*LOOP), answers(said(None, LIMA), said("x"), said("y"))
    seen = []
    for policy in (Static("sun"), ErrorResult("down"), Callback("http://me")):
        take = Driven(loop, other, Policies(tools=(ToolRule(tool="wea*", policies=(FromRecord(), policy)),)))
        seen.append(take.sent[2, 0]["messages"][2]["content"])
    assert ["sun", "down", "called back"] == seen
    assert [("weather", {"city": "Lima"})] == [(ask.name, msgspec.json.decode(ask.arguments)) for ask in take.tools]

    stopped = Driven(
        loop, answers(said(None, OSLO), said("x"), said("y")), Policies(tools=(ToolRule(policies=(Stop(),)),))
    )
    assert Validity.DROPPED is stopped.validity(2)


def test_a_model_may_play_a_tool_and_what_follows_is_marked() -> None:
    """It is asked about the very call."""
    played: list[Json] = []

    def model(ask: AskCall) -> Json:
        if ask.tool is not None:
            played.append(msgspec.json.decode(ask.body))
            return said("snow")
        return [said(None, LIMA), said("x"), said("y")][ask.index - 1]

    take = Driven(a_tape(*LOOP), model, Policies(tools=(ToolRule(policies=(FromRecord(), Simulate("Be cold."))),)))

    assert "snow" == take.sent[2, 0]["messages"][2]["content"]
    assert all(word in played[0]["messages"][0]["content"] for word in ("weather", "Lima", "Be cold."))
    assert [Validity.SIMULATED, Validity.SIMULATED] == [take.validity(2), take.validity(3)]


def test_copies_in_prompts_are_rewritten_and_logged() -> None:
    """From, to, where and why."""
    tape = a_tape((asked("Write."), said(LONG)), (asked(f"Review: {LONG}"), said("ok")))

    take = Driven(tape, answers(said(OTHER), said("x")))

    assert asked(f"Review: {OTHER}") == take.sent[2, 0]
    (rewrite,) = take.results[2, 0].rewrites
    assert ("/messages/0/parts/0", LONG, OTHER, 1, "text") == (
        rewrite.place, rewrite.before, rewrite.after, rewrite.source, rewrite.source_place,
    )  # fmt: skip


def test_what_may_be_a_copy_is_reported_and_not_rewritten() -> None:
    """And only when the value changed."""
    tape = a_tape((asked("Style?"), said('{"tone": "formal"}')), (asked("Write a formal letter."), said("ok")))

    changed, same = (Driven(tape, answers(said(one), said("x"))) for one in ('{"tone": "warm"}', '{"tone": "formal"}'))

    assert asked("Write a formal letter.") == changed.sent[2, 0]
    assert Unknown.AMBIGUOUS in changed.unknowns(2)
    assert set() == same.unknowns(2)


def test_names_in_json_are_carried_as_values_are() -> None:
    """A step of a plan is a key of the report; the order stays."""
    report = {"dig a deep round hole": "It is dug.", "plant an old apple tree": "It stands."}
    tape = a_tape(
        (asked("Plan."), said(json.dumps({"steps": list(report)}))),
        (asked(f"Check: {json.dumps(report)}"), said("ok")),
    )

    take = Driven(
        tape, answers(said('{"steps": ["mend the long wooden fence", "paint the fence all white"]}'), said("x"))
    )

    new = {"mend the long wooden fence": "It is dug.", "paint the fence all white": "It stands."}
    assert asked(f"Check: {json.dumps(new)}") == take.sent[2, 0]


def test_ways_to_write_a_value_that_the_record_cannot_tell_apart_are_marked() -> None:
    """Capitals with lines joined or not; but not where both give the same again."""
    shouted = a_tape((asked("Write."), said(LONG)), (asked(f"Read: {LONG.upper()}"), said("ok")))

    takes = [Driven(shouted, answers(said(text), said("x"))) for text in (f"{OTHER}\n{LONG}", OTHER)]

    assert [{Unknown.SPACING}, set()] == [take.unknowns(2) for take in takes]
    assert asked(f"Read: {OTHER.upper()}") == takes[1].sent[2, 0]


def test_the_end_of_a_prompt_tells_its_own_spacing() -> None:
    """An agent that keeps the space around answers inside its texts may trim a text as a whole, and the other way round."""

    def take(first: str, second: str, prompt: str) -> Driven:
        calls = ((asked("Write."), said(first)), (asked("Write more."), said(second)), (asked(prompt), said("ok")))
        return Driven(a_tape(*calls), answers(said(f"{OTHER}\n"), said(f"{OTHER[4:]}\n"), said("x")))

    kept_inside = take(f"{LONG}\n", OTHER, f"[{LONG}\n]{OTHER}")
    cut_at_end = take(LONG, f"{OTHER}\n", f"[{LONG}]{OTHER}")

    assert {Unknown.SPACING} == kept_inside.unknowns(3)
    assert {Unknown.SPACING} == cut_at_end.unknowns(3)


def test_a_verdict_that_changed_leaves_what_follows_in_doubt() -> None:
    """It may have chosen the prompt; the same verdict in other case has not changed."""
    tape = a_tape((asked("Sort."), said("billing")), (asked(system("You know invoices."), "Ticket"), said("ok")))

    assert {Unknown.DECISION} == Driven(tape, answers(said("refunds"), said("x"))).unknowns(2)
    assert set() == Driven(tape, answers(said("Billing."), said("x"))).unknowns(2)


def test_calls_with_nothing_between_them_are_asked_at_once() -> None:
    """Those that need them wait."""
    others = [said("The first part of the answer is here."), said("The second part of it is over there.")]
    merged = asked("The first part of the answer is here.\n\nThe second part of it is over there.")
    tape = a_tape((asked("a"), others[0]), (asked("b"), others[1]), (merged, said("all")))

    take = Driven(
        tape, answers(said("New beginnings are hard to make."), said("New endings are harder still."), said("x"))
    )

    assert [[1, 2], [3]] == take.waves
    assert asked("New beginnings are hard to make.\n\nNew endings are harder still.") == take.sent[3, 0]


def test_user_turns_after_a_divergence_may_be_left_out() -> None:
    """When that is wanted."""
    take = Driven(a_tape(*LOOP), answers(said("No."), said("x"), said("y")), Policies(user_turns=UserTurns.STOP))

    assert [(1, 0)] == list(take.sent)


def test_doubtful_calls_may_be_left_out() -> None:
    """When that is wanted."""
    tape = a_tape((asked("Sort."), said("billing")), (asked(system("You know invoices."), "Ticket"), said("ok")))

    take = Driven(tape, answers(said("refunds"), said("x")), Policies(stop_in_doubt=True))

    assert Validity.DROPPED is take.validity(2)


def test_a_failure_ends_what_needs_the_answer() -> None:
    """Other branches go on."""
    take = Driven(
        a_tape(*CHAT, (asked(system("B"), "other"), said("x"))), lambda ask: said("x") if ask.index == 4 else None
    )

    assert [(1, 0), (4, 0)] == sorted(take.sent)
    assert "HTTP 500" == take.results[1, 0].failure


def test_a_retry_is_not_made_when_the_first_try_went_well() -> None:
    """Its answer stands for the retry's."""
    tape = a_tape((asked("one"), None), (asked("one"), said("a")), (asked("one", back("a"), "two"), said("b")))

    take = Driven(tape, answers(said("n"), said("x"), said("y")))

    assert [(1, 0), (3, 0)] == sorted(take.sent)
    assert asked("one", back("n"), "two") == take.sent[3, 0]


def test_a_sub_agent_is_called_again_for_a_task_that_the_record_has_not() -> None:
    """Its calls are made anew with the new task, and its answer is the tool's result."""
    dig, sow, mow = (
        (link, "expert", {"task": task})
        for link, task in (("a", "dig a deep hole"), ("b", "sow all the corn"), ("c", "mow the wide lawn"))
    )
    tape = a_tape(
        (asked("Farm."), said(None, dig)),
        (asked(system("Expert."), "dig a deep hole"), said(LONG)),
        (asked("Farm.", uses_back(dig), result("a", LONG)), said("Done.")),
    )
    model = {
        (1, 0): said(None, sow, mow), (2, 0): said("sown"), (2, 1): said("mown"), (3, 0): said("Good."),
    }  # fmt: skip

    take = Driven(tape, lambda ask: model[ask.index, ask.round])

    assert asked(system("Expert."), "sow all the corn") == take.sent[2, 0]
    assert asked(system("Expert."), "mow the wide lawn") == take.sent[2, 1]
    assert [result("b", "sown"), result("c", "mown")] == take.sent[3, 0]["messages"][2:]


def test_more_items_of_a_list_are_asked_and_brought_together() -> None:
    """By what the record shows for the others."""
    tape = a_tape(
        (asked("Plan."), said('["find the oldest map", "measure the harbour"]')),
        (asked("Do: find the oldest map"), said("The map is from the year of the flood.")),
        (asked("Do: measure the harbour"), said("The harbour is a mile across at low tide.")),
        (
            asked("1. The map is from the year of the flood.\n2. The harbour is a mile across at low tide.\nSum up."),
            said("x"),
        ),
    )
    model = {
        (1, 0): said('["climb the tall tower", "count the old boats", "ask the harbour master"]'),
        (2, 0): said("one"), (3, 0): said("two"), (3, 1): said("three"), (4, 0): said("all"),
    }  # fmt: skip

    take = Driven(tape, lambda ask: model[ask.index, ask.round])

    assert asked("Do: ask the harbour master") == take.sent[3, 1]
    assert asked("1. one\n2. two\n3. three\nSum up.") == take.sent[4, 0]
    assert set() == take.unknowns(4)


def test_fewer_items_of_a_list_leave_calls_out() -> None:
    """And what brings them together is shorter."""
    tape = a_tape(
        (asked("Plan."), said('["find the oldest map", "measure the harbour"]')),
        (asked("Do: find the oldest map"), said("The map is from the year of the flood.")),
        (asked("Do: measure the harbour"), said("The harbour is a mile across at low tide.")),
        (asked("The map is from the year of the flood.\n---\nThe harbour is a mile across at low tide."), said("x")),
    )

    take = Driven(tape, answers(said('["climb the tall tower"]'), said("one"), said("two"), said("all")))

    assert [(1, 0), (2, 0), (4, 0)] == sorted(take.sent)
    assert asked("one") == take.sent[4, 0]


def test_a_response_id_names_the_new_answer() -> None:
    """Where the provider holds the history."""
    tape = a_tape(
        (asked("one"), said("a", id="resp-1")),
        (asked("two", previous_response_id="resp-1"), said("b", id="resp-2")),
    )

    take = Driven(tape, answers(said("n", id="resp-n"), said("x")))

    assert asked("two", previous_response_id="resp-n") == take.sent[2, 0]


def test_an_agent_that_nobody_hands_over_keeps_its_instructions_and_tools() -> None:
    """A tool call handed the conversation over; where the take has none, the next turn is the first agent's, with its tools."""
    front, sales = system("You are the front desk."), system("You sell.")
    transfer, weather = (
        {"type": "function", "function": {"name": name, "parameters": {}}} for name in ("transfer", "weather")
    )
    handed = ("t", "transfer", {"to": "sales"})
    history = ("Hello?", uses_back(handed), result("t", "Transferred."))
    tape = a_tape(
        (asked(front, "Hello?", tools=[transfer], temperature=0), said(None, handed)),
        (asked(sales, *history, tools=[weather]), said(LONG)),
        (asked(sales, *history, back(LONG), "And now?", tools=[weather]), said("Bye.")),
    )

    kept = Driven(tape, answers(said(OTHER), said("unused"), said("Bye.")))
    same = Driven(tape, answers(said(None, handed), said(OTHER), said("Bye.")))

    assert asked(front, "Hello?", back(OTHER), "And now?", tools=[transfer], temperature=0) == kept.sent[3, 0]
    assert asked(sales, *history, back(OTHER), "And now?", tools=[weather]) == same.sent[3, 0]
    assert [set(), set()] == [kept.unknowns(3), same.unknowns(3)]
