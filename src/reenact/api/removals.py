"""Removals: recorded data deleted for good: a request, a session, a user's, or all that an organisation has. Ours.

What is deleted is found by no query any more when the answer comes. Its last bytes leave the files soon after: a database and
its log are written anew for that. With `wait=true` the answer comes once that is done.
"""

import asyncio
from typing import Annotated

import msgspec
from litestar import Response, delete
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter

from reenact.access.principal import Principal
from reenact.api.envelope import answer, described
from reenact.api.guard import WRITES, GivenParts, GivenPrincipal
from reenact.api.parts import Parts
from reenact.errors import Forbidden, NotFound
from reenact.store.upkeep import Removal, Scope

_WAIT_S = 600.0

Wait = Annotated[bool, QueryParameter(name="wait")]


class Deleted(msgspec.Struct, frozen=True, rename="camel"):
    """What was deleted."""

    requests: int
    sessions: list[str]
    """Ids of the sessions that lost a request."""
    wiped: bool
    """Whether every byte is gone from the files; false when nobody waited for it, or it takes longer."""


@delete("/v1/request/{request_id:str}", status_code=200, opt=WRITES, responses=described(Deleted))
async def delete_request(
    request_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal, wait: Wait = False
) -> Response[bytes]:
    """Delete a request. Other requests of its session repeat what it said before; delete the session to delete that."""
    return await _delete(parts, principal, Removal(Scope.CALL, request_id), "request", wait=wait)


@delete("/v1/session/{session_id:path}", status_code=200, opt=WRITES, responses=described(Deleted))
async def delete_session(
    session_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal, wait: Wait = False
) -> Response[bytes]:
    """Delete a session, the takes that replays made of it, and these replays."""
    return await _delete(parts, principal, Removal(Scope.SESSION, session_id.removeprefix("/")), "session", wait=wait)


@delete("/v1/user/{user_id:path}", status_code=200, opt=WRITES, responses=described(Deleted))
async def delete_user(
    user_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal, wait: Wait = False
) -> Response[bytes]:
    """Delete a user's requests, and the takes and replays of the sessions that these are of."""
    return await _delete(parts, principal, Removal(Scope.USER, user_id.removeprefix("/")), "user", wait=wait)


@delete("/v1/organization/{organization_id:str}", status_code=200, opt=WRITES, responses=described(Deleted))
async def delete_organization(
    organization_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal, wait: Wait = False
) -> Response[bytes]:
    """Delete all that an organisation has recorded, its replays and cohorts. Its keys go on working.

    The id is asked for so that nobody deletes everything by mistake. Needs the right to read and to write.
    """
    if organization_id != principal.organisation_id:
        raise NotFound("Organization not found")
    if not principal.may_read:
        raise Forbidden("Everything is deleted with a key that may read and write.")
    return await _delete(parts, principal, Removal(Scope.ORGANISATION), "", wait=wait)


ROUTES: list[HTTPRouteHandler] = [delete_request, delete_session, delete_user, delete_organization]


async def _delete(parts: Parts, principal: Principal, removal: Removal, thing: str, *, wait: bool) -> Response[bytes]:
    await parts.settle()
    removed = await asyncio.to_thread(parts.eraser.erase, principal.organisation_id, removal)
    if thing and not removed.calls:
        raise NotFound(f"{thing.capitalize()} not found")
    wiped = wait and await asyncio.to_thread(parts.eraser.wait, _WAIT_S)
    return answer(Deleted(requests=removed.calls, sessions=list(removed.session_ids), wiped=wiped))
