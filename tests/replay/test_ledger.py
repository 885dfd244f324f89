"""A ledger lets a call go only when its worst case fits, so that a budget is never exceeded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.domain.replay import Budget, Spent
from reenact.replay.ledger import Ledger, dollars

CENT = 10_000_000


@given(st.lists(st.tuples(st.integers(0, 3_000_000), st.floats(0, 1)), max_size=60), st.integers(1, 8))
def test_a_cent_is_never_exceeded_by_calls_that_cost_no_more_than_said(
    calls: list[tuple[int, float]], width: int
) -> None:
    """However dear they are and however many are under way at once; and it stops only when no call fits."""
    ledger = Ledger(Budget(cost_nanodollars=CENT), Spent())
    under_way: list[tuple[int, int]] = []
    for most, share in calls:
        while len(under_way) >= width:
            ledger.settle(*under_way.pop(0))
        while (reserved := ledger.reserve(most)) is None and ledger.can_wait:
            ledger.settle(*under_way.pop(0))
        if reserved is None:
            assert ledger.spent(0).cost_nanodollars + most > CENT
            break
        under_way.append((reserved, int(most * share)))
    for one in under_way:
        ledger.settle(*one)
    assert ledger.spent(0).cost_nanodollars <= CENT


def test_what_is_under_way_counts_until_it_is_known() -> None:
    """Money set aside keeps others waiting and comes back when a call cost less."""
    ledger = Ledger(Budget(cost_nanodollars=100), Spent())
    reserved = ledger.reserve(60)

    assert (60, None, True) == (reserved, ledger.reserve(60), ledger.can_wait)
    ledger.settle(60, 10)
    assert (60, Spent(calls=2, cost_nanodollars=10)) == (ledger.reserve(60), ledger.spent(0))


def test_what_was_spent_before_counts() -> None:
    """A resumed replay has no second budget."""
    ledger = Ledger(Budget(cost_nanodollars=100, calls=5), Spent(calls=4, cost_nanodollars=90))

    assert (None, False) == (ledger.reserve(11), ledger.can_wait)
    assert 10 == ledger.reserve(10)
    assert (None, False) == (ledger.reserve(0), ledger.can_wait)


def test_a_call_that_broke_off_counts_as_what_it_may_have_cost() -> None:
    """Its provider may bill it; a call that was refused costs nothing."""
    ledger = Ledger(Budget(cost_nanodollars=100), Spent())
    for may_have_cost in (True, False):
        reserved = ledger.reserve(40)
        assert reserved is not None
        ledger.settle(reserved, None, may_have_cost=may_have_cost)

    assert Spent(calls=2, cost_nanodollars=40, unpriced_calls=2) == ledger.spent(0)


def test_calls_that_cost_more_than_was_said_make_it_careful() -> None:
    """A model that answers three times as long as its limit-less request let one expect is given more room."""
    ledger = Ledger(Budget(cost_nanodollars=100), Spent())
    ledger.settle(ledger.reserve(10) or 0, 30)

    assert (60, None) == (ledger.reserve(20), ledger.reserve(10))


@pytest.mark.parametrize(
    ("budget", "spent", "words"),
    [
        (Budget(calls=3), Spent(calls=3), "the budget of 3 calls is used up"),
        (
            Budget(cost_nanodollars=CENT),
            Spent(cost_nanodollars=9_995_000),
            "the budget of $0.01 has no room for the next call, which may cost up to $0.0001: $0.009995 is spent",
        ),
    ],
)
def test_it_says_in_words_what_keeps_a_call_back(budget: Budget, spent: Spent, words: str) -> None:
    """The limit, what is spent, and what the next call may cost."""
    ledger = Ledger(budget, spent)

    assert ledger.reserve(100_000) is None
    assert words == ledger.refusal(100_000)


def test_dollars_show_what_is_there() -> None:
    """Two digits at least, more when there is more."""
    assert ["$0.00", "$0.01", "$1.50", "$0.000000001"] == [dollars(n) for n in (0, CENT, 1_500_000_000, 1)]
