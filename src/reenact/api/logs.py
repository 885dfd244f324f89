"""Logs: calls that were made without the gateway and are told afterwards (surface 3.10).

Every form of Helicone's is taken; each becomes an exchange in the journal and goes the way of any other. The answer is exactly
200 `ok`, which is what the senders look for, and a sender that did wrong is told so with 400.
"""

import asyncio

import msgspec
from litestar import MediaType, Request, Response, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody
from litestar.types import ExceptionHandlersMap

from reenact.access.principal import Principal
from reenact.api.envelope import answer, described
from reenact.api.guard import WRITES, GivenParts, GivenPrincipal, origin_of
from reenact.api.parts import Parts
from reenact.api.responder import explained
from reenact.api.retelling import (
    Checked,
    Feedback,
    FieldError,
    GatewayLog,
    TypedLog,
    retell_gateway_log,
    score_of,
    untyped,
)
from reenact.domain.exchange import Exchange, Header
from reenact.errors import InvalidInput
from reenact.gateway.controlling import control
from reenact.gateway.labelling import label
from reenact.gateway.omitting import without_bodies
from reenact.gateway.redacting import redact_target
from reenact.ingest.decoding import decode
from reenact.ingest.retelling import Log, Occasion, meta_headers, retell

MAX_LOG_BYTES = 10 * 1024 * 1024
"""Of one log, as at Helicone."""

AnyRequest = Request[object, Principal, State]


class Refusal(msgspec.Struct, frozen=True):
    """Why a log was not taken."""

    error: str


def refuse(_: Request[object, object, State], error: Exception) -> Response[bytes]:
    """Answer a log that cannot be understood, or is too large, the way that its senders know."""
    if isinstance(error, HTTPException) and error.status_code not in (400, 413):
        return _bare(error.status_code, Refusal(error.detail))
    if isinstance(error, HTTPException) and error.status_code == 413:
        return _bare(400, Refusal("Payload too large"))
    return _bare(400, Refusal("; ".join(f"{place}: {message}" for place, message in explained(error))))


def refuse_typed(_: Request[object, object, State], error: Exception) -> Response[bytes]:
    """Answer a typed log that cannot be understood."""
    if isinstance(error, HTTPException) and error.status_code != 400:
        return refuse(_, error)
    return _bare(400, Checked(False, [FieldError(*pair) for pair in explained(error)]))


def _bare(status: int, body: msgspec.Struct) -> Response[bytes]:
    return Response(msgspec.json.encode(body), status_code=status, media_type=MediaType.JSON)


REFUSALS: ExceptionHandlersMap = {HTTPException: refuse, ValidationException: refuse, InvalidInput: refuse}
_TAKEN = {
    200: ResponseSpec(str, description="`ok`", media_type=MediaType.TEXT, generate_examples=False),
    400: ResponseSpec(Refusal, description="Not a log", generate_examples=False),
}


def taken(call_id: str | None) -> Response[bytes]:
    """Return the answer for what was taken."""
    headers = {} if call_id is None else {"helicone-id": call_id, "helicone-status": "success"}
    return Response(b"ok", media_type=MediaType.TEXT, headers=headers)


def header_list(request: Request[object, Principal, State]) -> list[Header]:
    """Return the headers of *request*, names in lower case."""
    return [(name.lower(), value) for name, value in request.scope["headers"]]


def keep(parts: Parts, exchange: Exchange, headers: list[Header]) -> str:
    """Keep *exchange* without the bodies that *headers* want left out; return its id. Waits for a disk.

    Raises:
        SpoolFailed: it cannot be kept.
    """
    wishes = control(headers)
    if wishes.omits_request or wishes.omits_response:
        call = decode(exchange).call
        exchange = without_bodies(exchange, call, request=wishes.omits_request, response=wishes.omits_response)
    parts.record(msgspec.structs.replace(exchange, url=_hidden(exchange.url), target_url=_hidden(exchange.target_url)))
    return exchange.id


def _hidden(url: str) -> str:
    """Return an address that was told without the keys in it."""
    return redact_target(url.encode(errors="replace")).decode(errors="replace")


async def _take(log: Log, provider: str, request: AnyRequest, parts: Parts, principal: Principal) -> Response[bytes]:
    headers = [*header_list(request), *meta_headers(log.provider_request.meta)]  # HTTP goes first, and wins
    exchange = retell(log, occasion(provider, headers, request, parts, principal))
    return taken(await asyncio.to_thread(keep, parts, exchange, headers))


