"""One replay: its plan, how far it has come, and what became of every call of every take."""

import asyncio
from collections import Counter
from collections.abc import Callable
from statistics import mean

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from reenact.comparison.spreading import MEASURES, spread
from reenact.comparison.totalling import total
from reenact.domain.comparison import Spread, Totals
from reenact.domain.divergence import Validity
from reenact.domain.message import Json
from reenact.domain.replay import CallResult, PlannedCall, Replay, State, Take
from reenact.web.formatting import count, dollars, duration
from reenact.web.frame import Crumb, Frame
from reenact.web.linking import replay_href, session_href
from reenact.web.parts import Given, Visit
from reenact.web.renderer import html, render
from reenact.web.wording import Line, patch_lines

_SHOWN = 1000
_REFRESH_S = 2
_SHOWN_AS: dict[str, Callable[[int | None], str]] = dict.fromkeys(MEASURES, count) | {
    "cost": dollars,
    "model time": duration,
}
"""How a measure is written."""
_STOPS = 20
_ACTION = 400
"""How much of an action is shown."""
_MEASURED = 20
"""How many takes of each arm are measured; each is a session to be read."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a chained take is worth."""

    counts: tuple[tuple[str, int], ...]
    """How many calls are of each validity, in words."""
    left_at: CallResult | None
    """The first call whose action left the source; None when none did."""
    before: str
    """What the source did there, as JSON; empty when nothing left it."""
    after: str
    stops: tuple[tuple[CallResult, str], ...]
    """Where the record could tell no more, and why; not more than a page holds."""


class TakeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One take, counted."""

    take: Take
    answered: int
    failed: int
    skipped: int
    failures: tuple[CallResult, ...]
    """What failed, in order; not more than a page holds."""
    standing: Standing | None
    """What its calls are worth; None when only requests as recorded were sent."""


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of both arms in words."""

    name: str
    control: str
    """Mean and range of the control's takes."""
    changed: str
    difference: str
    """Of the means; empty for none."""
    verdict: str
    """Whether it is more than noise."""
    is_noise: bool


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
    measures: tuple[Measure, ...]
    """The changed takes beside those of the control; empty without a control, and until it is over."""
    are_cut: bool
    """Whether a take left calls out where the record could tell no more."""
    measured: int
    """How many takes of each arm are measured."""
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
    measured, measures = _measures(visit, replay)
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
        measures=measures,
        are_cut=any(result.validity is Validity.DROPPED for take in replay.takes for result in take.results),
        measured=measured,
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
        standing=_standing(take),
    )


def _standing(take: Take) -> Standing | None:
    known = [result for result in take.results if result.validity is not None]
    if not known:
        return None
    counts = Counter(result.validity for result in known)
    left_at = next((result for result in known if result.divergence is not None), None)
    told = [(result, result.stop or (result.doubts[0] if result.doubts else None)) for result in known]
    return Standing(
        counts=tuple((one.value.replace("_", " "), counts[one]) for one in Validity if counts[one]),
        left_at=left_at,
        before=_action(left_at.divergence.before) if left_at and left_at.divergence else "",
        after=_action(left_at.divergence.after) if left_at and left_at.divergence else "",
        stops=tuple((result, doubt.detail) for result, doubt in told if doubt is not None)[:_STOPS],
    )


def _action(value: Json) -> str:
    return msgspec.json.encode(value).decode()[:_ACTION]


def _measures(visit: Visit, replay: Replay) -> tuple[int, tuple[Measure, ...]]:
    """Return how many takes an arm were measured, and the measures."""
    arms = [
        [take for take in replay.takes if (take.arm == "control") is wanted][:_MEASURED] for wanted in (True, False)
    ]
    if replay.state is not State.DONE or not all(arms):
        return 0, ()
    control, changed = ([_totals(visit, take) for take in arm] for arm in arms)
    return len(changed), tuple(map(_measure, spread(control, changed)))


def _totals(visit: Visit, take: Take) -> Totals:
    return total(visit.parts.calls.session(visit.organisation_id, take.session_id))


def _measure(one: Spread) -> Measure:
    shown = _SHOWN_AS[one.measure]
    difference = round(mean(one.changed) - mean(one.control))
    alike = "no difference" if not difference else f"within noise (p = {one.chance:.2g})"
    few = f"too few takes to tell (the least p would be {one.least_chance:.2g})"
    apart = f"more than noise (p = {one.chance:.2g})"
    return Measure(
        name=one.measure,
        control=_range(one.control, shown),
        changed=_range(one.changed, shown),
        difference=f"{'+' if difference > 0 else ''}{shown(difference)}" if difference else "",
        verdict=(few if difference and not one.is_told else alike) if one.is_noise else apart,
        is_noise=one.is_noise,
    )


def _range(values: tuple[int, ...], shown: Callable[[int | None], str]) -> str:
    low, high = min(values), max(values)
    middle = shown(round(mean(values)))
    return middle if low == high else f"{middle} ({shown(low)} to {shown(high)})"
