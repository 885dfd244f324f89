"""Requests: Helicone's `/v1/request` routes. A "request" is our Call (surface 3.2).

Two choices where Helicone's behaviour would lose data silently: `isScored`, `isCached` and `isPartOfExperiment` restrict
when true and mean "do not care" when false, since Helicone's own export tool sends false; and `limit` may be over 1000 when
the filter names one session, so that no session is ever cut.
"""

import asyncio
import math
import uuid
from typing import Annotated

import msgspec
from litestar import Response, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter

from reenact.api.envelope import answer, described, encoded, pieced
from reenact.api.filtering import every, named_session
from reenact.api.guard import WRITES, GivenPager, GivenParts, GivenPrincipal
from reenact.api.listener import JsonRequest, note_unknown
from reenact.api.pager import Pager
from reenact.api.parts import Parts
from reenact.api.rating import SCORED
from reenact.api.rows import HeliconeRequest
from reenact.api.selector import select
from reenact.api.sorting import read_sort
from reenact.api.textsorter import Page, find_sorted
from reenact.domain.filter import Condition, Filter, Operator
from reenact.domain.message import Json
from reenact.errors import InvalidInput, NotFound

MAX_LIMIT = 1000
MAX_SESSION_LIMIT = 100_000
MAX_IDS = 1000

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class RequestQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which requests, in which order, which page of them. Unknown keys are ignored."""

    filter: Json
    """Helicone's filter in either form; "all" and {} mean every request."""
    offset: Count = 0
    limit: Count = 10
    """At most 1000, more when the filter names one session."""
    sort: Json = None
    """One key, such as {"created_at": "asc"}; newest first when missing. Texts of at most 10,000 calls are sorted."""
    sort_by: Json = None
    """The replay guide's form: {"key": "request_created_at", "direction": "asc"}."""
    is_cached: bool = msgspec.field(default=False, name="isCached")
    """True: only those answered from a cache."""
    include_inputs: bool = msgspec.field(default=False, name="includeInputs")
    """Accepted; has no effect, as at Helicone."""
    is_part_of_experiment: bool = msgspec.field(default=False, name="isPartOfExperiment")
    """True: only those with a Helicone-Experiment-Id."""
    is_scored: bool = msgspec.field(default=False, name="isScored")
    """True: only those with scores. False: all, scored or not."""


class Ids(msgspec.Struct, frozen=True):
    """Which requests, by id."""

    request_ids: Annotated[list[str], msgspec.Meta(max_length=MAX_IDS)] = msgspec.field(name="requestIds")


class Rating(msgspec.Struct, frozen=True):
    """A thumb up or down."""

    rating: bool


class Property(msgspec.Struct, frozen=True):
    """One property to set."""

    key: Annotated[str, msgspec.Meta(min_length=1)]
    value: str


class Scores(msgspec.Struct, frozen=True):
    """Scores by name; decimals are kept, booleans become 1 or 0 under their name with `-hcone-bool`."""

    scores: dict[str, bool | float]


@post("/v1/request/query", status_code=200, responses=described(list[HeliconeRequest]))
async def query_requests(
    data: JSONBody[RequestQuery], request: JsonRequest, parts: GivenParts, pager: GivenPager
) -> Response[bytes]:
    """Find requests. Scores carry their type, as this route always had them."""
    return await _page(data, request, parts, msgspec.structs.replace(pager, typed_scores=True))


@post("/v1/request/query-clickhouse", status_code=200, responses=described(list[HeliconeRequest]))
async def query_clickhouse(
    data: JSONBody[RequestQuery], request: JsonRequest, parts: GivenParts, pager: GivenPager
) -> Response[bytes]:
    """Find requests. Helicone's present route: the same as `/v1/request/query` but for the shape of scores."""
    return await _page(data, request, parts, pager)


