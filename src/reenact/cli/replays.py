"""`reenact replay show|resume|cancel`: replays and batches that were begun before."""

from typing import Annotated

import msgspec
import typer

from reenact.cli.batch import batch_view, show_ended
from reenact.cli.bounds import (
    AllowUnpriced,
    Budgeted,
    MaxCalls,
    MaxSeconds,
    Rpm,
    Tpm,
    read_budget,
    read_keys,
    read_rates,
)
from reenact.cli.connection import DEFAULT_URL, Data, Key, Url, connected
from reenact.cli.follower import followed, followed_batch
from reenact.cli.printing import show, show_json
from reenact.cli.replay_view import replay_view
from reenact.client import Client
from reenact.client.client import ResumeOptions
from reenact.domain.batch import Batch
from reenact.domain.replay import Replay, State
from reenact.errors import InvalidInput, ServerRefused

Id = Annotated[str, typer.Argument(metavar="ID", help="Id of the replay, or of the batch.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def show_replay(
    replay_id: Id,
    patch: Annotated[
        bool, typer.Option("--patch", help="Print only its patch, as YAML that `reenact replay --patch` takes.")
    ] = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
    data: Data = None,
) -> None:
    """Show a replay or a batch as it stands, or its patch."""
    with connected(url, key, data) as client:
        found = _found(client, replay_id)
    if patch:
        wanted = found.order.patch if isinstance(found, Batch) else found.plan.patch
        print(msgspec.yaml.encode(wanted).decode(), end="")
    elif as_json:
        show_json(found)
    else:
        show(batch_view(found) if isinstance(found, Batch) else replay_view(found))


def resume(
    replay_id: Id,
    budget: Budgeted = None,
    max_calls: MaxCalls = None,
    max_seconds: MaxSeconds = None,
    allow_unpriced: AllowUnpriced = False,
    rpm: Rpm = None,
    tpm: Tpm = None,
    provider_keys: Annotated[
        list[str] | None,
        typer.Option("--provider-key", metavar="PROVIDER=KEY", help="As for `reenact replay`; keys are never kept."),
    ] = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
    data: Data = None,
) -> None:
    """Go on with a replay or a batch: only the rest is asked.

    A budget is for the whole of it, what was spent before included; one that is not said again no longer holds.
    """
    changed = ResumeOptions(
        budget=read_budget(budget, max_calls, max_seconds, allow_unpriced=allow_unpriced),
        provider_keys=read_keys(provider_keys or ()),
    )
    if rates := read_rates(rpm or (), tpm or ()):
        changed["rates"] = rates
    with connected(url, key, data) as client:
        if isinstance(_found(client, replay_id), Batch):
            show_ended(followed_batch(client, client.resume_batch(replay_id, **changed)), as_json=as_json)
            return
        done = followed(client, client.resume(replay_id, **changed))
    show_json(done) if as_json else show(replay_view(done))
    if done.state is not State.DONE or done.progress.failed:
        raise typer.Exit(1)


def cancel(replay_id: Id, as_json: AsJson = False, url: Url = DEFAULT_URL, key: Key = None, data: Data = None) -> None:
    """Stop a replay or a batch at once; what came is kept."""
    with connected(url, key, data) as client:
        found = _found(client, replay_id)
        stopped = client.cancel_batch(replay_id) if isinstance(found, Batch) else client.cancel(replay_id)
    if as_json:
        show_json(stopped)
    else:
        show(batch_view(stopped) if isinstance(stopped, Batch) else replay_view(stopped))


def _found(client: Client, wanted: str) -> Replay | Batch:
    """Return the replay or the batch with this id."""
    try:
        return client.get_replay(wanted)
    except ServerRefused as error:
        if error.status != 404:
            raise
        try:
            return client.get_batch(wanted)
        except ServerRefused:
            raise InvalidInput(f"There is no replay and no batch {wanted}.", "id") from None
