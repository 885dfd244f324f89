"""One call: what was asked and answered, as a conversation and as the bytes that crossed the gateway."""

import asyncio
from collections.abc import Sequence

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from reenact.comparison.reader import read_calls
from reenact.domain.call import Bodies, Call
from reenact.domain.comparison import Turn
from reenact.domain.exchange import Header
from reenact.domain.message import Json, Tool
from reenact.domain.replay import CallResult, Replay
from reenact.errors import NotFound
from reenact.store.sniffing import media_type
from reenact.web.conversing import Bubble, answer_bubbles, bubbles, pretty
from reenact.web.frame import Crumb, Frame
from reenact.web.linking import session_href
from reenact.web.parts import Given, Visit
from reenact.web.picturing import IMAGES, pictures
from reenact.web.renderer import html, render

_PART = 50_000
"""Characters of one part that the conversation shows."""
_RAW = 200_000
"""Characters of a raw body that the page shows; the whole is for download."""
_NEWEST = 12
"""Messages of a long history that are shown unfolded."""


class Parameter(msgspec.Struct, frozen=True):
    """One further field of the request."""

    name: str
    value: str


class OfferedTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that the model could ask for."""

    name: str
    description: str
    schema: str
    """JSON Schema of its arguments, indented; empty when it has none."""


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """One time that a replay asked this call again."""

    replay_id: str
    take: int
    arm: str
    result: CallResult


class RawBody(msgspec.Struct, frozen=True, kw_only=True):
    """A body as it crossed, ready to be read."""

    text: str
    """Indented when it is JSON; empty when it is not text."""
    body_bytes: int
    is_cut: bool
    """Whether the page shows only its beginning."""
    is_binary: bool
    """Whether it is not text: compressed, an image, a sound."""


class CallPage(msgspec.Struct, frozen=True, kw_only=True):
    """What a call's page shows."""

    frame: Frame
    """What stands around the page."""
    call: Call
    """The call."""
    earlier: tuple[Bubble, ...]
    """The older part of a long history."""
    asked: tuple[Bubble, ...]
    """The messages of the prompt, the newest last."""
    answered: tuple[Bubble, ...]
    """What was answered: every choice, and the error."""
    tools: tuple[OfferedTool, ...]
    """What the model could ask for."""
    parameters: tuple[Parameter, ...]
    """Every other field of the request."""
    request: RawBody
    """The request as it was sent."""
    response: RawBody
    """The answer as it came; a stream as its events."""
    merged: RawBody | None
    """The answer as JSON, when it came as a stream or compressed."""
    request_headers: tuple[Parameter, ...]
    """As they crossed, secrets redacted."""
    response_headers: tuple[Parameter, ...]
    """As they crossed."""
    replayed: tuple[Again, ...]
    """The times that it was asked again."""


@get("/calls/{call_id:str}")
async def show_call(visit: Given, call_id: FromPath[str]) -> Response[bytes]:
    """Show one call."""
    call = await asyncio.to_thread(find_call, visit, call_id)
    session_id = call.labels.session_id
    replays = await visit.parts.replays.of_session(visit.organisation_id, session_id) if session_id else []
    return html(await asyncio.to_thread(lambda: render(read_page(visit, call, replays))))


@get("/calls/{call_id:str}/{side:str}")
async def download_body(visit: Given, call_id: FromPath[str], side: FromPath[str]) -> Response[bytes]:
    """Send a body byte for byte, as a file: a browser must never run what was recorded."""
    bodies = await asyncio.to_thread(lambda: _bodies(visit, call_id))
    sides = {"request": bodies.request, "response": bodies.response}
    if side not in sides:
        raise NotFound("A call has a request and a response.")
    return Response(
        sides[side],
        media_type="application/octet-stream",
        headers={"content-disposition": f'attachment; filename="{side}"'},
    )


