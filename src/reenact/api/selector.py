"""Selector: reads a filter that asks about whole sessions, too; for these it looks into the store."""

import asyncio
from collections.abc import Callable

import msgspec

from reenact.api.filtering import NOTHING, every, read_filter
from reenact.api.parts import Parts
from reenact.api.sessioning import Counted, Summed, Tagged, Wish
from reenact.domain.filter import EVERYTHING, Condition, Filter, OneOf, Operator
from reenact.domain.filtering import ARITHMETIC, POSITIVE, number_bound
from reenact.domain.message import Json
from reenact.domain.total import Grouping, Total
from reenact.store.calls import CallStore

TAG = "Helicone-Session-Tag"
"""The property of a session's first call that is its tag."""

_BY_SESSION = Grouping(column="session_id")
_IN_A_SESSION = Condition(column="session_id", operator=Operator.NOT_EQUALS, value="")
_ALL_SESSIONS = 2**31


async def select(raw: Json, parts: Parts, organisation_id: str, path: str = "filter") -> Filter:
    """Return the filter that *raw* says, once calls answered by now can be found.

    Raises:
        InvalidFilter: it is not one; `field` is the place.
    """
    await parts.settle()
    finder = SessionFinder(parts.calls, organisation_id)
    return await asyncio.to_thread(read_filter, raw, organisation_id, path, finder.calls_of)


class SessionFinder(msgspec.Struct, frozen=True):
    """Turns what is wished of sessions into the calls of those that have it. Reads the store: for threads."""

    calls: CallStore
    organisation_id: str

    def calls_of(self, wish: Wish) -> Filter:
        """Return the filter for the calls of the sessions that *wish* is about."""
        match wish:
            case Summed():
                return self._among([one for one in self._totals(EVERYTHING) if _holds(wish, one)])
            case Counted():
                return self._among(self._counted(wish))
            case Tagged(operator=operator, value=value):
                positive = POSITIVE.get(operator, operator)
                tagged = self._totals(Condition(column="properties", key=TAG, operator=positive, value=value))
                return self._among(tagged, are_excluded=positive is not operator)

    def _counted(self, wish: Counted) -> list[Total]:
        """Return the sessions with the wished number of calls that match."""
        whole = self._totals(EVERYTHING)
        matching = {one.value: one.calls for one in self._totals(wish.of)} if wish.of != NOTHING else {}
        return [one for one in whole if wish.holds(matching.get(one.value, 0), one.calls)]

    def _totals(self, where: Filter) -> list[Total]:
        inside = every([_IN_A_SESSION, where])
        return self.calls.totals(self.organisation_id, inside, _BY_SESSION, limit=_ALL_SESSIONS)

    def _among(self, sessions: list[Total], *, are_excluded: bool = False) -> Filter:
        values = tuple(one.value or "" for one in sessions)
        return OneOf(column="session_id", values=values, are_excluded=are_excluded)


_SUMS: dict[str, Callable[[Total], float]] = {
    "session_total_cost": lambda one: one.cost_nanodollars,
    "session_total_tokens": lambda one: one.input_tokens + one.output_tokens,
    "session_prompt_tokens": lambda one: one.input_tokens,
    "session_completion_tokens": lambda one: one.output_tokens,
    "session_total_requests": lambda one: one.calls,
    "session_created_at": lambda one: one.first_us or 0,
    "session_latest_request_created_at": lambda one: one.latest_us or 0,
}


def _holds(wish: Summed, session: Total) -> bool:
    column = "cost_dollars" if wish.column == "session_total_cost" else wish.column
    return ARITHMETIC[wish.operator](_SUMS[wish.column](session), number_bound(column, wish.value))
