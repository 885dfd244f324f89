"""`reenact provider`: a model that is none, to try Reenact without a key."""

from pathlib import Path
from typing import Annotated

import typer

from reenact.errors import InvalidInput
from reenact.provider.app import create_provider
from reenact.provider.scripting import read_script
from reenact.provider.server import serve


def provider(
    port: Annotated[int, typer.Option(help="Where to listen; 0 takes any free port.", min=0, max=65535)] = 9000,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    script: Annotated[
        Path | None, typer.Option(help="A JSON or YAML file of rules: what to answer to which request.")
    ] = None,
) -> None:
    """Serve a scripted provider that speaks the formats of OpenAI, Anthropic and Gemini, and costs nothing.

    The same request always gets the same answer. Faults are made on demand, by the header `x-provider-fault` or by
    `[[fault: ...]]` in the newest message: `delay=200ms`, `slow=50ms`, `status=429;retry-after=1`, `cut=3`, `malformed`,
    `wrong-length`, `hang`; `times=2` after any of them ends it after two failures.
    """
    rules = None if script is None else read_script(_read(script))
    serve(
        create_provider(rules),
        host=host,
        port=port,
        announce=lambda origin: typer.echo(f"Ready: scripted provider at {origin}"),
    )


def _announce(origin: str) -> None:
    typer.echo(f"Ready: scripted provider at {origin}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"The script {path} cannot be read: {error.strerror}.", "script") from error
