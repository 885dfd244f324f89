"""One session: its sums, its calls as a tree on a time line, its transcript, and the takes made of it."""

import asyncio
from collections.abc import Sequence

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.params import FromQuery

from reenact.comparison.reader import read_calls
from reenact.comparison.totalling import total
from reenact.domain.call import Call
from reenact.domain.comparison import Totals
from reenact.domain.labels import ReplayLink
from reenact.domain.replay import Replay
from reenact.errors import NotFound
from reenact.web.conversing import Scene, transcript
from reenact.web.frame import Crumb, Frame
from reenact.web.linking import path_id, session_href
from reenact.web.nesting import Row, time_rows, tree_rows
from reenact.web.parts import Given, Visit
from reenact.web.renderer import html, render
from reenact.web.timing import Timeline, time_line

SCENES = 40
"""Calls of the transcript on one page."""
ROWS = 1000
"""Calls and folders of the tree on one page."""
_LOOK_BACK = 10
"""Calls before the page whose messages count as shown: their history need not be repeated."""
_PART = 3000
"""Characters of one part that a transcript shows."""


class SessionPage(msgspec.Struct, frozen=True, kw_only=True):
    """What a session's page shows."""

    frame: Frame
    """What stands around the page."""
    session_id: str
    """As the agent sent it."""
    name: str
    """The session's name; empty when it has none."""
    totals: Totals
    """All of its calls, summed."""
    created_us: int
    """When its first call came."""
    models: tuple[str, ...]
    """The models that it asked, each once."""
    user_ids: tuple[str, ...]
    """The users that it names."""
    is_inferred: bool
    """Whether no agent said that these calls belong together."""
    link: ReplayLink | None
    """What it is a take of, if it is one."""
    replays: tuple[Replay, ...]
    """Made of it, newest first."""
    by_time: bool
    """Whether its calls are listed by time instead of by path."""
    rows: tuple[Row, ...]
    """Folders and calls, in reading order."""
    left_out_rows: int
    """Rows that are not on this page; the transcript leads to their calls."""
    timeline: Timeline
    """Where each call stands in time."""
    scenes: tuple[Scene, ...]
    """The transcript of some of its calls."""
    first: int
    """The number of the first call in the transcript."""
    last: int
    """The number of the last call in the transcript."""
    earlier_href: str
    """The part of the transcript before this one; empty at its beginning."""
    later_href: str
    """The part after this one; empty at its end."""


@get(["/sessions", "/sessions/{session_path:path}"])
async def show_session(
    request: Request[object, object, State], visit: Given, by: FromQuery[str] = "path", start: FromQuery[int] = 1
) -> Response[bytes]:
    """Show one session."""
    session_id = path_id(request.scope["raw_path"], "/sessions/") or request.query_params.get("id", "")
    replays = await visit.parts.replays.of_session(visit.organisation_id, session_id)
    return html(
        await asyncio.to_thread(lambda: render(read_page(visit, session_id, replays, by == "time", max(start, 1))))
    )


def read_page(visit: Visit, session_id: str, replays: Sequence[Replay], by_time: bool, first: int) -> SessionPage:
    """Read a session; its transcript from the call with the number *first*.

    Raises:
        NotFound: there is no such session.
    """
    calls = visit.parts.calls.session(visit.organisation_id, session_id)
    if not calls:
        raise NotFound(f"There is no session {session_id!r}.")
    first = min(first, len(calls))
    last = min(first + SCENES - 1, len(calls))
    rows = time_rows(calls) if by_time else tree_rows(calls)
    by = {"by": "time"} if by_time else {}
    return SessionPage(
        frame=_frame(visit, calls, session_id),
        session_id=session_id,
        name=_name(calls),
        totals=total(calls),
        created_us=calls[0].created_us,
        models=tuple(dict.fromkeys(call.model for call in calls)),
        user_ids=tuple(dict.fromkeys(call.labels.user_id for call in calls if call.labels.user_id)),
        is_inferred=any(call.session_inferred for call in calls),
        link=next((call.labels.replay for call in calls if call.labels.replay), None),
        replays=tuple(replays),
        by_time=by_time,
        rows=tuple(rows[:ROWS]),
        left_out_rows=max(len(rows) - ROWS, 0),
        timeline=time_line(calls),
        scenes=tuple(_scenes(visit, calls, first, last)),
        first=first,
        last=last,
        earlier_href=session_href(session_id, start=max(first - SCENES, 1), **by) if first > 1 else "",
        later_href=session_href(session_id, start=last + 1, **by) if last < len(calls) else "",
    )


def _scenes(visit: Visit, calls: Sequence[Call], first: int, last: int) -> list[Scene]:
    since = max(first - 1 - _LOOK_BACK, 0)
    turns = read_calls(visit.parts.calls, visit.organisation_id, calls[since:last])
    return transcript(turns, first=since + 1, skip=first - 1 - since, limit=_PART)


def _name(calls: Sequence[Call]) -> str:
    return next((call.labels.session_name for call in calls if call.labels.session_name), "")


def _frame(visit: Visit, calls: Sequence[Call], session_id: str) -> Frame:
    return Frame(
        title=_name(calls) or session_id,
        trail=(Crumb("Sessions", "/"),),
        section="sessions",
        is_signed_in=visit.is_signed_in,
    )
