"""Checker: finds what is damaged: parts that the engine set aside, which no query tells of, and data that does not add up."""

from reenact.errors import StoreFailed
from reenact.store.clickhouse.connector import Connector
from reenact.store.clickhouse.schema import TABLES

_DETACHED = """
SELECT table, name, reason FROM {parts}
WHERE database = currentDatabase()
  AND (reason LIKE 'broken%' OR reason LIKE 'unexpected%' OR reason LIKE 'covered-by-broken%')
ORDER BY table, name
"""


def detached_parts(connector: Connector) -> list[str]:
    """Return a sentence for each part of the database that was set aside as damaged, on every server of a cluster.

    Raises:
        StoreFailed: the database could not be read.
    """
    return [
        f"The part {name} of the table {table} was set aside ({reason}): calls are missing."
        for table, name, reason in connector.query(
            _DETACHED.format(parts=connector.everywhere("system.detached_parts"))
        )
    ]


def damaged_tables(connector: Connector) -> list[str]:
    """Read all data; return a sentence for each part that does not add up, on the server that answers."""
    found = []
    for table in TABLES:
        try:
            rows = connector.check(table)
        except StoreFailed as error:
            found.append(f"The table {table} cannot be read whole: {error.message}")
            continue
        found += [f"The part {name} of the table {table} is damaged: {why}" for name, sound, why in rows if not sound]
    return found
