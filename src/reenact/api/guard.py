"""Guards: let a request in or turn it away before its body is read; and give the routes who asks."""

from litestar.connection import ASGIConnection, Request
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from reenact.access.authenticating import admit, need_read, need_write
from reenact.access.principal import Principal
from reenact.api.admitting import is_bearer, is_from_elsewhere, is_own_host, key_of
from reenact.api.pager import Pager
from reenact.api.parts import Parts
from reenact.errors import Forbidden

PUBLIC = {"public": True}
"""`opt` of a route that needs no key."""
WRITES = {"writes": True}
"""`opt` of a route that changes something; others need the right to read."""

GivenParts = NamedDependency[Parts]
"""A route's parameter for the parts."""
GivenPrincipal = NamedDependency[Principal]
"""A route's parameter for who asks."""
GivenPager = NamedDependency[Pager]
"""A route's parameter for how rows are written."""

Connection = ASGIConnection[BaseRouteHandler, object, Principal, State]


def sender_guard(parts: Parts) -> Guard:
    """Return the guard of every route, the pages' too: it turns away what a page of another site may have sent.

    A request that carries a known key as `Bearer` is let pass, since no other site knows the key; cookies, Basic credentials
    and the absence of any key come with whatever a browser sends.
    """

    def guard(connection: Connection, _: BaseRouteHandler) -> None:
        headers, public_url = connection.headers, parts.public_url
        if is_bearer(headers.get("authorization"), headers.get("helicone-auth")) and holder(connection, parts):
            return
        host = headers.get("host", "")
        if parts.keyless and not is_own_host(host, public_url):
            raise Forbidden(
                f"This server answers to its own address only, not to {host[:100]!r}. Behind a proxy, set --public-url."
            )
        method = str(connection.scope.get("method", "GET"))
        if is_from_elsewhere(method, host, headers.get("origin"), headers.get("sec-fetch-site"), public_url):
            raise Forbidden("A page of another site may not do this. Behind a proxy, set --public-url.")

    return guard


def key_guard(parts: Parts) -> Guard:
    """Return the guard of the API's routes: it finds out who asks, and whether they may."""

    def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        if handler.opt.get("public"):
            return
        principal = admit(
            key=_key(connection),
            holder=holder(connection, parts),
            is_loopback=parts.keyless,
            require_key=not parts.keyless,
            local=parts.local,
            brings_login=any(name in connection.headers for name in ("helicone-jwt", "helicone-manual-access-key")),
        )
        (need_write if handler.opt.get("writes") else need_read)(principal)
        connection.scope["auth"] = principal

    return guard


def holder(connection: Connection, parts: Parts) -> Principal | None:
    """Return who holds the key that *connection* carries; None for none and for one that is not known."""
    key = _key(connection)
    return parts.keys.holder(key) if key else None


def _key(connection: Connection) -> str | None:
    return key_of(connection.headers.get("authorization"), connection.headers.get("helicone-auth"))


def provide_principal(request: Request[object, Principal, State]) -> Principal:
    """Return who asks."""
    return request.auth


def provide_pager(request: Request[object, Principal, State], parts: GivenParts) -> Pager:
    """Return how rows are written for whoever asks."""
    return Pager(
        calls=parts.calls,
        organisation_id=request.auth.organisation_id,
        secret=parts.secret,
        origin=origin_of(request, parts),
        now_s=parts.clock() / 1_000_000,
    )


def origin_of(request: Request[object, Principal, State], parts: Parts) -> str:
    """Return where whoever asks reaches this server; no slash at the end."""
    return parts.public_url.rstrip("/") or str(request.base_url).rstrip("/")
