"""Session notes: the tag and the feedback of a session. Both are properties of its first call (surface 3.5)."""

import asyncio
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from reenact.api.envelope import answer, described
from reenact.api.guard import WRITES, GivenParts, GivenPrincipal
from reenact.api.parts import Parts
from reenact.api.requests import Rating
from reenact.api.selector import TAG
from reenact.domain.call import Call
from reenact.domain.filter import Condition, Operator, Sort
from reenact.errors import NotFound

FEEDBACK = "Helicone-Session-Feedback"


class Tag(msgspec.Struct, frozen=True):
    """A word that sessions are found by; one for each session."""

    tag: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


@post("/v1/session/{session_id:str}/feedback", status_code=200, opt=WRITES, responses=described(None))
async def rate_session(
    session_id: FromPath[str], data: JSONBody[Rating], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Say whether a session went well: the property `Helicone-Session-Feedback`, `1` or `0`."""
    await _note(parts, principal.organisation_id, session_id, FEEDBACK, str(int(data.rating)))
    return answer(None)


@get("/v1/session/{session_id:str}/tag", responses=described(str | None))
async def get_tag(session_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Get a session's tag; null when it has none."""
    await parts.settle()
    organisation_id = principal.organisation_id

    def read() -> str | None:
        return _first(parts, organisation_id, session_id).labels.properties.get(TAG)

    return answer(await asyncio.to_thread(read))


@post("/v1/session/{session_id:str}/tag", status_code=200, opt=WRITES, responses=described(None))
async def tag_session(
    session_id: FromPath[str], data: JSONBody[Tag], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Set a session's tag; the last one set is kept."""
    await _note(parts, principal.organisation_id, session_id, TAG, data.tag)
    return answer(None)


ROUTES: list[HTTPRouteHandler] = [rate_session, get_tag, tag_session]


async def _note(parts: Parts, organisation_id: str, session_id: str, key: str, value: str) -> None:
    await parts.settle()

    def write() -> None:
        parts.calls.set_property(organisation_id, _first(parts, organisation_id, session_id).id, key, value)

    await asyncio.to_thread(write)


def _first(parts: Parts, organisation_id: str, session_id: str) -> Call:
    """Return a session's first call.

    Raises:
        NotFound: there is no such session.
    """
    where = Condition(column="session_id", operator=Operator.EQUALS, value=session_id)
    found = parts.calls.find(organisation_id, where, Sort(ascending=True), offset=0, limit=1) if session_id else []
    if not found:
        raise NotFound("Session not found")
    return found[0]
