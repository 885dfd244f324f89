"""What is relayed, and the seams at both ends of a relay: who is given the answer, and who keeps what crossed."""

from collections.abc import AsyncIterator, Callable
from typing import Protocol

import msgspec

from reenact.domain.exchange import Exchange, Header, Spill
from reenact.domain.labels import Labels
from reenact.gateway.addressing import TakeName
from reenact.gateway.controls import NONE, Controls


class Upload(msgspec.Struct, frozen=True):
    """A request body that is passed on as it comes."""

    pieces: AsyncIterator[bytes]
    body_bytes: int | None
    """How long it says it is; None when it does not say."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One request to relay: from an agent, or from a replay's runner."""

    id: str
    organisation_id: str
    method: str
    url: str
    """The absolute URL on this gateway, as the agent called it; what a replay would call again."""
    provider: str
    origin: str
    """Of the provider: scheme, host and port."""
    target: bytes
    """Path and query for the provider, percent-encoding untouched."""
    labels: Labels
    headers: tuple[Header, ...]
    """To forward: end-to-end, with no header of ours among them."""
    received: tuple[Header, ...] | None = None
    """As they came, ours among them: what is recorded, secrets redacted. None: `headers` is."""
    recorded: tuple[Header, ...] | None = None
    """`received` with the secrets redacted, where somebody has done that already."""
    body: bytes
    upload: Upload | None = None
    """The body, where it is not gathered first; `body` is empty then."""
    started_us: int
    controls: Controls = NONE
    """What its headers switch on beside relaying it."""
    is_guarded: bool = False
    """Whether its agent named the origin, which then has to be one that agents may name."""
    elects: bool = False
    """Whether the provider is left to the gateway, which chooses it by the body's model; `origin` is empty then."""
    take: TakeName | None = None
    """The take that it is a call of: answered by the stage, and asked of a provider only if the stage says so."""

    @property
    def is_plain(self) -> bool:
        """Whether nothing is to be done but relay it, as with most calls."""
        return self.controls is NONE and not self.is_guarded and not self.elects and self.take is None


class Sink(Protocol):
    """Whoever is given the answer as it comes: an agent's connection, or a replay's collector."""

    async def start(self, status: int, headers: list[Header]) -> None:
        """Take the answer's head."""
        ...

    async def chunk(self, body: bytes) -> None:
        """Take a piece of the body; returns when more may follow (back-pressure)."""
        ...

    async def end(self) -> None:
        """Take the end of a whole answer. Never called for an answer that broke off."""
        ...


class Recorder(Protocol):
    """Whoever keeps what crossed; the spool."""

    def append(self, exchange: Exchange) -> bool:
        """Keep *exchange*; return whether it is written: a process killed from then on has kept it. If not, see `when_written`.

        Raises:
            SpoolFailed: it could not be kept.
        """
        ...

    def spill(self) -> Spill:
        """Open a file for a body that is too large for memory.

        Raises:
            SpoolFailed: there can be none.
        """
        ...

    def append_spilled(self, exchange: Exchange, request: Spill | None, response: Spill | None) -> bool:
        """Keep *exchange*, whose bodies lie in files that are its own from now on; see `append`.

        Raises:
            SpoolFailed: it could not be kept.
        """
        ...

    def when_written(self, act: Callable[[], None]) -> float:
        """Have *act* called, on any thread, once everything appended so far is written, or cannot be.

        Returns for how many seconds an agent may wait for that.
        """
        ...

    def let_go(self) -> None:
        """Count an exchange whose agent was given the end of its answer before it was written; never raises."""
        ...

    def when_durable(self, act: Callable[[], None]) -> None:
        """Have *act* called, on any thread, once everything appended so far is safe from a power cut, or cannot be made so."""
        ...

    def gap(self, organisation_id: str, reason: str) -> None:
        """Count one exchange that could not be kept; never raises."""
        ...
