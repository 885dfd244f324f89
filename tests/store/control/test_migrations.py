"""The control tables are brought up to date whatever is found, on SQLite and on PostgreSQL; Alembic is asked itself."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from reenact.access.keys import KeyRecord, hash_key
from reenact.errors import FolderNewer, FolderUnusable
from reenact.store.control.migrator import configured
from reenact.store.control.store import ControlStore
from reenact.store.control.tables import REVISION, keys, metadata, organisations

KEY = KeyRecord(
    id="k",
    organisation_id="one",
    name="First",
    permissions="rw",
    key_hash=hash_key("k"),
    last_four="abcd",
    created_us=2,
)


@contextmanager
def looking(place: Path | str) -> Iterator[sa.Connection]:
    """Lend a connection to the database at *place* that is not the store's."""
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(place)) if isinstance(place, Path) else place)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def make_before_alembic(place: Path | str) -> None:
    """Make what an early version left: some of the tables, its own note of their version, an organisation with a key."""
    with looking(place) as connection:
        metadata.create_all(connection, tables=[organisations, keys])
        connection.execute(sa.insert(organisations).values(id="one", name="Default", created_us=1))
        connection.execute(sa.insert(keys).values({name: getattr(KEY, name) for name in KEY.__struct_fields__}))
        if isinstance(place, Path):
            connection.exec_driver_sql("PRAGMA user_version = 1")
        else:
            metadata.create_all(connection, tables=[metadata.tables["control_version"]])
            connection.exec_driver_sql("INSERT INTO control_version VALUES (1)")


def test_steps_and_tables_agree(empty: Path | str) -> None:
    """After all steps Alembic finds nothing that it would change; the newest is the one that is named."""
    ControlStore(empty).close()
    with looking(empty) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert [] == compare_metadata(context, metadata)
        assert (REVISION,) == context.get_current_heads()
        assert [REVISION] == ScriptDirectory.from_config(configured(connection)).get_heads()


def test_what_was_there_before_alembic_is_taken_over(empty: Path | str) -> None:
    """Keys work, missing tables are made, earlier versions refuse it from now on; a file is copied as it was."""
    make_before_alembic(empty)
    for _ in range(2):
        store = ControlStore(empty)
        assert (KEY, "one", []) == (
            store.find_key(KEY.key_hash),
            store.first_organisation(),
            store.hidden.keys_of("one"),
        )
        store.close()
    with looking(empty) as connection:
        assert [] == compare_metadata(MigrationContext.configure(connection), metadata)
        assert [2] == list(connection.exec_driver_sql("SELECT version FROM control_version").scalars())
    if isinstance(empty, Path):
        [copy] = empty.parent.glob("*.before-*")
        with looking(empty) as connection, looking(copy) as before:
            assert 2 == connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            assert ["keys", "organisations"] == sa.inspect(before).get_table_names()
            assert ["k"] == list(before.execute(sa.select(keys.c.id)).scalars())
        assert (f"{empty.name}.before-{REVISION}", 0o600) == (copy.name, copy.stat().st_mode & 0o777)


@pytest.mark.parametrize("is_new", [True, False])
def test_servers_that_start_at_once_take_turns(empty: Path | str, is_new: bool) -> None:
    """Every one of them opens, and the steps are taken once."""
    if not is_new:
        make_before_alembic(empty)
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(ControlStore, [empty] * 6))
    made = [store.first_start("one", "Default", 1) for store in stores]
    for store in stores:
        store.close()

    assert int(is_new) == sum(made)
    with looking(empty) as connection:
        assert [REVISION] == list(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars())


def test_a_newer_database_is_refused(empty: Path | str) -> None:
    """With a sentence that names both versions, and left as it is."""
    ControlStore(empty).close()
    with looking(empty) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '999'")
    with pytest.raises(FolderNewer) as told:
        ControlStore(empty)

    assert f"(tables 999, known {REVISION})" in told.value.message
    with looking(empty) as connection:
        assert ["999"] == list(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars())


def test_a_step_that_fails_changes_nothing(empty: Path | str) -> None:
    """Something that is no table stands where one is to be made: all is as it was, and the reason is told."""
    with looking(empty) as connection:
        connection.exec_driver_sql("CREATE VIEW replays AS SELECT 1 AS organisation_id")
    with pytest.raises(FolderUnusable):
        ControlStore(empty)
    with looking(empty) as connection:
        found = sa.inspect(connection)
        assert ([], ["replays"]) == (found.get_table_names(), found.get_view_names())


def test_deleting_for_good_removes_the_copy(tmp_path: Path) -> None:
    """What was deleted does not go on in the copy of earlier tables."""
    make_before_alembic(tmp_path / "control.sqlite3")
    store = ControlStore(tmp_path / "control.sqlite3")
    store.wipe()
    store.close()

    assert ["control.sqlite3"] == [path.name for path in tmp_path.iterdir()]
