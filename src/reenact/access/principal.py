"""Principal: who asks, and what they may do."""

from typing import Literal

import msgspec

Permissions = Literal["r", "w", "rw"]
"""To read what was recorded; to record and change; both (surface 1.1)."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever holds a key; or, where no key is needed, whoever can reach this server."""

    organisation_id: str
    key_id: str | None
    """None when no key was needed."""
    permissions: Permissions

    @property
    def may_read(self) -> bool:
        """Whether they may see what was recorded."""
        return "r" in self.permissions

    @property
    def may_write(self) -> bool:
        """Whether they may record, and change what was recorded."""
        return "w" in self.permissions
