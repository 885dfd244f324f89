"""Tape: a recorded session as carrying reads it."""

import msgspec

from reenact.domain.message import Answer, Prompt


class Recorded(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One recorded call, understood."""

    index: int
    """Position in the session, counted from 1."""
    prompt: Prompt
    answer: Answer | None
    """None when it failed, was cut off or was not recorded."""
    started_us: int
    ended_us: int
    family: str = ""
    """What kind of call the agent takes it for: session path and prompt id."""


Tape = tuple[Recorded, ...]
"""The calls of a session that can be asked again, in order of their positions."""
