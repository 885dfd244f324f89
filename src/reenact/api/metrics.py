"""Metrics: Helicone's `/v1/metrics` routes, sums of calls as a number, over time, or by what they have in a column.

Numbers that no call has leave means at 0, as at Helicone; a cost leaves out what has no known price.
"""

import asyncio
from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from reenact.access.principal import Principal
from reenact.api.envelope import answer, described
from reenact.api.filtering import every
from reenact.api.guard import GivenParts, GivenPrincipal
from reenact.api.parts import Parts
from reenact.api.rows import iso
from reenact.api.selector import select
from reenact.api.spans import STEPS, Count, Increment, Minutes, TimeSpan, ahead_minutes, within
from reenact.domain.filter import Condition, Filter, Operator
from reenact.domain.message import Json
from reenact.domain.total import Grouping, Rank, Total
from reenact.errors import InvalidInput

T = TypeVar("T")
MAX_ROWS = 1000
MAX_PIECES = 100_000

_RANKS = (0.75, 0.9, 0.95, 0.99)
_MEASURES = {
    "latency": "latency_ms",
    "time_to_first_token": "first_token_ms",
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "total_tokens": "total_tokens",
    "cost": "cost_dollars",
}


class Question(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which calls are summed."""

    filter: Json
    time_filter: TimeSpan | None = None


class CountQuestion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which calls are counted."""

    filter: Json
    is_cached: bool = False
    """True: only those answered from a cache."""


class TimeQuestion(Question, frozen=True, kw_only=True, rename="camel"):
    """Which calls are summed, and over which pieces of time."""

    db_increment: Increment = "hour"
    time_zone_difference: Minutes = 0
    """Minutes that local time is behind UTC, as JavaScript gives it."""


class QuantileQuestion(TimeQuestion, frozen=True, kw_only=True, rename="camel"):
    """Of what, too."""

    metric: str = "latency"


class PageQuestion(Question, frozen=True, kw_only=True, rename="camel"):
    """Which calls are summed, and which rows are wanted."""

    offset: Count = 0
    limit: Annotated[int, msgspec.Meta(ge=0, le=MAX_ROWS)] = 100


class AverageTokens(msgspec.Struct, frozen=True):
    """Means of the calls."""

    average_prompt_tokens_per_response: float
    average_completion_tokens_per_response: float
    average_total_tokens_per_response: float


class CountPoint(msgspec.Struct, frozen=True):
    """How many, in the piece of time that begins at `time`."""

    time: str
    count: int


class StatusPoint(msgspec.Struct, frozen=True):
    """How many had a status."""

    time: str
    status: int
    count: int


class CostPoint(msgspec.Struct, frozen=True):
    """US dollars."""

    time: str
    cost: float


class TokenPoint(msgspec.Struct, frozen=True):
    """Tokens in and out."""

    time: str
    prompt_tokens: int
    completion_tokens: int


class LatencyPoint(msgspec.Struct, frozen=True):
    """Milliseconds, the mean."""

    time: str
    duration: float


class FirstTokenPoint(msgspec.Struct, frozen=True):
    """Milliseconds, the mean of streams."""

    time: str
    ttft: float


class QuantilePoint(msgspec.Struct, frozen=True):
    """Percentiles."""

    time: str
    p75: float
    p90: float
    p95: float
    p99: float


class ModelRow(msgspec.Struct, frozen=True):
    """What one model was used for."""

    model: str
    total_requests: int
    total_completion_tokens: int
    total_prompt_token: int
    total_tokens: int
    cost: float
    unpriced_requests: int
    """Calls that the cost leaves out, since their price is not known. Ours."""


class CountryRow(msgspec.Struct, frozen=True):
    """How many calls came from a country."""

    country: str
    total_requests: int


class ProviderRow(msgspec.Struct, frozen=True):
    """How many calls a provider answered."""

    provider: str
    total_requests: int


def dollars(total: Total) -> float:
    """Return what a group of calls cost."""
    return total.cost_nanodollars / 1_000_000_000


def mean_ms(total_us: int, calls: int) -> float:
    """Return the mean in milliseconds; 0 of nothing."""
    return total_us / 1000 / calls if calls else 0.0


def mean_tokens(total: Total) -> AverageTokens:
    """Return the means of the tokens."""
    calls = total.calls or 1
    return AverageTokens(
        total.input_tokens / calls, total.output_tokens / calls, (total.input_tokens + total.output_tokens) / calls
    )


async def where_of(question: Question, parts: Parts, principal: Principal) -> Filter:
    """Return which calls a question is about, once those answered by now can be found."""
    where = await select(question.filter, parts, principal.organisation_id)
    return every([where, *within(question.time_filter)])


async def _one(
    question: Question, parts: Parts, principal: Principal, read: Callable[[Total], object], *, distinct: bool = False
) -> Response[bytes]:
    """Answer a number."""
    where, grouping = await where_of(question, parts, principal), Grouping(count_distinct=distinct)
    (total,) = await asyncio.to_thread(parts.calls.totals, principal.organisation_id, where, grouping)
    return answer(read(total))


async def _series(
    question: TimeQuestion,
    parts: Parts,
    principal: Principal,
    read: Callable[[str, Total], object],
    grouping: Grouping | None = None,
) -> Response[bytes]:
    """Answer one point for each piece of time that has a call, the oldest first."""
    where = await where_of(question, parts, principal)
    cut = msgspec.structs.replace(
        grouping or Grouping(),
        step=STEPS[question.db_increment],
        offset_minutes=ahead_minutes(question.time_zone_difference),
    )

    def totals() -> list[Total]:
        return parts.calls.totals(principal.organisation_id, where, cut, limit=MAX_PIECES)

    return answer([read(iso(one.start_us or 0), one) for one in await asyncio.to_thread(totals)])


async def ranked(
    question: PageQuestion, parts: Parts, principal: Principal, column: str, by: str = "calls"
) -> list[Total]:
    """Return one sum for each value of a column, the largest first."""
    where = await where_of(question, parts, principal)

    def totals() -> list[Total]:
        return parts.calls.totals(
            principal.organisation_id,
            where,
            Grouping(column=column),
            rank=Rank(by=by, ascending=False),
            offset=question.offset,
            limit=question.limit,
        )

    return await asyncio.to_thread(totals)


def _total_route(
    name: str, kind: object, summary: str, read: Callable[[Total], object], *, distinct: bool = False
) -> HTTPRouteHandler:
    """Return the route that answers one number."""

    async def handle(data: JSONBody[Question], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
        return await _one(data, parts, principal, read, distinct=distinct)

    return post(
        f"/v1/metrics/{name}", status_code=200, responses=described(kind), description=summary, operation_id=name
    )(handle)


def _series_route(
    name: str,
    kind: object,
    summary: str,
    read: Callable[[str, Total], object],
    grouping: Grouping | None = None,
) -> HTTPRouteHandler:
    """Return the route that answers points over time."""

    async def handle(data: JSONBody[TimeQuestion], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
        return await _series(data, parts, principal, read, grouping)

    return post(
        f"/v1/metrics/{name}", status_code=200, responses=described(kind), description=summary, operation_id=name
    )(handle)


TOTALS: list[HTTPRouteHandler] = [
    _total_route("totalRequests", int, "Count calls.", lambda one: one.calls),
    _total_route("totalCost", float, "Sum what calls cost, in US dollars.", dollars),
    _total_route("totalThreats", int, "Count calls that were refused as attacks.", lambda one: one.threats),
    _total_route("activeUsers", int, "Count users.", lambda one: one.users or 0, distinct=True),
    _total_route("averageLatency", float, "Mean milliseconds.", lambda one: mean_ms(one.duration_us, one.calls)),
    _total_route(
        "averageTimeToFirstToken", float, "Mean milliseconds to the first token of streams.",
        lambda one: mean_ms(one.first_token_us, one.first_token_calls),
    ),
    _total_route("averageTokensPerRequest", AverageTokens, "Mean tokens.", mean_tokens),
]  # fmt: skip
SERIES: list[HTTPRouteHandler] = [
    _series_route(
        "requestOverTime", list[CountPoint], "Count calls over time.", lambda time, one: CountPoint(time, one.calls)
    ),
    _series_route(
        "errorOverTime", list[CountPoint], "Count failed calls over time.",
        lambda time, one: CountPoint(time, one.failed_calls),
    ),
    _series_route(
        "threatsOverTime", list[CountPoint], "Count refused attacks over time.",
        lambda time, one: CountPoint(time, one.threats),
    ),
    _series_route(
        "usersOverTime", list[CountPoint], "Count users over time.",
        lambda time, one: CountPoint(time, one.users or 0), Grouping(count_distinct=True),
    ),
    _series_route(
        "requestStatusOverTime", list[StatusPoint], "Count calls by status over time.",
        lambda time, one: StatusPoint(time, int(one.value or 0), one.calls), Grouping(column="status"),
    ),
    _series_route(
        "costOverTime", list[CostPoint], "Sum costs over time.", lambda time, one: CostPoint(time, dollars(one))
    ),
    _series_route(
        "tokensOverTime", list[TokenPoint], "Sum tokens over time.",
        lambda time, one: TokenPoint(time, one.input_tokens, one.output_tokens),
    ),
    _series_route(
        "latencyOverTime", list[LatencyPoint], "Mean milliseconds over time.",
        lambda time, one: LatencyPoint(time, mean_ms(one.duration_us, one.calls)),
    ),
    _series_route(
        "timeToFirstToken", list[FirstTokenPoint], "Mean milliseconds to the first token over time.",
        lambda time, one: FirstTokenPoint(time, mean_ms(one.first_token_us, one.first_token_calls)),
    ),
]  # fmt: skip


@post("/v1/metrics/requestCount", status_code=200, responses=described(int))
async def count_calls(data: JSONBody[CountQuestion], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Count calls."""
    where = await select(data.filter, parts, principal.organisation_id)
    if data.is_cached:
        where = every([where, Condition(column="cached", operator=Operator.EQUALS, value=True)])
    return answer(await asyncio.to_thread(parts.calls.count, principal.organisation_id, where))


@post("/v1/metrics/models", status_code=200, responses=described(list[ModelRow]))
async def rank_models(data: JSONBody[PageQuestion], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Sum calls by model, the most used first."""
    return answer(
        [
            ModelRow(
                one.value or "", one.calls, one.output_tokens, one.input_tokens, one.input_tokens + one.output_tokens,
                dollars(one), one.unpriced_calls,
            )
            for one in await ranked(data, parts, principal, "model")
        ]
    )  # fmt: skip


@post("/v1/providers", status_code=200, responses=described(list[ProviderRow]))
async def rank_providers(data: JSONBody[PageQuestion], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Count calls by provider, the most used first."""
    found = await ranked(data, parts, principal, "provider")
    return answer([ProviderRow((one.value or "").upper(), one.calls) for one in found])


@post("/v1/metrics/country", status_code=200, responses=described(list[CountryRow]))
async def rank_countries(data: JSONBody[PageQuestion], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Count calls by country. This server looks no address up: all calls are of country `unknown`."""
    where = await where_of(data, parts, principal)
    count = await asyncio.to_thread(parts.calls.count, principal.organisation_id, where)
    is_shown = count > 0 and data.offset == 0 and data.limit > 0
    return answer([CountryRow("unknown", count)] if is_shown else [])


@post("/v1/metrics/quantiles", status_code=200, responses=described(list[QuantilePoint]))
async def rank_values(
    data: JSONBody[QuantileQuestion], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Percentiles of a number over time; milliseconds, tokens or US dollars."""
    column = _MEASURES.get(data.metric)
    if column is None:
        raise InvalidInput(f"Unknown metric; known: {', '.join(_MEASURES)}.", "metric", data.metric)
    where = await where_of(data, parts, principal)
    found = await asyncio.to_thread(
        lambda: parts.calls.percentiles(
            principal.organisation_id,
            column,
            _RANKS,
            where,
            step=STEPS[data.db_increment],
            offset_minutes=ahead_minutes(data.time_zone_difference),
        )
    )
    return answer([QuantilePoint(iso(one.start_us or 0), *one.values) for one in found])


ROUTES: list[HTTPRouteHandler] = [
    *TOTALS, *SERIES, count_calls, rank_models, rank_providers, rank_countries, rank_values,
]  # fmt: skip
