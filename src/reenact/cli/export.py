"""`reenact export`: write recorded calls into a file."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from reenact.cli.connection import Store
from reenact.cli.printing import of, show, show_json
from reenact.errors import InvalidInput
from reenact.server.holder import read_only, settings_of
from reenact.upkeep.exporter import export as write


def export(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; compressed when it ends in .zst.")],
    data: Annotated[
        Path, typer.Option(help="Data folder; a server may hold it, unless it keeps calls in chdb.")
    ] = Path("reenact-data"),
    session: Annotated[str | None, typer.Option(help="Only this session.")] = None,
    organization: Annotated[str | None, typer.Option(help="Only this organisation.")] = None,
    form: Annotated[
        Literal["jsonl", "parquet"] | None,
        typer.Option("--format", help="Of the file; Parquet needs reenact[parquet]. [default: as its name ends]"),
    ] = None,
    store: Store = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: how many calls.")] = False,
) -> None:
    """Write recorded calls into a file that `reenact import` takes in: exchanges, calls, and what was said of them."""
    settings = settings_of(data, store)
    try:
        with read_only(settings) as opened:
            is_parquet = None if form is None else form == "parquet"
            calls = write(opened, target, session_id=session, organisation_id=organization, is_parquet=is_parquet)
    except OSError as error:
        raise InvalidInput(f"{target} cannot be written: {error.strerror}.") from None
    if as_json:
        show_json({"calls": calls, "file": str(target)})
    else:
        show(f"Exported {of(calls, 'call')} to {target}.")
