"""App: all routes of the API, and those of the pages given to it, as one Litestar app."""

from collections.abc import Sequence

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from reenact.api import (
    assets,
    batches,
    bodies,
    comparisons,
    docs,
    evals,
    health,
    keys,
    logs,
    metrics,
    models,
    prompts,
    promptversions,
    properties,
    removals,
    replays,
    requests,
    search,
    sessionnames,
    sessionnotes,
    sessions,
    traces,
    users,
)
from reenact.api.guard import key_guard, provide_pager, provide_principal, sender_guard
from reenact.api.parts import Parts
from reenact.api.responder import HANDLERS

MAX_BODY_BYTES = 50 * 1024 * 1024
"""Of a request to the API, as at Helicone (surface 3.1)."""

_GROUPS = (
    assets,
    batches,
    bodies,
    comparisons,
    docs,
    evals,
    health,
    keys,
    logs,
    metrics,
    models,
    prompts,
    promptversions,
    properties,
    removals,
    replays,
    requests,
    search,
    sessionnames,
    sessionnotes,
    sessions,
    traces,
    users,
)
ROUTES: list[ControllerRouterHandler] = [route for group in _GROUPS for route in group.ROUTES]


HEADERS = {"x-content-type-options": "nosniff"}
"""What was recorded is never taken for a page, whatever it looks like."""


def build(parts: Parts, pages: Sequence[ControllerRouterHandler] = ()) -> Litestar:
    """Return the app; the *pages* let their visitors in themselves."""
    return Litestar(
        route_handlers=[
            Router(path="/", route_handlers=ROUTES, guards=[key_guard(parts)], response_headers=HEADERS),
            *pages,
        ],
        guards=[sender_guard(parts)],
        dependencies={
            "parts": Provide(lambda: parts, sync_to_thread=False),
            "principal": Provide(provide_principal, sync_to_thread=False),
            "pager": Provide(provide_pager, sync_to_thread=False),
        },
        exception_handlers=HANDLERS,
        openapi_config=docs.description(),
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
    )
