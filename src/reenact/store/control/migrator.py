"""Brings the control tables up to date, by Alembic; imported only where there is something to do, for it takes a while."""

import threading
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

_STEPS = Path(__file__).with_name("migrations")
_one_at_a_time = threading.Lock()  # Alembic's `op` and `context` are global


def migrate(connection: sa.Connection) -> None:
    """Take the steps that *connection*'s database has not had, within its transaction, and note the newest."""
    with _one_at_a_time:
        command.upgrade(configured(connection), "head")


def configured(connection: sa.Connection) -> Config:
    """Return what Alembic's commands take to work on *connection*."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
