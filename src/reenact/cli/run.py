"""`reenact run`: run an agent so that its calls are recorded, or answered from a recording. Its code stays as it is."""

import enum
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from reenact.cli.connection import DEFAULT_URL, Data, Key, Url, connected
from reenact.cli.patch_options import PatchOptions, read_options
from reenact.cli.printing import of, plain
from reenact.cli.take_view import take_view
from reenact.client import Client
from reenact.client.steering import moved, placeholder_keys, variables_for
from reenact.domain.patch import Patch, Selector
from reenact.domain.playback import Fork, Matching, OnMiss, Playback
from reenact.domain.replay import Mode, Replay
from reenact.errors import InvalidInput
from reenact.gateway.addressing import session_path
from reenact.settings import environment

Strings = list[str] | None
_PACES = {"recorded": 1.0, "at-once": 0.0}


class Played(enum.Enum):
    """The modes in which an agent runs itself."""

    PLAYBACK = "playback"
    FORK = "fork"


def run(
    command: Annotated[list[str], typer.Argument(metavar="[--] COMMAND...", help="The agent and its arguments.")],
    record: Annotated[bool, typer.Option("--record", help="Record a session; what is done without --replay.")] = False,
    session: Annotated[
        str | None, typer.Option(metavar="ID", help="With --record: the session's id. [default: a new one]")
    ] = None,
    replay: Annotated[
        str | None, typer.Option(metavar="SESSION", help="Answer its calls from this recorded session.")
    ] = None,
    mode: Annotated[
        Played | None,
        typer.Option(help="playback: all from the record; fork: real from some call on. [default: as the options say]"),
    ] = None,
    fork_from: Annotated[
        int | None, typer.Option("--from", min=1, metavar="N", help="Fork: ask call N and all after it for real.")
    ] = None,
    fork_path: Annotated[
        str | None, typer.Option("--from-path", metavar="GLOB", help="Fork: ask calls on this session path for real.")
    ] = None,
    fork_prompt_id: Annotated[
        str | None, typer.Option("--from-prompt-id", metavar="ID", help="Fork: ask calls with this prompt id for real.")
    ] = None,
    fork_changed: Annotated[
        bool,
        typer.Option(
            "--from-changed", help="Fork: ask the calls that the patch changes for real; done where none is named."
        ),
    ] = False,
    fork_miss: Annotated[
        bool, typer.Option("--from-miss", help="Fork: ask all for real from the first that the record cannot answer.")
    ] = False,
    patch: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Fork: edit what is asked for real; a patch as JSON or YAML.")
    ] = None,
    sets: Annotated[
        Strings, typer.Option("--set", metavar="NAME=VALUE", help="Fork: set the model or a field. Repeatable.")
    ] = None,
    append_system: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Fork: add to the end of the system prompt.")
    ] = None,
    on_miss: Annotated[
        OnMiss, typer.Option(help="What becomes of a request that the record cannot answer.")
    ] = OnMiss.STOP,
    take_timing: Annotated[
        str, typer.Option(metavar="recorded|at-once|FACTOR", help="How long recorded answers take.")
    ] = "at-once",
    ignore: Annotated[
        Strings, typer.Option(metavar="POINTER", help="A place of the body that does not matter. Repeatable.")
    ] = None,
    volatile: Annotated[
        Strings, typer.Option(metavar="REGEX", help="Texts that drift from run to run. Repeatable.")
    ] = None,
    approximate: Annotated[
        float, typer.Option(min=0, max=0.999, help="How far a request may be from the recorded one, 0 to 1.")
    ] = 0,
    name: Annotated[str | None, typer.Option(help="Name of the take's session.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 when a request was missed or a recorded call not asked for.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what became of every request, as JSON.")
    ] = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
    data: Data = None,
) -> None:
    """Run an agent so that its calls are recorded, or answered from a recording.

    Sets the variables in which the known SDKs look for their providers; the agent's code stays as it is. The exit code is the
    agent's own. What became of its calls is told on standard error.
    """
    if replay is None:
        _refuse_without_replay(mode, strict, report)
        with connected(url, key, data) as client:
            raise typer.Exit(_recorded(client, key, session or str(uuid.uuid4()), command))
    if record or session:
        raise InvalidInput("--record and --replay do not go together.", "--record")
    edits = read_options(PatchOptions(sets=sets or (), append_system=append_system, file=patch))
    fork = Fork(
        call=fork_from,
        select=Selector(path=fork_path, prompt_id=fork_prompt_id) if fork_path or fork_prompt_id else None,
        changed=fork_changed,
        first_miss=fork_miss,
    )
    if fork.is_nowhere and not edits.is_empty:
        fork = Fork(changed=True)
    playback = Playback(
        matching=Matching(ignore=tuple(ignore or ()), volatile=tuple(volatile or ()), approximate=approximate),
        on_miss=on_miss,
        fork=fork,
        pace=_pace(take_timing),
    )
    played = _mode(mode, fork, edits)
    with connected(url, key, data) as client:
        begun = client.start(replay, edits, mode=played, playback=playback, session_name=name)
        try:
            code = _performed(client, key, begun, command)
        finally:
            done = client.finish(begun.id)
    _tell(done)
    if report is not None:
        report.write_bytes(msgspec.json.format(msgspec.json.encode(done), indent=2))
    take = done.takes[0]
    raise typer.Exit(code or int(strict and bool(take.missed or take.unconsumed)))


