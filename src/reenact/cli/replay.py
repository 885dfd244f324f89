"""`reenact replay`: run a recorded session again with a change."""

from pathlib import Path
from typing import Annotated

import typer

from reenact.cli.batch import Chosen, performed_batch
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
from reenact.cli.follower import followed
from reenact.cli.patch_options import PatchOptions, read_options
from reenact.cli.printing import show, show_json
from reenact.cli.replay_view import plan_view, replay_view
from reenact.cli.tool_options import read_tools
from reenact.client import Client, ReplayOptions
from reenact.domain.patch import Patch
from reenact.domain.playback import Driver, Playback
from reenact.domain.replay import Mode, Replay, State
from reenact.errors import InvalidInput

Strings = list[str] | None


def replay(
    session: Annotated[
        str | None, typer.Argument(help="Id of the recorded session; `reenact sessions` lists them.")
    ] = None,
    sets: Annotated[
        Strings, typer.Option("--set", metavar="NAME=VALUE", help="Set the model or a field of the body. Repeatable.")
    ] = None,
    drops: Annotated[
        Strings, typer.Option("--drop", metavar="NAME", help="Remove a field of the body. Repeatable.")
    ] = None,
    system: Annotated[str | None, typer.Option(metavar="TEXT", help="Replace the system prompt.")] = None,
    append_system: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Add to the end of the system prompt.")
    ] = None,
    replaces: Annotated[
        Strings, typer.Option("--replace", metavar="OLD=>NEW", help="Replace a text in all messages. Repeatable.")
    ] = None,
    prompts: Annotated[
        Strings,
        typer.Option(
            "--use-prompt",
            metavar="NAME[@VERSION]",
            help="Use a version of a named prompt, by its number as in 'planner@2.1', or by where it is in use as in "
            "'planner@staging'. Repeatable. [default of VERSION: production, else the newest]",
        ),
    ] = None,
    prompt_id: Annotated[str | None, typer.Option(help="Edit only calls with this prompt id.")] = None,
    path: Annotated[str | None, typer.Option(metavar="GLOB", help="Edit only calls on this session path.")] = None,
    patch: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A patch as JSON or YAML; the options' edits come after its own."),
    ] = None,
    mode: Annotated[Mode, typer.Option(help="What requests contain; anchored: the recorded history.")] = Mode.ANCHORED,
    tools: Annotated[
        Strings,
        typer.Option(
            "--tool",
            metavar="NAME=POLICIES",
            help="For --mode chained, who answers a tool (a glob): recorded, static:TEXT, error:TEXT, simulate, stop; several "
            "are tried in order, as in 'search_*=recorded,simulate'. Repeatable. [default: *=recorded,stop]",
        ),
    ] = None,
    tool_urls: Annotated[
        Strings,
        typer.Option(
            "--tool-url",
            metavar="NAME=URL",
            help="For --mode chained, an address of yours that is POSTed the calls of a tool (a glob) whose results were not "
            "recorded: it runs for real. `--provider-key tools=KEY` is sent as a bearer token. Repeatable.",
        ),
    ] = None,
    takes: Annotated[int, typer.Option(min=1, max=100, help="How often to run it.")] = 1,
    control: Annotated[
        bool, typer.Option("--control/--no-control", help="As many takes of the unchanged session beside them.")
    ] = True,
    reuse: Annotated[
        bool, typer.Option("--reuse", help="Answer calls that the patch leaves as they are from the record.")
    ] = False,
    where: Annotated[
        str | None,
        typer.Option(
            metavar="FILTER", help="Replay all sessions with a call that this filter of the API selects, as JSON."
        ),
    ] = None,
    sessions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Replay the sessions in this file, one id a line.")
    ] = None,
    budget: Budgeted = None,
    max_calls: MaxCalls = None,
    max_seconds: MaxSeconds = None,
    allow_unpriced: AllowUnpriced = False,
    rpm: Rpm = None,
    tpm: Tpm = None,
    retries: Annotated[int, typer.Option(min=0, max=10, help="How often to ask again after 429, 5xx or a break.")] = 3,
    name: Annotated[str | None, typer.Option(help="Name of the new sessions. [default: Replay of NAME]")] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="How many calls may be under way at once.")] = 16,
    provider_keys: Annotated[
        Strings,
        typer.Option(
            "--provider-key",
            metavar="PROVIDER=KEY",
            help="A provider's key for this replay, @FILE to read it. Repeatable. [default: the server's environment]",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and its cost; send nothing.")] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print JSON: the replay, or with --dry-run the plan, as POST /v1/replay does."),
    ] = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
    data: Data = None,
) -> None:
    """Run a recorded session again with a change.

    Shows the plan, runs it, and tells how to compare. Exit code 1 when a call failed or the replay did not come to its end.
    """
    wanted = read_options(
        PatchOptions(
            sets=sets or (),
            drops=drops or (),
            system=system,
            append_system=append_system,
            replaces=replaces or (),
            prompts=prompts or (),
            path=path,
            prompt_id=prompt_id,
            file=patch,
        )
    )
    if mode is Mode.FORK:
        raise InvalidInput("A fork needs its agent: `reenact run --replay SESSION --from N -- COMMAND`.", "--mode")
    options = ReplayOptions(
        mode=mode,
        takes=takes,
        session_name=name,
        control=control,
        reuse=reuse,
        concurrency=concurrency,
        budget=read_budget(budget, max_calls, max_seconds, allow_unpriced=allow_unpriced),
        rates=read_rates(rpm or (), tpm or ()),
        retries=retries,
        provider_keys=read_keys(provider_keys or ()),
    )
    if tools or tool_urls:
        options["policies"] = read_tools(tools or (), tool_urls or (), is_keyed="tools" in options["provider_keys"])
    if mode is Mode.PLAYBACK:
        options["playback"] = Playback(driver=Driver.SERVER)
    if session is None or where is not None or sessions is not None:
        chosen = Chosen(session, where, sessions)
        with connected(url, key, data) as client:
            performed_batch(client, chosen, wanted, options, name=name, as_json=as_json, dry_run=dry_run)
        return
    with connected(url, key, data) as client:
        if dry_run or not as_json:
            plan = client.plan(session, wanted, **options)
            show_json(plan) if as_json else show(plan_view(plan))
        if dry_run:
            return
        done = _performed(client, session, wanted, options)
    show_json(done) if as_json else show(replay_view(done))
    if done.state is not State.DONE or done.progress.failed:
        raise typer.Exit(1)


def _performed(client: Client, session: str, patch: Patch, options: ReplayOptions) -> Replay:
    """Run the replay behind a bar on standard error; Ctrl-C stops it on the server, too."""
    return followed(client, client.start(session, patch, **options))
