"""One replay: its plan, how far it has come, and what became of every call of every take."""

import asyncio

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from reenact.domain.replay import CallResult, PlannedCall, Replay, State, Take
from reenact.web.frame import Crumb, Frame
from reenact.web.linking import replay_href, session_href
from reenact.web.parts import Given, Visit
from reenact.web.renderer import html, render
from reenact.web.wording import Line, patch_lines

_SHOWN = 1000
_REFRESH_S = 2


class TakeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One take, counted."""

    take: Take
    answered: int
    failed: int
    skipped: int
    failures: tuple[CallResult, ...]
    """What failed, in order; not more than a page holds."""


class ReplayPage(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay's page shows."""

    frame: Frame
    """What stands around the page."""
    replay: Replay
    """The replay as it stands."""
    patch: tuple[Line, ...]
    """What it changes, in words; empty for a control."""
    planned: tuple[PlannedCall, ...]
    """What it does with each call, not more than a page holds."""
    left_out_calls: int
    """Planned calls that are not on the page."""
    takes: tuple[TakeRow, ...]
    """Its takes, counted."""
    settled: int
    """Calls of all takes whose outcome is known."""
    total: int
    """Calls of all takes."""
    is_running: bool
    """Whether it is under way, so that it can be stopped."""


@get("/replays/{replay_id:str}")
async def show_replay(visit: Given, replay_id: FromPath[str]) -> Response[bytes]:
    """Show one replay."""
    replay = await visit.parts.replays.get(visit.organisation_id, replay_id)
    return html(await asyncio.to_thread(lambda: render(read_page(visit, replay))))


@post("/replays/{replay_id:str}/cancel", status_code=303)
async def cancel_replay(visit: Given, replay_id: FromPath[str]) -> Redirect:
    """Stop a replay."""
    await visit.parts.replays.cancel(visit.organisation_id, replay_id)
    return Redirect(replay_href(replay_id), status_code=303)


def read_page(visit: Visit, replay: Replay) -> ReplayPage:
    """Return the page of *replay* as it stands."""
    plan = replay.plan
    is_running = replay.state in {State.RUNNING, State.PLANNED}
    return ReplayPage(
        frame=Frame(
            title=replay.session_name or "Replay",
            trail=(Crumb("Sessions", "/"), Crumb(plan.session_name or plan.session_id, session_href(plan.session_id))),
            section="sessions",
            is_signed_in=visit.is_signed_in,
            refresh_s=_REFRESH_S if is_running else 0,
        ),
        replay=replay,
        patch=patch_lines(plan.patch),
        planned=plan.calls[:_SHOWN],
        left_out_calls=max(len(plan.calls) - _SHOWN, 0),
        takes=tuple(map(_take_row, replay.takes)),
        settled=sum(len(take.results) for take in replay.takes),
        total=len(plan.calls) * max(plan.takes, len(replay.takes)),
        is_running=is_running,
    )


def _take_row(take: Take) -> TakeRow:
    failures = [result for result in take.results if result.failure and not result.skipped]
    skipped = sum(result.skipped for result in take.results)
    return TakeRow(
        take=take,
        answered=len(take.results) - len(failures) - skipped,
        failed=len(failures),
        skipped=skipped,
        failures=tuple(failures[:_SHOWN]),
    )
