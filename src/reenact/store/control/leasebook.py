"""LeaseBook: which worker performs which replay, and until when it need not be asked again."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager

import sqlalchemy as sa

from reenact.store.control.statements import inserting
from reenact.store.control.tables import leases


class LeaseBook:
    """Synchronous; any thread may call it. Times are the callers', whose clocks must agree to a few seconds."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[sa.Connection]]) -> None:
        self._transaction = transaction

    def claim(self, replay_id: str, worker: str, *, now_us: int, until_us: int) -> bool:
        """Give a replay to *worker* until then, unless another one holds it now; return whether it has it."""
        row = {"replay_id": replay_id, "worker": worker, "until_us": until_us}
        is_free = (leases.c.until_us <= now_us) | (leases.c.worker == worker)
        with self._transaction() as connection:
            claimed = (
                inserting(connection, leases)
                .values(row)
                .on_conflict_do_update(
                    index_elements=["replay_id"],
                    set_={"worker": worker, "until_us": until_us, "wish": None},
                    where=is_free,
                )
                .returning(leases.c.worker)
            )
            return connection.execute(claimed).first() is not None

    def renew(self, replay_ids: Collection[str], worker: str, *, until_us: int) -> dict[str, str | None]:
        """Let *worker* keep these replays until then; return those that it still has, each with what is wished of it."""
        own = leases.c.replay_id.in_(replay_ids) & (leases.c.worker == worker)
        with self._transaction() as connection:
            connection.execute(sa.update(leases).where(own).values(until_us=until_us))
            rows = connection.execute(sa.select(leases.c.replay_id, leases.c.wish).where(own))
            return {row.replay_id: row.wish for row in rows}

    def wish(self, replay_id: str, state: str) -> bool:
        """Tell the worker that performs a replay to bring it to *state*; return whether any does."""
        with self._transaction() as connection:
            asked = sa.update(leases).where(leases.c.replay_id == replay_id).values(wish=state)
            return connection.execute(asked).rowcount == 1

    def release(self, replay_id: str, worker: str) -> None:
        """Let go of a replay; nothing happens when another worker has it."""
        own = (leases.c.replay_id == replay_id) & (leases.c.worker == worker)
        with self._transaction() as connection:
            connection.execute(sa.delete(leases).where(own))
