"""Find the calls of other sessions from which the calls of a session go on, by the response ids that they name."""

from collections.abc import Mapping, Sequence

from reenact.domain.call import Bodies, Call
from reenact.domain.filter import OneOf, Sort
from reenact.replay.expanding import names
from reenact.store.calls import CallStore

_OLDEST_FIRST = Sort(ascending=True)
_PAGE = 1000
_MOST_STEPS = 100
"""How far back a history that was recorded in other sessions is followed."""


def earlier_calls(
    store: CallStore, organisation_id: str, calls: Sequence[Call], bodies: Mapping[str, Bodies]
) -> dict[str, tuple[Call, Bodies]]:
    """Return the recorded calls that *calls* go on from and that are not among them, by response id, and so on back."""
    known = {call.response_id for call in calls}
    found: dict[str, tuple[Call, Bodies]] = {}
    wanted = {name for call in calls if (name := names(call, bodies.get(call.id)))} - known
    for _ in range(_MOST_STEPS):
        if not wanted:
            break
        new = _answered_as(store, organisation_id, wanted)
        found |= new
        wanted = {name for call, its_bodies in new.values() if (name := names(call, its_bodies))} - known - found.keys()
    return found


def _answered_as(store: CallStore, organisation_id: str, ids: set[str]) -> dict[str, tuple[Call, Bodies]]:
    """Return the first call that was answered with each of *ids*; those that none was are left out."""
    where = OneOf(column="response_id", values=tuple(sorted(ids)))
    oldest: dict[str, Call] = {}
    for call in store.find(organisation_id, where, _OLDEST_FIRST, offset=0, limit=_PAGE):
        if call.response_id is not None and call.status < 400:
            oldest.setdefault(call.response_id, call)
    bodies = store.bodies(organisation_id, [call.id for call in oldest.values()])
    return {name: (call, bodies[call.id]) for name, call in oldest.items() if call.id in bodies}
