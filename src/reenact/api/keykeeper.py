"""KeyKeeper: makes, finds and revokes API keys."""

import secrets
import time
import uuid
from collections.abc import Callable
from typing import Protocol

from reenact.access.authenticator import Authenticator
from reenact.access.keys import KEY_BYTES, KeyRecord, hash_key, issue_key, issue_vault_key
from reenact.access.principal import Permissions, Principal
from reenact.errors import NotFound
from reenact.store.control.store import ControlStore

_REMEMBERED_S = 600.0


class Epoch(Protocol):
    """A number that all processes of a server see; it is another whenever keys have changed."""

    def __call__(self) -> int:
        """Return it."""
        ...

    def advance(self) -> None:
        """Make it another."""
        ...


class _OwnEpoch:
    """For a server that is one process."""

    def __init__(self) -> None:
        self._number = 0

    def __call__(self) -> int:
        return self._number

    def advance(self) -> None:
        self._number += 1


class KeyKeeper:
    """Stands before the control store. Any thread may ask.

    Nothing else writes keys while a server holds the folder: what is remembered is forgotten, in all its processes, whenever a
    key is made or revoked, so that both work at once.
    """

    def __init__(self, control: ControlStore, clock: Callable[[], int], epoch: Epoch | None = None) -> None:
        """Take the store, the time in microseconds since the epoch, and what other processes see when keys change."""
        self._control = control
        self._clock = clock
        self._epoch = epoch or _OwnEpoch()
        self.epoch: Callable[[], int] = self._epoch
        """Changes whenever something that is remembered is to be forgotten, in all processes of the server."""
        self._forget()

    def holder(self, key: str) -> Principal | None:
        """Return who holds *key*; None for one that this server does not know.

        Raises:
            StoreFailed: it is not remembered and the store cannot be read.
        """
        if self._epoch() != self._known:
            self._forget()
        return self._authenticator.holder(key)

    def issue(self, organisation_id: str, name: str, permissions: Permissions) -> tuple[str, KeyRecord]:
        """Make a key; return it, for the only time, and what is kept of it."""
        return self._keep(issue_key(secrets.token_bytes(KEY_BYTES)), organisation_id, name, permissions)

    def issue_for(self, organisation_id: str, name: str, provider: str) -> tuple[str, KeyRecord]:
        """Make a key that stands for the server's key of *provider* and may record; return it as `issue` does."""
        return self._keep(issue_vault_key(provider, str(uuid.uuid4())), organisation_id, name, "w")

    def _keep(self, key: str, organisation_id: str, name: str, permissions: Permissions) -> tuple[str, KeyRecord]:
        record = KeyRecord(
            id=str(uuid.uuid4()),
            organisation_id=organisation_id,
            name=name,
            permissions=permissions,
            key_hash=hash_key(key),
            last_four=key[-4:],
            created_us=self._clock(),
        )
        self._control.add_key(record)
        self._epoch.advance()
        return key, record

    def keys_of(self, organisation_id: str) -> list[KeyRecord]:
        """Return the keys of an organisation that work, oldest first."""
        return self._control.list_keys(organisation_id)

    def rename(self, organisation_id: str, key_id: str, name: str) -> KeyRecord:
        """Give a key another name; return what is kept of it.

        Raises:
            NotFound: the organisation has no such key.
        """
        return self._control.rename_key(organisation_id, self._named(organisation_id, key_id).id, name)

    def revoke(self, organisation_id: str, key_id: str) -> KeyRecord:
        """Let a key work no more, at once; return what was kept of it.

        Raises:
            NotFound: the organisation has no such key.
        """
        record = self._named(organisation_id, key_id)
        self._control.delete_key(organisation_id, record.id, self._clock())
        self._epoch.advance()
        return record

    def _named(self, organisation_id: str, key_id: str) -> KeyRecord:
        """Return the key whose id is *key_id*, or whose number, which the API shows."""
        for record in self.keys_of(organisation_id):
            if key_id in (record.id, str(record.number)):
                return record
        raise NotFound(f"There is no key {key_id}")

    def _forget(self) -> None:
        self._known = self._epoch()
        self._authenticator = Authenticator(self._control.find_key, clock=time.monotonic, remember_s=_REMEMBERED_S)
