"""Read sessions out of the store as turns, and compare them: what the API and the pages both call."""

from collections.abc import Iterator, Sequence

import msgspec

from reenact.comparison.comparing import compare
from reenact.dialects.registry import dialect_named
from reenact.domain.call import Bodies, Call
from reenact.domain.comparison import Comparison, Turn
from reenact.domain.digesting import canonical
from reenact.domain.message import Answer, Json, Prompt
from reenact.errors import InvalidInput, NotFound
from reenact.ingest.overhearing import overhear
from reenact.store.calls import CallStore

_BATCH = 100
"""Calls whose bodies are in memory at once, as bytes."""


def compare_sessions(store: CallStore, organisation_id: str, left: str, right: str) -> Comparison:
    """Return what is different between the sessions with these ids.

    Raises:
        NotFound: one of them has no calls; the message names it.
    """
    return compare(read_turns(store, organisation_id, left), read_turns(store, organisation_id, right))


def read_turns(store: CallStore, organisation_id: str, session_id: str) -> list[Turn]:
    """Return a session's calls with what they say, oldest first.

    Raises:
        NotFound: there is no such session.
    """
    calls = store.session(organisation_id, session_id)
    if not calls:
        raise NotFound(f"There is no session {session_id!r}.")
    return list(read_calls(store, organisation_id, calls))


def read_calls(store: CallStore, organisation_id: str, calls: Sequence[Call]) -> Iterator[Turn]:
    """Yield *calls* with what they say, in the order given.

    Later calls of a session repeat its history; equal messages are held in memory once.
    """
    known: dict[bytes, Json] = {}
    for start in range(0, len(calls), _BATCH):
        batch = calls[start : start + _BATCH]
        bodies = store.bodies(organisation_id, [call.id for call in batch])
        for call in batch:
            yield _turn(call, bodies.get(call.id), known)


def _turn(call: Call, bodies: Bodies | None, known: dict[bytes, Json]) -> Turn:
    if bodies is None:
        return Turn(call=call, prompt=None, answer=None)
    if bodies.frames and (talk := overhear(bodies.frames, bodies.request, bodies.response)) is not None:
        return Turn(call=call, prompt=talk.prompt, answer=talk.answer)
    return Turn(call=call, prompt=_read_prompt(call, bodies, known), answer=_read_answer(call, bodies))


def _read_prompt(call: Call, bodies: Bodies, known: dict[bytes, Json]) -> Prompt | None:
    """Return what the request says; a body that its dialect cannot read is kept as it is."""
    try:
        body = _shared(msgspec.json.decode(bodies.request), known)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    dialect = dialect_named(call.dialect)
    try:
        return dialect.read_prompt(body) if dialect else Prompt(dialect=call.dialect, model=None, origin=body)
    except InvalidInput:
        return Prompt(dialect=call.dialect, model=call.request_model, origin=body)


def _read_answer(call: Call, bodies: Bodies) -> Answer | None:
    answer = bodies.answer
    if answer is None:
        return None
    dialect = dialect_named(call.dialect)
    try:
        return dialect.read_answer(answer) if dialect else Answer(origin=answer)
    except InvalidInput:
        return Answer(origin=answer)


def _shared(body: Json, known: dict[bytes, Json]) -> Json:
    """Return *body* with the items of its lists replaced by the equal ones met before."""
    if not isinstance(body, dict):
        return body
    return {
        name: [known.setdefault(canonical(item), item) for item in value] if isinstance(value, list) else value
        for name, value in body.items()
    }