def occasion(provider: str, headers: list[Header], request: AnyRequest, parts: Parts, principal: Principal) -> Occasion:
    """Return how a log came in."""
    labelled = label(headers)
    return Occasion(
        id=labelled.request_id or parts.new_id(),
        organisation_id=principal.organisation_id,
        labels=labelled.labels,
        provider=provider,
        now_us=parts.clock(),
        origin=origin_of(request, parts),
    )


@post(
    ["/custom/v1/log", "/v1/trace/custom/v1/log", "/v1/trace/custom/log", "/v1/log"],
    status_code=200, opt=WRITES, responses=_TAKEN, exception_handlers=REFUSALS, request_max_body_size=MAX_LOG_BYTES,
)  # fmt: skip
async def log_custom(
    data: JSONBody[Log], request: AnyRequest, parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Take a log of a call of any provider, or of a tool, a look-up or another step."""
    return await _take(data, "custom", request, parts, principal)


@post(
    "/oai/v1/log",
    status_code=200, opt=WRITES, responses=_TAKEN, exception_handlers=REFUSALS, request_max_body_size=MAX_LOG_BYTES,
)  # fmt: skip
async def log_openai(
    data: JSONBody[Log], request: AnyRequest, parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Take a log of a call of OpenAI."""
    return await _take(data, "openai", request, parts, principal)


@post(
    "/anthropic/v1/log",
    status_code=200, opt=WRITES, responses=_TAKEN, exception_handlers=REFUSALS, request_max_body_size=MAX_LOG_BYTES,
)  # fmt: skip
async def log_anthropic(
    data: JSONBody[Log], request: AnyRequest, parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Take a log of a call of Anthropic."""
    return await _take(data, "anthropic", request, parts, principal)


@post(
    "/googleapis/v1/log",
    status_code=200, opt=WRITES, responses=_TAKEN, exception_handlers=REFUSALS, request_max_body_size=MAX_LOG_BYTES,
)  # fmt: skip
async def log_google(
    data: JSONBody[Log], request: AnyRequest, parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Take a log of a call of Google."""
    return await _take(data, "google", request, parts, principal)


@post(
    "/v1/trace/custom/log/typed",
    status_code=200, opt=WRITES, request_max_body_size=MAX_LOG_BYTES,
    responses={**_TAKEN, 400: ResponseSpec(Checked, description="Not a log", generate_examples=False)},
    exception_handlers=dict.fromkeys((HTTPException, ValidationException, InvalidInput), refuse_typed),
)  # fmt: skip
async def log_typed(
    data: JSONBody[TypedLog], request: AnyRequest, parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Take a log whose times are ISO 8601; what is wrong with it is told field by field."""
    return await _take(untyped(data), "custom", request, parts, principal)


@post(
    "/v1/log/request",
    status_code=200, opt=WRITES, responses=_TAKEN, exception_handlers=REFUSALS, request_max_body_size=MAX_LOG_BYTES,
)  # fmt: skip
async def log_gateway(
    data: JSONBody[GatewayLog], request: AnyRequest, parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Take what another gateway says of a call; its bodies are not sent here, so that it cannot be replayed."""
    headers: list[Header] = [(b"helicone-request-id", data.log.request.id.encode(errors="replace"))]
    told = retell_gateway_log(data, occasion("custom", headers, request, parts, principal))
    return taken(await asyncio.to_thread(keep, parts, told, []))


@post(
    ["/v1/feedback", "/oai/v1/feedback"],
    status_code=200, opt=WRITES, responses=described(None),
)  # fmt: skip
async def take_feedback(data: JSONBody[Feedback], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Take what the first Python package says of a call: numbers and booleans are scores, texts are properties."""
    await parts.settle()
    organisation_id, score = principal.organisation_id, score_of(data)
    if score is not None:
        await asyncio.to_thread(parts.calls.set_scores, organisation_id, data.helicone_id, dict([score]))
    else:
        await asyncio.to_thread(parts.calls.set_property, organisation_id, data.helicone_id, data.name, str(data.value))
    return answer(None)


ROUTES: list[HTTPRouteHandler] = [
    log_custom, log_openai, log_anthropic, log_google, log_typed, log_gateway, take_feedback,
]  # fmt: skip
