"""`reenact sessions`: list what was recorded."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from reenact.cli.connection import DEFAULT_URL, Data, Key, Url, connected
from reenact.cli.printing import BAD, QUIET, partly, plain, show, show_json, table
from reenact.client import Session
from reenact.web.formatting import count, visible


def sessions(
    search: Annotated[str, typer.Option(help="Only sessions whose id or name contains this.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: a list of sessions as POST /v1/session/query.")
    ] = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
    data: Data = None,
) -> None:
    """List recorded sessions, newest first."""
    with connected(url, key, data) as client:
        found = client.sessions(search, limit=limit)
    if as_json:
        show_json(found)
    else:
        show(sessions_table(found))


def sessions_table(sessions: Sequence[Session]) -> RenderableType:
    """Return sessions, one a line."""
    if not sessions:
        return Text("No sessions.")
    rows = table("session", "name", "created", ">calls", ">failed", ">tokens", ">cost", "models")
    for one in sessions:
        name = plain(one.session_name)
        if one.replay_of:
            name.append(str(visible(f" (of {one.replay_of})")), QUIET)
        rows.add_row(
            Text(str(visible(one.session_id)), no_wrap=True, overflow="fold"),
            name,
            plain(one.created_at[:19].replace("T", " ")),
            count(one.total_requests),
            Text(count(one.failed_requests), BAD if one.failed_requests else ""),
            count(one.prompt_tokens + one.completion_tokens),
            partly(round(one.total_cost * 1e9), one.unpriced_requests),
            plain(", ".join(one.models)),
        )
    return rows
