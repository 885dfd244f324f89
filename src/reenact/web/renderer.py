"""Renderer: pages into HTML. Everything printed is escaped and its hidden characters are written out."""

import hashlib
from importlib.resources import files

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response

from reenact.web import formatting, linking

ASSETS: dict[str, tuple[bytes, str]] = {
    name: ((files("reenact.web") / "assets" / name).read_bytes(), media_type)
    for name, media_type in {
        "reenact.css": "text/css",
        "reenact.js": "text/javascript",
        "icon.svg": "image/svg+xml",
    }.items()
}
"""Bytes and media type by name: all that a page loads beside itself."""


SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Of every page: nothing from elsewhere is loaded or run, and no cache keeps a recording."""


def _asset(name: str) -> str:
    """Return the address of an asset, which changes with its content so that browsers may keep it."""
    return f"/assets/{name}?v={hashlib.sha256(ASSETS[name][0]).hexdigest()[:12]}"


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("reenact.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=formatting.visible,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for filter_ in (
        formatting.exact,
        formatting.dollars,
        formatting.duration,
        formatting.count,
        formatting.size,
        formatting.when,
        formatting.iso,
        formatting.words,
        linking.session_href,
        linking.call_href,
        linking.replay_href,
        linking.replay_form_href,
        linking.compare_href,
    ):
        made.filters[filter_.__name__] = filter_
    made.filters["asset"] = _asset
    return made


ENVIRONMENT = _environment()


def render(page: msgspec.Struct) -> bytes:
    """Return *page* as HTML: its fields, and nothing else, are what the template named like its module may use."""
    name = type(page).__module__.rsplit(".", 1)[-1]
    fields = {field: getattr(page, field) for field in page.__struct_fields__}
    return ENVIRONMENT.get_template(f"{name}.html").render(fields).encode(errors="replace")


def html(content: bytes, status: int = 200) -> Response[bytes]:
    """Return rendered HTML as an answer."""
    return Response(content, status_code=status, media_type="text/html")
