"""Question: one call of a take, ready to be sent; and the seam behind the runner, whoever sends it."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from reenact.domain.call import Call
from reenact.domain.exchange import Header
from reenact.domain.labels import ReplayLink
from reenact.domain.replay import Answered, AskCall, Plan
from reenact.replay.planning import Recording


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a take, with what is known of the call that it re-asks."""

    organisation_id: str
    ask: AskCall
    source: Call
    headers: tuple[Header, ...]
    """As recorded, secrets redacted."""
    recorded_body: bytes
    link: ReplayLink
    session_id: str
    """Of the take."""
    session_name: str


class Asker(Protocol):
    """Whoever sends the calls of a replay."""

    def check(self, plan: Plan, recording: Recording, provider_keys: Mapping[str, str]) -> None:
        """Make sure that every call of *plan* can be sent.

        Raises:
            InvalidInput: a provider's key is missing, or a call's address leads nowhere; names which.
        """
        ...

    async def ask(self, question: Question, provider_keys: Mapping[str, str]) -> Answered:
        """Send one call and return what became of it; a failure of the provider is a value."""
        ...
