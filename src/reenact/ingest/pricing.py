"""What a call costs, by the price table that is bundled with genai-prices. Nothing is fetched."""

import datetime as dt
from collections.abc import Iterable

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from reenact.domain.message import Usage

_TABLES = {
    "anthropic": "anthropic",
    "aws": "aws",
    "azure": "azure",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "google": "google",
    "groq": "groq",
    "mistral": "mistral",
    "moonshot": "moonshotai",
    "novita": "novita",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together": "together",
    "vertex": "google",
    "voyage": "voyageai",
    "x": "x-ai",
}
"""The price table of each of our providers. A provider without one has no known price: its models may be anybody's."""


def price(
    provider: str, models: Iterable[str | None], usage: Usage, at_us: int, *, anywhere: bool = False
) -> int | None:
    """Return the cost in nanodollars by the first of *models* that *provider* has a price for at the time *at_us*.

    With *anywhere* a model of a provider that is not known has its maker's price (surface 5.2). None when no model has one, or
    the tokens are not known or make no sense: unknown is not free.
    """
    table = _TABLES.get(provider)
    if (table is None and not anywhere) or (usage.input_tokens is None and usage.output_tokens is None):
        return None
    at = dt.datetime.fromtimestamp(at_us / 1_000_000, tz=dt.UTC)
    counted = _counted(usage)
    found = (_price(table, model, counted, at) for model in models if model)
    return next((cost for cost in found if cost is not None), None)


def _counted(usage: Usage) -> dict[str, int]:
    """Return the tokens that have prices of their own; reasoning is part of the output everywhere."""
    counted = {
        "input_tokens": usage.input_tokens or 0,
        "output_tokens": usage.output_tokens or 0,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "input_audio_tokens": usage.input_audio_tokens,
        "output_audio_tokens": usage.output_audio_tokens,
    }
    return {name: tokens for name, tokens in counted.items() if tokens is not None}


def _price(table: str | None, model: str, counted: dict[str, int], at: dt.datetime) -> int | None:
    """Return the cost by one model; None when the table does not know it or refuses the tokens."""
    try:
        found = calc_price(PricedUsage(**counted), model, provider_id=table, genai_request_timestamp=at)
    except (LookupError, ValueError):  # an unknown model; counts that contradict each other
        return None
    return round(found.total_price * 1_000_000_000)
