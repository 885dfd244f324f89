"""`reenact migrate-store`: move everything recorded from one store to another."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from reenact.cli.connection import Store
from reenact.cli.printing import of, show, show_json
from reenact.errors import InvalidInput
from reenact.server.holder import held, read_only, settings_of
from reenact.server.shelf import spool_name
from reenact.upkeep.mover import Mover


def migrate_store(
    to: Annotated[Literal["sqlite", "chdb", "clickhouse"], typer.Option(help="The store to move to.")],
    store: Store = None,
    data: Annotated[Path, typer.Option(help="Data folder, which no server holds.")] = Path("reenact-data"),
    clickhouse_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="REENACT_CLICKHOUSE_URL",
            help="For clickhouse: http://user:password@host:8123/database.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: counts, and the digest of both stores.")] = False,
) -> None:
    """Move everything recorded from one store to another, and prove by counts and digests that it is all there.

    Broken off, it goes on where it was. The store it moves from stays as it is; --store names it where two lie in the folder.
    """
    settings = settings_of(data, store)
    if clickhouse_url is not None:
        settings = msgspec.structs.replace(settings, clickhouse_url=clickhouse_url)
    if settings.store == to:
        raise InvalidInput(f"The calls are in {to}: name the store they are in with --store, and another with --to.")
    other = msgspec.structs.replace(settings, store=to)
    with held(settings) as house, read_only(other) as target:
        spools = [name for name, _ in house.folder.spools(0)]
        moved = Mover(house.calls, target, house.decode, data / "move.json").run(
            (settings.store, to),
            {
                spool_name(other, house.folder, name): house.calls.cursor(spool_name(settings, house.folder, name))
                for name in spools
            },
        )
    if as_json:
        show_json(moved)
        return
    show(
        f"Moved {of(moved.calls, 'call')} of {of(moved.organisations, 'organisation')} from {settings.store} to {to}. "
        f"Both stores have the digest {moved.digest}."
    )
    show(
        f"Start the server with --store {to} (REENACT_STORE) from now on; delete the other store when you are content."
    )
