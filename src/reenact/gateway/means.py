"""Means: what this server gives the gateway to do more with a call than relay it."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from reenact.domain.call import Reading
from reenact.domain.exchange import Exchange
from reenact.gateway.cacher import Cacher
from reenact.gateway.guarding import Guard
from reenact.gateway.limiter import Limiter
from reenact.gateway.stage import Stage

Understand = Callable[[Exchange], Reading]
"""Says what an exchange means, and what it cost; ingest's own way of reading it. Runs on the event loop, for the few calls
whose bodies are not kept or that draw on a budget."""
Screen = Callable[[str, bool], Awaitable[bool]]
"""Given a text and whether to look thoroughly, says whether it is an attack."""


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What there is; a header that asks for what there is not leaves a note with the call."""

    guard: Guard
    """Which targets agents may name."""
    cacher: Cacher | None = None
    limiter: Limiter | None = None
    understand: Understand | None = None
    screen: Screen | None = None
    stage: Stage | None = None
    """Who answers the calls of takes; without one they are refused."""
    provider_keys: Mapping[str, str] = {}
    """Key by provider name, for calls that leave the provider to the gateway. Never written, logged or shown."""

    def __repr__(self) -> str:
        return "Means()"
