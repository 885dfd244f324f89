"""Two sessions side by side: what each cost and took, and what changed in every answer."""

import asyncio

import msgspec
from litestar import Response, get
from litestar.params import FromQuery

from reenact.comparison.reader import compare_sessions
from reenact.domain.comparison import Comparison, Pair
from reenact.domain.labels import ReplayLink
from reenact.domain.replay import CallResult
from reenact.errors import InvalidInput, NotFound
from reenact.web.contrasting import Delta, Row, deltas, kind_of, rows
from reenact.web.frame import Crumb, Frame
from reenact.web.linking import compare_href
from reenact.web.parts import Given, Visit
from reenact.web.renderer import html, render
from reenact.web.wording import Line, patch_lines

PAGE = 50
"""Pairs on one page."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One pair in the overview at the top."""

    number: int
    kind: str
    href: str


class ComparePage(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison shows."""

    frame: Frame
    """What stands around the page."""
    left_session_id: str
    """The session on the left: the one to compare with."""
    right_session_id: str
    """The session on the right."""
    left_name: str
    """Its name; empty when it has none."""
    right_name: str
    """Its name; empty when it has none."""
    link: ReplayLink | None
    """What the right session is a take of, if it is one."""
    is_take_of_left: bool
    """Whether the right session is a take of the left."""
    patch: tuple[Line, ...]
    """What the replay changed, in words; empty for a control and for sessions that no replay made."""
    mode: str
    """The replay's mode; empty when the right session is no take."""
    left_at: CallResult | None
    """Where the take on the right left its source first; None when it did not, and when its mode does not say."""
    deltas: tuple[Delta, ...]
    """The sums of both sides."""
    pairs: int
    """How many pairs there are in all."""
    paired: int
    """How many of them have both sides."""
    different: int
    """How many of those differ."""
    marks: tuple[Mark, ...]
    """Every pair of the comparison, for the overview."""
    rows: tuple[Row, ...]
    """The pairs of this page."""
    earlier_href: str
    """The pairs before this page; empty on the first."""
    later_href: str
    """The pairs after this page; empty on the last."""
    swap_href: str
    """The same comparison with its sides exchanged."""


@get("/compare")
async def show_comparison(
    visit: Given,
    left: FromQuery[str] = "",
    right: FromQuery[str] = "",
    session: FromQuery[list[str] | None] = None,
    start: FromQuery[int] = 1,
) -> Response[bytes]:
    """Show two sessions side by side; `session` twice stands for the newer and the older one, as the list gives them."""
    if session is not None and not (left or right):
        if len(session) != 2:
            raise InvalidInput("Choose two sessions to compare.", "session")
        right, left = session
    page = await asyncio.to_thread(lambda: read_page(visit, left, right, max(start, 1)))
    page = await _with_patch(visit, page)
    return html(await asyncio.to_thread(render, page))


def read_page(visit: Visit, left: str, right: str, start: int) -> ComparePage:
    """Compare two sessions and show the pairs from *start* on, without what a replay changed.

    Raises:
        NotFound: one of them is not here; the message names it.
    """
    comparison = compare_sessions(visit.parts.calls, visit.organisation_id, left, right)
    start = min(start, len(comparison.pairs))
    page = comparison.pairs[start - 1 : start - 1 + PAGE]
    link = _link(comparison)
    later = start + PAGE
    return ComparePage(
        frame=Frame(
            title=f"{comparison.left_name or left} | {comparison.right_name or right}",
            trail=(Crumb("Sessions", "/"),),
            section="sessions",
            is_signed_in=visit.is_signed_in,
        ),
        left_session_id=left,
        right_session_id=right,
        left_name=comparison.left_name,
        right_name=comparison.right_name,
        link=link,
        is_take_of_left=link is not None and link.source_session_id == left,
        patch=(),
        mode="",
        left_at=None,
        deltas=deltas(comparison),
        pairs=len(comparison.pairs),
        paired=comparison.paired,
        different=comparison.different,
        marks=tuple(_mark(pair, number, left, right) for number, pair in enumerate(comparison.pairs, start=1)),
        rows=rows(page, first=start),
        earlier_href=compare_href(left, right, start=max(start - PAGE, 1)) if start > 1 else "",
        later_href=compare_href(left, right, start=later) if later <= len(comparison.pairs) else "",
        swap_href=compare_href(right, left),
    )


def _link(comparison: Comparison) -> ReplayLink | None:
    turns = (pair.right for pair in comparison.pairs if pair.right is not None)
    return next((turn.call.labels.replay for turn in turns if turn.call.labels.replay), None)


def _mark(pair: Pair, number: int, left: str, right: str) -> Mark:
    page_start = (number - 1) // PAGE * PAGE + 1
    page = compare_href(left, right, start=page_start) if page_start > 1 else compare_href(left, right)
    return Mark(number=number, kind=kind_of(pair), href=f"{page}#pair-{number}")


async def _with_patch(visit: Visit, page: ComparePage) -> ComparePage:
    """Return *page* with what the replay changed; a replay that is no longer kept changes nothing."""
    if page.link is None:
        return page
    try:
        replay = await visit.parts.replays.get(visit.organisation_id, page.link.replay_id)
    except NotFound:
        return page
    lines = patch_lines(replay.plan.patch) if page.link.arm == "changed" else ()
    take = next((one for one in replay.takes if one.number == page.link.take), None)
    left_at = next((one for one in take.results if one.divergence is not None), None) if take else None
    return msgspec.structs.replace(page, patch=lines, mode=replay.plan.mode.value, left_at=left_at)
