"""Walker: goes through all calls of an organisation, and measures what they take."""

from reenact.store.clickhouse.binding import Binder
from reenact.store.clickhouse.compiling import ORGANISATION
from reenact.store.clickhouse.connector import Connector
from reenact.store.objects.keeper import Named
from reenact.store.objects.objects import folder_of
from reenact.store.upkeep import Place

_ORGANISATIONS = "SELECT organisation_id FROM calls UNION DISTINCT SELECT organisation_id FROM gaps"
_OBJECTS = "SELECT DISTINCT organisation_id, key FROM object_uses"
_OUTSIDE = "SELECT sum(most) FROM (SELECT max(piece_bytes) AS most FROM object_uses GROUP BY organisation_id, key)"
_USED = "SELECT sum(bytes_on_disk) FROM {parts} WHERE active AND database = currentDatabase()"


class Walker:
    """Walks through one organisation after the other."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def organisations(self) -> list[str]:
        """Return the ids of all organisations, ordered."""
        return sorted(name for (name,) in self._connector.query(_ORGANISATIONS))

    def places(self, organisation_id: str, after: Place, limit: int) -> list[Place]:
        """Return the places that follow *after*."""
        binder = Binder(organisation=organisation_id)
        created = binder.integer(after.created_us)
        text = (
            f"SELECT c.created_us, c.id FROM calls AS c FINAL WHERE c.{ORGANISATION} AND c.created_us >= {created} "
            f"AND (c.created_us > {created} OR c.id > {binder.text(after.call_id)}) "
            f"ORDER BY c.created_us, c.id LIMIT {int(limit)}"
        )
        return [Place(*row) for row in self._connector.query(text, binder.values)]

    def expired(self, organisation_id: str, before_us: int, limit: int) -> list[str]:
        """Return the ids of calls made before a time, sessions whole."""
        binder = Binder(organisation=organisation_id)
        before = binder.integer(before_us)
        living = (
            f"SELECT n.session_id FROM calls AS n FINAL "
            f"WHERE n.{ORGANISATION} AND n.created_us >= {before} AND n.session_id != ''"
        )
        text = (
            f"SELECT c.id FROM calls AS c FINAL WHERE c.{ORGANISATION} AND c.created_us < {before} "
            f"AND ifNull(c.session_id, '') NOT IN ({living}) ORDER BY c.created_us, c.id LIMIT {int(limit)}"
        )
        return [call_id for (call_id,) in self._connector.query(text, binder.values)]

    def used_bytes(self) -> int:
        """Return the bytes of the parts that are in use, on every server of a cluster, and of the objects."""
        text = _USED.format(parts=self._connector.everywhere("system.parts"))
        return int(self._connector.query(text)[0][0]) + int(self._connector.query(_OUTSIDE)[0][0])

    def objects(self) -> set[Named]:
        """Return every object that a call is made of."""
        return {Named(folder_of(organisation_id), key) for organisation_id, key in self._connector.query(_OBJECTS)}
