"""Layered: a bucket for all that comes, and the files that were there before: of an earlier setting, or out of a backup."""

from collections.abc import Iterator, Sequence

from reenact.store.objects.files import FileObjects
from reenact.store.objects.objects import Listed, Object, Objects


class Layered:
    """Fills `Objects`."""

    is_near = False

    def __init__(self, bucket: Objects, files: FileObjects) -> None:
        self._bucket = bucket
        self._files = files

    def put(self, wanted: Sequence[Object]) -> None:
        """Keep objects in the bucket."""
        self._bucket.put(wanted)

    def get(self, folder: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Return what these objects hold, files first: they cost nothing."""
        found = self._files.get(folder, keys)
        left = [key for key in keys if key not in found]
        return found | self._bucket.get(folder, left) if left else found

    def delete(self, folder: str, keys: Sequence[str]) -> None:
        """Delete objects in both places."""
        self._files.delete(folder, keys)
        self._bucket.delete(folder, keys)

    def all(self) -> Iterator[Listed]:
        """Yield every object of both."""
        yield from self._files.all()
        yield from self._bucket.all()

    def address(self, folder: str, key: str, lifetime_s: int) -> str | None:
        """Return the bucket's address of an object, unless it is a file."""
        return None if self._files.get(folder, [key]) else self._bucket.address(folder, key, lifetime_s)
