"""Orders that a program may bring answers in: by their letters, by their length."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec

ORDERS: dict[str, Callable[[str, str], bool]] = {
    "by letters": lambda one, other: one <= other,
    "longest first": lambda one, other: len(one) >= len(other),
    "shortest first": lambda one, other: len(one) <= len(other),
    "by letters, backwards": lambda one, other: one >= other,
}
"""By name, likely ones first: whether one text may stand before another."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order in which the answers of some calls stand, which is the order that they were asked in, too."""

    calls: tuple[int, ...]
    name: str


def in_order(name: str, texts: Sequence[str]) -> bool:
    """Return whether *texts* stand in this order."""
    return all(ORDERS[name](one, other) for one, other in pairwise(texts))
