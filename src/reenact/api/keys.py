"""Keys: Helicone's `/v1/api-keys`. A key is shown once, when it is made; only its hash is kept.

As at Helicone, making and deleting answer bare objects and not the envelope.
"""

import asyncio
from typing import Annotated

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from reenact.access.keys import KeyRecord
from reenact.access.principal import Permissions, Principal
from reenact.api.envelope import answer, described, encoded
from reenact.api.guard import WRITES, GivenParts, GivenPrincipal
from reenact.api.rows import iso
from reenact.errors import Forbidden, InvalidInput


class NewKey(msgspec.Struct, frozen=True):
    """A key to make."""

    api_key_name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    key_permissions: Permissions = "rw"
    """`r`, `w` or `rw`."""


class MadeKey(msgspec.Struct, frozen=True, rename="camel"):
    """A new key, shown now and never again."""

    api_key: str
    hashed_key: str
    """SHA-256 in hexadecimal."""
    id: str


class NewVaultKey(msgspec.Struct, frozen=True, rename="camel"):
    """A key to make that stands for a provider's."""

    proxy_key_name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    provider_key_id: str
    """Which one: `/v1/api-keys/provider-keys` lists them."""


class MadeVaultKey(msgspec.Struct, frozen=True, rename="camel"):
    """A new key, shown now and never again."""

    proxy_key: str
    proxy_key_id: str


class ProviderKey(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's key that the server's owner named in the settings; never the key itself."""

    id: str
    """The provider's name."""
    provider_name: str
    provider_key_name: str
    soft_delete: bool = False
    byok_enabled: bool = True


class KeyName(msgspec.Struct, frozen=True):
    """A key's new name."""

    api_key_name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class HashedKey(msgspec.Struct, frozen=True, rename="camel"):
    """Which key was changed."""

    hashed_key: str


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One key that works, as Helicone lists it."""

    id: int
    api_key_name: str
    api_key_hash: str
    last_four: str
    """The key's last characters, to tell keys apart by. Ours."""
    key_permissions: str
    organization_id: str
    created_at: str
    updated_at: str
    user_id: str = ""
    governance: bool = False
    soft_delete: bool = False
    temp_key: bool = False


@get("/v1/api-keys", responses=described(list[KeyRow]))
async def list_keys(parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """List the keys that work, oldest first."""
    records = await asyncio.to_thread(parts.keys.keys_of, principal.organisation_id)
    return answer([_row(record) for record in records])


@post("/v1/api-keys", status_code=200, opt=WRITES, responses={200: ResponseSpec(MadeKey, generate_examples=False)})
async def make_key(data: JSONBody[NewKey], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Make a key. Needs the right to read and to write, so that no key can make one that may do more."""
    _check(principal)
    key, record = await asyncio.to_thread(
        parts.keys.issue, principal.organisation_id, data.api_key_name, data.key_permissions
    )
    return encoded(msgspec.json.encode(MadeKey(api_key=key, hashed_key=record.key_hash.hex(), id=str(record.number))))


@post(
    "/v1/api-keys/proxy-key",
    status_code=200,
    opt=WRITES,
    responses={200: ResponseSpec(MadeVaultKey, generate_examples=False)},
)
async def make_vault_key(data: JSONBody[NewVaultKey], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Make a key that an agent sends in place of a provider's, and that may do nothing but record: it never sees that one."""
    _check(principal)
    if data.provider_key_id not in parts.provider_keys:
        known = ", ".join(sorted(parts.provider_keys)) or "none"
        raise InvalidInput(
            f"The server has no such key; it has: {known}. Its owner names them in REENACT_PROVIDER_KEYS.",
            "providerKeyId",
            data.provider_key_id,
        )
    key, record = await asyncio.to_thread(
        parts.keys.issue_for, principal.organisation_id, data.proxy_key_name, data.provider_key_id
    )
    return encoded(msgspec.json.encode(MadeVaultKey(key, str(record.number))))


@get("/v1/api-keys/provider-keys", responses={200: ResponseSpec(list[ProviderKey], generate_examples=False)})
async def list_provider_keys(parts: GivenParts) -> Response[bytes]:
    """List the providers whose keys the server's owner named: keys made here may stand for them."""
    found = sorted(parts.provider_keys)
    return encoded(
        msgspec.json.encode([ProviderKey(id=one, provider_name=one, provider_key_name=one) for one in found])
    )


@patch("/v1/api-keys/{key_id:str}", opt=WRITES, responses={200: ResponseSpec(HashedKey, generate_examples=False)})
async def rename_key(
    key_id: FromPath[str], data: JSONBody[KeyName], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Give a key another name. Needs the right to read and to write."""
    _check(principal)
    record = await asyncio.to_thread(parts.keys.rename, principal.organisation_id, key_id, data.api_key_name)
    return encoded(msgspec.json.encode(HashedKey(record.key_hash.hex())))


@delete(
    "/v1/api-keys/{key_id:str}",
    status_code=200,
    opt=WRITES,
    responses={200: ResponseSpec(HashedKey, generate_examples=False)},
)
async def delete_key(key_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Let a key work no more. Needs the right to read and to write."""
    _check(principal)
    record = await asyncio.to_thread(parts.keys.revoke, principal.organisation_id, key_id)
    return encoded(msgspec.json.encode(HashedKey(record.key_hash.hex())))


ROUTES: list[HTTPRouteHandler] = [
    list_keys, make_key, make_vault_key, list_provider_keys, rename_key, delete_key,
]  # fmt: skip


def _check(principal: Principal) -> None:
    if not (principal.may_read and principal.may_write):
        raise Forbidden("Keys are managed with a key that may read and write.")


def _row(record: KeyRecord) -> KeyRow:
    return KeyRow(
        id=record.number,
        api_key_name=record.name,
        api_key_hash=record.key_hash.hex(),
        last_four=record.last_four,
        key_permissions=record.permissions,
        organization_id=record.organisation_id,
        created_at=iso(record.created_us),
        updated_at=iso(record.created_us),
    )
