"""Tests of `ingest.pricing`, with models whose prices have been as they are for long."""

import pytest

from reenact.domain.message import Usage
from reenact.ingest.pricing import price

AT_US = 1_760_000_000_000_000


def test_input_and_output_have_their_own_rates() -> None:
    """gpt-4o: 2.50 dollars a million in, 10 out."""
    assert price("openai", ["gpt-4o"], Usage(input_tokens=1000, output_tokens=100), AT_US) == 3_500_000


def test_cached_tokens_are_part_of_the_input() -> None:
    """claude-sonnet-4-5: 3 dollars a million in, 0.30 read from cache, 3.75 written to it, 15 out."""
    usage = Usage(input_tokens=1000, output_tokens=100, cache_read_tokens=500, cache_write_tokens=100)
    assert price("anthropic", ["claude-sonnet-4-5"], usage, AT_US) == 400 * 3000 + 500 * 300 + 100 * 3750 + 100 * 15000


def test_the_first_model_with_a_price_counts() -> None:
    """Dated names are known; an alias nobody prices is passed over."""
    usage = Usage(input_tokens=1000)
    models = [None, "our-deployment", "gpt-4o-2024-08-06", "gpt-4"]
    assert price("openai", models, usage, AT_US) == 2_500_000


@pytest.mark.parametrize(
    ("provider", "model", "usage"),
    [
        ("openai", "no-such-model", Usage(input_tokens=1, output_tokens=1)),
        ("my-own-server", "gpt-4o", Usage(input_tokens=1, output_tokens=1)),
        ("openai", "gpt-4o", Usage()),
        ("openai", "gpt-4o", Usage(input_tokens=1, cache_read_tokens=5)),
        ("openai", "gpt-4o", Usage(input_tokens=-1)),
        ("openai", "", Usage(input_tokens=1)),
    ],
)
def test_an_unknown_price_is_none(provider: str, model: str, usage: Usage) -> None:
    """Unknown is not free, and odd counts are no error."""
    assert price(provider, [model], usage, AT_US) is None


def test_a_small_price_is_not_rounded_away() -> None:
    """Embeddings cost 20 nanodollars a token."""
    assert price("openai", ["text-embedding-3-small"], Usage(input_tokens=1), AT_US) == 20
