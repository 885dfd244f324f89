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


TAKES = [float(value) for value in range(50)]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1, 2, 3], [4, 5, 6], 0.1),
        ([1, 2, 3, 4], [5, 6, 7, 8], 0.02857142857142857),
        ([1, 4, 6, 9, 11], [2, 3, 5, 7, 8, 10], 0.9307359307359306),
        ([3, 17, 20, 5, 9, 14, 2], [21, 8, 30, 25, 11, 28], 0.05128205128205128),
        (TAKES[:12], [value + 4.5 for value in TAKES[:12]], 0.010044538850569273),
        (TAKES, [value + 9.5 for value in TAKES], 0.00306745862373702),
        (
            [10, 4, 12, 1, 2, 17, 3, 11, 18, 1, 16, 6, 1],
            [6, 17, 17, 6, 11, 6, 21, 17, 5, 22, 7, 11, 22, 5, 22],
            0.04174130315506282,
        ),
        (
            [1, 1, 2, 2, 3, 3, 3, 4, 5, 5, 6, 7, 7, 8],
            [3, 3, 4, 4, 5, 5, 6, 6, 7, 8, 8, 9, 9, 9],
            0.027933987171760325,
        ),
    ],
)
def test_chance_is_what_scipy_computes(one: list[float], other: list[float], expected: float) -> None:
    """By `mannwhitneyu` of scipy 1.17.1: exact up to twelve takes, then asymptotic with both corrections."""
    assert rank_sum(one, other) == pytest.approx(expected, rel=1e-9)
    assert rank_sum(other, one) == pytest.approx(expected, rel=1e-9)


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
