"""The price table as Helicone's registry: one item a model, unknown left out or null."""

import msgspec

from reenact.api.registering import registry
from reenact.ingest.pricing import ModelPrices


def test_a_model_has_all_who_offer_it() -> None:
    """Its maker is its author; what one of them does not know of it another may."""
    told = registry(
        [
            ModelPrices(provider="openai", model="m", name="M", context_tokens=9, input=1, output=2, cache_read=0.5),
            ModelPrices(provider="azure", model="m", input=3, input_audio=4, input_kinds=("audio",)),
            ModelPrices(provider="groq", model="acme/free", input=0, output=0, output_kinds=("image",)),
            ModelPrices(provider="openai", model="by-the-hour"),
        ]
    )
    azure: dict[str, object] = {"prompt": 3.0, "completion": 0.0, "audio": {"input": 4.0}}
    openai: dict[str, object] = {"prompt": 1.0, "completion": 2.0, "cacheRead": 0.5}
    assert {
        "models": [
            {
                "id": "acme/free",
                "name": "acme/free",
                "author": "acme",
                "contextLength": None,
                "endpoints": [offer("groq", {"prompt": 0.0, "completion": 0.0})],
                "inputModalities": ["text"],
                "outputModalities": ["text", "image"],
                "supportedParameters": [],
            },
            {
                "id": "m",
                "name": "M",
                "author": "openai",
                "contextLength": 9,
                "endpoints": [offer("azure", azure), offer("openai", openai)],
                "inputModalities": ["text", "audio"],
                "outputModalities": ["text"],
                "supportedParameters": [],
            },
        ],
        "total": 2,
        "filters": {
            "capabilities": ["audio", "image", "caching"],
            "authors": ["acme", "openai"],
            "providers": [{"displayName": name, "name": name} for name in ("azure", "groq", "openai")],
        },
    } == msgspec.to_builtins(told)


def offer(provider: str, pricing: dict[str, object]) -> dict[str, object]:
    """Return an endpoint as it is written."""
    return {"provider": provider, "providerSlug": provider, "supportsPtb": False, "pricing": pricing}
