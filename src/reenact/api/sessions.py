"""Sessions: Helicone's `/v1/session` routes. A session is nothing but the calls that name it (surface 3.5)."""

import asyncio
from typing import Annotated

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from reenact.api.envelope import Envelope, described, encoded
from reenact.api.guard import GivenParts, GivenPrincipal
from reenact.api.listener import JsonRequest, note_unknown
from reenact.api.rows import iso
from reenact.api.selector import select
from reenact.api.sessionreader import MAX_PAGE, Sessions, TimeFilter, Wanted
from reenact.domain.call import SessionSummary
from reenact.domain.message import Json

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


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
    limit: Annotated[int, msgspec.Meta(ge=0, le=MAX_PAGE)] = 50


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
    where = await select(data.filter, parts, principal.organisation_id)

    def read() -> bytes:
        found = Sessions(parts.calls, principal.organisation_id, where, wanted_of(data)).page(data.offset, data.limit)
        return msgspec.json.encode(Envelope([_result(summary) for summary in found]))

    return encoded(await asyncio.to_thread(read))


@post("/v1/session/count", status_code=200, responses=described(SessionTotals))
async def count_sessions(
    data: JSONBody[SessionQuery], request: JsonRequest, parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Count and sum the sessions that match, whatever the page."""
    await note_unknown(request, SessionQuery)
    where = await select(data.filter, parts, principal.organisation_id)

    def read() -> bytes:
        found = list(Sessions(parts.calls, principal.organisation_id, where, wanted_of(data)).all())
        return msgspec.json.encode(Envelope(_totals(found)))

    return encoded(await asyncio.to_thread(read))


ROUTES: list[HTTPRouteHandler] = [query_sessions, count_sessions]


def wanted_of(query: SessionQuery) -> Wanted:
    """Return which sessions a query is about beside its filter."""
    return Wanted(search=query.search, name=query.name_equals, span=query.time_filter)


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
