"""Session names: Helicone's views of all sessions of one name, and of how sessions are spread (surface 3.5)."""

import asyncio
from collections import defaultdict

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from reenact.api.envelope import answer, described
from reenact.api.guard import GivenParts, GivenPrincipal
from reenact.api.histogramming import Bar, Percentile, histogram, mean
from reenact.api.rows import iso
from reenact.api.selector import select
from reenact.api.sessionreader import Sessions, TimeFilter, Wanted
from reenact.domain.call import SessionSummary
from reenact.domain.message import Json

MAX_NAMES = 50
DAYS = 150
"""How far back names are looked for when no time is given."""


class NameQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which names, and how far their values are drawn."""

    name_contains: str = ""
    timezone_difference: float = 0
    """Accepted; all times are UTC."""
    p_size: Percentile = "p75"
    """Values above this percentile are left out."""
    use_interquartile: bool = False
    time_filter: TimeFilter | None = None
    filter: Json = "all"


class NameResult(msgspec.Struct, frozen=True, kw_only=True):
    """All sessions of one name."""

    name: str
    created_at: str
    last_used: str
    first_used: str
    session_count: int
    avg_latency: float
    """Milliseconds, of the mean call of the mean session."""


class Average(msgspec.Struct, frozen=True):
    """A mean."""

    average: float


class Averages(msgspec.Struct, frozen=True, kw_only=True):
    """The means of all sessions."""

    session_cost: list[Average]
    session_duration: list[Average]
    session_count: list[Average]


class SessionMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """How sessions are spread by their calls, their seconds and their cost."""

    session_count: list[Bar]
    session_duration: list[Bar]
    session_cost: list[Bar]
    average: Averages


@post("/v1/session/name/query", status_code=200, responses=described(list[NameResult]))
async def query_names(data: JSONBody[NameQuery], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Sum sessions by name: at most 50 names, the one used last first."""
    where = await select(data.filter, parts, principal.organisation_id)
    wanted = Wanted(span=data.time_filter or _lately(parts.clock()))

    def read() -> list[NameResult]:
        named: dict[str, list[SessionSummary]] = defaultdict(list)
        for session in Sessions(parts.calls, principal.organisation_id, where, wanted).all():
            if data.name_contains.lower() in session.session_name.lower():
                named[session.session_name].append(session)
        found = [_named(name, sessions) for name, sessions in named.items()]
        return sorted(found, key=lambda one: one.last_used, reverse=True)[:MAX_NAMES]

    return answer(await asyncio.to_thread(read))


@post("/v1/session/metrics/query", status_code=200, responses=described(SessionMetrics))
async def query_metrics(data: JSONBody[NameQuery], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Say how sessions are spread."""
    where = await select(data.filter, parts, principal.organisation_id)
    wanted = Wanted(span=data.time_filter or _lately(parts.clock()))

    def read() -> SessionMetrics:
        found = [
            session
            for session in Sessions(parts.calls, principal.organisation_id, where, wanted).all()
            if data.name_contains.lower() in session.session_name.lower()
        ]
        counts = [float(one.calls) for one in found]
        seconds = [(one.latest_us - one.created_us) / 1_000_000 for one in found]
        costs = [one.cost_nanodollars / 1_000_000_000 for one in found]
        drawn = [histogram(one, data.p_size, interquartile=data.use_interquartile) for one in (counts, seconds, costs)]
        return SessionMetrics(
            session_count=drawn[0],
            session_duration=drawn[1],
            session_cost=drawn[2],
            average=Averages(
                session_cost=[Average(mean(costs))],
                session_duration=[Average(mean(seconds))],
                session_count=[Average(mean(counts))],
            ),
        )

    return answer(await asyncio.to_thread(read))


ROUTES: list[HTTPRouteHandler] = [query_names, query_metrics]


def _lately(now_us: int) -> TimeFilter:
    now_ms = now_us / 1000
    return TimeFilter(now_ms - DAYS * 86_400_000, now_ms + 86_400_000)


def _named(name: str, sessions: list[SessionSummary]) -> NameResult:
    first = min(one.created_us for one in sessions)
    return NameResult(
        name=name,
        created_at=iso(first),
        last_used=iso(max(one.latest_us for one in sessions)),
        first_used=iso(first),
        session_count=len(sessions),
        avg_latency=mean([one.mean_duration_us / 1000 for one in sessions]),
    )
