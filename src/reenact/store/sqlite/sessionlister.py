"""SessionLister: lists sessions. Which ones comes from their names' times, the sums from their calls."""

import sqlite3
from typing import Any

import msgspec

from reenact.domain.call import SessionSummary
from reenact.domain.filter import Everything, Filter
from reenact.domain.filtering import fold
from reenact.store.sqlite.compiling import Sql, compile_query, compile_where

_LISTED = """
SELECT s.session_id, n.name FROM session_names n JOIN sessions s ON s.session = n.session
WHERE n.organisation = :organisation
  AND (:after_us IS NULL OR n.latest_us >= :after_us)
  AND (:before_us IS NULL OR n.first_us < :before_us)
  AND (:name IS NULL OR n.name = :name)
  AND (:search = '' OR instr(lower(s.session_id), :search) > 0 OR instr(lower(n.name), :search) > 0)
  -- Calls can be moved to another session; a name that none is left of is not listed.
  AND EXISTS (
    SELECT 1 FROM calls c
    WHERE c.organisation = n.organisation AND c.session_id = s.session_id AND coalesce(c.session_name, '') = n.name
  )
ORDER BY n.latest_us DESC, n.first_us DESC, s.session_id, n.name LIMIT :limit OFFSET :offset
"""
# The same from the calls that match a filter; a call of a session without a name counts under the empty name.
_LISTED_FILTERED = """
SELECT c.session_id, coalesce(c.session_name, '') FROM {source}
WHERE {where} AND c.session_id <> ''
GROUP BY 1, 2 HAVING {having}
ORDER BY max({created}) DESC, min({created}) DESC, 1, 2 LIMIT ? OFFSET ?
"""
_SUMMED = """
SELECT min(c.created_us), max(c.created_us), count(*), sum(c.status < 0 OR c.status >= 400),
  coalesce(sum(c.input_tokens), 0), coalesce(sum(c.output_tokens), 0), coalesce(sum(c.cost_nanodollars), 0),
  sum(c.kind = 'model' AND c.cost_nanodollars IS NULL), avg(c.duration_us),
  json_group_array(DISTINCT c.model), json_group_array(DISTINCT c.user_id), max(c.replay_id), max(c.source_session_id)
FROM calls c WHERE c.organisation = ? AND c.session_id = ? AND coalesce(c.session_name, '') = ? AND {where}
"""
_texts = msgspec.json.Decoder(list[str | None])


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


def list_sessions(connection: sqlite3.Connection, organisation: int, wanted: Wanted) -> list[SessionSummary]:
    """Return one page of sessions, the one with the newest call first."""
    matching = compile_where(wanted.where)
    summed = _SUMMED.format(where=matching.text)
    listed = _listed(connection, organisation, wanted)
    found = [(key, connection.execute(summed, (organisation, *key, *matching.values)).fetchone()) for key in listed]
    return [_summary(key, row) for key, row in found]


def _listed(connection: sqlite3.Connection, organisation: int, wanted: Wanted) -> list[tuple[str, str]]:
    """Return ids and names of one page of sessions."""
    if not isinstance(wanted.where, Everything):
        return _listed_filtered(connection, organisation, wanted)
    asked = {
        "organisation": organisation,
        "search": fold(wanted.search),
        "name": wanted.name,
        "after_us": wanted.after_us,
        "before_us": wanted.before_us,
        "offset": wanted.offset,
        "limit": wanted.limit,
    }
    return connection.execute(_LISTED, asked).fetchall()


def _listed_filtered(connection: sqlite3.Connection, organisation: int, wanted: Wanted) -> list[tuple[str, str]]:
    """Return ids and names of one page of sessions that have a call which matches."""
    query = compile_query(organisation, wanted.where)
    kept, lived = [query.where], [Sql("1")]
    if wanted.name is not None:
        kept.append(Sql("coalesce(c.session_name, '') = ?", (wanted.name,)))
    if wanted.search:
        part = fold(wanted.search)
        kept.append(Sql("(instr(lower(c.session_id), ?) > 0 OR instr(lower(c.session_name), ?) > 0)", (part, part)))
    if wanted.after_us is not None:
        lived.append(Sql(f"max({query.created}) >= ?", (wanted.after_us,)))
    if wanted.before_us is not None:
        lived.append(Sql(f"min({query.created}) < ?", (wanted.before_us,)))
    text = _LISTED_FILTERED.format(
        source=query.source,
        where=" AND ".join(one.text for one in kept),
        having=" AND ".join(one.text for one in lived),
        created=query.created,
    )
    values = [value for one in (*kept, *lived) for value in one.values]
    return connection.execute(text, (*values, wanted.limit, wanted.offset)).fetchall()


def _summary(key: tuple[str, str], row: tuple[Any, ...]) -> SessionSummary:
    """Return a row of sums as a value."""
    first, latest, calls, failed, inputs, outputs, cost, unpriced, mean, models, users, replay, source = row
    return SessionSummary(
        session_id=key[0],
        session_name=key[1],
        created_us=first,
        latest_us=latest,
        calls=calls,
        failed_calls=failed,
        input_tokens=inputs,
        output_tokens=outputs,
        cost_nanodollars=cost,
        unpriced_calls=unpriced,
        mean_duration_us=round(mean),
        models=_sorted(models),
        user_ids=_sorted(users),
        replay_id=replay,
        source_session_id=source,
    )


def _sorted(texts: str) -> tuple[str, ...]:
    """Return a JSON array of texts sorted, without absent and empty ones."""
    return tuple(sorted(text for text in _texts.decode(texts) if text))
