"""Find the calls of other sessions from which the calls of a session go on, by what the provider calls what it holds."""

from collections.abc import Mapping, Sequence

from reenact.domain.call import Bodies, Call
from reenact.domain.filter import Condition, OneOf, Operator, Sort
from reenact.replay.expanding import Earlier, Held, names
from reenact.store.calls import CallStore

_OLDEST_FIRST = Sort(ascending=True)
_PAGE = 1000
_MOST_STEPS = 100
"""How far back a history that was recorded in other sessions is followed."""


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
