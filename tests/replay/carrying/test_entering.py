"""Plans carried out step by step: longer or shorter ones, with a log that grows and a report with one entry for each step."""

import json

import pytest

from reenact.domain.divergence import Unknown
from reenact.domain.message import Json
from reenact.domain.replay import AskCall
from reenact.replay.carrying.tape import Tape
from tests.replay.carrying.tapes import a_tape, asked, said
from tests.replay.test_chaining import Driven

STEPS = ["measure the old kitchen floor", "order forty blue tiles", "lay them on a dry day", "let the grout rest"]
DONE = [
    "It is nine square metres large.",
    "They come on Friday at noon.",
    "All but two are in place.",
    "Nobody stepped on it.",
]
WAYS = {
    "a dictionary": lambda steps, done: json.dumps(dict(zip(steps, done, strict=True))),
    "a list of objects": lambda steps, done: json.dumps(
        {"for": "the owner", "log": [{"step": s, "done": d} for s, d in zip(steps, done, strict=True)]}, indent=2
    ),
    "pairs": lambda steps, done: json.dumps([[s, d] for s, d in zip(steps, done, strict=True)]),
}


def plan(count: int) -> Json:
    """Return a plan's answer."""
    return said(json.dumps({"steps": STEPS[:count]}))


def step(number: int) -> Json:
    """Return the request for a step, with what was done before it."""
    log = "\n".join(f"{at}. {text}" for at, text in enumerate(DONE[:number], start=1)) or "nothing"
    return asked(f"Do: {STEPS[number]}\nDone so far:\n{log}")


def report(count: int, way: str) -> Json:
    """Return the request for a report."""
    return asked(f"Report on this: {WAYS[way](STEPS[:count], DONE[:count])}")


def tape(count: int, way: str) -> Tape:
    """Return the tape of a plan of so many steps, done one after the other."""
    steps = ((step(number), said(DONE[number])) for number in range(count))
    return a_tape((asked("Plan it."), plan(count)), *steps, (report(count, way), said("Thank you.")))


def model(count: int, recorded: int) -> object:
    """Return a model that plans so many steps, and does each as ever."""

    def answer(ask: AskCall) -> Json:
        text = json.loads(ask.body)["messages"][0]["content"]
        done = next((DONE[n] for n, one in enumerate(STEPS) if text.startswith(f"Do: {one}")), "Thank you.")
        return plan(count) if ask.index == 1 else said(done)

    assert recorded
    return answer


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_plan_of_another_length_is_carried_out(way: str, count: int) -> None:
    """With a longer log, and a report of as many entries."""
    take = Driven(tape(3, way), model(count, 3))  # type: ignore[arg-type]

    assert report(count, way) == take.sent[5, 0]
    assert step(count - 1) in take.sent.values()
    assert set() == take.unknowns(5)


def test_one_entry_tells_no_rule_for_several() -> None:
    """What stands between two of them is in no record."""
    take = Driven(tape(2, "pairs"), model(3, 2))  # type: ignore[arg-type]

    assert {Unknown.COUNT} == take.unknowns(3, 1)


def test_entries_with_other_names_are_not_made_up() -> None:
    """The names are the program's own."""
    named = asked("Report: " + json.dumps({"first": DONE[0], "second": DONE[1], "third": DONE[2]}))
    steps = ((step(number), said(DONE[number])) for number in range(3))
    calls = a_tape((asked("Plan it."), plan(3)), *steps, (named, said("Thank you.")))

    assert Unknown.COUNT in Driven(calls, model(4, 3)).unknowns(5)  # type: ignore[arg-type]
    fewer = Driven(calls, model(2, 3))  # type: ignore[arg-type]
    assert asked("Report: " + json.dumps({"first": DONE[0], "second": DONE[1]})) == fewer.sent[5, 0]
