"""SessionLister: lists sessions: first one page of them by their newest call, then the sums of that page."""

from typing import Any

import msgspec

from reenact.domain.call import SessionSummary
from reenact.domain.filter import Everything, Filter
from reenact.domain.filtering import fold
from reenact.store.clickhouse.binding import Binder
from reenact.store.clickhouse.compiling import ORGANISATION, narrowed
from reenact.store.clickhouse.connector import Connector, Rows
from reenact.store.clickhouse.reader import Reader

_KEY = "c.session_id AS session, ifNull(c.session_name, '') AS name"
_CALLS_A_SESSION = 100
"""How many of the newest calls are looked at first for each session of a page."""
_MOST_NARROWED = 200
"""Sessions that are looked for among the newest calls."""
_SUMS = """
  min(c.created_us), max(c.created_us), count(), countIf(c.status < 0 OR c.status >= 400),
  ifNull(sum(c.input_tokens), 0), ifNull(sum(c.output_tokens), 0), ifNull(sum(c.cost_nanodollars), 0),
  countIf(c.kind = 'model' AND c.cost_nanodollars IS NULL), avg(c.duration_us),
  arraySort(groupUniqArray(c.model)), arraySort(groupUniqArray(c.user_id)), max(c.replay_id), max(c.source_session_id)
"""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions, and which page of them."""

    search: str
    name: str | None
    after_us: int | None
    before_us: int | None
    offset: int
    limit: int
    where: Filter = Everything()
    """Only calls that match it are grouped and summed."""


class SessionLister:
    """Lists sessions of one organisation after the other."""

    def __init__(self, connector: Connector, reader: Reader) -> None:
        self._connector = connector
        self._reader = reader

    def page(self, organisation_id: str, wanted: Wanted) -> list[SessionSummary]:
        """Return one page of sessions, the one with the newest call first."""
        binder = Binder(organisation=organisation_id)
        matching = self._reader.compiler(binder, wanted.where).where(wanted.where)
        page = self._keys(binder, matching, wanted)
        if not page:
            return []
        sessions = binder.texts(sorted({session for session, _ in page}))
        listed = f"c.session_id IN {sessions}"
        text = (
            f"SELECT {_KEY}, {_SUMS} FROM calls AS c FINAL "
            f"WHERE c.{ORGANISATION} AND {listed} AND {narrowed(listed)} AND {matching} GROUP BY session, name"
        )
        rows = self._connector.query(text, binder.values)
        found = {(row[0], row[1]): _summary(tuple(row)) for row in rows}
        return [found[key] for key in page if key in found]

    def _keys(self, binder: Binder, matching: str, wanted: Wanted) -> list[tuple[str, str]]:
        """Return ids and names of one page of sessions, found among the newest calls if there are enough sessions in them."""
        wanted_sessions = wanted.offset + wanted.limit
        if wanted_sessions <= _MOST_NARROWED and (since := self._since(binder, matching, wanted)) is not None:
            page = self._keys_since(binder, matching, msgspec.structs.replace(wanted, after_us=since))
            if len(page) == wanted.limit:
                return page
        return self._keys_since(binder, matching, wanted)

    def _since(self, binder: Binder, matching: str, wanted: Wanted) -> int | None:
        """Return when the last of so many newest calls was made that a page of sessions may be in them; None: look at all.

        A session's place in the list is that of its newest call, so that older calls change nothing about the first of it.
        """
        before = "1" if wanted.before_us is None else f"c.created_us < {binder.integer(wanted.before_us)}"
        text = (
            f"SELECT c.created_us FROM calls AS c WHERE c.{ORGANISATION} AND {before} AND {self._kept(binder, wanted)} "
            f"AND c.session_id != '' AND {matching} "
            f"ORDER BY c.created_us DESC LIMIT 1 OFFSET {_CALLS_A_SESSION * (wanted.offset + wanted.limit)}"
        )
        rows = self._connector.query(text, binder.values)
        return rows[0][0] if rows else None

    def _keys_since(self, binder: Binder, matching: str, wanted: Wanted) -> list[tuple[str, str]]:
        """Return ids and names of one page of sessions.

        A session whose newest call is not before a time has a call since then, so that older calls need no look; whether it
        began before a time is told by those calls too, and only else by older ones.
        """
        source = f"FROM calls AS c FINAL WHERE c.{ORGANISATION} AND c.session_id != '' AND {matching}"
        kept = self._kept(binder, wanted)
        having = "1"
        if wanted.before_us is not None:
            before = binder.integer(wanted.before_us)
            having = f"min(c.created_us) < {before}"
            if wanted.after_us is not None and not self._began(binder, before):
                after = binder.integer(wanted.after_us)
                older = f"SELECT c.session_id, ifNull(c.session_name, '') {source} AND c.created_us < least({after}, {before})"
                having += f" OR (session, name) IN ({older})"
        text = (
            f"SELECT {_KEY} {source} AND {kept} GROUP BY session, name HAVING {having} "
            f"ORDER BY max(c.created_us) DESC, session, name LIMIT {int(wanted.limit)} OFFSET {int(wanted.offset)}"
        )
        rows: Rows = self._connector.query(text, binder.values)
        return [(session, name) for session, name in rows]

    def _kept(self, binder: Binder, wanted: Wanted) -> str:
        """Return which calls tell of the sessions that are wanted."""
        kept = ["1"]
        if wanted.name is not None:
            kept.append(f"ifNull(c.session_name, '') = {binder.text(wanted.name)}")
        if wanted.search:
            part = binder.text(fold(wanted.search))
            kept.append(
                f"(position(lower(c.session_id), {part}) > 0 OR position(lower(ifNull(c.session_name, '')), {part}) > 0)"
            )
        if wanted.after_us is not None:
            kept.append(f"c.created_us >= {binder.integer(wanted.after_us)}")
        return " AND ".join(kept)

    def _began(self, binder: Binder, before: str) -> bool:
        """Return whether no call at all was made since then, so that every session began before."""
        text = f"SELECT 1 FROM calls AS c WHERE c.{ORGANISATION} AND c.created_us >= {before} LIMIT 1"
        return not self._connector.query(text, binder.values)


def _summary(row: tuple[Any, ...]) -> SessionSummary:
    """Return a row of sums as a value."""
    (
        session,
        name,
        first,
        latest,
        calls,
        failed,
        inputs,
        outputs,
        cost,
        unpriced,
        mean,
        models,
        users,
        replay,
        source,
    ) = row
    return SessionSummary(
        session_id=session,
        session_name=name,
        created_us=first,
        latest_us=latest,
        calls=calls,
        failed_calls=failed,
        input_tokens=inputs,
        output_tokens=outputs,
        cost_nanodollars=cost,
        unpriced_calls=unpriced,
        mean_duration_us=round(mean),
        models=tuple(model for model in models if model),
        user_ids=tuple(user for user in users if user),
        replay_id=replay,
        source_session_id=source,
    )
