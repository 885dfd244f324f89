"""The seam that every place of objects fills: files in the data folder, or a bucket of an S3-compatible store."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

_FOLDER_BYTES = 16


class Object(msgspec.Struct, frozen=True, kw_only=True):
    """One object, as it is kept."""

    folder: str
    """Of its organisation."""
    key: str
    content: bytes
    media_type: str = ""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """An object that is there."""

    folder: str
    key: str
    content_bytes: int
    written_s: float
    """When, in seconds since the epoch."""


class Objects(Protocol):
    """Where objects are. Any thread may use it."""

    is_near: bool
    """Whether all of it can be read now and then for nothing but time."""

    def put(self, wanted: Sequence[Object]) -> None:
        """Keep objects, safe from a power cut when it returns; one that is there stays.

        Raises:
            StoreFailed: the place cannot be written now; it may be tried again.
        """
        ...

    def get(self, folder: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Return what these objects hold; what is not there is left out.

        Raises:
            StoreFailed: the place cannot be read now.
        """
        ...

    def delete(self, folder: str, keys: Sequence[str]) -> None:
        """Delete objects; what is not there is no error.

        Raises:
            StoreFailed: the place cannot be written now; it may be tried again.
        """
        ...

    def all(self) -> Iterator[Listed]:
        """Yield every object.

        Raises:
            StoreFailed: the place cannot be read now.
        """
        ...

    def address(self, folder: str, key: str, lifetime_s: int) -> str | None:
        """Return an address that anybody may read this object at for so long; None where there is none but our own."""
        ...


def folder_of(organisation_id: str) -> str:
    """Return what the objects of an organisation lie under; its name says nothing and is safe in every path."""
    return hashlib.blake2b(organisation_id.encode(), digest_size=_FOLDER_BYTES).hexdigest()
