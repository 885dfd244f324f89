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


@pytest.mark.parametrize(
    ("provider", "model", "usage", "nanodollars"),
    [
        (
            "openai",
            "gpt-audio",  # 2.50 dollars a million in, 10 out; audio 32 in, 64 out
            Usage(input_tokens=1000, output_tokens=100, input_audio_tokens=400, output_audio_tokens=50),
            600 * 2500 + 400 * 32000 + 50 * 10000 + 50 * 64000,
        ),
        (
            "google",
            "gemini-2.5-flash",  # 0.30 in, 2.50 out; audio 1 in
            Usage(input_tokens=1000, output_tokens=100, input_audio_tokens=400),
            600 * 300 + 400 * 1000 + 100 * 2500,
        ),
    ],
)
def test_audio_has_rates_of_its_own(provider: str, model: str, usage: Usage, nanodollars: int) -> None:
    """It is part of the input and of the output, and costs many times what text does."""
    assert price(provider, [model], usage, AT_US) == nanodollars


def test_audio_without_a_rate_is_unknown() -> None:
    """A model that is priced for text only would make it look ten times too cheap; no audio at all is no matter."""
    assert price("openai", ["gpt-4o"], Usage(input_tokens=1000, input_audio_tokens=400), AT_US) is None
    assert price("openai", ["gpt-4o"], Usage(input_tokens=1000, input_audio_tokens=0), AT_US) == 2_500_000


def test_reasoning_is_output() -> None:
    """It is counted in the output already and not charged twice."""
    usage = Usage(input_tokens=1000, output_tokens=100, reasoning_tokens=80)
    assert price("google", ["gemini-2.5-flash"], usage, AT_US) == 1000 * 300 + 100 * 2500


def test_batches_have_rates_of_their_own() -> None:
    """claude-haiku-4-5, since the table has them: half of 1 dollar a million in, 5 out."""
    since_us = 1_794_000_000_000_000
    usage = Usage(input_tokens=1000, output_tokens=100)
    prices = [price("anthropic", ["claude-haiku-4-5"], usage, since_us, tier=tier) for tier in (None, "batch")]
    assert prices == [1000 * 1000 + 100 * 5000, 1000 * 500 + 100 * 2500]
