"""Search: calls by the words in what was asked or answered. Ours; at Helicone it takes a filter for each side."""

import asyncio
from typing import Annotated

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from reenact.api.envelope import described, pieced
from reenact.api.filtering import every
from reenact.api.guard import GivenPager, GivenParts
from reenact.api.rows import HeliconeRequest
from reenact.api.selector import select
from reenact.api.sorting import read_sort
from reenact.api.spans import Count
from reenact.api.textsorter import Page, find_sorted
from reenact.domain.filter import AnyOf, Condition, Operator
from reenact.domain.filtering import words
from reenact.domain.message import Json
from reenact.errors import InvalidInput


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which words, in which calls."""

    query: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    """All of its words must stand on one side, in any order and case."""
    filter: Json = "all"
    sort: Json = None
    offset: Count = 0
    limit: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 10


@post("/v1/search", status_code=200, responses=described(list[HeliconeRequest]))
async def search_calls(data: JSONBody[SearchQuery], parts: GivenParts, pager: GivenPager) -> Response[bytes]:
    """Find calls by what was said in them."""
    if not words(data.query):
        raise InvalidInput("Expected a word.", "query", data.query)
    said = AnyOf(
        tuple(
            Condition(column=side, operator=Operator.CONTAINS, value=data.query)
            for side in ("request_body", "response_body")
        )
    )
    where = every([await select(data.filter, parts, pager.organisation_id), said])
    sort = read_sort(data.sort, None)
    wanted = Page(where, sort, data.offset, data.limit)
    return await pieced(pager.page(await asyncio.to_thread(find_sorted, parts.calls, pager.organisation_id, wanted)))


ROUTES: list[HTTPRouteHandler] = [search_calls]
