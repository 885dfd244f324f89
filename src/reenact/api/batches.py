"""Batches: replay every session of a query at once. Ours; Helicone has no such routes."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body, FromPath
from litestar.response import ServerSentEvent, ServerSentEventMessage

from reenact.api.envelope import answer, described
from reenact.api.filtering import read_filter
from reenact.api.guard import WRITES, GivenParts, GivenPrincipal
from reenact.domain.batch import Batch
from reenact.replay.batches import BatchRequest
from reenact.replay.request import ResumeRequest, read_patch_field, understood

Wanted = Annotated[
    dict[str, Any],
    Body(
        title="BatchRequest",
        description="Which sessions: `sessions` (ids) or `filter` (as `POST /v1/request/query` takes it: sessions that hold "
        "a call it selects), frozen under `name`. What to do with each: `patch`, `mode`, `takes`, `control`, `reuse`. For all "
        "together: `concurrency`, `budget`, `rates`, `retries`, `provider_keys`.",
    ),
]
WantedAgain = Annotated[dict[str, Any], Body(title="ResumeRequest", description="As for a replay.")]


@post("/v1/replay/batch", status_code=200, opt=WRITES, responses=described(Batch))
async def start_batch(data: Wanted, parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Freeze the sessions that are chosen now, and replay each of them in the background."""
    patch = read_patch_field(data)
    request = understood({key: value for key, value in data.items() if key != "patch"}, BatchRequest)
    where = None if request.filter is None else read_filter(request.filter, principal.organisation_id)
    await parts.settle()
    wanted = msgspec.structs.replace(request, patch=patch)
    return answer(await parts.batches.start(principal.organisation_id, wanted, where))


@get("/v1/replay/batch", responses=described(list[Batch]))
async def list_batches(parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """List batches without their items, newest first."""
    return answer(await parts.batches.all(principal.organisation_id))


@get("/v1/replay/batch/{batch_id:str}", responses=described(Batch))
async def get_batch(batch_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Get a batch as it stands, with what became of each session."""
    return answer(await parts.batches.get(principal.organisation_id, batch_id))


@get("/v1/replay/batch/{batch_id:str}/progress")
async def watch_batch(batch_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal) -> ServerSentEvent:
    """Watch a batch: server-sent events named `progress`, each the batch as it stands; the last one is over."""
    await parts.batches.get(principal.organisation_id, batch_id)

    async def events() -> AsyncIterator[ServerSentEventMessage]:
        async for batch in parts.batches.watch(principal.organisation_id, batch_id):
            yield ServerSentEventMessage(data=msgspec.json.encode(batch).decode(), event="progress")

    return ServerSentEvent(events())


@post("/v1/replay/batch/{batch_id:str}/cancel", status_code=200, opt=WRITES, responses=described(Batch))
async def cancel_batch(batch_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Stop a batch at once; one that is over stays as it is."""
    return answer(await parts.batches.cancel(principal.organisation_id, batch_id))


@post("/v1/replay/batch/{batch_id:str}/resume", status_code=200, opt=WRITES, responses=described(Batch))
async def resume_batch(
    batch_id: FromPath[str], data: WantedAgain, parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Go on with a batch that is not done: what is answered stays, only the rest is asked."""
    return answer(await parts.batches.resume(principal.organisation_id, batch_id, understood(data, ResumeRequest)))


ROUTES: list[HTTPRouteHandler] = [
    start_batch,
    list_batches,
    get_batch,
    watch_batch,
    cancel_batch,
    resume_batch,
]
