"""Keys of this server: their shape (surface 1.1), and what is kept of them."""

import hashlib
import hmac

import msgspec

from reenact.access.principal import Permissions, Principal
from reenact.errors import InvalidInput

KEY_BYTES = 32
"""How many random bytes a key is made of."""

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_GROUPS, _GROUP_LENGTH = 4, 7
_VAULT = "sk-helicone-proxy-"
_UUID_LENGTH = 36


class KeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a key: never the key."""

    id: str
    organisation_id: str
    name: str
    permissions: Permissions
    """What its holder may do."""
    key_hash: bytes
    last_four: str
    """The key's last characters, to tell keys apart by."""
    created_us: int

    @property
    def number(self) -> int:
        """The key's id as a number, which Helicone's clients expect; of 52 bits, so that JavaScript's can hold it."""
        return int(hashlib.sha256(self.id.encode()).hexdigest()[:13], 16)


def issue_key(random_bytes: bytes) -> str:
    """Return the key `sk-helicone-xxxxxxx-xxxxxxx-xxxxxxx-xxxxxxx` that KEY_BYTES random bytes make.

    28 characters out of 36 hold 144 bits; 256 random bits folded into them leave no bias that matters.
    """
    if len(random_bytes) != KEY_BYTES:
        raise InvalidInput(f"A key is made of {KEY_BYTES} random bytes")
    number, characters = int.from_bytes(random_bytes), []
    for _ in range(_GROUPS * _GROUP_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[digit])
    text = "".join(characters)
    groups = [text[start : start + _GROUP_LENGTH] for start in range(0, len(text), _GROUP_LENGTH)]
    return "-".join(("sk-helicone", *groups))


def issue_vault_key(provider: str, random_uuid: str) -> str:
    """Return the key `sk-helicone-proxy-PROVIDER-UUID`, which stands for the server's own key of a provider (surface 1.1).

    It is kept as its hash, as any key: nobody can make it stand for another provider's.
    """
    return f"{_VAULT}{provider}-{random_uuid}"


def vaulted_provider(key: str) -> str | None:
    """Return the provider whose key *key* stands for; None for one of another form."""
    if not key.startswith(_VAULT):
        return None
    provider, dash = key[len(_VAULT) : -_UUID_LENGTH - 1], key[-_UUID_LENGTH - 1 : -_UUID_LENGTH]
    return provider if dash == "-" else ""


def hash_key(key: str) -> bytes:
    """Return what is kept of *key* to know it again.

    A plain digest, no slow password hash: a key is 144 random bits, which nobody can guess however fast they hash, and every
    call of an agent pays for this.
    """
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()


def principal_of(key: str, record: KeyRecord | None) -> Principal | None:
    """Return who holds *key* when *record* is the one found for it."""
    if record is None or not hmac.compare_digest(record.key_hash, hash_key(key)):
        return None
    return Principal(organisation_id=record.organisation_id, key_id=record.id, permissions=record.permissions)
