"""Recorded tool results are given by tool and arguments, never by position."""

from reenact.domain.message import ToolUse
from reenact.replay.carrying.answering import RecordedResult, Shelf
from reenact.replay.carrying.weaving import weave
from tests.replay.carrying.tapes import a_tape, asked, result, said, uses_back

OSLO, LIMA = ("a", "weather", {"city": "Oslo"}), ("b", "weather", {"city": "Lima"})
LATER = ("c", "weather", {"city": "Oslo"})


def a_shelf() -> Shelf:
    """Return the results of two rounds: Oslo and Lima, then Oslo again with another result."""
    first = ("Trip?", uses_back(OSLO, LIMA), result("b", "sun"), result("a", ""))
    strands, _ = weave(
        a_tape(
            (asked("Trip?"), said(None, OSLO, LIMA)),
            (asked(*first), said(None, LATER)),
            (asked(*first, uses_back(LATER), result("c", "snow")), said("Stay.")),
        )
    )
    return Shelf(strands)


def text(one: RecordedResult | None) -> str | None:
    """Return a result's text; None for a miss."""
    return one.result.text if one and one.result else None


def asking(city: str, link: str = "new") -> ToolUse:
    """Return a new tool call."""
    return ToolUse(link, "weather", f'{{ "city": "{city}" }}')


def test_results_are_assigned_by_arguments() -> None:
    """Whatever the order of the calls and of their results; a recorded nothing is a result."""
    assigned = a_shelf().assign(1, (asking("Lima"), asking("Oslo")))

    assert {0: "sun", 1: ""} == {number: text(one) for number, one in assigned.items()}


def test_another_argument_is_a_miss() -> None:
    """Nothing is taken from the call at the same place."""
    shelf = a_shelf()

    assert ({}, None) == (shelf.assign(1, (asking("Cairo"),)), shelf.find(asking("Cairo")))


def test_each_result_is_given_once_in_the_order_of_occurrence() -> None:
    """Asked more often than it was recorded, with results that differ, is a miss."""
    shelf = a_shelf()
    found = []
    for _ in range(3):
        one = shelf.find(asking("Oslo"))
        found.append(text(one))
        if one is not None:
            shelf.give(one)

    assert ["", "snow", None] == found


def test_what_always_gave_the_same_gives_it_again() -> None:
    """A tool that was asked once may be asked twice."""
    shelf = a_shelf()
    for _ in range(2):
        one = shelf.find(asking("Lima"))
        assert "sun" == text(one)
        assert one is not None
        shelf.give(one)
