"""Comparisons: two sessions side by side. Ours; Helicone compares nothing."""

import asyncio

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from reenact.access.principal import Principal
from reenact.api.envelope import Envelope, described, encoded
from reenact.api.parts import Parts
from reenact.api.slimming import slim
from reenact.comparison.reader import compare_sessions
from reenact.domain.comparison import Comparison


@get("/v1/comparison", responses=described(Comparison))
async def get_comparison(left: str, right: str, parts: Parts, principal: Principal) -> Response[bytes]:
    """Compare two sessions by their ids: aligned calls, what differs in each pair, both sides' sums."""
    await parts.settle()

    def read() -> bytes:
        comparison = compare_sessions(parts.calls, principal.organisation_id, left, right)
        return msgspec.json.encode(Envelope(slim(comparison)))

    return encoded(await asyncio.to_thread(read))


ROUTES: list[HTTPRouteHandler] = [get_comparison]
