"""Calls of two runs find each other: by link, by equality, by likeness; each once."""

import time

from hypothesis import given
from hypothesis import strategies as st

from reenact.comparison.aligning import Row, align
from reenact.domain.call import Kind
from reenact.domain.comparison import Turn
from tests.comparison.turns import a_turn


def test_links_come_first() -> None:
    """A take's calls are paired with their sources though they were answered in another order."""
    left = [a_turn("a", asked="x"), a_turn("b", asked="y")]
    right = [a_turn("c", asked="x", source="b"), a_turn("d", asked="y", source="a")]

    assert align(left, right) == [(0, 1), (1, 0)]


def test_two_takes_of_one_source_are_paired_by_it() -> None:
    """A changed take beside its control: neither is the other's source."""
    left = [a_turn("c", source="a"), a_turn("d", source="b")]
    right = [a_turn("e", source="a"), a_turn("f", source="b")]

    assert align(left, right) == [(0, 0), (1, 1)]


def test_a_skipped_call_is_a_gap() -> None:
    """A source call that the take did not ask stands alone, in its place."""
    left = [a_turn("a"), a_turn("b"), a_turn("c")]
    right = [a_turn("x", source="a"), a_turn("y", source="c")]

    assert align(left, right) == [(0, 0), (1, None), (2, 1)]


def test_unlinked_runs_pair_by_path() -> None:
    """Two recordings of one agent, the second with a step more in its middle."""
    left = [a_turn("a", path="/plan"), a_turn("b", path="/search"), a_turn("c", path="/book")]
    right = [
        a_turn("d", path="/plan", asked="hello again"),
        a_turn("e", path="/check", asked="is it open?"),
        a_turn("f", path="/search", asked="hello there"),
        a_turn("g", path="/book", asked="hello you"),
    ]

    assert align(left, right) == [(0, 0), (None, 1), (1, 2), (2, 3)]


def test_unlike_calls_are_not_forced_together() -> None:
    """Another path and another text: two gaps, the left one first."""
    left, right = [a_turn("a", path="/plan", asked="aaaa bbbb")], [a_turn("b", path="/book", asked="0123456789")]

    assert align(left, right) == [(0, None), (None, 0)]


def test_a_tool_event_is_never_paired_with_a_model_call() -> None:
    """Kind is no matter of degree."""
    assert align([a_turn("a")], [a_turn("b", kind=Kind.TOOL)]) == [(0, None), (None, 0)]


def test_an_empty_side() -> None:
    """All of the other side stands alone."""
    assert align([], [a_turn("a"), a_turn("b")]) == [(None, 0), (None, 1)]


STEPS = st.lists(st.tuples(st.sampled_from(["/a", "/b"]), st.sampled_from(["one", "two", "three or four"])), max_size=8)


def session(steps: list[tuple[str, str]], name: str) -> list[Turn]:
    """Return a session of turns with ids of its own."""
    return [a_turn(f"{name}{at}", path=path, asked=asked) for at, (path, asked) in enumerate(steps)]


@given(STEPS, STEPS)
def test_each_call_stands_once_and_in_order(left: list[tuple[str, str]], right: list[tuple[str, str]]) -> None:
    """Without links both sides read in their own order, and nothing is lost or doubled."""
    rows = align(session(left, "l"), session(right, "r"))

    assert [one for one, _ in rows if one is not None] == list(range(len(left)))
    assert [other for _, other in rows if other is not None] == list(range(len(right)))


@given(STEPS)
def test_a_session_is_paired_with_its_like(steps: list[tuple[str, str]]) -> None:
    """The same session recorded twice pairs call by call."""
    expected: list[Row] = [(at, at) for at in range(len(steps))]

    assert align(session(steps, "l"), session(steps, "r")) == expected


def test_two_thousand_calls_that_all_differ() -> None:
    """The band keeps even the worst case to seconds: no equal calls, no links."""
    left = [a_turn(f"l{at}", path=f"/step{at % 7}", asked=f"question {at} on the left") for at in range(2000)]
    right = [a_turn(f"r{at}", path=f"/step{at % 7}", asked=f"question {at} on the right") for at in range(2000)]
    began = time.perf_counter()

    rows = align(left, right)

    assert rows == [(at, at) for at in range(2000)]
    assert time.perf_counter() - began < 30
