"""BucketObjects: objects in a bucket of an S3-compatible store. Imported only where one is named."""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, GenericError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from reenact.errors import BucketFailed, InvalidInput
from reenact.store.objects.objects import Listed, Object
from reenact.store.sniffing import SHOWN, UNKNOWN

_AT_ONCE = 8
_PATIENCE = dt.timedelta(seconds=10)
"""For one object, tries included: whoever waits behind it tries again."""
_DENIED = "The bucket of objects denies access"
_UNLISTED = (
    "The bucket of objects denies a list of what is in it: its key needs the right to list the bucket (s3:ListBucket)"
)
_STATUS = re.compile(r"status code: (\d{3})[^\n]*(?:\n<Error><Code>(\w+))?")
"""The status in the first line of what the client says of a refused list, and S3's code in the body behind it."""

Given = TypeVar("Given")
Got = TypeVar("Got")


def open_bucket(url: str, *, own: str = "", endpoint: str = "") -> "BucketObjects":
    """Return the objects under *url*, `s3://bucket/prefix`, and below that under *own*, when that is not empty.

    Keys and region come from the environment's AWS_ variables. Nothing is asked before the first object.

    Raises:
        InvalidInput: it is no such address.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise InvalidInput("expected an address such as s3://bucket/prefix", "objects")
    prefix = "/".join(filter(None, (parts.path.strip("/"), own)))
    try:
        store = S3Store(
            parts.netloc,
            prefix=prefix or None,
            config={"endpoint": endpoint} if endpoint else None,
            client_options={"allow_http": endpoint.startswith("http://"), "connect_timeout": "3s", "timeout": "10s"},
            retry_config={"max_retries": 2, "retry_timeout": _PATIENCE},
        )
    except BaseError as error:
        raise InvalidInput(f"the bucket cannot be used: {type(error).__name__}", "objects") from error
    return BucketObjects(store)


class BucketObjects:
    """Fills `Objects`."""

    is_near = False

    def __init__(self, store: S3Store) -> None:
        self._store = store

    def put(self, wanted: Sequence[Object]) -> None:
        """Keep objects; one that is there is written again: the same bytes under the same name."""
        _each(self._put, wanted)

    def get(self, folder: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Return what these objects hold."""
        found = _each(lambda key: self._get(_path(folder, key)), keys)
        return {key: content for key, content in zip(keys, found, strict=True) if content is not None}

    def delete(self, folder: str, keys: Sequence[str]) -> None:
        """Delete objects."""
        _each(lambda key: self._delete(_path(folder, key)), keys)

    def all(self) -> Iterator[Listed]:
        """Yield every object."""
        with _told(), _list_told():
            for page in obstore.list(self._store):
                for one in page:
                    folder, _, key = one["path"].split("/")
                    yield Listed(
                        folder=folder, key=key, content_bytes=one["size"], written_s=one["last_modified"].timestamp()
                    )

    def address(self, folder: str, key: str, lifetime_s: int) -> str | None:
        """Return an address that is signed for so long."""
        with _told():
            return obstore.sign(self._store, "GET", _path(folder, key), dt.timedelta(seconds=lifetime_s))

    def _put(self, one: Object) -> None:
        attributes = {"Content-Type": one.media_type if one.media_type in SHOWN else UNKNOWN}
        if one.media_type not in SHOWN:
            attributes["Content-Disposition"] = "attachment"
        with _told():
            obstore.put(self._store, _path(one.folder, one.key), one.content, attributes=attributes)

    def _get(self, path: str) -> bytes | None:
        with _told():
            try:
                return bytes(obstore.get(self._store, path).bytes())
            except (NotFoundError, FileNotFoundError):
                return None

    def _delete(self, path: str) -> None:
        with _told():
            try:
                obstore.delete(self._store, path)
            except (NotFoundError, FileNotFoundError):
                return


def _path(folder: str, key: str) -> str:
    return f"{folder}/{key[:2]}/{key}"


def _each(work: Callable[[Given], Got], given: Sequence[Given]) -> list[Got]:
    """Do the work for all that is given, some at once: most of the time is waiting."""
    if len(given) <= 1:
        return [work(one) for one in given]
    with ThreadPoolExecutor(min(_AT_ONCE, len(given)), thread_name_prefix="reenact-objects") as threads:
        return list(threads.map(work, given))


@contextmanager
def _told() -> Iterator[None]:
    """Raise what the bucket's client raises as our own error, without the addresses and headers that it tells."""
    try:
        yield
    except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
        raise BucketFailed(_DENIED) from error
    except (BaseError, OSError) as error:
        raise BucketFailed("The bucket of objects cannot be reached, or refuses") from error


@contextmanager
def _list_told() -> Iterator[None]:
    """Raise what a list is denied with as our own error: the bucket's client has no error of its own for it (obstore 0.12)."""
    try:
        yield
    except GenericError as error:
        if (status := _STATUS.search(str(error))) is None or status[1] not in ("401", "403"):
            raise
        raise BucketFailed(_UNLISTED if status[2] == "AccessDenied" else _DENIED) from error
