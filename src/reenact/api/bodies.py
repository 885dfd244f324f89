"""Bodies: what `signed_body_url` points at. Needs no key: the address itself is the proof, for one call and one day."""

import asyncio

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from reenact.api.envelope import encoded
from reenact.api.guard import PUBLIC, GivenParts
from reenact.api.rows import request_json, response_json
from reenact.api.signing import is_good
from reenact.domain.message import Json
from reenact.errors import Forbidden, NotFound


class BothBodies(msgspec.Struct, frozen=True):
    """What was asked and what was answered, as JSON; a stream merged into one answer."""

    request: Json
    response: Json


@get("/v1/public/request/{request_id:str}/body", opt=PUBLIC)
async def get_bodies(
    request_id: FromPath[str],
    organisation: FromQuery[str],
    expires: FromQuery[int],
    signature: FromQuery[str],
    parts: GivenParts,
) -> Response[bytes]:
    """Get both bodies of one request by the address that its row gave."""
    if not is_good(parts.secret, organisation, request_id, expires, signature, now_s=parts.clock() / 1_000_000):
        raise Forbidden("This address is not valid, or no longer: ask for the request again to get a new one.")

    def read() -> bytes:
        bodies = parts.calls.bodies(organisation, [request_id]).get(request_id)
        if bodies is None:
            raise NotFound("Request not found")
        return msgspec.json.encode(BothBodies(request_json(bodies), response_json(bodies)))

    return encoded(await asyncio.to_thread(read))


ROUTES: list[HTTPRouteHandler] = [get_bodies]
