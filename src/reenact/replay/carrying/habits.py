"""Habits: how an agent was seen to treat what not every answer has, as far as a session shows it."""

import re

import msgspec

from reenact.replay.carrying.tape import Recorded

_LINES_ASKED = re.compile(
    r"\b(lines?|bullets?|bullet points?|numbered|titles?|headlines?|subject|one sentence|single sentence)\b",
    re.IGNORECASE,
)


class Habits(msgspec.Struct, kw_only=True):
    """How the agent was seen to treat what not every answer has: space around it, and letters outside ASCII."""

    trims: dict[str, set[bool]] = msgspec.field(default_factory=dict)
    """By the family of the call whose answer had space around it: whether it was left out."""
    may_keep: dict[str, set[bool]] = msgspec.field(default_factory=dict)
    """The same where the space may as well be the prompt's own."""
    trims_at_end: dict[str, set[bool]] = msgspec.field(default_factory=dict)
    """The same where a text ended with the answer: there the whole text may have been trimmed, and not the answer."""
    wraps: dict[str, frozenset[str]] = msgspec.field(default_factory=dict)
    """By the signs before a text on its line: the ways of setting several lines behind them that fit all that was seen."""
    rewritings: dict[tuple[str, ...], frozenset[str]] = msgspec.field(default_factory=dict)
    """By place: the ways of rewriting a text that fit all that was seen there."""
    asked_for_lines: set[int] = msgspec.field(default_factory=set)
    """The calls whose prompt asks for lines, a list, a title: programs cut such answers up."""
    whole_at: set[tuple[str, ...]] = msgspec.field(default_factory=set)
    """The places where a text of several lines was seen to stand whole."""
    ascii: set[bool] = msgspec.field(default_factory=set)
    """Whether letters outside ASCII were escaped where texts stood in literals."""


def asks_for_lines(call: Recorded) -> bool:
    """Return whether the last message of *call*'s prompt asks for what is read line by line, or for one line."""
    messages = call.prompt.messages
    return bool(messages) and _LINES_ASKED.search(messages[-1].text) is not None
