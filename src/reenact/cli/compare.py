"""`reenact compare`: two sessions side by side."""

from typing import Annotated

import typer

from reenact.cli.comparison_view import comparison_view
from reenact.cli.connection import DEFAULT_URL, Data, Key, Url, connected
from reenact.cli.printing import show, show_json
from reenact.client import Client
from reenact.errors import NotFound


def compare(
    left: Annotated[str, typer.Argument(help="Id of a session, such as the recorded one.")],
    right: Annotated[
        str | None,
        typer.Argument(help="Id of the session to set beside it.", show_default="the newest take made of LEFT"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: the answer of GET /v1/comparison.")] = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
    data: Data = None,
) -> None:
    """Compare two sessions: aligned calls and what differs in each.

    Words of the answers, tool calls, tokens, cost and time; both sides' sums at the end.
    """
    with connected(url, key, data) as client:
        comparison = client.compare(left, right or _newest_take(client, left))
    if as_json:
        show_json(comparison)
    else:
        show(comparison_view(comparison))


def _newest_take(client: Client, session_id: str) -> str:
    """Return the session of the newest take made of a session.

    Raises:
        NotFound: none was made.
    """
    for replay in client.replays(session_id):
        for take in reversed(replay.takes):
            return take.session_id
    raise NotFound(f"No replay was made of {session_id}: name the session to set beside it, or run `reenact replay`.")
