"""Whether what the takes of a change came to is more than what takes of the unchanged session differ by among themselves.

The test is the exact rank-sum test (Wilcoxon 1945; Mann and Whitney 1947), its distribution counted and not approximated up to
twelve takes an arm, with ties; above, the normal approximation with the correction for ties. It speaks of one session only.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence

from reenact.domain.comparison import Spread, Totals

_COUNTED = 12
"""Up to how many takes an arm the distribution is counted."""

MEASURES: dict[str, Callable[[Totals], int]] = {
    "cost": lambda totals: totals.cost_nanodollars,
    "input tokens": lambda totals: totals.input_tokens,
    "output tokens": lambda totals: totals.output_tokens,
    "model time": lambda totals: totals.model_us,
    "calls": lambda totals: totals.calls,
    "failed calls": lambda totals: totals.failed_calls,
}
"""What is compared, in the units of Totals."""


def spread(control: Sequence[Totals], changed: Sequence[Totals]) -> tuple[Spread, ...]:
    """Return each measure of both arms; none when an arm has no take."""
    if not control or not changed:
        return ()
    return tuple(
        _spread(name, [take(one) for one in control], [take(one) for one in changed]) for name, take in MEASURES.items()
    )


def _spread(name: str, control: Sequence[int], changed: Sequence[int]) -> Spread:
    return Spread(
        measure=name,
        control=tuple(control),
        changed=tuple(changed),
        chance=rank_sum(control, changed),
        least_chance=2 / math.comb(len(control) + len(changed), len(control)),
    )


def rank_sum(one: Sequence[float], other: Sequence[float]) -> float:
    """Return how likely, were both arms alike, their ranks would lie at least so far apart: two-sided, in (0, 1]."""
    ranks = _doubled_ranks([*one, *other])
    total, expected = sum(ranks[: len(one)]), len(one) * (len(ranks) + 1)
    apart = abs(total - expected)
    if max(len(one), len(other)) > _COUNTED:
        return _approximate(apart / 2, ranks, len(one), len(other))
    ways = _ways(ranks, len(one))
    return sum(count for found, count in ways.items() if abs(found - expected) >= apart) / sum(ways.values())


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Return twice the rank of each value, from 2 on; equal values share the mean of their ranks."""
    counts, below = Counter(values), 0
    doubled: dict[float, int] = {}
    for value in sorted(counts):
        doubled[value] = 2 * below + counts[value] + 1
        below += counts[value]
    return [doubled[value] for value in values]


def _ways(ranks: Sequence[int], chosen: int) -> Counter[int]:
    """Return in how many ways so many of the ranks have each sum."""
    ways: list[Counter[int]] = [Counter({0: 1})] + [Counter() for _ in range(chosen)]
    for rank in ranks:
        for size in range(chosen, 0, -1):
            for found, count in ways[size - 1].items():
                ways[size][found + rank] += count
    return ways[chosen]


def _approximate(apart: float, ranks: Sequence[int], one: int, other: int) -> float:
    both = one + other
    tied = sum(count**3 - count for count in Counter(ranks).values())
    variance = one * other / 12 * (both + 1 - tied / (both * (both - 1)))
    if variance <= 0:
        return 1.0
    return math.erfc(max(0.0, apart - 0.5) / math.sqrt(2 * variance))
