"""Sessioning: what a filter can wish of whole sessions: sums, a tag, or how many of their calls match another filter."""

from collections.abc import Callable

import msgspec

from reenact.domain.filter import Filter, Operator
from reenact.domain.filtering import ARITHMETIC


class Summed(msgspec.Struct, frozen=True, kw_only=True):
    """A sum over the session's calls compared with a number; times are microseconds."""

    column: str
    """Helicone's name, such as `session_total_cost` (US dollars)."""
    operator: Operator
    value: float


class Tagged(msgspec.Struct, frozen=True, kw_only=True):
    """The session's tag compared with a text."""

    operator: Operator
    value: str


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the session's calls match."""

    of: Filter
    operator: Operator = Operator.GTE
    value: float = 1
    of_all: bool = False
    """Whether every call must match, whatever `operator` and `value` say."""

    def holds(self, matching: int, calls: int) -> bool:
        """Return whether a session has it of whose *calls* so many match."""
        return matching == calls if self.of_all else ARITHMETIC[self.operator](matching, self.value)


Wish = Summed | Tagged | Counted

CallsOf = Callable[[Wish], Filter]
"""Gives the filter for the calls of the sessions that have what is wished."""
