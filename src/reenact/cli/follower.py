"""Follower: follows what runs on the server: a bar on standard error that says how far it has come."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from reenact.client import Client
from reenact.domain.batch import Batch
from reenact.domain.replay import Replay, State
from reenact.web.formatting import dollars

_OPEN = frozenset({State.PLANNED, State.RUNNING})


@contextmanager
def bar(total: int) -> Iterator[tuple[Progress, TaskID]]:
    """Show a bar while the block runs."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        yield shown, shown.add_task("Asking", total=total)


def followed(client: Client, replay: Replay) -> Replay:
    """Return *replay* when it is over; Ctrl-C stops it on the server, too."""
    try:
        with bar(replay.progress.calls) as (shown, task):
            for progress in client.watch(replay.id):
                failed = f", {progress.failed} failed" if progress.failed else ""
                spent = progress.spent.cost_nanodollars
                cost = f", {dollars(spent)}" if spent else ""
                shown.update(
                    task, completed=progress.answered, total=progress.calls, description=f"Asking{failed}{cost}"
                )
    except KeyboardInterrupt:
        return client.cancel(replay.id)
    return client.get_replay(replay.id)


def followed_batch(client: Client, batch: Batch) -> Batch:
    """Return *batch* when it is over; Ctrl-C stops it on the server, too."""
    try:
        with bar(len(batch.items)) as (shown, task):
            for now in client.watch_batch(batch.id):
                over = sum(item.state not in _OPEN for item in now.items)
                answered = sum(item.answered for item in now.items)
                shown.update(task, completed=over, description=f"Replaying sessions, {answered} calls")
                batch = now
    except KeyboardInterrupt:
        return client.cancel_batch(batch.id)
    return batch
