"""Traces: spans in OpenTelemetry's protocol, as OpenLLMetry and every other exporter sends them (surface 3.10).

Spans about models' work become calls; all others only lend their names to the path. Sending an export twice changes nothing.
"""

import asyncio

from litestar import MediaType, Request, Response, post
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from reenact.access.principal import Principal
from reenact.api.guard import WRITES, GivenParts, GivenPrincipal, origin_of
from reenact.api.logs import REFUSALS, Refusal, header_list, keep, taken
from reenact.api.parts import Parts
from reenact.gateway.labelling import label
from reenact.ingest.otlp import read_export
from reenact.ingest.spanning import Export, retell_spans
from reenact.ingest.unpacking import unpack

MAX_EXPORT_BYTES = 50 * 1024 * 1024
"""Unpacked."""

AnyRequest = Request[object, Principal, State]
_PROTOBUF = "application/x-protobuf"
_REFUSED = ResponseSpec(Refusal, description="Not an export", generate_examples=False)


@post(
    ["/v1/trace/log", "/v1/trace/log-python"],
    status_code=200, opt=WRITES, exception_handlers=REFUSALS,
    responses={200: ResponseSpec(str, media_type=MediaType.TEXT, generate_examples=False), 400: _REFUSED},
)  # fmt: skip
async def log_trace(request: AnyRequest, parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Take spans, as protobuf or JSON. Answers `ok` with the id of the first call."""
    ids, _ = await _take(request, parts, principal)
    return taken(ids[0] if ids else None)


@post(
    ["/v1/traces", "/v1/trace/log/v1/traces"],
    status_code=200, opt=WRITES, exception_handlers=REFUSALS,
    responses={200: ResponseSpec(dict[str, str], generate_examples=False), 400: _REFUSED},
)  # fmt: skip
async def export_trace(request: AnyRequest, parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Take spans, as protobuf or JSON, and answer as OTLP wants it: an empty success in the same encoding."""
    _, is_protobuf = await _take(request, parts, principal)
    return Response(b"", media_type=_PROTOBUF) if is_protobuf else Response(b"{}", media_type=MediaType.JSON)


ROUTES: list[HTTPRouteHandler] = [log_trace, export_trace]


async def _take(request: AnyRequest, parts: Parts, principal: Principal) -> tuple[list[str], bool]:
    """Keep the calls of an export; return their ids, and whether it was protobuf.

    Raises:
        InvalidInput: it is no export.
        SpoolFailed: a call cannot be kept.
    """
    headers, packed = header_list(request), await request.body()
    media_type = request.headers.get("content-type", "").lower()
    export = Export(
        organisation_id=principal.organisation_id,
        headers=headers,
        now_us=parts.clock(),
        origin=origin_of(request, parts),
    )

    def read() -> tuple[list[str], bool]:
        body = unpack(packed, headers, MAX_EXPORT_BYTES)
        is_protobuf = "protobuf" in media_type or ("json" not in media_type and not body.startswith(b"{"))
        told = retell_spans(read_export(body, is_protobuf=is_protobuf), export, lambda given: label(given).labels)
        return [keep(parts, exchange, headers) for exchange in told], is_protobuf

    return await asyncio.to_thread(read)
