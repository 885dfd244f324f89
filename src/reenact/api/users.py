"""Users: Helicone's `/v1/user` routes: what each user of the agents asked and spent (surface 3.6)."""

import asyncio
from typing import Annotated, Literal

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from reenact.api.envelope import answer, described
from reenact.api.filtering import every
from reenact.api.guard import GivenParts, GivenPrincipal
from reenact.api.histogramming import Bar, Percentile, histogram
from reenact.api.metrics import dollars
from reenact.api.parts import Parts
from reenact.api.rows import iso
from reenact.api.selector import select
from reenact.api.spans import Count, Minutes, SecondSpan, ahead_minutes, within_seconds
from reenact.api.summing import holds_of_user, part_of_users
from reenact.domain.filter import Condition, Filter, OneOf, Operator
from reenact.domain.message import Json
from reenact.domain.total import Grouping, Total
from reenact.errors import InvalidInput

MAX_LIMIT = 1000
_ALL_USERS = 2**31
_NAMED = Condition(column="user_id", operator=Operator.NOT_EQUALS, value="")

Way = Literal["asc", "desc"]


class UserMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """What one user asked and spent."""

    id: str
    user_id: str
    active_for: int
    """Days on which they asked something."""
    first_active: str
    last_active: str
    total_requests: int
    average_requests_per_day_active: float
    average_tokens_per_request: float
    total_completion_tokens: int
    total_prompt_tokens: int
    cost: float
    """US dollars of the calls whose price is known."""
    rate_limited_count: int = 0


class UsersPage(msgspec.Struct, frozen=True, rename="camel"):
    """A page of users."""

    users: list[UserMetrics]
    count: int
    """Of all that match."""
    has_users: bool


class MetricsQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which users, in which order, which page."""

    filter: Json
    """Of calls, ANDed with conditions on `users_view`."""
    offset: Count = 0
    limit: Annotated[int, msgspec.Meta(ge=0, le=MAX_LIMIT)] = 50
    time_filter: SecondSpan | None = None
    time_zone_difference_minutes: Minutes = 0
    sort: dict[str, Way] | None = None
    """One key, such as {"cost": "desc"}; who was active last comes first when missing."""


class OverviewQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which users, and how far their values are drawn."""

    filter: Json
    p_size: Percentile = "p75"
    use_interquartile: bool = False


class Overview(msgspec.Struct, frozen=True):
    """How users are spread by their calls and their cost."""

    request_count: list[Bar]
    user_cost: list[Bar]


class UserQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which users."""

    user_ids: list[str] | None = None
    """None: all."""
    time_filter: SecondSpan | None = None


class UserRow(msgspec.Struct, frozen=True):
    """What one user asked and spent, in short."""

    user_id: str
    count: int
    prompt_tokens: int
    completion_tokens: int
    cost: float


@post("/v1/user/metrics/query", status_code=200, responses=described(UsersPage))
async def query_metrics(data: JSONBody[MetricsQuery], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Sum calls by user."""
    key, way = next(iter((data.sort or {"last_active": "desc"}).items()), ("last_active", "desc"))
    if key not in UserMetrics.__struct_fields__:
        raise InvalidInput(f"Unknown sort key; known: {', '.join(UserMetrics.__struct_fields__)}.", f"sort.{key}")
    ahead = ahead_minutes(data.time_zone_difference_minutes)
    found = await _metrics(data.filter, within_seconds(data.time_filter), parts, principal.organisation_id, ahead)
    found.sort(key=lambda one: one.user_id)
    found.sort(key=lambda one: getattr(one, key), reverse=way == "desc")
    page = found[data.offset : data.offset + data.limit]
    return answer(UsersPage(page, len(found), bool(found)))


@post("/v1/user/metrics-overview/query", status_code=200, responses=described(Overview))
async def query_overview(
    data: JSONBody[OverviewQuery], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Say how users are spread."""
    found = await _metrics(data.filter, [], parts, principal.organisation_id, 0)
    counts, costs = [float(one.total_requests) for one in found], [one.cost for one in found]
    drawn = [histogram(one, data.p_size, interquartile=data.use_interquartile) for one in (counts, costs)]
    return answer(Overview(drawn[0], drawn[1]))


@post("/v1/user/query", status_code=200, responses=described(list[UserRow]))
async def query_users(data: JSONBody[UserQuery], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Sum calls by user, those with these ids or all."""
    await parts.settle()
    chosen = _NAMED if data.user_ids is None else OneOf(column="user_id", values=tuple(data.user_ids))
    where = every([chosen, *within_seconds(data.time_filter)])
    found = await asyncio.to_thread(_totals, parts, principal.organisation_id, where, 0)
    return answer(
        [UserRow(one.value or "", one.calls, one.input_tokens, one.output_tokens, dollars(one)) for one in found]
    )


ROUTES: list[HTTPRouteHandler] = [query_metrics, query_overview, query_users]


async def _metrics(raw: Json, spans: list[Filter], parts: Parts, organisation_id: str, ahead: int) -> list[UserMetrics]:
    of_calls, of_users = part_of_users(raw)
    where = every([_NAMED, *spans, *[await select(one, parts, organisation_id) for one in of_calls]])
    found = [_user(one) for one in await asyncio.to_thread(_totals, parts, organisation_id, where, ahead)]
    return [one for one in found if all(holds_of_user(test, one) for test in of_users)]


def _totals(parts: Parts, organisation_id: str, where: Filter, ahead: int) -> list[Total]:
    grouping = Grouping(column="user_id", count_distinct=True, offset_minutes=ahead)
    return parts.calls.totals(organisation_id, where, grouping, limit=_ALL_USERS)


def _user(total: Total) -> UserMetrics:
    days = total.active_days or 1
    return UserMetrics(
        id=total.value or "",
        user_id=total.value or "",
        active_for=total.active_days or 0,
        first_active=iso(total.first_us or 0),
        last_active=iso(total.latest_us or 0),
        total_requests=total.calls,
        average_requests_per_day_active=total.calls / days,
        average_tokens_per_request=(total.input_tokens + total.output_tokens) / (total.calls or 1),
        total_completion_tokens=total.output_tokens,
        total_prompt_tokens=total.input_tokens,
        cost=dollars(total),
    )
