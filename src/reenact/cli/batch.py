"""Batches on the command line: many sessions replayed at once, one line for each."""

import sys
from pathlib import Path
from typing import NamedTuple

import msgspec
import typer
from rich.console import Group, RenderableType
from rich.text import Text

from reenact.cli.follower import followed_batch
from reenact.cli.printing import BAD, of, plain, show, show_json, table
from reenact.client import Client, ReplayOptions
from reenact.domain.batch import Batch
from reenact.domain.message import Json
from reenact.domain.patch import Patch
from reenact.domain.replay import State
from reenact.errors import InvalidInput
from reenact.web.formatting import dollars


class Chosen(NamedTuple):
    """Which sessions, as the options say."""

    session: str | None
    where: str | None
    file: Path | None


def performed_batch(
    client: Client,
    chosen: Chosen,
    patch: Patch,
    options: ReplayOptions,
    *,
    name: str | None,
    as_json: bool,
    dry_run: bool,
) -> None:
    """Replay the chosen sessions and print what became of each.

    Raises:
        InvalidInput: not exactly one way of choosing sessions is given, or it cannot be read.
    """
    if sum(one is not None for one in chosen) != 1:
        raise InvalidInput("Name one session, or choose several by --where or --sessions.", "session")
    if dry_run:
        raise InvalidInput("--dry-run is for one session: plan one of them to see what would be done.", "--dry-run")
    given = ReplayOptions(**options)
    given.pop("session_name", None)
    where, ids = _where(chosen.where), _ids(chosen.file)
    begun = client.start_batch(ids, patch, where=where, name=name or "Batch", **given)
    show_ended(followed_batch(client, begun), as_json=as_json)


def show_ended(batch: Batch, *, as_json: bool) -> None:
    """Print how a batch ended; exit code 1 when it is not done or a session or a call of it failed."""
    show_json(batch) if as_json else show(batch_view(batch))
    if batch.state is not State.DONE or any(item.failed or item.state is not State.DONE for item in batch.items):
        raise typer.Exit(1)


def batch_view(batch: Batch) -> RenderableType:
    """Return one line for each session, and what all came to."""
    rows = table("session", "state", ">calls", ">failed", ">cost", "detail")
    for item in batch.items:
        rows.add_row(
            plain(item.session_id),
            item.state.value,
            f"{item.answered}/{item.calls}",
            str(item.failed),
            dollars(item.cost_nanodollars),
            plain(item.detail),
        )
    done = sum(item.state is State.DONE for item in batch.items)
    line = Text.assemble(f"Batch {batch.id}: {done} of {of(len(batch.items), 'session')} replayed")
    said = [plain(f"The batch is {batch.state.value}: {batch.detail}.", BAD)] if batch.detail else []
    return Group(rows, line, *said)


def _where(text: str | None) -> Json:
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"--where is no JSON: {error}.", "--where") from error


def _ids(file: Path | None) -> list[str] | None:
    if file is None:
        return None
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}.", "--sessions") from error
    return [line.strip() for line in text.splitlines() if line.strip()]
