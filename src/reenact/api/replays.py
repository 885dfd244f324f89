"""Replays: plan, start, watch, list and stop replays. Ours; Helicone has no such routes."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body, FromPath, FromQuery, JSONBody
from litestar.response import ServerSentEvent, ServerSentEventMessage

from reenact.api.envelope import answer, described
from reenact.api.guard import WRITES, GivenParts, GivenPrincipal
from reenact.domain.replay import Plan, Replay
from reenact.replay.desk import ToolResult
from reenact.replay.request import ResumeRequest, read_request, understood

Wanted = Annotated[
    dict[str, Any],
    Body(
        title="ReplayRequest",
        description="`session_id` (the only field that must be given), `patch`, `mode`, `takes`, `session_name`, "
        "`concurrency`, `playback` (for modes playback and fork), `dry_run` (true: the plan is answered and nothing is sent), "
        "`provider_keys` (by provider name; kept in memory for this replay only).",
    ),
]

WantedAgain = Annotated[
    dict[str, Any],
    Body(
        title="ResumeRequest",
        description="What is to be otherwise: `concurrency`, `budget`, `rates`, `retries`, `provider_keys`. What is left out "
        "stays as it was; keys are never kept.",
    ),
]


@post("/v1/replay", status_code=200, opt=WRITES, responses=described(Plan | Replay))
async def start_replay(data: Wanted, parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Run a session again with a change, in the background; with `dry_run` answer the plan only and send nothing."""
    wanted = read_request(data)
    await parts.settle()
    if wanted.dry_run:
        return answer(await parts.replays.plan(principal.organisation_id, wanted))
    return answer(await parts.replays.start(principal.organisation_id, wanted))


@get("/v1/replay", responses=described(list[Replay]))
async def list_replays(
    parts: GivenParts, principal: GivenPrincipal, session_id: FromQuery[str | None] = None
) -> Response[bytes]:
    """List the replays made of a session, or of all sessions, newest first."""
    return answer(await parts.replays.of_session(principal.organisation_id, session_id))


@get("/v1/replay/{replay_id:str}", responses=described(Replay))
async def get_replay(replay_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Get a replay as it stands."""
    return answer(await parts.replays.get(principal.organisation_id, replay_id))


@get("/v1/replay/{replay_id:str}/progress")
async def watch_replay(replay_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal) -> ServerSentEvent:
    """Watch a replay: server-sent events named `progress`, at once and at every change; the last one is over."""
    await parts.replays.get(principal.organisation_id, replay_id)

    async def events() -> AsyncIterator[ServerSentEventMessage]:
        async for progress in parts.replays.watch(principal.organisation_id, replay_id):
            yield ServerSentEventMessage(data=msgspec.json.encode(progress).decode(), event="progress")

    return ServerSentEvent(events())


@post("/v1/replay/{replay_id:str}/cancel", status_code=200, opt=WRITES, responses=described(Replay))
async def cancel_replay(replay_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Stop a replay at once; one that is over stays as it is."""
    return answer(await parts.replays.cancel(principal.organisation_id, replay_id))


@post("/v1/replay/{replay_id:str}/finish", status_code=200, opt=WRITES, responses=described(Replay))
async def finish_replay(replay_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """End a playback or fork whose agent is through; one that is over stays as it is."""
    return answer(await parts.replays.finish(principal.organisation_id, replay_id))


@post("/v1/replay/{replay_id:str}/tools/{tool_id:str}", status_code=200, opt=WRITES, responses=described(None))
async def take_tool_result(
    replay_id: FromPath[str],
    tool_id: FromPath[str],
    data: JSONBody[ToolResult],
    parts: GivenParts,
    principal: GivenPrincipal,
) -> Response[bytes]:
    """Give the result of a tool call that waits for it, as the events of `progress` tell, to the server that performs it."""
    await parts.replays.take_result(principal.organisation_id, replay_id, tool_id, data)
    return answer(None)


@post("/v1/replay/{replay_id:str}/pause", status_code=200, opt=WRITES, responses=described(Replay))
async def pause_replay(replay_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Stop a replay at once, to be resumed; one that is not under way stays as it is."""
    return answer(await parts.replays.pause(principal.organisation_id, replay_id))


@post("/v1/replay/{replay_id:str}/resume", status_code=200, opt=WRITES, responses=described(Replay))
async def resume_replay(
    replay_id: FromPath[str], data: WantedAgain, parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Go on with a replay that is not done: what is answered stays, only the rest is asked."""
    return answer(await parts.replays.resume(principal.organisation_id, replay_id, understood(data, ResumeRequest)))


ROUTES: list[HTTPRouteHandler] = [
    start_replay,
    list_replays,
    get_replay,
    watch_replay,
    cancel_replay,
    finish_replay,
    take_tool_result,
    pause_replay,
    resume_replay,
]
