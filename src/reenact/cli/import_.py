"""`reenact import`: take the calls of a file in."""

from pathlib import Path
from typing import Annotated

import typer

from reenact.cli.connection import Store
from reenact.cli.printing import of, show, show_json
from reenact.errors import InvalidInput, NotFound
from reenact.server.holder import held, settings_of
from reenact.upkeep.importer import Importer

FIRST = "first"


def import_(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What `reenact export` wrote.")],
    data: Annotated[Path, typer.Option(help="Data folder, made when it is missing; no server may hold it.")] = Path(
        "reenact-data"
    ),
    organization: Annotated[
        str | None,
        typer.Option(
            help="Import every call for this organisation; `first` is the folder's own. Else each for its own."
        ),
    ] = None,
    store: Store = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: what was imported.")] = False,
) -> None:
    """Take the calls of an exported file in; those that are there already stay one."""
    with held(settings_of(data, store, is_new=True)) as house:
        try:
            own = house.control.first_organisation()
        except NotFound:
            own = ""
        if organization == FIRST and not own:
            raise InvalidInput("--organization first: the folder has no organisation yet; start a server on it once.")
        chosen = own if organization == FIRST else organization
        try:
            imported = Importer(house.calls, house.decode, organisation_id=chosen).run(source)
        except OSError as error:
            raise InvalidInput(f"{source} cannot be read: {error.strerror}.") from None
    if as_json:
        show_json(imported)
        return
    show(f"Imported {of(imported.calls, 'call')} for {of(len(imported.organisations), 'organisation')}.")
    if own and imported.organisations and own not in imported.organisations:
        show(
            f"None is of this folder's own organisation {own}, as which its pages look. --organization first makes them so."
        )
