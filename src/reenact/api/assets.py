"""Assets: images, sounds and files out of bodies, by addresses that are good for an hour and need no key (surface 3.2).

What comes from us is shown by a browser only when its own bytes say that it is a picture or a sound; all else is a file.
"""

import asyncio

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from reenact.api.envelope import answer, described
from reenact.api.guard import PUBLIC, GivenPager, GivenParts
from reenact.api.pager import Pager
from reenact.api.parts import Parts
from reenact.api.signing import is_good
from reenact.domain.call import Asset
from reenact.errors import Forbidden, NotFound
from reenact.store.sniffing import SHOWN, UNKNOWN, media_type

LIFETIME_S = 60 * 60
_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "private, max-age=3600",
}


class AssetAddress(msgspec.Struct, frozen=True):
    """Where an asset is."""

    asset_url: str = msgspec.field(name="assetUrl")


@post("/v1/request/{request_id:str}/assets/{asset_id:str}", status_code=200, responses=described(AssetAddress))
async def sign_asset(
    request_id: FromPath[str], asset_id: FromPath[str], parts: GivenParts, pager: GivenPager
) -> Response[bytes]:
    """Get an address that an image of a request can be had at for an hour."""
    return await _address(request_id, asset_id, parts, pager)


@get("/v1/request/{request_id:str}/assets/{asset_id:str}", responses=described(AssetAddress))
async def get_asset_address(
    request_id: FromPath[str], asset_id: FromPath[str], parts: GivenParts, pager: GivenPager
) -> Response[bytes]:
    """Get the same address: asking changes nothing."""
    return await _address(request_id, asset_id, parts, pager)


@get("/v1/public/request/{request_id:str}/assets/{asset_id:str}", opt=PUBLIC)
async def send_asset(
    request_id: FromPath[str],
    asset_id: FromPath[str],
    organisation: FromQuery[str],
    expires: FromQuery[int],
    signature: FromQuery[str],
    parts: GivenParts,
) -> Response[bytes]:
    """Get an image of a request by the address that its row gave."""
    now_s = parts.clock() / 1_000_000
    if not is_good(parts.secret, organisation, request_id, expires, signature, now_s=now_s, asset_id=asset_id):
        raise Forbidden("This address is not valid, or no longer: ask for the request again to get a new one.")

    def read() -> bytes:
        _found(parts, organisation, request_id, asset_id)
        content = parts.calls.object(organisation, asset_id)
        if content is None:
            raise NotFound("Asset not found")
        return content

    return shown(await asyncio.to_thread(read))


def shown(content: bytes) -> Response[bytes]:
    """Return an asset as an answer that no browser can take for a page or a script."""
    kind = media_type(content)
    place = {} if kind in SHOWN else {"content-disposition": 'attachment; filename="asset"'}
    return Response(content, media_type=kind if kind in SHOWN else UNKNOWN, headers=_HEADERS | place)


ROUTES: list[HTTPRouteHandler] = [sign_asset, get_asset_address, send_asset]


async def _address(request_id: str, asset_id: str, parts: Parts, pager: Pager) -> Response[bytes]:
    await parts.settle()

    def read() -> str:
        _found(parts, pager.organisation_id, request_id, asset_id)
        elsewhere = parts.calls.object_address(pager.organisation_id, asset_id, LIFETIME_S)
        return elsewhere or pager.asset_address(request_id, asset_id, LIFETIME_S)

    return answer(AssetAddress(await asyncio.to_thread(read)))


def _found(parts: Parts, organisation_id: str, request_id: str, asset_id: str) -> Asset:
    """Return the asset, which must be the organisation's and the request's."""
    bodies = parts.calls.bodies(organisation_id, [request_id]).get(request_id)
    found = [one for one in bodies.assets if one.id == asset_id] if bodies else []
    if not found:
        raise NotFound("Asset not found")
    return found[0]
