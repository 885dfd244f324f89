"""`reenact compare`: two sessions side by side."""

from typing import Annotated

import typer

from reenact.cli.comparison_view import comparison_view
from reenact.cli.connection import DEFAULT_URL, Data, Key, Url, connected
from reenact.cli.printing import show, show_json


def compare(
    left: Annotated[str, typer.Argument(help="Id of a session, such as the recorded one.")],
    right: Annotated[str, typer.Argument(help="Id of the session to set beside it, such as a replay's.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: the answer of GET /v1/comparison.")] = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
    data: Data = None,
) -> None:
    """Compare two sessions: aligned calls and what differs in each.

    Words of the answers, tool calls, tokens, cost and time; both sides' sums at the end.
    """
    with connected(url, key, data) as client:
        comparison = client.compare(left, right)
    if as_json:
        show_json(comparison)
    else:
        show(comparison_view(comparison))
