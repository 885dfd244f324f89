"""Pair, Comparison: two sessions side by side, and what is different."""

import enum

import msgspec

from reenact.domain.call import Call
from reenact.domain.message import Answer, Json, Prompt


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A call with its bodies understood: what comparing needs. Made by whoever reads the store."""

    call: Call
    prompt: Prompt | None
    """None when the request has no dialect or no body."""
    answer: Answer | None
    attempts: tuple[Call, ...] = ()
    """In a take: what failed or was stopped before this one was asked for the same recorded call, oldest first."""


class Change(enum.Enum):
    """What became of a piece."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


class Span(msgspec.Struct, frozen=True, array_like=True):
    """A run of words that stand in both texts, or in one."""

    change: Change
    text: str


class JsonChange(msgspec.Struct, frozen=True, kw_only=True):
    """One place in which two JSON values differ."""

    path: str
    """A JSON Pointer (RFC 6901) into the left value for REMOVED, into the right value for ADDED."""
    change: Change
    """SAME never; a replaced value is REMOVED and ADDED, both at once, as two entries."""
    value: Json


class ToolPair(msgspec.Struct, frozen=True, kw_only=True):
    """Two tool calls set side by side; a missing side is None."""

    left_name: str | None
    right_name: str | None
    changes: tuple[JsonChange, ...] = ()
    """Of the arguments, when both sides name the same tool."""
    left_arguments: str | None = None
    """As the model wrote them; None when the side is missing."""
    right_arguments: str | None = None

    @property
    def is_same(self) -> bool:
        """Whether both ask the same tool with the same arguments."""
        return self.left_name == self.right_name and not self.changes


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two aligned calls; a missing side is None."""

    left: Turn | None
    right: Turn | None
    prompt_changes: tuple[JsonChange, ...] = ()
    """Between the request bodies."""
    prompt_changes_are_cut: bool = False
    """Whether there are more than those: very long lists of changes are ended early."""
    answer_spans: tuple[Span, ...] = ()
    """Word diff of the answers' texts."""
    tools: tuple[ToolPair, ...] = ()

    @property
    def is_same_answer(self) -> bool:
        """Whether both sides are there, ended alike, and say and ask the same."""
        if self.left is None or self.right is None:
            return False
        left, right = self.left.call, self.right.call
        return (
            (left.status, left.ending) == (right.status, right.ending)
            and all(span.change is Change.SAME for span in self.answer_spans)
            and all(tool.is_same for tool in self.tools)
        )


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """One side, summed."""

    calls: int
    """Those of a take that were asked again count once; tokens, cost and time are of all attempts."""
    failed_calls: int
    input_tokens: int
    output_tokens: int
    cost_nanodollars: int
    unpriced_calls: int
    """Calls whose price is not known and which the cost leaves out."""
    duration_us: int
    """From the first request to the end of the last answer."""
    model_us: int
    """The calls' own durations added up."""


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """One measure over all takes of a replay, in the order of the takes."""

    measure: str
    control: tuple[int, ...]
    changed: tuple[int, ...]
    chance: float
    """How likely chance alone would set both arms so far apart (p, two-sided)."""
    least_chance: float
    """The smallest that `chance` can be with so many takes: above 0.05, nothing can be told."""

    @property
    def is_noise(self) -> bool:
        """Whether chance alone would do this more than once in twenty times."""
        return self.chance > 0.05

    @property
    def is_told(self) -> bool:
        """Whether there are takes enough to tell a difference from noise."""
        return self.least_chance <= 0.05


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """All pairs of two sessions with their differences."""

    left_session_id: str
    right_session_id: str
    left_name: str
    right_name: str
    pairs: tuple[Pair, ...]
    left: Totals
    right: Totals

    @property
    def paired(self) -> int:
        """How many pairs have both sides; few of many means that the two sessions hardly belong together."""
        return sum(pair.left is not None and pair.right is not None for pair in self.pairs)

    @property
    def different(self) -> int:
        """How many pairs with both sides differ in what was said, asked or how it ended."""
        return sum(pair.left is not None and pair.right is not None and not pair.is_same_answer for pair in self.pairs)
