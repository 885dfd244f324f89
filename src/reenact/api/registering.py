"""Registering: the price table as Helicone's model registry, one item a model with all who offer it (surface 2.3)."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

import msgspec

from reenact.ingest.pricing import ModelPrices

_MAKERS = ("openai", "anthropic", "google", "mistral", "deepseek", "x", "cohere", "moonshot", "perplexity", "voyage")
"""Providers that offer models of their own; others offer those of others."""


class AudioPricing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """US dollars for a million tokens of sound."""

    input: float | None = None
    output: float | None = None


class Pricing(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """US dollars for a million tokens."""

    prompt: float
    completion: float
    """0 of a model that answers no tokens, such as embeddings."""
    audio: AudioPricing | msgspec.UnsetType = msgspec.UNSET
    cache_read: float | msgspec.UnsetType = msgspec.UNSET
    cache_write: float | msgspec.UnsetType = msgspec.UNSET


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One who offers a model."""

    provider: str
    provider_slug: str
    supports_ptb: bool = False
    """Whether somebody else's account pays: never here."""
    pricing: Pricing


class Item(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One model."""

    id: str
    name: str
    author: str
    context_length: int | None
    """In tokens; null where it is not known."""
    endpoints: list[Endpoint]
    input_modalities: list[str]
    output_modalities: list[str]
    supported_parameters: list[str] = []
    """Not known: always empty."""


class ProviderName(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A provider that can be chosen."""

    display_name: str
    name: str


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What the models can be narrowed by."""

    capabilities: list[str]
    authors: list[str]
    providers: list[ProviderName]


class Registry(msgspec.Struct, frozen=True, kw_only=True):
    """All models, by id."""

    models: list[Item]
    total: int
    filters: Choices


def registry(prices: Iterable[ModelPrices]) -> Registry:
    """Return the registry of the models that tokens of the prompt have a price of."""
    known = sorted((one for one in prices if one.input is not None), key=attrgetter("model", "provider"))
    items = [_item(model, list(offers)) for model, offers in groupby(known, key=attrgetter("model"))]
    media = {kind for item in items for kind in (*item.input_modalities, *item.output_modalities)} - {"text"}
    caching = ["caching"] if any(one.cache_read is not None for one in known) else []
    return Registry(
        models=items,
        total=len(items),
        filters=Choices(
            capabilities=sorted(media) + caching,
            authors=sorted({item.author for item in items}),
            providers=[ProviderName(display_name=name, name=name) for name in sorted({one.provider for one in known})],
        ),
    )


def _item(model: str, offers: Sequence[ModelPrices]) -> Item:
    """Return one model out of all its prices; where these differ in what they know of it, all of that."""
    return Item(
        id=model,
        name=next((one.name for one in offers if one.name), model),
        author=_author(model, [one.provider for one in offers]),
        context_length=max((one.context_tokens for one in offers if one.context_tokens is not None), default=None),
        endpoints=[_endpoint(one) for one in offers],
        input_modalities=["text", *sorted({kind for one in offers for kind in one.input_kinds})],
        output_modalities=["text", *sorted({kind for one in offers for kind in one.output_kinds})],
    )


def _author(model: str, providers: Sequence[str]) -> str:
    """Return who the name says has made it, else who offers models of their own among *providers*, else the first."""
    maker, slash, _ = model.partition("/")
    return maker if slash else next((one for one in _MAKERS if one in providers), providers[0])


def _endpoint(one: ModelPrices) -> Endpoint:
    has_audio = one.input_audio is not None or one.output_audio is not None
    return Endpoint(
        provider=one.provider,
        provider_slug=one.provider,
        pricing=Pricing(
            prompt=one.input or 0.0,
            completion=one.output or 0.0,
            audio=AudioPricing(input=one.input_audio, output=one.output_audio) if has_audio else msgspec.UNSET,
            cache_read=msgspec.UNSET if one.cache_read is None else one.cache_read,
            cache_write=msgspec.UNSET if one.cache_write is None else one.cache_write,
        ),
    )
