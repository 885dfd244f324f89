"""`reenact keys`: list, make and revoke API keys, of a server or of a data folder whose first key was lost."""

from typing import Annotated

import typer

from reenact.cli.connection import DEFAULT_URL, Data, Key, Url, connected
from reenact.cli.printing import plain, show, show_json, table
from reenact.client.rows import Permissions

_WORDS = {"r": "read", "w": "write", "rw": "read, write"}


def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: a list of keys.")] = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
    data: Data = None,
) -> None:
    """List the API keys that work, oldest first; of each only its end is known."""
    with connected(url, key, data) as client:
        found = client.keys()
    if as_json:
        show_json(found)
        return
    rows = table("id", "name", "ends in", "may", "created")
    for one in found:
        rows.add_row(
            plain(str(one.id)),
            plain(one.api_key_name),
            plain(one.last_four),
            _WORDS.get(one.key_permissions, one.key_permissions),
            plain(one.created_at[:19].replace("T", " ")),
        )
    show(rows)


def new_key(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    may: Annotated[Permissions, typer.Option(help="r: read. w: record and change. rw: both.")] = "rw",
    url: Url = DEFAULT_URL,
    key: Key = None,
    data: Data = None,
) -> None:
    """Make an API key and print it, alone on its line: it is shown this once."""
    with connected(url, key, data) as client:
        made = client.new_key(name, may)
    print(made)


def revoke_key(
    key_id: Annotated[str, typer.Argument(help="Its id; `reenact keys` lists them.")],
    url: Url = DEFAULT_URL,
    key: Key = None,
    data: Data = None,
) -> None:
    """Let an API key work no more, at once."""
    with connected(url, key, data) as client:
        client.revoke_key(key_id)
    show(f"The key {key_id} works no more.")
