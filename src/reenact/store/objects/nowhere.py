"""Nowhere: the place of objects of a store that keeps everything in its rows."""

from collections.abc import Iterator, Sequence

from reenact.errors import StoreFailed
from reenact.store.objects.objects import Listed, Object


class Nowhere:
    """Fills `Objects`; nothing is ever there."""

    is_near = True

    def put(self, wanted: Sequence[Object]) -> None:
        """Refuse objects: whoever uses this lifts nothing."""
        raise StoreFailed(f"There is no place for objects, and {len(wanted)} are to be kept")

    def get(self, folder: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Return nothing."""
        return {}

    def delete(self, folder: str, keys: Sequence[str]) -> None:
        """Do nothing: nothing is there."""

    def all(self) -> Iterator[Listed]:
        """Yield nothing."""
        yield from ()

    def address(self, folder: str, key: str, lifetime_s: int) -> str | None:
        """Return None."""
        return None
