"""What tokens cost by one table of prices, worked out once: afterwards it is a sum of products.

The price library looks at every unit it knows for every call, which costs more than all else that reading a call does. Between
two thresholds of the prompt's length its price is a straight line in each count, found by asking it at a few points.
"""

from bisect import bisect_left
from collections.abc import Mapping
from decimal import Decimal

import msgspec
from genai_prices import Usage as PricedUsage
from genai_prices.types import ModelPrice, TieredPrices

_INPUT, _PARTS = "input_tokens", ("cache_read_tokens", "cache_write_tokens")
_PLAIN = frozenset({_INPUT, "output_tokens", *_PARTS})
"""Counts of which each is priced alone; others overlap in ways that only the library knows."""

_AUDIO = {"input_audio_tokens": "input_audio_mtok", "output_audio_tokens": "output_audio_mtok"}


class _Line(msgspec.Struct, frozen=True):
    """The price of a call whose prompt lies between two thresholds."""

    fixed: Decimal
    slopes: dict[str, Decimal]


class Rating:
    """The prices of one model at one time."""

    def __init__(self, prices: ModelPrice) -> None:
        tiered = [price for price in vars(prices).values() if isinstance(price, TieredPrices)]
        self._prices = prices
        self._starts = sorted({tier.start for price in tiered for tier in price.tiers})
        self._lines: dict[tuple[int, frozenset[str]], _Line | None] = {}

    def need_prices(self, counted: Mapping[str, int]) -> None:
        """Refuse audio that has no price of its own: the library would take it for text, at a tenth of what it costs.

        Raises:
            LookupError: there is such audio among *counted*.
        """
        for name, price in _AUDIO.items():
            if counted.get(name) and getattr(self._prices, price) is None:
                raise LookupError(f"No price for {name}")

    def dollars(self, counted: Mapping[str, int]) -> Decimal:
        """Return what *counted* costs, the names those of the price library.

        Raises:
            ValueError: the counts contradict each other.
        """
        line = self._line(counted)
        if line is None:
            return self._exact(counted)
        return sum((line.slopes[name] * count for name, count in counted.items()), line.fixed)

    def _line(self, counted: Mapping[str, int]) -> _Line | None:
        """Return the line that *counted* lies on; None when the library has to be asked."""
        names = frozenset(counted)
        if not names <= _PLAIN or _INPUT not in names or min(counted.values()) < 0:
            return None
        if sum(counted.get(part, 0) for part in _PARTS) > counted[_INPUT]:
            return None
        key = bisect_left(self._starts, counted[_INPUT]), names
        if key not in self._lines:
            self._lines[key] = self._found(*key)
        return self._lines[key]

    def _found(self, above: int, names: frozenset[str]) -> _Line | None:
        """Find the line of prompts that are longer than so many thresholds."""
        first = self._starts[above - 1] + 1 if above else 1
        if above < len(self._starts) and first + 1 > self._starts[above]:
            return None
        base = dict.fromkeys(names, 0) | {_INPUT: first}
        try:
            at_first = self._exact(base)
            slopes = {name: self._exact(base | {name: base[name] + 1}) - at_first for name in names}
        except ValueError:
            return None
        return _Line(at_first - slopes[_INPUT] * first, slopes)

    def _exact(self, counted: Mapping[str, int]) -> Decimal:
        return self._prices.calc_price(PricedUsage(**counted))["total_price"]
