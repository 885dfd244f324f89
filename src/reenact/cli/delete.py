"""`reenact delete`: delete what was recorded, for good."""

from typing import Annotated

import typer

from reenact.cli.connection import DEFAULT_URL, Data, Key, Url, connected
from reenact.cli.printing import of, show, show_json
from reenact.client.rows import Deletable
from reenact.errors import InvalidInput


def delete(
    request: Annotated[str | None, typer.Option(help="Id of a request.")] = None,
    session: Annotated[str | None, typer.Option(help="Id of a session; its takes go with it.")] = None,
    user: Annotated[str | None, typer.Option(help="Id of a user; takes of their sessions go with them.")] = None,
    organization: Annotated[
        str | None, typer.Option(help="Id of the key's organisation: everything it has recorded.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: what was deleted.")] = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
    data: Data = None,
) -> None:
    """Delete what was recorded, and wait until no byte of it is left."""
    named: dict[Deletable, str | None] = {
        "request": request,
        "session": session,
        "user": user,
        "organization": organization,
    }
    given = {scope: name for scope, name in named.items() if name}
    if len(given) != 1:
        raise InvalidInput("Name one of --request, --session, --user and --organization.")
    [(scope, name)] = given.items()
    with connected(url, key, data) as client:
        deleted = client.delete(scope, name)
    if as_json:
        show_json(deleted)
        return
    rest = "No byte of it is left." if deleted.wiped else "Its last bytes are still being removed."
    show(f"Deleted {of(deleted.requests, 'request')} of {of(len(deleted.sessions), 'session')}. {rest}")
