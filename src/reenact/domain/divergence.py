"""Divergence and doubt: where a take can no longer follow its source, and what no record can tell. Values, never exceptions."""

import enum

import msgspec

from reenact.domain.message import Json


class Validity(enum.Enum):
    """What one call of a take is worth."""

    ON_TAPE = "on_tape"
    """Nothing that it depends on left the source's actions: its request is what the agent would have sent."""
    AFTER_DIVERGENCE = "after_divergence"
    """Something that it depends on did something else than its source, or its request holds what no record can tell."""
    SIMULATED = "simulated"
    """It depends on something that a model or a fixed value stood in for."""
    DROPPED = "dropped"
    """It was not asked in this take."""


class Departure(enum.Enum):
    """In what way an action does not follow the source. Rewording alone is none."""

    OTHER_TOOL = "other_tool"
    OTHER_ARGUMENTS = "other_arguments"
    EXTRA_CALL = "extra_call"
    """It asks for a tool where the source asked for none or fewer."""
    MISSING_CALL = "missing_call"
    """It asks for no tool, or fewer, where the source did."""
    STOP_REASON = "stop_reason"
    FAILURE = "failure"
    """One of the two failed and the other did not."""


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """The first action that no longer follows the source."""

    departure: Departure
    detail: str
    """In words."""
    before: Json = None
    """The source's action: its tool calls, or its stop reason."""
    after: Json = None


class Unknown(enum.Enum):
    """What no record can tell."""

    AMBIGUOUS = "ambiguous"
    """A text may or may not be a copy of an answer."""
    MISSING_VALUE = "missing_value"
    """The new answer has no such field, line or piece."""
    SPACING = "spacing"
    """How the agent treats what no recorded answer had: space around a text, letters outside ASCII."""
    DERIVED = "derived"
    """A text that a program may have made of an answer: it stands in no template, and came after the answer."""
    TRUNCATED = "truncated"
    """The agent cut a text at a length."""
    DECISION = "decision"
    """An answer that stands in no later request changed: it may steer the agent."""
    PICK = "pick"
    """One of several answers to the same question was used."""
    COUNT = "count"
    """A list that the agent goes through has another length."""
    TRIMMED = "trimmed"
    """How much of the history is left out."""
    TOOL_RESULT = "tool_result"
    """No record says what the tool would have given back."""
    STATE = "state"
    """The provider holds state that the record does not."""
    ROUNDS = "rounds"
    """More rounds than the limit."""
    FAILURE = "failure"
    """A call that this one needs failed."""
    UPSTREAM = "upstream"
    """It depends on a call of which something is unknown."""


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request may not be what the agent would have sent."""

    unknown: Unknown
    detail: str
    """In words."""
    source: int | None = None
    """The recorded call it comes from, by its position."""


class Rewrite(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded text that a new value took the place of."""

    place: str
    """A JSON Pointer into the prompt as it was understood: `/messages/3/parts/0`."""
    before: str
    after: str
    source: int
    """The recorded call whose answer stands there, by its position."""
    source_place: str
    """What of the answer: `text`, `text/items/0` for a field of a JSON answer, `tool_use 1/city`, `line 2`, ..."""
    rule: str
    """How it stands there, and why that counts as evidence: `plain, long and unique`."""
