"""Parts: what the pages work with, given by the composition root as one value; and who visits."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from litestar.di import NamedDependency

from reenact.access.principal import Principal
from reenact.replay.service import Replays
from reenact.store.calls import CallStore
from reenact.store.control.store import ControlStore


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything that answers a page; the stores are synchronous and are called in threads."""

    calls: CallStore
    control: ControlStore
    replays: Replays
    principal_of: Callable[[str], Principal | None]
    """Who holds an API key; None for a key that is not known. Synchronous."""
    local: Principal
    """Who visits without a key, where that is allowed."""
    keyless: bool
    """Whether pages can be seen without signing in: on loopback, unless a key is required."""
    secret: bytes
    """Signs the cookies of those who signed in."""
    public_url: str
    """The origin that browsers reach this server at; the request's own when empty."""
    settle: Callable[[], Awaitable[None]]
    """Returns when calls answered by now can be found, or after about two seconds."""
    clock: Callable[[], int]
    """The time in microseconds since the epoch."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request for a page, let in."""

    parts: Parts
    principal: Principal
    is_signed_in: bool
    """Whether by a cookie, so that there is something to sign out of."""
    origin: str
    """The address of this server, no slash at the end."""

    @property
    def organisation_id(self) -> str:
        """Whose recordings are shown."""
        return self.principal.organisation_id


Given = NamedDependency[Visit]
"""A visit as the router provides it to a route, under the name `visit`."""
