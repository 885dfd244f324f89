"""HiddenProperties: which properties an organisation does not want listed."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import sqlalchemy as sa

from reenact.store.control.statements import inserting
from reenact.store.control.tables import hidden_properties as table


class HiddenProperties:
    """Synchronous; any thread may call it. Keys are compared whatever their case."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[sa.Connection]]) -> None:
        self._transaction = transaction

    def hide(self, organisation_id: str, key: str) -> None:
        """List a property no more; a second time does nothing."""
        row = {"organisation_id": organisation_id, "key_lower": key.lower(), "key": key}
        with self._transaction() as connection:
            connection.execute(inserting(connection, table).values(row).on_conflict_do_nothing())

    def restore(self, organisation_id: str, key: str) -> None:
        """List a property again; nothing happens when it is not hidden."""
        chosen = (table.c.organisation_id == organisation_id) & (table.c.key_lower == key.lower())
        with self._transaction() as connection:
            connection.execute(sa.delete(table).where(chosen))

    def keys_of(self, organisation_id: str) -> list[str]:
        """Return the hidden ones, ordered whatever their case."""
        asked = sa.select(table.c.key).where(table.c.organisation_id == organisation_id).order_by(table.c.key_lower)
        with self._transaction() as connection:
            return list(connection.execute(asked).scalars())
