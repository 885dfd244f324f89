"""Checker: finds what the engine set aside: a damaged part is missing from every answer, and no query says so."""

from reenact.store.clickhouse.connector import Connector

_DETACHED = """
SELECT table, name, reason FROM system.detached_parts
WHERE database = currentDatabase() AND (reason LIKE 'broken%' OR reason LIKE 'unexpected%' OR reason LIKE 'covered-by-broken%')
ORDER BY table, name
"""


def detached_parts(connector: Connector) -> list[str]:
    """Return a sentence for each part of the database that was set aside as damaged, on the server that answers.

    Raises:
        StoreFailed: the database could not be read.
    """
    return [
        f"The part {name} of the table {table} was set aside ({reason}): calls are missing."
        for table, name, reason in connector.query(_DETACHED)
    ]
