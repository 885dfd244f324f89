"""The commands: thin faces over the client library and the server.

A command's module is imported when it is the one that runs, so that `reenact --help` does not wait for a web server's imports.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import typer

from reenact import __version__
from reenact.errors import FolderUnusable, InvalidInput, PortUnusable, ReenactError, ServerUnreachable


class Command(NamedTuple):
    """One command, before it is imported."""

    name: str
    place: str
    """`module:function`."""
    summary: str
    """The first line of the function's docstring."""
    runs_another: bool = False
    """Whether its first argument begins another command, whose options are not its own."""


COMMANDS = (
    Command("serve", "reenact.cli.serve:serve", "Record calls, answer queries, replay sessions and show pages."),
    Command(
        "provider",
        "reenact.cli.provider:provider",
        "Serve a scripted provider that speaks the formats of OpenAI, Anthropic and Gemini, and costs nothing.",
    ),
    Command("sessions", "reenact.cli.sessions:sessions", "List recorded sessions, newest first."),
    Command("replay", "reenact.cli.replay:replay", "Run a recorded session again with a change."),
    Command("replay show", "reenact.cli.replays:show_replay", "Show a replay or a batch as it stands, or its patch."),
    Command("replay resume", "reenact.cli.replays:resume", "Go on with a replay or a batch: only the rest is asked."),
    Command("replay cancel", "reenact.cli.replays:cancel", "Stop a replay or a batch at once; what came is kept."),
    Command(
        "run",
        "reenact.cli.run:run",
        "Run an agent so that its calls are recorded, or answered from a recording.",
        runs_another=True,
    ),
    Command("compare", "reenact.cli.compare:compare", "Compare two sessions: aligned calls and what differs in each."),
    Command(
        "keys",
        "reenact.cli.keys:list_keys",
        "List the API keys that work, oldest first; of each only its end is known.",
    ),
    Command(
        "keys new",
        "reenact.cli.keys:new_key",
        "Make an API key and print it, alone on its line: it is shown this once.",
    ),
    Command("keys revoke", "reenact.cli.keys:revoke_key", "Let an API key work no more, at once."),
    Command("delete", "reenact.cli.delete:delete", "Delete what was recorded, and wait until no byte of it is left."),
    Command(
        "reingest",
        "reenact.cli.reingest:reingest",
        "Derive calls again from the recorded exchanges: after an upgrade, new formats are read and new prices known.",
    ),
    Command(
        "migrate-store",
        "reenact.cli.migrate_store:migrate_store",
        "Move everything recorded from one store to another, and prove by counts and digests that it is all there.",
    ),
    Command(
        "export",
        "reenact.cli.export:export",
        "Write recorded calls into a file that `reenact import` takes in: exchanges, calls, and what was said of them.",
    ),
    Command(
        "import",
        "reenact.cli.import_:import_",
        "Take the calls of an exported file in; those that are there already stay one.",
    ),
    Command(
        "backup",
        "reenact.cli.backup:backup",
        "Copy all of a data folder, while a server may be recording into it, unless it keeps calls in chdb.",
    ),
    Command(
        "restore",
        "reenact.cli.restore:restore",
        "Make a data folder out of a backup, every file of which is checked first.",
    ),
)

_USAGE_ERRORS = (FolderUnusable, InvalidInput, PortUnusable, ServerUnreachable)
"""What another way of calling the command would mend: exit code 2, as for an unknown option."""


def main() -> None:
    """Run the command line; every ReenactError becomes one line on stderr and a non-zero exit."""
    try:
        arguments = joined(sys.argv[1:])
        build(arguments)(arguments)
    except ReenactError as error:
        print(f"reenact: {' '.join(error.message.split())}", file=sys.stderr)
        sys.exit(2 if isinstance(error, _USAGE_ERRORS) else 1)


def joined(arguments: Sequence[str]) -> list[str]:
    """Return *arguments* with a command of two words, such as `replay show`, as one."""
    two = " ".join(arguments[:2])
    known = any(command.name == two for command in COMMANDS)
    return [two, *arguments[2:]] if known else list(arguments)


def build(arguments: Sequence[str]) -> typer.Typer:
    """Return the command line, of which only the command that *arguments* name is imported."""
    app = typer.Typer(
        no_args_is_help=True, add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False
    )
    app.callback()(reenact)
    named = next((argument for argument in arguments if not argument.startswith("-")), None)
    for command in COMMANDS:
        app.command(
            command.name,
            help=command.summary if command.name != named else None,
            context_settings={"allow_interspersed_args": False} if command.runs_another else None,
        )(load(command) if command.name == named else _not_asked_for)
    return app


def load(command: Command) -> Callable[..., Any]:
    """Import *command* and return its function."""
    module, _, function = command.place.partition(":")
    loaded: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return loaded


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(f"reenact {__version__}")
        raise typer.Exit


def reenact(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Record LLM agent sessions, ask for them again, change something, run them again, see what it really did."""


def _not_asked_for() -> None:
    """Stand in the list of commands for one that is not imported."""
