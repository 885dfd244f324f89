"""Two arms are told apart only when chance would seldom set them so far apart."""

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.comparison.spreading import MEASURES, rank_sum, spread
from reenact.comparison.totalling import total
from tests.comparison.turns import a_call

ARMS = st.lists(st.integers(0, 5), min_size=1, max_size=4)


@given(ARMS, ARMS)
def test_chance_is_counted_over_every_way_to_deal_the_takes(one: list[int], other: list[int]) -> None:
    """Ties among them."""
    both = [*one, *other]
    ranks = [Fraction(sum(x < value for x in both) * 2 + both.count(value) + 1, 2) for value in both]
    expected = Fraction(len(one) * (len(both) + 1), 2)
    sums = [sum(ranks[at] for at in chosen) for chosen in combinations(range(len(both)), len(one))]
    apart = abs(sum(ranks[: len(one)]) - expected)

    assert rank_sum(one, other) == pytest.approx(sum(abs(found - expected) >= apart for found in sums) / len(sums))


def test_large_arms_are_approximated_closely() -> None:
    """Just above and just below where counting ends."""
    counted = rank_sum(list(range(12)), [value + 4.5 for value in range(12)])
    approximated = rank_sum(list(range(13)), [value + 4.8 for value in range(13)])

    assert counted == pytest.approx(approximated, rel=0.3)
    assert 1.0 == rank_sum([7] * 30, [7] * 30)
    assert rank_sum(list(range(50)), list(range(50, 100))) < 1e-9


def test_few_takes_tell_nothing() -> None:
    """Three and three that share nothing may be chance in one of ten times; four and four tell."""
    cheap, dear = total([a_call("a", cost_nanodollars=1)]), total([a_call("b", cost_nanodollars=900)])
    few, more = spread([cheap] * 3, [dear] * 3), spread([cheap] * 4, [dear] * 4)

    assert list(MEASURES) == [one.measure for one in more]
    assert few[0].chance == pytest.approx(0.1)
    assert (True, False) == (few[0].is_noise, few[0].is_told)
    assert more[0].chance == pytest.approx(2 / 70)
    assert (False, True) == (more[0].is_noise, more[0].is_told)
    assert ((1,) * 4, (900,) * 4) == (more[0].control, more[0].changed)
    assert {1.0} == {one.chance for one in more[1:]}
    assert () == spread([], [dear])
