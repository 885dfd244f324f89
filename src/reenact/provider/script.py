"""Script: what the scripted provider is told to answer beside its own rules. Data, read from JSON or YAML."""

import msgspec

from reenact.domain.message import Json


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests a rule is for: all conditions given must hold."""

    model: str = "*"
    """A glob."""
    system: str | None = None
    """Text that stands in the system prompt, in any case."""
    user: str | None = None
    """Text that stands in the newest user message, in any case."""
    after_tool: bool | None = None
    """Whether the newest turn gives back tool results."""


class ScriptedCall(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tool call to answer with."""

    name: str
    arguments: dict[str, Json] = {}


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do with a request that matches; what is not said is done as without the rule."""

    match: Match = Match()
    text: str | None = None
    tool_calls: tuple[ScriptedCall, ...] = ()
    fault: str | None = None
    """In the words of the header `x-provider-fault`."""


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules in order; the first that matches is used."""

    rules: tuple[Rule, ...] = ()
