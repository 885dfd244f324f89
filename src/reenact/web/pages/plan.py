"""Planning a replay: the change as a form, then what it will do and cost, and only then the button that runs it."""

import asyncio
from urllib.parse import parse_qsl

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromQuery
from litestar.response import Redirect

from reenact.domain.message import Json
from reenact.domain.patch import AppendSystem, Change, Edit, Patch, SetModel, SetParameter
from reenact.domain.replay import Mode, Plan, PlannedCall
from reenact.errors import InvalidInput, NotFound, ReenactError
from reenact.replay.request import ReplayRequest
from reenact.web.frame import Crumb, Frame
from reenact.web.linking import replay_href, session_href
from reenact.web.parts import Given, Visit
from reenact.web.renderer import html, render
from reenact.web.wording import Line, patch_lines

_SHOWN = 500
_MAX_TAKES = 100


MODES = (Mode.ANCHORED.value, Mode.CHAINED.value)
"""Those in which the server makes the calls."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the form says, as it was typed."""

    model: str = ""
    append_system: str = ""
    temperature: str = ""
    mode: str = "anchored"
    takes: str = "1"
    session_name: str = ""


class PlanPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows before anything is sent."""

    frame: Frame
    """What stands around the page."""
    session_id: str
    """The session to run again."""
    wish: Wish
    """What the form says."""
    modes: tuple[str, ...]
    """What may be chosen."""
    models: tuple[str, ...]
    """Models seen in this session, as suggestions."""
    plan: Plan | None
    """What would be done; None when the form was not sent yet or cannot be understood."""
    planned: tuple[PlannedCall, ...]
    """Its calls, not more than a page holds."""
    left_out_calls: int
    """Planned calls that are not on the page."""
    patch: tuple[Line, ...]
    """The change in words."""
    providers: tuple[str, ...]
    """Whose keys the run needs."""
    error: str
    """Why the form cannot be understood; empty when it can."""


@get("/replays")
async def show_form(visit: Given, session: FromQuery[str] = "") -> Response[bytes]:
    """Show the empty form for a session."""
    return html(await asyncio.to_thread(lambda: render(read_page(visit, session, Wish(), None, ""))))


@post("/replays", status_code=200)
async def plan_or_start(
    request: Request[object, object, State], visit: Given, session: FromQuery[str] = ""
) -> Response[bytes] | Redirect:
    """Show the plan of what the form says; run it when the button beneath the plan was pressed."""
    data = dict(parse_qsl((await request.body()).decode(errors="replace")))
    wish = Wish(**{name: data[name].replace("\r\n", "\n") for name in Wish.__struct_fields__ if name in data})
    replays = visit.parts.replays
    try:
        wanted = read_wish(session, wish, _keys(data))
        if data.get("action") == "run":
            started = await replays.start(visit.organisation_id, wanted)
            return Redirect(replay_href(started.id), status_code=303)
        plan = await replays.plan(visit.organisation_id, wanted)
    except NotFound:
        raise
    except ReenactError as error:
        message = error.message
        page = await asyncio.to_thread(lambda: render(read_page(visit, session, wish, None, message)))
        return html(page, 422)
    return html(await asyncio.to_thread(lambda: render(read_page(visit, session, wish, plan, ""))))


def read_wish(session_id: str, wish: Wish, provider_keys: dict[str, str]) -> ReplayRequest:
    """Return the replay that the form asks for; a form without a change asks for the control.

    Raises:
        InvalidInput: a number that is none, or out of range; `field` is the form's.
    """
    edits: list[Edit] = []
    if wish.model.strip():
        edits.append(SetModel(model=wish.model.strip()))
    if wish.append_system:
        edits.append(AppendSystem(text=wish.append_system))
    if wish.temperature.strip():
        edits.append(SetParameter(name="temperature", value=_number(wish.temperature)))
    return ReplayRequest(
        session_id=session_id,
        patch=Patch(changes=(Change(edits=tuple(edits)),) if edits else ()),
        mode=_mode(wish.mode),
        takes=_takes(wish.takes),
        session_name=wish.session_name.strip() or None,
        provider_keys=provider_keys,
    )


def _mode(text: str) -> Mode:
    if text not in MODES:
        raise InvalidInput(f"The mode must be one of {', '.join(MODES)}, not {text!r}.", "mode")
    return Mode(text)


def _number(text: str) -> Json:
    try:
        value = msgspec.json.decode(text.strip())
    except msgspec.DecodeError:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(f"The temperature must be a number such as 0.2, not {text!r}.", "temperature")
    return value


def _takes(text: str) -> int:
    if not text.strip().isdecimal() or not 1 <= int(text) <= _MAX_TAKES:
        raise InvalidInput(f"The number of takes must be from 1 to {_MAX_TAKES}, not {text!r}.", "takes")
    return int(text)


def _keys(data: dict[str, str]) -> dict[str, str]:
    """Return the providers' keys typed beside the button; they are used for this run and kept nowhere."""
    return {name.removeprefix("key:"): key.strip() for name, key in data.items() if name.startswith("key:") and key}


def read_page(visit: Visit, session_id: str, wish: Wish, plan: Plan | None, error: str) -> PlanPage:
    """Return the form, with the plan beneath it when there is one.

    Raises:
        NotFound: there is no such session.
    """
    calls = visit.parts.calls.session(visit.organisation_id, session_id)
    if not calls:
        raise NotFound(f"There is no session {session_id!r}.")
    name = next((call.labels.session_name for call in calls if call.labels.session_name), "")
    return PlanPage(
        frame=Frame(
            title="Replay with a change",
            trail=(Crumb("Sessions", "/"), Crumb(name or session_id, session_href(session_id))),
            section="sessions",
            is_signed_in=visit.is_signed_in,
        ),
        session_id=session_id,
        wish=wish,
        modes=MODES,
        models=tuple(dict.fromkeys(call.model for call in calls)),
        plan=plan,
        planned=plan.calls[:_SHOWN] if plan else (),
        left_out_calls=max(len(plan.calls) - _SHOWN, 0) if plan else 0,
        patch=patch_lines(plan.patch) if plan else (),
        providers=tuple(dict.fromkeys(call.provider for call in plan.asked)) if plan else (),
        error=error,
    )
