"""The front page: all sessions, newest first."""

import asyncio

import msgspec
from litestar import Response, get
from litestar.params import FromQuery

from reenact.domain.call import SessionSummary
from reenact.web.frame import Frame
from reenact.web.linking import list_href
from reenact.web.parts import Given, Visit
from reenact.web.renderer import html, render

PAGE = 50


class SessionsPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the front page shows."""

    frame: Frame
    """What stands around the page."""
    origin: str
    """The address of this server, for the lines that point an agent here."""
    sessions: tuple[SessionSummary, ...]
    """One page of sessions, newest first."""
    search: str
    """What is searched for in ids and names."""
    name: str
    """The one name whose sessions are listed; empty for all."""
    is_filtered: bool
    """Whether the list is narrowed, so that an empty one does not mean an empty store."""
    lost_calls: int
    """Calls that could not be recorded: what the gaps count."""
    lost_reason: str
    """Why the newest of them was lost."""
    newer_href: str
    """The page before this one; empty on the first."""
    older_href: str
    """The page after this one; empty on the last."""


@get("/")
async def show_sessions(
    visit: Given, q: FromQuery[str] = "", name: FromQuery[str] = "", offset: FromQuery[int] = 0
) -> Response[bytes]:
    """Show the sessions of whoever asks."""
    return html(await asyncio.to_thread(lambda: render(read_page(visit, q, name, max(offset, 0)))))


def read_page(visit: Visit, search: str, name: str, offset: int) -> SessionsPage:
    """Read one page of the list; *offset* counts sessions from the newest."""
    store, organisation_id = visit.parts.calls, visit.organisation_id
    found = store.sessions(organisation_id, search=search, name=name or None, offset=offset, limit=PAGE + 1)
    gaps = store.gaps(organisation_id)
    query = {"q": search, "name": name}
    return SessionsPage(
        frame=Frame(title="Sessions", section="sessions", is_signed_in=visit.is_signed_in),
        origin=visit.origin,
        sessions=tuple(found[:PAGE]),
        search=search,
        name=name,
        is_filtered=bool(search or name or offset),
        lost_calls=sum(gap.count for gap in gaps),
        lost_reason=gaps[0].reason if gaps else "",
        newer_href=list_href("/", **query, offset=max(offset - PAGE, 0)) if offset else "",
        older_href=list_href("/", **query, offset=offset + PAGE) if len(found) > PAGE else "",
    )
