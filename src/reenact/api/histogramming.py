"""Histogramming: how many values lie in which range, as Helicone's overviews draw them (surface 3.5, 3.6)."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from reenact.domain.grouping import place

Percentile = Literal["p50", "p75", "p95", "p99", "p99.9"]
_BARS = 10


class Bar(msgspec.Struct, frozen=True):
    """One range and how many values lie in it."""

    range_start: str
    range_end: str
    value: int


def histogram(values: Sequence[float], most: Percentile, *, interquartile: bool = False) -> list[Bar]:
    """Return up to ten bars of one width for the values up to the percentile *most*; empty for no values.

    With *interquartile* only values within one and a half times the middle half's spread are counted.
    """
    kept = _middle(sorted(values)) if interquartile else _up_to(sorted(values), float(most[1:]) / 100)
    if not kept:
        return []
    low, high = kept[0], kept[-1]
    width = (high - low) / _BARS
    if width == 0:
        return [Bar(_text(low), _text(high), len(kept))]
    counts = [0] * _BARS
    for value in kept:
        counts[min(_BARS - 1, int((value - low) / width))] += 1
    return [Bar(_text(low + width * at), _text(low + width * (at + 1)), count) for at, count in enumerate(counts)]


def mean(values: Sequence[float]) -> float:
    """Return the mean; 0 for no values."""
    return sum(values) / len(values) if values else 0.0


def _up_to(ascending: list[float], rank: float) -> list[float]:
    if not ascending:
        return []
    most = ascending[place(rank, len(ascending))]
    return [value for value in ascending if value <= most]


def _middle(ascending: list[float]) -> list[float]:
    if not ascending:
        return []
    low, high = (ascending[place(rank, len(ascending))] for rank in (0.25, 0.75))
    spread = 1.5 * (high - low)
    return [value for value in ascending if low - spread <= value <= high + spread]


def _text(value: float) -> str:
    return f"{value:.10g}"
