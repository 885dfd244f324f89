"""`reenact backup`: copy a data folder while a server uses it."""

from pathlib import Path
from typing import Annotated

import typer

from reenact.cli.connection import Store
from reenact.cli.printing import of, show, show_json
from reenact.errors import FolderUnusable, InvalidInput
from reenact.server.holder import objects_of, settings_of
from reenact.upkeep.backer import back_up


def backup(
    target: Annotated[
        Path, typer.Argument(metavar="TARGET", help="A new folder, or one file when it ends in .tar.zst.")
    ],
    data: Annotated[
        Path, typer.Option(help="Data folder; a server may hold it, unless it keeps calls in chdb.")
    ] = Path("reenact-data"),
    store: Store = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: the files and their digests.")] = False,
) -> None:
    """Copy all of a data folder, while a server may be recording into it, unless it keeps calls in chdb.

    The copy holds what signs addresses and the hashes of keys: keep it as safe as the folder. Control data on PostgreSQL is
    not in it.
    """
    settings = settings_of(data, store)
    if settings.store == "clickhouse":
        raise InvalidInput(
            "The calls are in a ClickHouse server: back it up there (BACKUP DATABASE reenact TO ...), while the servers run."
        )
    try:
        manifest = back_up(data, target, objects_of(settings))
    except OSError as error:
        raise FolderUnusable(f"The backup {target} cannot be made: {error.filename}: {error.strerror}.") from None
    if as_json:
        show_json(manifest)
    else:
        show(f"Backed up {of(len(manifest.files), 'file')} to {target}.")
