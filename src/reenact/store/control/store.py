"""ControlStore: organisations, keys and replays: what the server is told, as calls are what it sees."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from reenact.access.keys import KeyRecord
from reenact.domain.replay import Replay, State
from reenact.errors import NotFound, StoreFailed
from reenact.store.control.batchbook import BatchBook
from reenact.store.control.hidden import HiddenProperties
from reenact.store.control.leasebook import LeaseBook
from reenact.store.control.opener import open_engine, take_turns
from reenact.store.control.promptbook import PromptBook
from reenact.store.control.statements import inserting
from reenact.store.control.tables import batches, cohorts, keys, organisations, replays

_encode = msgspec.msgpack.Encoder().encode
_fields = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])
_whole = msgspec.msgpack.Decoder(Replay)
_MOST_BOUND = 10_000
"""Values in one statement; SQLite takes 32766."""


class ControlStore:
    """Synchronous; any thread may call it. Ids, times and randomness are the caller's."""

    def __init__(self, place: Path | str) -> None:
        """Open the file at *place*, made when it is missing in a folder that is there; or the database at an SQLAlchemy URL.

        Raises:
            FolderNewer: a newer version of Reenact wrote it.
            FolderUnusable: it cannot be opened, or is no such database.
        """
        self._engine = open_engine(place)
        self.hidden = HiddenProperties(self._transaction)
        self.leases = LeaseBook(self._transaction)
        """Which worker performs which replay."""
        self.batches = BatchBook(self._transaction)
        """Cohorts of sessions, and what is run over them."""
        self.prompts = PromptBook(self._transaction)
        """Named prompts and their versions."""

    def first_start(self, organisation_id: str, name: str, created_us: int) -> bool:
        """Make the first organisation when there is none yet; return whether it was made now."""
        with self._transaction() as connection:
            take_turns(connection)
            count = connection.execute(sa.select(sa.func.count()).select_from(organisations)).scalar_one()
            if not count:
                row = {"id": organisation_id, "name": name, "created_us": created_us}
                connection.execute(sa.insert(organisations).values(row))
            return not count

    def first_organisation(self) -> str:
        """Return the id of the first organisation, for which acts whoever needs no key.

        Raises:
            NotFound: there is none: `first_start` was never called.
        """
        oldest = sa.select(organisations.c.id).order_by(organisations.c.created_us, organisations.c.id).limit(1)
        with self._transaction() as connection:
            found = connection.execute(oldest).scalar_one_or_none()
        if found is None:
            raise NotFound("There is no organisation yet")
        return str(found)

    def add_key(self, record: KeyRecord) -> None:
        """Keep a key; it works at once."""
        with self._transaction() as connection:
            connection.execute(sa.insert(keys).values(msgspec.structs.asdict(record)))

    def find_key(self, key_hash: bytes) -> KeyRecord | None:
        """Return the key with this hash; None for none, and for one that was deleted."""
        with self._transaction() as connection:
            row = connection.execute(_records().where(keys.c.key_hash == key_hash)).mappings().first()
        return None if row is None else KeyRecord(**row)

    def list_keys(self, organisation_id: str) -> list[KeyRecord]:
        """Return the keys of an organisation that work, oldest first."""
        asked = _records().where(keys.c.organisation_id == organisation_id).order_by(keys.c.created_us, keys.c.id)
        with self._transaction() as connection:
            return [KeyRecord(**row) for row in connection.execute(asked).mappings()]

    def delete_key(self, organisation_id: str, key_id: str, deleted_us: int) -> None:
        """Let a key work no more; that it was there is kept.

        Raises:
            NotFound: the organisation has no such key.
        """
        chosen = (keys.c.id == key_id) & (keys.c.organisation_id == organisation_id) & keys.c.deleted_us.is_(None)
        with self._transaction() as connection:
            if not connection.execute(sa.update(keys).where(chosen).values(deleted_us=deleted_us)).rowcount:
                raise NotFound(f"There is no key {key_id}")

    def rename_key(self, organisation_id: str, key_id: str, name: str) -> KeyRecord:
        """Give a key that works another name; return what is kept of it.

        Raises:
            NotFound: the organisation has no such key.
        """
        chosen = (keys.c.id == key_id) & (keys.c.organisation_id == organisation_id) & keys.c.deleted_us.is_(None)
        with self._transaction() as connection:
            connection.execute(sa.update(keys).where(chosen).values(name=name))
            row = connection.execute(_records().where(chosen)).mappings().first()
        if row is None:
            raise NotFound(f"There is no key {key_id}")
        return KeyRecord(**row)

    def save_replay(self, replay: Replay) -> None:
        """Keep *replay* in place of what was kept under its id; its plan is written once."""
        fields = {name: getattr(replay, name) for name in replay.__struct_fields__ if name != "plan"}
        progress = {"state": replay.state.value, "progress": _encode(fields)}
        row = {
            "id": replay.id,
            "organisation_id": replay.organisation_id,
            "session_id": replay.plan.session_id,
            "created_us": replay.created_us,
            "plan": _encode(replay.plan),
            **progress,
        }
        with self._transaction() as connection:
            saved = inserting(connection, replays).values(row)
            own = replays.c.organisation_id == replay.organisation_id
            connection.execute(saved.on_conflict_do_update(index_elements=["id"], set_=progress, where=own))

    def get_replay(self, organisation_id: str, replay_id: str) -> Replay:
        """Return a replay.

        Raises:
            NotFound: the organisation has no such replay.
        """
        asked = sa.select(replays).where(replays.c.id == replay_id, replays.c.organisation_id == organisation_id)
        with self._transaction() as connection:
            row = connection.execute(asked).mappings().first()
        if row is None:
            raise NotFound(f"There is no replay {replay_id}")
        return _replay(row)

    def replays_of(self, organisation_id: str, session_id: str | None = None) -> list[Replay]:
        """Return the replays of a session, or of all when it is None, newest first."""
        asked = sa.select(replays).where(replays.c.organisation_id == organisation_id)
        if session_id is not None:
            asked = asked.where(replays.c.session_id == session_id)
        asked = asked.order_by(replays.c.created_us.desc(), replays.c.id.desc())
        with self._transaction() as connection:
            return [_replay(row) for row in connection.execute(asked).mappings()]

    def replays_by_id(self, organisation_id: str, replay_ids: Sequence[str]) -> dict[str, Replay]:
        """Return replays by id; unknown ids are left out."""
        found: dict[str, Replay] = {}
        with self._transaction() as connection:
            for start in range(0, len(replay_ids), _MOST_BOUND):
                some = replays.c.id.in_(replay_ids[start : start + _MOST_BOUND])
                asked = sa.select(replays).where(some, replays.c.organisation_id == organisation_id)
                found |= {row["id"]: _replay(row) for row in connection.execute(asked).mappings()}
        return found

    def unfinished_replays(self) -> list[tuple[str, str]]:
        """Return organisation and id of the replays that are under way or should be, oldest first."""
        asked = (
            sa.select(replays.c.organisation_id, replays.c.id)
            .where(replays.c.state.in_([State.RUNNING.value, State.PLANNED.value]))
            .order_by(replays.c.created_us, replays.c.id)
        )
        with self._transaction() as connection:
            return [(row.organisation_id, row.id) for row in connection.execute(asked)]

    def forget_replays(self, organisation_id: str, session_ids: Sequence[str] | None) -> None:
        """Delete the replays of these sessions, or all of the organisation's with its cohorts and batches when it is None."""
        own = replays.c.organisation_id == organisation_id
        with self._transaction() as connection:
            if session_ids is None:
                for table in (replays, cohorts, batches):
                    connection.execute(sa.delete(table).where(table.c.organisation_id == organisation_id))
            for start in range(0, len(session_ids or ()), _MOST_BOUND):
                chunk = (session_ids or ())[start : start + _MOST_BOUND]
                connection.execute(sa.delete(replays).where(own, replays.c.session_id.in_(chunk)))

    def wipe(self) -> None:
        """Write a file anew, so that no byte of what was deleted is left in it or beside it; a server sees to that itself.

        Raises:
            StoreFailed: there is no room for it, or somebody reads for too long.
        """
        if self._engine.dialect.name != "sqlite":
            return
        try:
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM")
                is_busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
        except DatabaseError as error:
            raise StoreFailed(f"The control database could not be written anew: {error.orig}") from error
        if is_busy:
            raise StoreFailed("The control database's log could not be emptied: somebody reads for too long")
        file = Path(self._engine.url.database or "")
        for copy in file.parent.glob(f"{file.name}.before-*"):
            copy.unlink(missing_ok=True)  # made before the tables were migrated

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        """Lend a connection inside one transaction.

        Raises:
            StoreFailed: the database could not be read or written.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except DatabaseError as error:
            raise StoreFailed(f"The control database failed: {error.orig}") from error


def _records() -> sa.Select[tuple[object, ...]]:
    """Return the question for keys that work."""
    return sa.select(*(keys.c[name] for name in KeyRecord.__struct_fields__)).where(keys.c.deleted_us.is_(None))


def _replay(row: sa.RowMapping) -> Replay:
    """Return a row as a value."""
    return _whole.decode(_encode({**_fields.decode(row["progress"]), "plan": msgspec.Raw(row["plan"])}))
