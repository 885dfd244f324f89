"""Sessions: Helicone's `/v1/session` routes. A session is nothing but the calls that name it (surface 3.5)."""

import asyncio
import math
from collections.abc import Iterator
from typing import Annotated

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from reenact.api.envelope import Envelope, described, encoded
from reenact.api.filtering import read_filter
from reenact.api.guard import GivenParts, GivenPrincipal
from reenact.api.listener import JsonRequest, note_unknown
from reenact.api.rows import iso
from reenact.domain.call import SessionSummary
from reenact.domain.filter import Filter
from reenact.domain.message import Json
from reenact.store.calls import CallStore

MAX_LIMIT = 1000

Count = Annotated[int, msgspec.Meta(ge=0)]


class TimeFilter(msgspec.Struct, frozen=True, rename="camel"):
    """A span of time, milliseconds since the epoch."""

    start_time_unix_ms: float
    end_time_unix_ms: float


class SessionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions, which page of them. Unknown keys are ignored."""

    filter: Json
    """Of the calls that are grouped and summed; "all" and {} mean every call."""
    search: str = ""
    """A part of the id or name."""
    time_filter: TimeFilter | None = msgspec.field(default=None, name="timeFilter")
    timezone_difference: float = msgspec.field(default=0, name="timezoneDifference")
    """Accepted; all times are UTC."""
    name_equals: str | None = msgspec.field(default=None, name="nameEquals")
    offset: Count = 0
    limit: Annotated[int, msgspec.Meta(ge=0, le=MAX_LIMIT)] = 50


class SessionResult(msgspec.Struct, frozen=True, kw_only=True):
    """One session, summed. The same id under two names gives two rows."""

    created_at: str
    latest_request_created_at: str
    session_id: str
    session_name: str
    total_cost: float
    """US dollars of the calls whose price is known."""
    total_requests: int
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    avg_latency: float
    """Milliseconds."""
    user_ids: list[str]
    failed_requests: int
    """Ours, as all below."""
    unpriced_requests: int
    """Model calls that the cost leaves out, since their price is not known."""
    models: list[str]
    replay_id: str | None
    """The replay that made this session, if one did."""
    replay_of: str | None
    """The session that it is a replay of."""


class SessionTotals(msgspec.Struct, frozen=True, kw_only=True):
    """All sessions that match, summed."""

    count: int
    total_cost: float
    avg_cost: float
    avg_latency: float
    """Milliseconds, of the mean call of the mean session."""
    avg_requests: float


@post("/v1/session/query", status_code=200, responses=described(list[SessionResult]))
async def query_sessions(
    data: JSONBody[SessionQuery], request: JsonRequest, parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Find sessions, newest first."""
    await note_unknown(request, SessionQuery)
    where = read_filter(data.filter, principal.organisation_id)
    await parts.settle()

    def read() -> bytes:
        found = _read(parts.calls, principal.organisation_id, data, where, data.offset, data.limit)
        return msgspec.json.encode(Envelope([_result(summary) for summary in found]))

    return encoded(await asyncio.to_thread(read))


@post("/v1/session/count", status_code=200, responses=described(SessionTotals))
async def count_sessions(
    data: JSONBody[SessionQuery], request: JsonRequest, parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Count and sum the sessions that match, whatever the page."""
    await note_unknown(request, SessionQuery)
    where = read_filter(data.filter, principal.organisation_id)
    await parts.settle()

    def read() -> bytes:
        found = list(_all(parts.calls, principal.organisation_id, data, where))
        return msgspec.json.encode(Envelope(_totals(found)))

    return encoded(await asyncio.to_thread(read))


ROUTES: list[HTTPRouteHandler] = [query_sessions, count_sessions]


def _all(store: CallStore, organisation_id: str, query: SessionQuery, where: Filter) -> Iterator[SessionSummary]:
    """Yield every session that matches, a page at a time."""
    offset = 0
    while page := _read(store, organisation_id, query, where, offset, MAX_LIMIT):
        yield from page
        offset += len(page)


def _read(
    store: CallStore, organisation_id: str, query: SessionQuery, where: Filter, offset: int, limit: int
) -> list[SessionSummary]:
    span = query.time_filter
    return store.sessions(
        organisation_id,
        search=query.search,
        name=query.name_equals,
        after_us=None if span is None else math.floor(span.start_time_unix_ms * 1000),
        before_us=None if span is None else math.ceil(span.end_time_unix_ms * 1000),
        where=where,
        offset=offset,
        limit=limit,
    )


def _result(summary: SessionSummary) -> SessionResult:
    return SessionResult(
        created_at=iso(summary.created_us),
        latest_request_created_at=iso(summary.latest_us),
        session_id=summary.session_id,
        session_name=summary.session_name,
        total_cost=summary.cost_nanodollars / 1_000_000_000,
        total_requests=summary.calls,
        prompt_tokens=summary.input_tokens,
        completion_tokens=summary.output_tokens,
        total_tokens=summary.input_tokens + summary.output_tokens,
        avg_latency=summary.mean_duration_us / 1000,
        user_ids=list(summary.user_ids),
        failed_requests=summary.failed_calls,
        unpriced_requests=summary.unpriced_calls,
        models=list(summary.models),
        replay_id=summary.replay_id,
        replay_of=summary.source_session_id,
    )


def _totals(sessions: list[SessionSummary]) -> SessionTotals:
    count = len(sessions)
    shared_by = count or 1
    cost = sum(session.cost_nanodollars for session in sessions) / 1_000_000_000
    return SessionTotals(
        count=count,
        total_cost=cost,
        avg_cost=cost / shared_by,
        avg_latency=sum(session.mean_duration_us for session in sessions) / 1000 / shared_by,
        avg_requests=sum(session.calls for session in sessions) / shared_by,
    )
