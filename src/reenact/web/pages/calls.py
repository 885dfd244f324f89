"""All calls, newest first: also those that no session holds together."""

import asyncio

import msgspec
from litestar import Response, get
from litestar.params import FromQuery

from reenact.domain.call import Call
from reenact.domain.filter import All, AnyOf, Condition, Everything, Filter, Operator, Sort
from reenact.web.frame import Frame
from reenact.web.linking import list_href
from reenact.web.parts import Given, Visit
from reenact.web.renderer import html, render

PAGE = 100


class CallsPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the list of calls shows."""

    frame: Frame
    """What stands around the page."""
    calls: tuple[Call, ...]
    """One page of calls, newest first."""
    search: str
    """What is searched for in requests and answers."""
    only_failed: bool
    """Whether only calls that failed are listed."""
    is_filtered: bool
    """Whether the list is narrowed."""
    newer_href: str
    """The page before this one; empty on the first."""
    older_href: str
    """The page after this one; empty on the last."""


@get("/calls")
async def show_calls(
    visit: Given, q: FromQuery[str] = "", failed: FromQuery[bool] = False, offset: FromQuery[int] = 0
) -> Response[bytes]:
    """Show the calls of whoever asks."""
    return html(await asyncio.to_thread(lambda: render(read_page(visit, q, failed, max(offset, 0)))))


def read_page(visit: Visit, search: str, only_failed: bool, offset: int) -> CallsPage:
    """Read one page of the list; *offset* counts calls from the newest."""
    found = visit.parts.calls.find(
        visit.organisation_id, _where(search, only_failed), Sort(), offset=offset, limit=PAGE + 1
    )
    query = {"q": search, "failed": "true" if only_failed else ""}
    return CallsPage(
        frame=Frame(title="Calls", section="calls", is_signed_in=visit.is_signed_in),
        calls=tuple(found[:PAGE]),
        search=search,
        only_failed=only_failed,
        is_filtered=bool(search or only_failed or offset),
        newer_href=list_href("/calls", **query, offset=max(offset - PAGE, 0)) if offset else "",
        older_href=list_href("/calls", **query, offset=offset + PAGE) if len(found) > PAGE else "",
    )


def _where(search: str, only_failed: bool) -> Filter:
    wanted: list[Filter] = []
    if search:
        bodies = ("request_body", "response_body")
        wanted.append(AnyOf(tuple(Condition(column=name, operator=Operator.CONTAINS, value=search) for name in bodies)))
    if only_failed:
        failed = Condition(column="status", operator=Operator.GTE, value=400)
        broken = Condition(column="status", operator=Operator.LTE, value=0)
        wanted.append(AnyOf((failed, broken)))
    return All(tuple(wanted)) if wanted else Everything()
