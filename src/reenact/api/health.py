"""Health: whether the server records."""

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from reenact.api.envelope import encoded
from reenact.api.guard import PUBLIC, GivenParts

HEALTHY = "healthy :)"
"""As Helicone says it."""


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the server is; it can answer calls even when it is degraded."""

    status: str
    """`healthy :)`, or `degraded`: calls go through and some are not recorded, or not yet found by queries."""
    troubles: list[str] = []
    """What is wrong, in words that show nothing of any call."""
    notes: list[str] = []
    """What goes on that is no trouble: what is kept and for how long."""


@get("/healthcheck", opt=PUBLIC)
async def get_health(parts: GivenParts) -> Response[bytes]:
    """Say how the server is. The status is 200 in both cases: a degraded server must not be taken out of service."""
    troubles = parts.troubles()
    return encoded(msgspec.json.encode(Health("degraded" if troubles else HEALTHY, troubles, parts.notes())))


ROUTES: list[HTTPRouteHandler] = [get_health]
