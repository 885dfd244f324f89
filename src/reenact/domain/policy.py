"""Policies: who answers the tools that a take asks for, and what becomes of turns that no record can tell."""

import enum
from fnmatch import fnmatchcase
from typing import Annotated

import msgspec

from reenact.domain.message import Json


class Recorded(msgspec.Struct, frozen=True, tag="recorded", tag_field="answer", forbid_unknown_fields=True):
    """The result recorded for the same tool and arguments; a miss goes on to the next policy."""


class Static(msgspec.Struct, frozen=True, tag="static", tag_field="answer", forbid_unknown_fields=True):
    """Always the same result."""

    result: Json
    """A text, or JSON that is written as text."""


class Callback(msgspec.Struct, frozen=True, tag="callback", tag_field="answer", forbid_unknown_fields=True):
    """The user's own tool is asked: the only policy under which something of the user's runs."""

    url: str | None = None
    """Where the tool call is sent, an address that agents may name as a target; None: the client that watches the replay."""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 60.0
    """How long the tool may take; what takes longer stops the branch."""
    is_keyed: bool = False
    """Whether the address is sent the replay's `provider_keys.tools` as a bearer token; it is never kept."""


class Simulate(msgspec.Struct, frozen=True, tag="simulate", tag_field="answer", forbid_unknown_fields=True):
    """A model plays the tool; whatever follows is marked as simulated."""

    instruction: str = ""
    """Added to what the model is told."""
    model: str | None = None
    """The model of the call that asks for the tool when left out."""


class ErrorResult(msgspec.Struct, frozen=True, tag="error_result", tag_field="answer", forbid_unknown_fields=True):
    """The tool fails with this text."""

    text: str = "The tool is not available."


class Stop(msgspec.Struct, frozen=True, tag="stop", tag_field="answer", forbid_unknown_fields=True):
    """The branch ends here and says so."""


ToolPolicy = Recorded | Static | Callback | Simulate | ErrorResult | Stop


class ToolRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do with the calls of some tools: the policies are tried in order; after the last one the branch stops."""

    tool: str = "*"
    """The tool's name, as a glob."""
    policies: tuple[ToolPolicy, ...] = (Recorded(), Stop())


class UserTurns(enum.Enum):
    """What becomes of a recorded user turn whose conversation has diverged."""

    KEEP = "keep"
    """It is said as recorded, and marked."""
    STOP = "stop"


class Policies(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a chained take deals with what the record cannot answer."""

    tools: tuple[ToolRule, ...] = ()
    """The first rule whose glob fits a tool is used; a tool without one is answered from the record, else its branch stops."""
    user_turns: UserTurns = UserTurns.KEEP
    extra_rounds: int = 16
    """How many calls a tool loop may go on beyond its recorded ones."""
    stop_in_doubt: bool = False
    """Whether calls whose request is in doubt are left out, instead of asked and marked."""

    def of(self, tool: str) -> tuple[ToolPolicy, ...]:
        """Return the policies for *tool* in the order they are tried."""
        return next((rule.policies for rule in self.tools if fnmatchcase(tool, rule.tool)), ToolRule().policies)
