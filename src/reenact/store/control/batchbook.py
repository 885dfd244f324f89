"""BatchBook: cohorts of sessions, and the batches that are run over them."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import msgspec
import sqlalchemy as sa

from reenact.domain.batch import Batch, Cohort
from reenact.domain.message import Json
from reenact.domain.replay import State
from reenact.errors import NotFound
from reenact.store.control.opener import take_turns
from reenact.store.control.statements import inserting
from reenact.store.control.tables import batches, cohorts

_encode = msgspec.msgpack.Encoder().encode
_batch = msgspec.msgpack.Decoder(Batch)
_ids = msgspec.msgpack.Decoder(tuple[str, ...])


class BatchBook:
    """Synchronous; any thread may call it."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[sa.Connection]]) -> None:
        self._transaction = transaction

    def freeze(self, cohort: Cohort) -> Cohort:
        """Keep *cohort* for ever and return it with the version that it is of its name."""
        named = (cohorts.c.organisation_id == cohort.organisation_id) & (cohorts.c.name == cohort.name)
        newest = sa.select(sa.func.coalesce(sa.func.max(cohorts.c.version), 0)).where(named)
        with self._transaction() as connection:
            take_turns(connection)
            kept = msgspec.structs.replace(cohort, version=connection.execute(newest).scalar_one() + 1)
            row = msgspec.structs.asdict(kept) | {
                "source": msgspec.json.encode(kept.source),
                "session_ids": _encode(kept.session_ids),
            }
            connection.execute(sa.insert(cohorts).values(row))
        return kept

    def cohort(self, organisation_id: str, cohort_id: str) -> Cohort:
        """Return a cohort.

        Raises:
            NotFound: the organisation has no such cohort.
        """
        own = (cohorts.c.id == cohort_id) & (cohorts.c.organisation_id == organisation_id)
        with self._transaction() as connection:
            row = connection.execute(sa.select(cohorts).where(own)).mappings().first()
        if row is None:
            raise NotFound(f"There is no cohort {cohort_id}")
        source: Json = msgspec.json.decode(row["source"])
        return Cohort(**{**row, "source": source, "session_ids": _ids.decode(row["session_ids"])})

    def save(self, batch: Batch) -> None:
        """Keep *batch*, without its items, in place of what was kept under its id."""
        content = {"state": batch.state.value, "content": _encode(msgspec.structs.replace(batch, items=()))}
        row = {"id": batch.id, "organisation_id": batch.organisation_id, "created_us": batch.created_us, **content}
        with self._transaction() as connection:
            saved = inserting(connection, batches).values(row)
            own = batches.c.organisation_id == batch.organisation_id
            connection.execute(saved.on_conflict_do_update(index_elements=["id"], set_=content, where=own))

    def get(self, organisation_id: str, batch_id: str) -> Batch:
        """Return a batch without its items.

        Raises:
            NotFound: the organisation has no such batch.
        """
        own = (batches.c.id == batch_id) & (batches.c.organisation_id == organisation_id)
        with self._transaction() as connection:
            content = connection.execute(sa.select(batches.c.content).where(own)).scalar_one_or_none()
        if content is None:
            raise NotFound(f"There is no batch {batch_id}")
        return _batch.decode(content)

    def all(self, organisation_id: str) -> list[Batch]:
        """Return the batches of an organisation without their items, newest first."""
        asked = (
            sa.select(batches.c.content)
            .where(batches.c.organisation_id == organisation_id)
            .order_by(batches.c.created_us.desc(), batches.c.id.desc())
        )
        with self._transaction() as connection:
            return [_batch.decode(content) for content in connection.execute(asked).scalars()]

    def unfinished(self) -> list[tuple[str, str]]:
        """Return organisation and id of the batches that are under way or should be, oldest first."""
        asked = (
            sa.select(batches.c.organisation_id, batches.c.id)
            .where(batches.c.state.in_([State.RUNNING.value, State.PLANNED.value]))
            .order_by(batches.c.created_us, batches.c.id)
        )
        with self._transaction() as connection:
            return [(row.organisation_id, row.id) for row in connection.execute(asked)]
