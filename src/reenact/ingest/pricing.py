"""What a call costs: by the owner's tariff, else by the price table that is bundled with genai-prices. Nothing is fetched."""

import datetime as dt
import importlib.metadata
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cache
from typing import Literal

import msgspec
from genai_prices import Usage as PricedUsage
from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, StartDateConstraint, TieredPrices

from reenact.domain.message import Usage
from reenact.ingest.rating import Rating
from reenact.ingest.tariff import LISTED, Tariff

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

_USUAL_TIERS = frozenset({"default", "standard", "auto", "on_demand"})
"""What answers name when nothing special was done."""


def price(  # noqa: PLR0913 - each one is an optional part of one question
    provider: str,
    models: Iterable[str | None],
    usage: Usage,
    at_us: int,
    *,
    anywhere: bool = False,
    tier: str | None = None,
    cached_audio_tokens: int | None = None,
    tariff: Tariff = LISTED,
) -> int | None:
    """Return the cost in nanodollars by the first of *models* that *provider* has a price for at the time *at_us*.

    What *tariff* says of any of them goes before the table. A *tier* that the answer names (`priority`, `flex`, `batch`) has
    prices of its own where they are known. *cached_audio_tokens* are both audio and read from the provider's cache. With
    *anywhere* a model of a provider that is not known has its maker's price (surface 5.2). None when no model has one, or the
    tokens are not known or make no sense: unknown is not free.
    """
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    at = dt.datetime.fromtimestamp(at_us / 1_000_000, tz=dt.UTC)
    named = [model for model in models if model]
    special = None if tier in _USUAL_TIERS else tier
    agreed = (tariff.find(provider, model, at.date(), special) for model in named)
    if rates := next((one for one in agreed if one is not None), None):
        return rates.nanodollars(usage, cached_audio_tokens or 0)
    table = _TABLES.get(provider)
    if table is None and not anywhere:
        return None
    counted = _counted(usage, cached_audio_tokens)
    context = _context(special)
    found = (_price(table, model, counted, at, context) for model in named)
    return next((cost for cost in found if cost is not None), None)


def _counted(usage: Usage, cached_audio_tokens: int | None) -> dict[str, int]:
    """Return the tokens that have prices of their own; reasoning is part of the output everywhere."""
    both = usage.cache_read_tokens is not None and usage.input_audio_tokens is not None
    counted = {
        "input_tokens": usage.input_tokens or 0,
        "output_tokens": usage.output_tokens or 0,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "input_audio_tokens": usage.input_audio_tokens,
        "cache_audio_read_tokens": (cached_audio_tokens or 0) if both else None,
        "output_audio_tokens": usage.output_audio_tokens,
    }
    return {name: tokens for name, tokens in counted.items() if tokens is not None}


def _context(tier: str | None) -> dict[str, str] | None:
    """Return how the table names a service tier that is not the usual one; batches are a way of processing there."""
    if tier is None:
        return None
    return {"processing": "batch"} if tier == "batch" else {"service_tier": tier}


def _price(
    table: str | None, model: str, counted: dict[str, int], at: dt.datetime, context: dict[str, str] | None
) -> int | None:
    """Return the cost by one model; None when the table does not know it or refuses the tokens."""
    try:
        rating = _rating(table, model, at)
        rating.need_prices(counted)
        if context is None:
            dollars = rating.dollars(counted)
        else:
            usage = PricedUsage(**counted)
            dollars = calc_price(
                usage, model, provider_id=table, genai_request_timestamp=at, price_context=context
            ).total_price
    except (LookupError, ValueError):  # an unknown model, or audio without a price; counts that contradict each other
        return None
    return round(dollars * 1_000_000_000)


_ratings: dict[int, tuple[ModelPrice, Rating]] = {}
"""By the identity of the table's prices, which are held so that no others take it."""


def _rating(table: str | None, model: str, at: dt.datetime) -> Rating:
    """Return the prices of a model at a time.

    Raises:
        LookupError: the table does not know it.
    """
    _, info = get_snapshot().find_provider_model(model, None, table, None)
    prices = info.get_prices(at)
    known = _ratings.get(id(prices))
    if known is None:
        known = _ratings[id(prices)] = prices, Rating(prices)
    return known[1]


Medium = Literal["audio", "image", "video"]
_MEDIA: tuple[Medium, ...] = ("audio", "image", "video")


class ModelPrices(msgspec.Struct, frozen=True, kw_only=True):
    """What a model costs now, in US dollars for a million tokens; null where it has no price of its own."""

    provider: str
    model: str
    name: str | None = None
    """What its maker calls it."""
    context_tokens: int | None = None
    """How long its prompt and answer may be together."""
    input_kinds: tuple[Medium, ...] = ()
    """What it takes beside text, as far as that has a price of its own; images often cost what text does."""
    output_kinds: tuple[Medium, ...] = ()
    """Likewise of what it answers."""
    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None
    input_audio: float | None = None
    output_audio: float | None = None
    is_tiered: bool = False
    """Whether long prompts cost more; the prices are those of short ones."""


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """The price table that calls are priced by."""

    source: str
    version: str
    newest_change: str
    """The day from which its newest price holds, ISO 8601."""
    models: tuple[ModelPrices, ...]


@cache
def prices() -> Prices:
    """Return the table, of the providers that calls are priced for."""
    names = {table: name for name, table in reversed(_TABLES.items())}
    known = [one for one in get_snapshot().providers if one.id in names]
    rows = [_row(names[one.id], model) for one in known for model in one.models]
    starts = [day for one in known for model in one.models for day in _starts(model)]
    return Prices(
        source="genai-prices",
        version=importlib.metadata.version("genai-prices"),
        newest_change=max(starts).isoformat(),
        models=tuple(sorted(rows, key=lambda row: (row.provider, row.model))),
    )


def _row(provider: str, model: ModelInfo) -> ModelPrices:
    now = model.prices[-1].prices if isinstance(model.prices, list) else model.prices
    named = {
        "input": now.input_mtok,
        "output": now.output_mtok,
        "cache_read": now.cache_read_mtok,
        "cache_write": now.cache_write_mtok,
        "input_audio": now.input_audio_mtok,
        "output_audio": now.output_audio_mtok,
    }
    return ModelPrices(
        provider=provider,
        model=model.id,
        name=model.name,
        context_tokens=model.context_window,
        input_kinds=_priced_media(now, "input"),
        output_kinds=_priced_media(now, "output"),
        is_tiered=any(isinstance(price, TieredPrices) for price in named.values()),
        **{name: _float(price) for name, price in named.items()},
    )


def _priced_media(prices: ModelPrice, side: str) -> tuple[Medium, ...]:
    """Return what has a price on one side, whatever it is counted in."""
    named = {name for name, price in vars(prices).items() if price is not None}
    return tuple(one for one in _MEDIA if any(name.startswith(f"{side}_{one}_") for name in named))


def _float(price: Decimal | TieredPrices | None) -> float | None:
    """Return a price, that of the first tokens where it depends on how many there are."""
    first = price.base if isinstance(price, TieredPrices) else price
    return None if first is None else float(first)


def _starts(model: ModelInfo) -> Iterator[dt.date]:
    """Yield the days from which prices of *model* hold."""
    dated: list[ConditionalPrice] = model.prices if isinstance(model.prices, list) else []
    for one in (*dated, *(model.price_variants or ())):
        if isinstance(one.constraint, StartDateConstraint):
            yield one.constraint.start_date
