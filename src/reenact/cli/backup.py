"""`reenact backup`: copy a data folder while a server uses it."""

from pathlib import Path
from typing import Annotated

import typer

from reenact.cli.printing import of, show, show_json
from reenact.errors import FolderUnusable
from reenact.server.holder import need_folder
from reenact.upkeep.backer import back_up


def backup(
    target: Annotated[
        Path, typer.Argument(metavar="TARGET", help="A new folder, or one file when it ends in .tar.zst.")
    ],
    data: Annotated[Path, typer.Option(help="Data folder; a server may hold it.")] = Path("reenact-data"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: the files and their digests.")] = False,
) -> None:
    """Copy all of a data folder, while a server may be recording into it.

    The copy holds what signs addresses and the hashes of keys: keep it as safe as the folder. Control data on PostgreSQL is
    not in it.
    """
    need_folder(data)
    try:
        manifest = back_up(data, target)
    except OSError as error:
        raise FolderUnusable(f"The backup {target} cannot be made: {error.filename}: {error.strerror}.") from None
    if as_json:
        show_json(manifest)
    else:
        show(f"Backed up {of(len(manifest.files), 'file')} to {target}.")
