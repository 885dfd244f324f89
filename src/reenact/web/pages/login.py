"""The door: an API key opens it, and the browser keeps a signed cookie in its place."""

import asyncio
from urllib.parse import parse_qs

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie, State
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from reenact.web.frame import Frame
from reenact.web.linking import local_path
from reenact.web.parts import Parts
from reenact.web.renderer import html, render
from reenact.web.signing import LIFETIME_US, Claim, write_token

COOKIE = "reenact_session"

AnyRequest = Request[object, object, State]


class LoginPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the door shows."""

    frame: Frame
    """What stands around the page."""
    next: str
    """Where to go from here: a path on this server."""
    error: str
    """Why the last try failed; empty on the first."""


def door(parts: Parts) -> list[HTTPRouteHandler]:
    """Return the routes that let people in and out."""

    @get("/login")
    async def show_login(request: AnyRequest) -> Response[bytes]:
        return _page(request.query_params.get("next", "/"), "")

    @post("/login", status_code=303)
    async def sign_in(request: AnyRequest) -> Response[bytes] | Redirect:
        form = parse_qs((await request.body()).decode(errors="replace"))
        key, target = form.get("key", [""])[0].strip(), form.get("next", ["/"])[0]
        principal = await asyncio.to_thread(parts.principal_of, key) if key else None
        if principal is None or principal.key_id is None or not principal.may_read:
            return _page(target, "This key is not known here, or may not read.", 401)
        claim = Claim(principal.organisation_id, principal.key_id, parts.clock() + LIFETIME_US)
        token = write_token(parts.secret, claim)
        return Redirect(
            local_path(target), status_code=303, cookies=[_cookie(request, token, LIFETIME_US // 1_000_000)]
        )

    @post("/logout", status_code=303)
    async def sign_out(request: AnyRequest) -> Redirect:
        return Redirect("/login", status_code=303, cookies=[_cookie(request, "", 0)])

    return [show_login, sign_in, sign_out]


def _page(target: str, error: str, status: int = 200) -> Response[bytes]:
    return html(render(LoginPage(frame=Frame(title="Sign in"), next=local_path(target), error=error)), status)


def _cookie(request: AnyRequest, value: str, max_age_s: int) -> Cookie:
    return Cookie(
        key=COOKIE,
        value=value,
        max_age=max_age_s,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path="/",
    )
