"""Parts: what the routes work with, given by the composition root as one value."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from reenact.access.principal import Principal
from reenact.api.keykeeper import KeyKeeper
from reenact.domain.exchange import Exchange
from reenact.prompts.keeper import PromptKeeper
from reenact.replay.batches import Batches
from reenact.replay.service import Replays
from reenact.store.calls import CallStore
from reenact.store.control.hidden import HiddenProperties
from reenact.upkeep.eraser import Eraser


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything that answers a request; the stores are synchronous and are called in threads."""

    calls: CallStore
    keys: KeyKeeper
    hidden: HiddenProperties
    prompts: PromptKeeper
    replays: Replays
    batches: Batches
    secret: bytes
    """Signs addresses of bodies."""
    public_url: str
    """The origin that clients reach this server at; the request's own when empty."""
    local: Principal
    """Whoever asks without a valid key while that is allowed: the default organisation."""
    keyless: bool
    """Whether a request without a valid key acts as the default organisation: on loopback, unless a key is required."""
    record: Callable[[Exchange], None]
    """Keeps an exchange that was told and did not cross the gateway; waits for a disk. Raises SpoolFailed."""
    new_id: Callable[[], str]
    """Gives a random UUID."""
    settle: Callable[[], Awaitable[None]]
    """Returns when calls answered by now can be found, or after about two seconds."""
    clock: Callable[[], int]
    """The time in microseconds since the epoch."""
    eraser: Eraser
    """Deletes what was recorded."""
    troubles: Callable[[], list[str]]
    """What is wrong now with recording, in words that show nothing of any call; empty when all is well."""
    provider_keys: frozenset[str] = frozenset()
    """Providers whose keys the server's owner named: what keys of this server's may stand for."""
    notes: Callable[[], list[str]] = list
    """What goes on that is no trouble, in such words."""
