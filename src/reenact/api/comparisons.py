"""Comparisons: two sessions side by side. Ours; Helicone compares nothing."""

import asyncio

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from reenact.api.envelope import Envelope, described, encoded
from reenact.api.guard import GivenParts, GivenPrincipal
from reenact.api.slimming import slim
from reenact.comparison.reader import compare_sessions
from reenact.domain.comparison import Comparison


@get("/v1/comparison", responses=described(Comparison))
async def get_comparison(
    left: FromQuery[str], right: FromQuery[str], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Compare two sessions by their ids: aligned calls, what differs in each pair, both sides' sums."""
    await parts.settle()

    def read() -> bytes:
        comparison = compare_sessions(parts.calls, principal.organisation_id, left, right)
        return msgspec.json.encode(Envelope(slim(comparison)))

    return encoded(await asyncio.to_thread(read))


ROUTES: list[HTTPRouteHandler] = [get_comparison]
