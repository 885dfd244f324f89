"""The options by which every command finds its server, and the connection they make."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from reenact.client import Client

Url = Annotated[str, typer.Option(envvar="REENACT_URL", help="The server's address.")]
Key = Annotated[str | None, typer.Option(envvar="REENACT_KEY", help="The server's API key, where it asks for one.")]
Data = Annotated[
    Path | None, typer.Option(help="Use this data folder while no server runs, instead of a server's address.")
]
Store = Annotated[
    str | None,
    typer.Option(
        help="Where the calls are kept: sqlite, chdb or clickhouse. [default: REENACT_STORE, or what lies in the folder]"
    ),
]

DEFAULT_URL = "http://127.0.0.1:8585"


@contextmanager
def connected(url: str, key: str | None, data: Path | None) -> Iterator[Client]:
    """Connect to the server at *url*, or to one that runs on the folder *data* for as long as the block.

    Raises:
        FolderUnusable: the folder cannot be opened, such as while a server holds it.
    """
    if data is None:
        with Client(url, key) as client:
            yield client
        return
    from reenact.server.holder import settings_of  # noqa: PLC0415 - a second of imports that most commands do without
    from reenact.server.runner import running_server  # noqa: PLC0415 - the same

    if not data.is_dir():
        raise typer.BadParameter(f"{data} is no folder.", param_hint="--data")
    # Whoever can open the folder owns it: they need no key, whatever its server asks of others.
    settings = msgspec.structs.replace(
        settings_of(data, is_new=True), host="127.0.0.1", port=0, require_key=False, public_url=""
    )
    with (
        running_server(settings) as ready,
        Client(ready.url, ready.key) as client,
    ):
        yield client
