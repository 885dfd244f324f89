"""All pages as one router: what the server mounts beside the API."""

import logging
from urllib.parse import quote

from litestar import Request, Response, Router, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.response import Redirect

from reenact.errors import NotFound, ReenactError, Unauthenticated
from reenact.web.frame import Frame
from reenact.web.guard import Guard
from reenact.web.pages.call import download_body, show_asset, show_call
from reenact.web.pages.calls import show_calls
from reenact.web.pages.compare import show_comparison
from reenact.web.pages.failure import FailurePage
from reenact.web.pages.login import door
from reenact.web.pages.plan import plan_or_start, show_form
from reenact.web.pages.replay import cancel_replay, show_replay
from reenact.web.pages.session import show_session
from reenact.web.pages.sessions import show_sessions
from reenact.web.parts import Parts, Visit
from reenact.web.renderer import ASSETS, SECURITY_HEADERS, html, render

_log = logging.getLogger(__name__)

AnyRequest = Request[object, object, State]

_STATUSES = {"not_found": 404, "forbidden": 403, "too_large": 413}
_TITLES = {404: "Not here", 403: "Not allowed", 500: "Something broke"}


def router(parts: Parts) -> Router:
    """Return every page and what the pages load; mount it at `/`."""
    guard = Guard(parts)

    async def provide_visit(request: AnyRequest) -> Visit:  # a function: Litestar copies all else that it is given
        return await guard.visit(request)

    pages = Router(
        "/",
        route_handlers=[
            show_sessions, show_calls, show_session, show_call, show_asset, download_body, show_comparison, show_form,
            plan_or_start, show_replay, cancel_replay, *door(parts),
        ],
        dependencies={"visit": Provide(provide_visit)},
        response_headers=SECURITY_HEADERS,
    )  # fmt: skip
    return Router(
        "/",
        route_handlers=[pages, send_asset],
        exception_handlers={ReenactError: show_failure, HTTPException: show_refusal, Exception: show_fault},
        include_in_schema=False,
    )


@get("/assets/{name:str}", include_in_schema=False)
async def send_asset(name: FromPath[str]) -> Response[bytes]:
    """Send the style sheet, the script or the icon; their addresses change with their content."""
    if name not in ASSETS:
        raise NotFound(f"There is no asset {name!r}.")
    content, media_type = ASSETS[name]
    kept = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
    return Response(content, media_type=media_type, headers=kept)


def show_failure(request: AnyRequest, error: ReenactError) -> Response[bytes] | Redirect:
    """Show what went wrong; who is not signed in is shown the door."""
    if isinstance(error, Unauthenticated):
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        target = quote(wanted, safe="") if request.method == "GET" else "/"
        return Redirect(f"/login?next={target}", status_code=303, headers=SECURITY_HEADERS)
    return _failure(_STATUSES.get(error.code, 422), error.message)


def show_refusal(_: AnyRequest, error: HTTPException) -> Response[bytes]:
    """Show what the framework refused: a wrong method, a number that is none."""
    return _failure(error.status_code, error.detail)


def show_fault(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Show that the fault is ours; its traceback is for the log only."""
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _failure(500, "This page could not be made. The server's log says why.")


def _failure(status: int, message: str) -> Response[bytes]:
    frame = Frame(title=_TITLES.get(status, "This cannot be done"))
    answer = html(render(FailurePage(frame=frame, status=status, message=message)), status)
    answer.headers.update(SECURITY_HEADERS)
    return answer
