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
from reenact.api.selector import TAG
from reenact.domain.call import Call
from reenact.domain.filter import Condition, Operator, Sort
from reenact.errors import InvalidInput, NotFound

FEEDBACK = "Helicone-Session-Feedback"
_FIELDS = {"tag": "tag", "feedback": "rating"}
_UNKNOWN = "Of a session there are `tag` and `feedback`"


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a session."""

    tag: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)] | None = None
    """For `.../tag`: a word that sessions are found by; one for each session."""
    rating: bool | None = None
    """For `.../feedback`: whether it went well."""


@get("/v1/session/{place:path}", responses=described(str | None))
async def get_note(place: FromPath[str], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Get a session's tag: `/v1/session/{sessionId}/tag`; null when it has none. Ids may have slashes in them."""
    session_id, what = _split(place)
    if what != "tag":
        raise NotFound(_UNKNOWN)
    await parts.settle()
    organisation_id = principal.organisation_id

    def read() -> str | None:
        return _first(parts, organisation_id, session_id).labels.properties.get(TAG)

    return answer(await asyncio.to_thread(read))


@post("/v1/session/{place:path}", status_code=200, opt=WRITES, responses=described(None))
async def set_note(
    place: FromPath[str], data: JSONBody[Note], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Set a session's tag, `/v1/session/{sessionId}/tag`, or say whether it went well, `/v1/session/{sessionId}/feedback`.

    The feedback is the property `Helicone-Session-Feedback`, `1` or `0`, of its first call.
    """
    session_id, what = _split(place)
    if what == "tag" and data.tag is not None:
        await _note(parts, principal.organisation_id, session_id, TAG, data.tag)
    elif what == "feedback" and data.rating is not None:
        await _note(parts, principal.organisation_id, session_id, FEEDBACK, str(int(data.rating)))
    elif what in _FIELDS:
        raise InvalidInput("Expected this field.", _FIELDS[what])
    else:
        raise NotFound(_UNKNOWN)
    return answer(None)


ROUTES: list[HTTPRouteHandler] = [get_note, set_note]


def _split(place: str) -> tuple[str, str]:
    """Return the session's id and what is asked of it."""
    session_id, _, what = place.removeprefix("/").rpartition("/")
    return session_id, what


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