@post("/v1/request/count/query", status_code=200, responses=described(int))
async def count_requests(
    data: JSONBody[RequestQuery], request: JsonRequest, parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Count the requests that match, whatever the page."""
    await note_unknown(request, RequestQuery)
    where = await _where(data, parts, principal.organisation_id)
    return answer(await asyncio.to_thread(parts.calls.count, principal.organisation_id, where))


@post("/v1/request/query-ids", status_code=200, responses=described(list[HeliconeRequest]))
async def query_ids(data: JSONBody[Ids], parts: GivenParts, pager: GivenPager) -> Response[bytes]:
    """Get requests by id, in the order asked; unknown ids are left out."""
    await parts.settle()
    return await pieced(pager.page(await asyncio.to_thread(parts.calls.get, pager.organisation_id, data.request_ids)))


@get("/v1/request/{request_id:str}", responses=described(HeliconeRequest))
async def get_request(
    request_id: FromPath[str],
    parts: GivenParts,
    pager: GivenPager,
    include_body: Annotated[bool, QueryParameter(name="includeBody")] = True,
) -> Response[bytes]:
    """Get one request; with `includeBody=false` its bodies are at `signed_body_url` only."""
    await parts.settle()

    def read() -> bytes:
        calls = parts.calls.get(pager.organisation_id, [request_id])
        if not calls:
            raise NotFound("Request not found")
        return pager.one(calls[0], with_bodies=include_body)

    return encoded(await asyncio.to_thread(read))


class PromptInputs(msgspec.Struct, frozen=True):
    """What a prompt was given."""

    inputs: dict[str, str]
    prompt_id: str
    version_id: str = ""
    """Empty: tags know no versions."""
    environment: str | None = None


@get("/v1/request/{request_id:str}/inputs", responses=described(PromptInputs | None))
async def get_inputs(request_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Get what a request marked as inputs of the prompt it named (`Helicone-Prompt-Id`); null when it marked nothing."""
    await parts.settle()

    def read() -> PromptInputs | None:
        calls = parts.calls.get(principal.organisation_id, [request_id])
        if not calls:
            raise NotFound("Request not found")
        bodies = parts.calls.bodies(principal.organisation_id, [request_id]).get(request_id)
        tagged = None if bodies is None else bodies.tagged
        return None if tagged is None else PromptInputs(tagged.inputs, calls[0].labels.prompt_id or "")

    return answer(await asyncio.to_thread(read))


@post("/v1/request/{request_id:str}/feedback", status_code=200, opt=WRITES, responses=described(None))
async def rate_request(
    request_id: FromPath[str], data: JSONBody[Rating], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Say whether a request went well; stored as the score `helicone-score-feedback`."""
    try:
        uuid.UUID(request_id)
    except ValueError:
        raise InvalidInput("Invalid requestId: must be a valid UUID", "requestId", request_id) from None
    await parts.settle()
    await asyncio.to_thread(parts.calls.set_feedback, principal.organisation_id, request_id, data.rating)
    return answer(None)


@put("/v1/request/{request_id:str}/property", opt=WRITES, responses=described(None))
async def set_property(
    request_id: FromPath[str], data: JSONBody[Property], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Set or replace one property of a request."""
    await parts.settle()
    await asyncio.to_thread(parts.calls.set_property, principal.organisation_id, request_id, data.key, data.value)
    return answer(None)


@post("/v1/request/{request_id:str}/score", status_code=200, opt=WRITES, responses=described(None))
async def score_request(
    request_id: FromPath[str], data: JSONBody[Scores], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Set scores of a request; the last write of a name wins, other names stay."""
    scores = {
        f"{name}-hcone-bool" if isinstance(value, bool) else name: float(value) for name, value in data.scores.items()
    }
    for name, value in scores.items():
        if not math.isfinite(value):
            raise InvalidInput("Expected a finite number.", f"scores.{name}")
    await parts.settle()
    await asyncio.to_thread(parts.calls.set_scores, principal.organisation_id, request_id, scores)
    return answer(None)


ROUTES: list[HTTPRouteHandler] = [
    query_requests, query_clickhouse, count_requests, query_ids, get_request, get_inputs, rate_request, set_property,
    score_request,
]  # fmt: skip


async def _page(data: JSONBody[RequestQuery], request: JsonRequest, parts: Parts, pager: Pager) -> Response[bytes]:
    await note_unknown(request, RequestQuery)
    sort = read_sort(data.sort, data.sort_by)
    where = await _where(data, parts, pager.organisation_id)
    most = MAX_LIMIT if named_session(where) is None else MAX_SESSION_LIMIT
    if data.limit > most:
        raise InvalidInput(
            f"invalid limit: at most {MAX_LIMIT}, or {MAX_SESSION_LIMIT} when the filter names one session.",
            "limit",
            data.limit,
        )

    wanted = Page(where, sort, data.offset, data.limit)
    return await pieced(pager.page(await asyncio.to_thread(find_sorted, parts.calls, pager.organisation_id, wanted)))


async def _where(data: RequestQuery, parts: Parts, organisation_id: str) -> Filter:
    """Return the filter that the whole query means, once calls answered by now can be found."""
    wanted = [await select(data.filter, parts, organisation_id)]
    if data.is_cached:
        wanted.append(Condition(column="cached", operator=Operator.EQUALS, value=True))
    if data.is_scored:
        wanted.append(SCORED)
    if data.is_part_of_experiment:
        wanted.append(Condition(column="property_key", operator=Operator.EQUALS, value="Helicone-Experiment-Id"))
    return every(wanted)