@get("/calls/{call_id:str}/assets/{asset_id:str}")
async def show_asset(visit: Given, call_id: FromPath[str], asset_id: FromPath[str]) -> Response[bytes]:
    """Send an image of a call, when its own bytes say that it is one."""

    def read() -> bytes:
        is_there = asset_id in {asset.id for asset in _bodies(visit, call_id).assets}
        content = visit.parts.calls.object(visit.organisation_id, asset_id) if is_there else None
        if content is None or media_type(content) not in IMAGES:
            raise NotFound("There is no such image.")
        return content

    content = await asyncio.to_thread(read)
    return Response(content, media_type=media_type(content))


def find_call(visit: Visit, call_id: str) -> Call:
    """Return the call.

    Raises:
        NotFound: there is no such call.
    """
    found = visit.parts.calls.get(visit.organisation_id, [call_id])
    if not found:
        raise NotFound(f"There is no call {call_id!r}.")
    return found[0]


def _bodies(visit: Visit, call_id: str) -> Bodies:
    found = visit.parts.calls.bodies(visit.organisation_id, [call_id]).get(call_id)
    if found is None:
        raise NotFound(f"There is no call {call_id!r}.")
    return found


def read_page(visit: Visit, call: Call, replays: Sequence[Replay]) -> CallPage:
    """Read what a call says."""
    bodies = _bodies(visit, call.id)
    (turn,) = read_calls(visit.parts.calls, visit.organisation_id, [call])
    picture = pictures(call.id, {asset.id for asset in bodies.assets})
    asked = bubbles(turn.prompt.messages if turn.prompt else (), _PART, picture)
    fold = len(asked) - _NEWEST if len(asked) > _NEWEST + 3 else 0
    return CallPage(
        frame=_frame(visit, call),
        call=call,
        earlier=asked[:fold],
        asked=asked[fold:],
        answered=answer_bubbles(turn.answer, _PART, picture),
        tools=tuple(map(_tool, turn.prompt.tools if turn.prompt else ())),
        parameters=_parameters(turn),
        request=raw_body(bodies.request),
        response=raw_body(bodies.response),
        merged=_merged(call, bodies),
        request_headers=_headers(bodies.request_headers),
        response_headers=_headers(bodies.response_headers),
        replayed=tuple(_again(call, replays)),
    )


def _merged(call: Call, bodies: Bodies) -> RawBody | None:
    """Return the answer as JSON where the bytes that came are not that: a stream, or compressed."""
    if bodies.answer_json is None or not (call.streamed or raw_body(bodies.response).is_binary):
        return None
    return raw_body(bodies.answer_json)


def _frame(visit: Visit, call: Call) -> Frame:
    session_id = call.labels.session_id
    above = (Crumb(call.labels.session_name or session_id, session_href(session_id)),) if session_id else ()
    return Frame(
        title=call.labels.prompt_id or call.model,
        trail=(Crumb("Sessions", "/"), *above) if above else (Crumb("Calls", "/calls"),),
        section="sessions" if above else "calls",
        is_signed_in=visit.is_signed_in,
    )


def _parameters(turn: Turn) -> tuple[Parameter, ...]:
    given = turn.prompt.parameters if turn.prompt else {}
    return tuple(Parameter(name, _json_text(value)) for name, value in given.items())


def _tool(tool: Tool) -> OfferedTool:
    schema = "" if tool.schema is None else _json_text(tool.schema)
    return OfferedTool(name=tool.name, description=tool.description, schema=schema)


def _json_text(value: Json) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _headers(headers: Sequence[Header]) -> tuple[Parameter, ...]:
    return tuple(Parameter(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


def _again(call: Call, replays: Sequence[Replay]) -> list[Again]:
    return [
        Again(replay_id=replay.id, take=take.number, arm=take.arm, result=result)
        for replay in replays
        for take in replay.takes
        for result in take.results
        if result.source_call_id == call.id
    ]


def raw_body(body: bytes) -> RawBody:
    """Return *body* ready to be read: indented when it is JSON, cut when it is long, nothing when it is not text."""
    try:
        text = pretty(body.decode())
    except UnicodeDecodeError:
        return RawBody(text="", body_bytes=len(body), is_cut=False, is_binary=True)
    return RawBody(text=text[:_RAW], body_bytes=len(body), is_cut=len(text) > _RAW, is_binary=False)
