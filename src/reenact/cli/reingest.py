"""`reenact reingest`: derive calls again from what was recorded."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from reenact.cli.connection import Store
from reenact.cli.printing import of, show, show_json
from reenact.errors import InvalidInput
from reenact.server.holder import held, settings_of
from reenact.upkeep.reingester import Reingester, Selection, Summary


def reingest(
    data: Annotated[Path, typer.Option(help="Data folder, which no server holds.")] = Path("reenact-data"),
    session: Annotated[str | None, typer.Option(help="Only the calls of this session.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only calls made since: 2026-11-22 or 2026-11-22T10:30:00Z.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All calls.")] = False,
    store: Store = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: what has changed.")] = False,
) -> None:
    """Derive calls again from the recorded exchanges: after an upgrade, new formats are read and new prices known.

    What was said of a call afterwards stays: scores, feedback, properties. Broken off, it goes on where it was.
    """
    if (session is not None) + (since is not None) + every != 1:
        raise InvalidInput("Say which calls: one of --session, --since and --all.")
    selection = Selection(session_id=session, since_us=None if since is None else _time_us(since))
    with held(settings_of(data, store)) as house:
        summary = Reingester(house.calls, house.decode, house.folder.path / "reingest.json").run(selection)
    if as_json:
        show_json(summary)
    else:
        show(_told(summary))


def _time_us(text: str) -> int:
    """Return a time as microseconds since the epoch; without a zone it is UTC."""
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"--since is not valid: expected a time such as 2026-11-22, not {text!r}.") from None
    aware = time if time.tzinfo else time.replace(tzinfo=dt.UTC)
    return round(aware.timestamp() * 1_000_000)


def _told(summary: Summary) -> str:
    told = {
        "changed": summary.changed,
        "newly readable": summary.newly_readable,
        "no longer readable": summary.newly_unreadable,
        "priced anew": summary.repriced,
        "damaged, left as they were": summary.damaged,
    }
    rest = ", ".join(f"{number} {name}" for name, number in told.items() if number)
    return f"Derived {of(summary.calls, 'call')} again: {rest or 'nothing has changed'}."
