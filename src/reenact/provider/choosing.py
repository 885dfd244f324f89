"""Choices that look free and are not: each is derived from a seed, so that the same seed always chooses the same."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Chooser:
    """A row of choices; two with the same seed choose alike."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._count = 0

    def number(self, below: int) -> int:
        """Return a whole number from 0 up to *below*, which is left out."""
        self._count += 1
        drawn = hashlib.blake2b(self._seed, digest_size=8, salt=self._count.to_bytes(8, "big")).digest()
        return int.from_bytes(drawn, "big") % below

    def pick(self, items: Sequence[Item]) -> Item:
        """Return one of *items*, which are not none."""
        return items[self.number(len(items))]

    def several(self, items: Sequence[Item], count: int) -> list[Item]:
        """Return *count* different ones of *items* in a chosen order; all of them when there are fewer."""
        left = list(items)
        return [left.pop(self.number(len(left))) for _ in range(min(count, len(left)))]
