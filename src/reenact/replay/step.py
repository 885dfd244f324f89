"""Step: an edit with all that it means for one call, and what the steps of a call say of who is asked."""

from collections.abc import Sequence

import msgspec

from reenact.domain.patch import Edit, SetModel
from reenact.prompts.recognising import Template
from reenact.replay.casting import Casting


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """An edit that asks another provider, or in another format: a SetModel with all that it means for one call."""

    model: str
    provider: str
    dialect: str
    stream: bool
    """Whether the recorded answer was streamed; Gemini's requests do not say."""


class Recast(msgspec.Struct, frozen=True, kw_only=True):
    """An edit that uses a version of a prompt: a UsePrompt with all that it means for one call."""

    casting: Casting
    tagged: Template | None = None
    """What the call's own tags left of its template."""
    asking: SetModel | Swap | None = None
    """Who is asked, where the version names a model."""
    provider: str
    """Who is asked in the end."""


Step = Edit | Swap | Recast


def asked(steps: Sequence[Step]) -> list[SetModel | Swap]:
    """Return what *steps* say of who is asked, in order."""
    told = (step.asking if isinstance(step, Recast) else step for step in steps)
    return [step for step in told if isinstance(step, SetModel | Swap)]


def last_swap(steps: Sequence[Step]) -> Swap | None:
    """Return the swap that says whom to ask in the end."""
    return next((step for step in reversed(asked(steps)) if isinstance(step, Swap)), None)
