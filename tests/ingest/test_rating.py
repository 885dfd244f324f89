"""The sum of products is what the price library says, for every model that it knows."""

from decimal import Decimal
from itertools import product

import pytest
from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelPrice, Tier, TieredPrices

from reenact.ingest.rating import Rating

TABLES = {
    f"{provider.id}/{model.id}/{number}": prices
    for provider in get_snapshot().providers
    for model in provider.models
    for number, prices in enumerate(
        [one.prices for one in model.prices] if isinstance(model.prices, list) else [model.prices]
    )
}
INPUTS = (0, 1, 2, 999, 32_000, 32_001, 127_999, 128_000, 128_001, 200_000, 200_001, 256_001, 272_001, 1_000_003)
COUNTS = [{"input_tokens": given, "output_tokens": said} for given, said in product(INPUTS, (0, 7, 100_001))]
CACHED = [
    {"input_tokens": given, "output_tokens": 5, "cache_read_tokens": given // 3, "cache_write_tokens": given // 5}
    for given in INPUTS
]
OTHERS = [
    {"output_tokens": 9},
    {"input_tokens": 5, "output_tokens": 3, "cache_read_tokens": 6},
    {"input_tokens": 50, "output_tokens": 30, "input_audio_tokens": 6},
    {"input_tokens": 50, "output_tokens": 30, "cache_read_tokens": 50},
]


def said(prices: ModelPrice, counted: dict[str, int]) -> Decimal | str:
    """Return what the library says, errors included."""
    try:
        return prices.calc_price(Usage(**counted))["total_price"]
    except ValueError as error:
        return type(error).__name__


def rated(rating: Rating, counted: dict[str, int]) -> Decimal | str:
    """Return what we say."""
    try:
        return rating.dollars(counted)
    except ValueError as error:
        return type(error).__name__


@pytest.mark.parametrize("shape", [COUNTS, CACHED, OTHERS], ids=["plain", "cached", "others"])
def test_every_model_costs_what_the_library_says(shape: list[dict[str, int]]) -> None:
    """On both sides of every threshold."""
    for name, prices in list(TABLES.items())[:: 1 if shape is OTHERS else 3]:
        rating = Rating(prices)
        assert [(name, said(prices, one)) for one in shape] == [(name, rated(rating, one)) for one in shape]


def test_thresholds_side_by_side_leave_it_to_the_library() -> None:
    """There is no line through one point."""
    tiers = TieredPrices(base=Decimal(1), tiers=[Tier(10, Decimal(2)), Tier(11, Decimal(3)), Tier(13, Decimal(5))])
    prices = ModelPrice(input_mtok=tiers, output_mtok=Decimal(4))
    shape = [{"input_tokens": given, "output_tokens": 1} for given in range(16)]

    assert [said(prices, one) for one in shape] == [rated(Rating(prices), one) for one in shape]
