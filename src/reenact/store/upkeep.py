"""The second seam of a call store: what keeps recorded data in order, beside `calls`, which saves and asks."""

import enum
from collections.abc import Sequence
from typing import Protocol

import msgspec

from reenact.store.calls import CallStore


class Place(msgspec.Struct, frozen=True, order=True, array_like=True):
    """Where a call stands among all calls of its organisation, oldest first."""

    created_us: int = -(2**63)
    call_id: str = ""


class Scope(enum.Enum):
    """What a removal is about."""

    CALL = "call"
    SESSION = "session"
    USER = "user"
    ORGANISATION = "organisation"


class Removal(msgspec.Struct, frozen=True):
    """Calls to be removed: one, a session's, a user's, or all of the organisation.

    Takes repeat what their source said: those of a session go with it, and those of the sessions that a user took part in
    go with the user.
    """

    scope: Scope
    id: str = ""
    """Of the call, session or user."""


class Removed(msgspec.Struct, frozen=True):
    """What a removal took."""

    calls: int
    session_ids: tuple[str, ...] = ()
    """The sessions that lost a call, ordered."""


class Upkeep(CallStore, Protocol):
    """A call store whose data can be walked through, removed, measured and checked."""

    def organisations(self) -> list[str]:
        """Return the ids of all organisations that ever had a row, ordered."""
        ...

    def places(self, organisation_id: str, after: Place, limit: int) -> list[Place]:
        """Return the places of the calls that follow *after*, oldest first: how all calls are walked through."""
        ...

    def expired(self, organisation_id: str, before_us: int, limit: int) -> list[str]:
        """Return ids of calls made before a time, oldest first. A session expires as a whole, with its newest call."""
        ...

    def remove(self, organisation_id: str, removal: Removal) -> Removed:
        """Remove calls and all that was said of them, in small transactions: no query finds them any more.

        Bytes of them may lie in the files until `wipe`; which calls are concerned is kept until then.
        """
        ...

    def discard(self, organisation_id: str, call_ids: Sequence[str]) -> None:
        """Remove these calls in one small transaction, as `remove` does; unknown ids are left out."""
        ...

    def removed(self) -> list[str]:
        """Return the ids of calls that were removed and not wiped yet; never those whose age alone removed them."""
        ...

    def sweep(self) -> None:
        """Give back the room that removed calls took: what no call refers to any more."""
        ...

    def settle(self) -> None:
        """Make ready again what sums are taken from, where calls were changed and have been left alone since.

        Raises:
            StoreFailed: it cannot be written now; every answer is right all the same, and slower.
        """
        ...

    def wipe(self) -> None:
        """Sweep, and write the files anew, so that no byte of a removed call is left in them.

        Raises:
            StoreFailed: there is no room for it, or somebody reads for too long; it may be tried again.
        """
        ...

    def collect(self) -> int:
        """Delete what stands outside the rows and no row names, which only a killed process leaves; return how much it was.

        Raises:
            StoreFailed: it cannot be read or written now.
        """
        ...

    def used_bytes(self) -> int:
        """Return how much room the calls take."""
        ...

    def noticed(self) -> list[str]:
        """Return what reading met that was damaged since the store was opened, in such words, each kind once."""
        ...

    def damage(self) -> list[str]:
        """Read everything and return what is damaged, in words that show nothing of any call; empty when all is well."""
        ...
