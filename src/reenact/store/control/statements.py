"""Write rows in place of those that are there: the same statement in the words of each database."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def inserting(connection: sa.Connection, table: sa.Table) -> "sqlite.Insert | postgresql.Insert":
    """Return an insert into *table* that knows `on_conflict_do_update`."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
