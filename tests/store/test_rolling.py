"""Tests of `store.sqlite.rolling`: a time is taken apart without a gap, and only where sums tell what was asked."""

from hypothesis import given
from hypothesis import strategies as st

from reenact.domain.filter import EVERYTHING, All, AnyOf, Condition, Filter, Operator
from reenact.domain.total import Grouping, Step
from reenact.store.rolling import DAY_US, HOUR_US, Piece, Rolled, roll, time_span

NOON_US = 20_000 * DAY_US + 12 * HOUR_US


def when(operator: Operator, value: float) -> Condition:
    """A condition on the time of creation."""
    return Condition(column="created_us", operator=operator, value=value)


def between(from_us: float, to_us: float, *more: Filter) -> All:
    """A time and what else must hold."""
    return All((when(Operator.GTE, from_us), *more, when(Operator.LT, to_us)))


@given(st.integers(0, 5 * DAY_US), st.integers(0, 5 * DAY_US), st.sampled_from([*Step, None]))
def test_pieces_follow_each_other(begun: int, lasts: int, step: Step | None) -> None:
    """Each begins where the one before ended, on an edge of its own length, and together they are the time asked for."""
    first, last = NOON_US + begun, NOON_US + begun + lasts
    rolled = roll(between(first, last), Grouping(step=step))
    if rolled is None:
        assert step is Step.MINUTE or lasts < 2 * HOUR_US
        return
    pieces = rolled.pieces
    assert [first, *(piece.to_us for piece in pieces)] == [*(piece.from_us for piece in pieces), last]
    edges = [(at, piece.span_us) for piece in pieces if piece.span_us for at in (piece.from_us, piece.to_us)]
    assert [] == [(at, span) for at, span in edges if at % span]
    assert {HOUR_US} >= {span for _, span in edges} or step is not Step.HOUR


def test_a_time_is_taken_apart() -> None:
    """Days in the middle, hours beside them, calls at the edges; what else must hold goes with each."""
    model = Condition(column="model", operator=Operator.EQUALS, value="gpt-4o")
    first, last = NOON_US - 7, NOON_US + 2 * DAY_US + HOUR_US
    midnights = NOON_US + DAY_US // 2, NOON_US + DAY_US // 2 + DAY_US
    assert roll(between(first, last, model), Grouping(step=Step.DAY, column="model")) == Rolled(
        where=All((model,)),
        pieces=(
            Piece(None, first, NOON_US),
            Piece(HOUR_US, NOON_US, midnights[0]),
            Piece(DAY_US, *midnights),
            Piece(HOUR_US, midnights[1], last),
        ),
    )


def test_what_sums_do_not_tell_is_asked_of_the_calls() -> None:
    """Other columns, times inside an OR, distinct counts, minutes, and local time at half an hour."""
    user = Condition(column="user_id", operator=Operator.EQUALS, value="ann")
    either = AnyOf((when(Operator.LT, NOON_US), when(Operator.GT, NOON_US + DAY_US)))
    askings: list[tuple[Filter, Grouping]] = [
        (user, Grouping()),
        (either, Grouping()),
        (EVERYTHING, Grouping(column="user_id")),
        (EVERYTHING, Grouping(count_distinct=True)),
        (EVERYTHING, Grouping(step=Step.MINUTE)),
        (EVERYTHING, Grouping(step=Step.HOUR, offset_minutes=330)),
        (between(NOON_US, NOON_US), Grouping()),
        (when(Operator.EQUALS, NOON_US), Grouping()),
    ]
    assert [None] * len(askings) == [roll(where, grouping) for where, grouping in askings]


def test_bounds_are_whole_microseconds() -> None:
    """Whatever number they are compared with, even one that no time reaches."""
    assert (5, 9) == time_span(All((when(Operator.GT, 4.5), when(Operator.LTE, 8.5))))
    assert (5, 9) == time_span(All((when(Operator.GT, 4), when(Operator.LT, 9))))
    assert time_span(EVERYTHING) == time_span(All((when(Operator.LT, float("inf")), when(Operator.GTE, -1e300))))
    assert time_span(Condition(column="model", operator=Operator.EQUALS, value="m")) is None
    for operator in (Operator.GT, Operator.EQUALS):
        never = time_span(when(operator, 1e300))
        assert never is not None
        assert never[0] >= never[1]
