"""`reenact serve`: record, answer queries, replay and show pages, until Ctrl-C."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from reenact import __version__
from reenact.server.runner import Ready
from reenact.server.runner import serve as run
from reenact.server.shelf import as_found
from reenact.settings import environment, read_settings

_BASES = (("OpenAI", "/v1/gateway/oai/v1"), ("Anthropic", "/v1/gateway/anthropic"), ("Gemini", "/v1/gateway/google"))
"""Base URLs as each provider's own SDK wants them."""


def serve(
    data: Annotated[
        Path | None, typer.Option(help="Data folder; made when it is not there. [default: reenact-data]")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes any free one. [default: 8585]")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")] = None,
    upstream: Annotated[
        list[str] | None,
        typer.Option(metavar="PROVIDER=URL", help="Where a provider is, instead of its own address. Repeatable."),
    ] = None,
    control: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A database for keys and replays that several servers share (PostgreSQL)."),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            help="Where calls are kept: sqlite, chdb or clickhouse. [default: what lies in the folder, or sqlite]"
        ),
    ] = None,
    clickhouse_url: Annotated[
        str | None, typer.Option(metavar="URL", help="For clickhouse: http://user:password@host:8123/database.")
    ] = None,
    objects: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where images and long values are kept: s3://bucket/prefix. [default: files]"),
    ] = None,
    require_key: Annotated[
        bool | None, typer.Option("--require-key", help="Ask for a valid key on loopback too.")
    ] = None,
    allow_target: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="A target agents may name though it is not public https. Repeatable."),
    ] = None,
    redact: Annotated[
        list[str] | None,
        typer.Option(metavar="REGEX", help="What is masked in everything recorded. Repeatable. Needs reenact[redact]."),
    ] = None,
    gateway_workers: Annotated[
        int | None, typer.Option(help="Processes that relay agents' calls; 0 does all in one. [default: 0]")
    ] = None,
    public_url: Annotated[str | None, typer.Option(help="The origin clients use, behind a proxy.")] = None,
) -> None:
    """Record calls, answer queries, replay sessions and show pages.

    Every option may also be set in the environment, such as REENACT_PORT; REENACT_UPSTREAMS takes a comma-separated list.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for library in ("alembic", "uvicorn"):
        logging.getLogger(library).setLevel(logging.WARNING)
    settings = read_settings(
        data=data,
        port=port,
        host=host,
        upstreams=upstream or None,
        control=control,
        store=store,
        clickhouse_url=clickhouse_url,
        objects=objects,
        require_key=require_key,
        public_url=public_url,
        gateway_workers=gateway_workers,
        allowed_targets=allow_target or None,
        redact_patterns=redact or None,
    )
    run(settings if store is not None else as_found(settings, environment()), _tell)


def _tell(ready: Ready) -> None:
    """Print where everything is; the last line says that it answers."""
    lines = [f"Reenact {__version__}", f"  {'Dashboard':<19}{ready.url}/"]
    lines += [f"  {f'{provider} base URL':<19}{ready.url}{path}" for provider, path in _BASES]
    lines += [f"  {'Other providers':<19}{ready.url}/v1/gateway/<provider>"]
    if ready.key is not None:
        lines += [f"  {'API key':<19}{ready.key}", f"  {'':<19}Shown this once: only its hash is kept."]
    print("\n".join([*lines, "Ready. Ctrl-C stops it."]), flush=True)
