"""Question: one call of a take, ready to be sent, or one tool call; and the seam behind the runner, whoever sends it."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from reenact.domain.call import Call
from reenact.domain.exchange import Exchange, Header
from reenact.domain.labels import Labels, ReplayLink
from reenact.domain.message import Json
from reenact.domain.patch import Fault
from reenact.domain.replay import Answered, AskCall, AskTool, Plan
from reenact.replay.recording import Recording


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a take, with what is known of the call that it re-asks."""

    id: str
    """Of the new call; the same whenever this step of this replay is asked (`naming.step_id`)."""
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
    fault: Fault | None = None
    """What the patch has go wrong with it."""
    needs_meaning: bool = False
    """Whether the answer, its tokens and its cost are wanted at once; reading them costs time."""

    @property
    def provider(self) -> str:
        """Who is asked."""
        return self.ask.provider or self.source.provider

    @property
    def is_unchanged(self) -> bool:
        """Whether exactly what was recorded is to be asked, of the same model at the same place."""
        ask, source = self.ask, self.source
        return ask.body == self.recorded_body and ask.url == source.url and ask.round == 0 and ask.tool is None

    @property
    def labels(self) -> Labels:
        """The recorded labels in the take's session; what would have a cache answer is left out."""
        override = self.source.labels.model_override if self.ask.model == self.source.model else None
        return _in_take(self.source.labels, self.link, self.session_id, self.session_name, override)


class ToolQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """One tool call of a take, ready to be sent."""

    id: str
    """Of the call that it is recorded as; the same whenever this step of this replay is asked."""
    organisation_id: str
    replay_id: str
    ask: AskTool
    source: Call
    """The model's call that its result goes into."""
    link: ReplayLink
    session_id: str
    """Of the take."""
    session_name: str

    @property
    def body(self) -> bytes:
        """What is sent and recorded: a tool event as Helicone's logs have it (surface 4.3)."""
        return msgspec.json.encode(
            {"_type": "tool", "toolName": self.ask.name, "input": _arguments(self.ask.arguments)}
        )

    @property
    def labels(self) -> Labels:
        """The labels of the call that it is for, in the take's session."""
        return _in_take(self.source.labels, self.link, self.session_id, self.session_name, None)


def _arguments(text: str) -> Json:
    """Return a tool call's arguments; the text itself where the model wrote no JSON."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text


def _in_take(labels: Labels, link: ReplayLink, session_id: str, session_name: str, override: str | None) -> Labels:
    return msgspec.structs.replace(
        labels,
        session_id=session_id,
        session_name=session_name,
        model_override=override,
        properties={
            name: value for name, value in labels.properties.items() if not name.lower().startswith("helicone-cache")
        },
        replay=link,
    )


class Asker(Protocol):
    """Whoever sends the calls of a replay."""

    def check_addresses(self, plan: Plan, recording: Recording) -> None:
        """Make sure that every call of *plan* has somewhere to go.

        Raises:
            InvalidInput: a call's address leads nowhere; names it.
        """
        ...

    def check(self, plan: Plan, recording: Recording, provider_keys: Mapping[str, str]) -> None:
        """Make sure that every call of *plan* can be sent.

        Raises:
            InvalidInput: a provider's key is missing, or a call's address leads nowhere; names which.
        """
        ...

    async def ask(self, question: Question, provider_keys: Mapping[str, str]) -> Answered:
        """Send one call and return what became of it; a failure of the provider is a value."""
        ...

    def recall(self, question: Question, exchange: Exchange) -> Answered:
        """Return what became of a call that was made before, out of its recording: the same as `ask` returned."""
        ...

    async def reuse(self, question: Question, exchange: Exchange) -> Answered:
        """Give the recorded answer of the source call in the take's session, and ask nobody."""
        ...

    async def fail(self, question: Question, exchange: Exchange) -> Answered:
        """Have the call fail or break off as its fault says, *exchange* being the source call, and ask nobody."""
        ...
