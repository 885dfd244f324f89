"""Properties: Helicone's `/v1/property` routes: which there are, their values, what was spent by value (surface 3.6)."""

import asyncio
from typing import Annotated

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from reenact.api.envelope import answer, described
from reenact.api.filtering import every
from reenact.api.guard import WRITES, GivenParts, GivenPrincipal
from reenact.api.metrics import MAX_PIECES, dollars
from reenact.api.parts import Parts
from reenact.api.rows import iso
from reenact.api.selector import select
from reenact.api.spans import STEPS, Increment, Minutes, TimeSpan, ahead_minutes, within
from reenact.domain.filter import Condition, Operator
from reenact.domain.message import Json
from reenact.domain.total import Grouping, Rank, Total

MOST_VALUES = 100


class Nothing(msgspec.Struct, frozen=True):
    """No field is read."""


class PropertyName(msgspec.Struct, frozen=True):
    """One property's name."""

    property: str


class Key(msgspec.Struct, frozen=True):
    """One property's name."""

    key: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Term(msgspec.Struct, frozen=True, rename="camel"):
    """A part of the values looked for."""

    search_term: str = ""


class InTime(msgspec.Struct, frozen=True, rename="camel"):
    """When."""

    time_filter: TimeSpan | None = None


class OverTime(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which property, of which calls, in which pieces of time."""

    property_key: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    time_filter: TimeSpan
    user_filter: Json = "all"
    db_increment: Increment = "hour"
    time_zone_difference: Minutes = 0


class ValueCost(msgspec.Struct, frozen=True):
    """What the calls with a value cost, US dollars."""

    value: str
    cost: float


class ValueCount(msgspec.Struct, frozen=True):
    """How many calls have a value."""

    value: str
    count: int


class PropertyPoint(msgspec.Struct, frozen=True):
    """The calls with one value in one piece of time."""

    created_at_trunc: str
    property: str
    request_count: int
    total_cost: float


@post("/v1/property/query", status_code=200, responses=described(list[PropertyName]))
async def list_properties(parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """List the custom properties that calls have, without the hidden ones."""
    await parts.settle()
    organisation_id = principal.organisation_id

    def read() -> list[PropertyName]:
        hidden = {key.lower() for key in parts.hidden.keys_of(organisation_id)}
        return [PropertyName(key) for key in parts.calls.property_keys(organisation_id) if key.lower() not in hidden]

    return answer(await asyncio.to_thread(read))


@post("/v1/property/hidden/query", status_code=200, responses=described(list[PropertyName]))
async def list_hidden(parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """List the hidden properties."""
    keys = await asyncio.to_thread(parts.hidden.keys_of, principal.organisation_id)
    return answer([PropertyName(key) for key in keys])


@post("/v1/property/hide", status_code=200, opt=WRITES, responses=described(dict[str, bool]))
async def hide_property(data: JSONBody[Key], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Leave a property out of lists; calls keep it."""
    await asyncio.to_thread(parts.hidden.hide, principal.organisation_id, data.key)
    return answer({"ok": True})


@post("/v1/property/restore", status_code=200, opt=WRITES, responses=described(dict[str, bool]))
async def restore_property(data: JSONBody[Key], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """List a property again."""
    await asyncio.to_thread(parts.hidden.restore, principal.organisation_id, data.key)
    return answer({"ok": True})


@post("/v1/property/{property_key:str}/search", status_code=200, responses=described(list[str]))
async def search_values(
    property_key: FromPath[str], data: JSONBody[Term], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """List a property's values that contain a text."""
    await parts.settle()

    def read() -> list[str]:
        return parts.calls.property_values(
            principal.organisation_id, property_key, search=data.search_term, limit=MOST_VALUES
        )

    return answer(await asyncio.to_thread(read))


@post("/v1/property/{property_key:str}/top-costs/query", status_code=200, responses=described(list[ValueCost]))
async def rank_costs(
    property_key: FromPath[str], data: JSONBody[InTime], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Sum costs by value, the largest first."""
    found = await _ranked(parts, principal.organisation_id, property_key, data, "cost_nanodollars")
    return answer([ValueCost(one.value or "", dollars(one)) for one in found])


@post("/v1/property/{property_key:str}/top-requests/query", status_code=200, responses=described(list[ValueCount]))
async def rank_counts(
    property_key: FromPath[str], data: JSONBody[InTime], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Count calls by value, the largest first."""
    found = await _ranked(parts, principal.organisation_id, property_key, data, "calls")
    return answer([ValueCount(one.value or "", one.calls) for one in found])


@post("/v1/property/properties/over-time", status_code=200, responses=described(list[PropertyPoint]))
async def query_over_time(data: JSONBody[OverTime], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Sum calls by value over time."""
    organisation_id = principal.organisation_id
    where = every(
        [
            await select(data.user_filter, parts, organisation_id, "userFilter"),
            *within(data.time_filter),
            Condition(column="property_key", operator=Operator.EQUALS, value=data.property_key),
        ]
    )
    grouping = Grouping(
        step=STEPS[data.db_increment],
        offset_minutes=ahead_minutes(data.time_zone_difference),
        column="properties",
        key=data.property_key,
    )

    def read() -> list[PropertyPoint]:
        return [
            PropertyPoint(iso(one.start_us or 0), one.value or "", one.calls, dollars(one))
            for one in parts.calls.totals(organisation_id, where, grouping, limit=MAX_PIECES)
        ]

    return answer(await asyncio.to_thread(read))


ROUTES: list[HTTPRouteHandler] = [
    list_properties, list_hidden, hide_property, restore_property, search_values, rank_costs, rank_counts,
    query_over_time,
]  # fmt: skip


async def _ranked(parts: Parts, organisation_id: str, key: str, data: InTime, by: str) -> list[Total]:
    """Return sums by value of the calls that have the property, the largest first."""
    await parts.settle()
    has = Condition(column="property_key", operator=Operator.EQUALS, value=key)
    where = every([has, *within(data.time_filter)])
    grouping, rank = Grouping(column="properties", key=key), Rank(by=by, ascending=False)
    return await asyncio.to_thread(
        lambda: parts.calls.totals(organisation_id, where, grouping, rank=rank, limit=MOST_VALUES)
    )
