"""`reenact restore`: make a data folder out of a backup."""

from pathlib import Path
from typing import Annotated

import typer

from reenact.cli.printing import of, show, show_json
from reenact.errors import FolderUnusable
from reenact.upkeep.backer import restore as make


def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="What `reenact backup` made.")],
    data: Annotated[Path, typer.Option(help="Data folder to make; missing or empty.")] = Path("reenact-data"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: the files and their digests.")] = False,
) -> None:
    """Make a data folder out of a backup, every file of which is checked first."""
    try:
        manifest = make(source, data)
    except OSError as error:
        raise FolderUnusable(f"The backup {source} cannot be restored: {error.filename}: {error.strerror}.") from None
    if as_json:
        show_json(manifest)
    else:
        show(f"Restored {of(len(manifest.files), 'file')} of Reenact {manifest.reenact} into {data}.")
