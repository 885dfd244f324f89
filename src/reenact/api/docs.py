"""Docs: the description of the API for programs, and a plain page of its routes for people; nothing comes from elsewhere."""

import html
import re
from typing import Any

import msgspec
from litestar import Request, Router, get
from litestar.enums import MediaType
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition

from reenact import __version__
from reenact.api.guard import PUBLIC

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "dt{font-family:ui-monospace,monospace;margin-top:1rem}dd{margin-left:2rem}"
)

_INVALID = {
    "description": "Validation failed: what is wrong, by place",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["message", "details"],
                "properties": {
                    "message": {"const": "Validation Failed"},
                    "details": {
                        "type": "object",
                        "additionalProperties": {
                            "type": "object",
                            "required": ["message"],
                            "properties": {"message": {"type": "string"}, "value": {}},
                        },
                    },
                },
            }
        }
    },
}
"""What `failing.invalid` makes."""


class SchemaJson(JsonRenderPlugin):
    """The OpenAPI document."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the document as JSON."""
        return msgspec.json.encode(as_answered(openapi_schema))


def as_answered(schema: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI document with our 422 in place of the 400 that the framework describes and nothing answers."""
    return {**schema, "paths": {path: _operations(methods) for path, methods in schema["paths"].items()}}


def _operations(methods: dict[str, Any]) -> dict[str, Any]:
    return {
        method: {
            **operation,
            "responses": {
                "422" if status == "400" else status: _INVALID if status == "400" else response
                for status, response in operation["responses"].items()
            },
        }
        for method, operation in methods.items()
    }


def description() -> OpenAPIConfig:
    """Return what Litestar needs to serve `/download/swagger.json`, Helicone's address for it."""
    return OpenAPIConfig(
        title="Reenact",
        version=__version__,
        description="Helicone's REST API, and ours beside it. Send `Authorization: Bearer <key>`.",
        use_handler_docstrings=True,
        operation_id_creator=operation_id,
        render_plugins=[SchemaJson(path="/swagger.json", media_type=MediaType.JSON)],
        openapi_router=Router(path="/download", route_handlers=[], opt=PUBLIC, include_in_schema=False),
    )


def operation_id(_: HTTPRouteHandler, method: Method, places: list[str | PathParameterDefinition]) -> str:
    """Return what an operation is called: its method and its whole path, since one route may answer under several."""
    words = [re.sub(r"\W", "_", place if isinstance(place, str) else f"by_{place.name}") for place in places]
    return "_".join([method.lower(), *words])


@get("/docs", opt=PUBLIC, media_type=MediaType.HTML, include_in_schema=False, sync_to_thread=False)
def get_docs(request: Request[Any, Any, Any]) -> str:
    """Show every route of the API."""
    return routes_page(request.app.openapi_schema.to_schema())


ROUTES: list[HTTPRouteHandler] = [get_docs]


def routes_page(schema: dict[str, Any]) -> str:
    """Return every operation of an OpenAPI document as HTML."""
    entries = [
        f"<dt><strong>{html.escape(method.upper())}</strong> {html.escape(path)}</dt>"
        f"<dd>{html.escape(str(operation.get('description') or operation.get('summary') or ''))}</dd>"
        for path, operations in sorted(schema["paths"].items())
        for method, operation in operations.items()
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Reenact API</title><style>{_STYLE}</style>'
        "<main><h1>Reenact API</h1><p>Helicone's REST API, and ours beside it, as an "
        '<a href="/download/swagger.json">OpenAPI document</a>.</p>'
        f"<dl>{''.join(entries)}</dl></main></html>"
    )