def _recorded(client: Client, key: str | None, session_id: str, command: Sequence[str]) -> int:
    """Run *command* with its calls recorded, and return its exit code."""
    before = len(client.session(session_id))  # asked first: without a server nothing is to run
    base_url = _base(client, key) + session_path(session_id)
    code = _run(command, base_url, {"REENACT_SESSION_ID": session_id})
    calls = len(client.session(session_id)) - before
    _say(f"{of(calls, 'call')} recorded as session {session_id}", "bold")
    if not calls:
        _say("None of the agent's SDKs read the variables that were set, or it gives a base URL or session of its own.")
    return code


def _performed(client: Client, key: str | None, replay: Replay, command: Sequence[str]) -> int:
    """Run *command* as the take of *replay*, and return its exit code."""
    take = replay.takes[0]
    extra = {"REENACT_TAKE": f"{replay.id}/{take.number}"}
    if replay.plan.mode is Mode.PLAYBACK and replay.plan.playback and replay.plan.playback.on_miss is OnMiss.STOP:
        extra |= placeholder_keys(environment())
    return _run(command, _base(client, key) + take.base_path, extra)


def _run(command: Sequence[str], base_url: str, extra: Mapping[str, str]) -> int:
    """Run *command* with its SDKs led to *base_url*, and return its exit code as a shell would tell it.

    Raises:
        InvalidInput: it cannot be run.
    """
    environ = environment()
    for variable, before in moved(base_url, environ).items():
        _say(f"{variable} was {before}: those calls go to the server now, and to its own upstreams.")
    try:
        environ = {**environ, **variables_for(base_url, environ), **extra}
        process = subprocess.Popen(list(command), env=environ)  # noqa: S603 - running what the user types is the command
    except OSError as error:
        raise InvalidInput(f"{command[0]} cannot be run: {error.strerror}.", "COMMAND") from error
    former = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        code = _waited(process)
    finally:
        signal.signal(signal.SIGTERM, former)
    return code if code >= 0 else 128 - code


def _waited(process: "subprocess.Popen[bytes]") -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the terminal has told the agent, too: it ends in its own way


def _base(client: Client, key: str | None) -> str:
    """Return what stands before a path so that it is asked with the key."""
    return f"{client.url}/{key}" if key else client.url


def _mode(mode: Played | None, fork: Fork, patch: Patch) -> Mode:
    """Return the mode; a fork when something was said of one."""
    if mode is not None:
        return Mode(mode.value)
    return Mode.PLAYBACK if fork.is_nowhere and patch.is_empty else Mode.FORK


def _pace(text: str) -> float:
    try:
        pace = _PACES[text] if text in _PACES else float(text)
    except ValueError:
        pace = -1
    if not 0 <= pace <= 100:
        raise InvalidInput("--take-timing wants recorded, at-once, or a factor from 0 to 100.", "--take-timing")
    return pace


def _refuse_without_replay(mode: Played | None, strict: bool, report: Path | None) -> None:
    if mode is not None or strict or report is not None:
        raise InvalidInput("--mode, --strict and --report are for a session that is named by --replay.", "--replay")


def _tell(done: Replay) -> None:
    console = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 200)
    for take in done.takes:
        console.print(take_view(take))
    if done.detail:
        console.print(plain(done.detail))


def _say(text: str, style: str = "") -> None:
    Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 200).print(plain(text, style))
