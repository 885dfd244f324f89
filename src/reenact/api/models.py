"""Models: those that a price is known for, and where the prices are from. Nothing of anybody's calls is in here."""

from functools import cache

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from reenact.api.envelope import answer, described, encoded
from reenact.api.guard import PUBLIC
from reenact.api.registering import Registry, registry
from reenact.ingest.pricing import Prices, prices


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One model, as OpenAI lists them."""

    id: str
    object: str = "model"
    created: int = 0
    owned_by: str


class Models(msgspec.Struct, frozen=True, kw_only=True):
    """A list of models, as OpenAI's."""

    object: str = "list"
    data: list[Model]


@get("/v1/models", responses={200: ResponseSpec(Models, generate_examples=False)}, sync_to_thread=True)
def list_models() -> Response[bytes]:
    """List the models that a price is known for, by provider."""
    found = [Model(id=one.model, owned_by=one.provider) for one in prices().models]
    return encoded(msgspec.json.encode(Models(data=found)))


@get("/v1/models/multimodal", responses={200: ResponseSpec(Models, generate_examples=False)}, sync_to_thread=True)
def list_multimodal_models() -> Response[bytes]:
    """List the models that have a price of their own for sound, images or video: not those that take these for text."""
    found = [
        Model(id=one.model, owned_by=one.provider) for one in prices().models if one.input_kinds or one.output_kinds
    ]
    return encoded(msgspec.json.encode(Models(data=found)))


@get("/v1/public/model-registry/models", opt=PUBLIC, responses=described(Registry), sync_to_thread=True)
def get_registry() -> Response[bytes]:
    """List the models that tokens have a price of, with all who offer them, as Helicone's registry does."""
    return answer(_registry())


@get("/v1/public/prices", opt=PUBLIC, responses=described(Prices), sync_to_thread=True)
def get_prices() -> Response[bytes]:
    """Say what calls are priced by: the table's version, its newest change, every price per million tokens."""
    return answer(prices())


@cache
def _registry() -> Registry:
    return registry(prices().models)


ROUTES: list[HTTPRouteHandler] = [list_models, list_multimodal_models, get_registry, get_prices]
