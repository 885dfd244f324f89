"""Find what other sessions tell of one: the calls that its calls go on from, and what else the same agent did."""

from collections.abc import Mapping, Sequence

from reenact.domain.call import Bodies, Call
from reenact.domain.filter import Condition, OneOf, Operator, Sort
from reenact.replay.expanding import Earlier, Held, names
from reenact.replay.recording import Recording
from reenact.store.calls import CallStore

_OLDEST_FIRST = Sort(ascending=True)
_PAGE = 1000
_MOST_STEPS = 100
"""How far back a history that was recorded in other sessions is followed."""
_MOST_KIN = 3
_MOST_KIN_CALLS = 300
"""Of all kin together."""


def earlier_calls(
    store: CallStore, organisation_id: str, calls: Sequence[Call], bodies: Mapping[str, Bodies]
) -> Earlier:
    """Return the recorded calls of other sessions that *calls* go on from, and so on back.

    Those that tell of a conversation are found by its id among the words of their requests.
    """
    own = {call.response_id for call in calls}
    responses: dict[str, Held] = {}
    conversations: dict[str, Sequence[Held]] = {}
    named = [names(call, bodies.get(call.id)) for call in calls]
    for _ in range(_MOST_STEPS):
        wanted = {one.response for one in named if one.response} - own - responses.keys()
        begun = {one.conversation for one in named if one.conversation} - conversations.keys()
        if not wanted and not begun:
            break
        new = _answered_as(store, organisation_id, wanted) if wanted else {}
        told = {name: _telling_of(store, organisation_id, name) for name in begun}
        responses |= new
        conversations |= told
        named = [names(*one) for some in (new.values(), *told.values()) for one in some]
    return Earlier(responses=responses, conversations=conversations)


def kin_of(store: CallStore, organisation_id: str, recording: Recording) -> list[Recording]:
    """Return the newest other sessions of the same name that an agent recorded, few and short ones.

    There are none of a session without a name, and takes are none.
    """
    kin: list[Recording] = []
    if not recording.name:
        return kin
    calls_left = _MOST_KIN_CALLS
    for one in store.sessions(organisation_id, name=recording.name, limit=_MOST_KIN * 4):
        if one.session_id == recording.session_id or one.calls > calls_left or len(kin) == _MOST_KIN:
            continue
        calls = store.session(organisation_id, one.session_id)
        if calls and calls[0].labels.replay is None:
            bodies = store.bodies(organisation_id, [call.id for call in calls])
            kin.append(Recording(session_id=one.session_id, calls=calls, bodies=bodies))
            calls_left -= len(calls)
    return kin


def _answered_as(store: CallStore, organisation_id: str, ids: set[str]) -> dict[str, Held]:
    """Return the first call that was answered with each of *ids*; those that none was are left out."""
    where = OneOf(column="response_id", values=tuple(sorted(ids)))
    oldest: dict[str, Call] = {}
    for call in store.find(organisation_id, where, _OLDEST_FIRST, offset=0, limit=_PAGE):
        if call.response_id is not None and call.status < 400:
            oldest.setdefault(call.response_id, call)
    bodies = store.bodies(organisation_id, [call.id for call in oldest.values()])
    return {name: (call, bodies[call.id]) for name, call in oldest.items() if call.id in bodies}


def _telling_of(store: CallStore, organisation_id: str, conversation: str) -> list[Held]:
    """Return all calls that tell of a conversation, oldest first."""
    where = Condition(column="request_body", operator=Operator.CONTAINS, value=conversation)
    found: list[Held] = []
    offset = 0
    while page := store.find(organisation_id, where, _OLDEST_FIRST, offset=offset, limit=_PAGE):
        bodies = store.bodies(organisation_id, [call.id for call in page])
        held = [(call, bodies[call.id]) for call in page if call.id in bodies]
        found += [one for one in held if names(*one).conversation == conversation]
        offset += len(page)
    return found
