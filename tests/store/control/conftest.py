"""Control stores on every database that they run on."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from reenact.store.control.store import ControlStore
from tests.fakes.postgres import a_postgres, postgres_programs


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of an empty PostgreSQL database; skips loudly where PostgreSQL is not installed."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with a_postgres(programs) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[ControlStore, ControlStore]]:
    """Two servers' stores on one database."""
    place = tmp_path / "control.sqlite3" if request.param == "sqlite" else request.getfixturevalue("postgres")
    one, other = ControlStore(place), ControlStore(place)
    yield one, other
    one.close()
    other.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a database of its own is, without a table."""
    if request.param == "sqlite":
        return tmp_path / "control.sqlite3"
    server = sa.create_engine(request.getfixturevalue("postgres"), isolation_level="AUTOCOMMIT")
    name = f"control_{uuid.uuid4().hex}"
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    server.dispose()
    return server.url.set(database=name).render_as_string(hide_password=False)
