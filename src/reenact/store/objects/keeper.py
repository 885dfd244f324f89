"""ObjectKeeper: puts what is large where objects are, and gets it back, each digest checked. One for a call store."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

import msgspec
import zstandard

from reenact.domain.call import Reading
from reenact.domain.digesting import digest
from reenact.errors import StoreFailed
from reenact.store.lifting import Lift
from reenact.store.objects.objects import Object, Objects, folder_of
from reenact.store.packing import Cut, Kept

LEAST_BYTES = 64 * 1024
"""What is shorter stays in its row: see docs/decisions/0006-objects-outside-rows.md for how this was measured."""
NEVER = 2**62
"""More than any body has."""

_LEVEL = 3
_MOST_KNOWN = 10_000
_GRACE_S = 3600.0
"""An object is written before the row that names it; so long after a kill at latest the row is there."""
_TEXT = ".zst"


class Named(msgspec.Struct, frozen=True, order=True):
    """An object that a row names."""

    folder: str
    key: str


class ObjectKeeper:
    """Any thread may use it."""

    def __init__(self, objects: Objects, least_bytes: int = LEAST_BYTES) -> None:
        self.objects = objects
        self.least_bytes = least_bytes
        """What is lifted out of a body has at least so many."""
        self.noticed: set[str] = set()
        """What was met that is damaged or missing, in words that show nothing of any call."""
        self._lock = threading.Lock()
        self._known: OrderedDict[Named, None] = OrderedDict()

    @contextmanager
    def kept(self, cuts: Iterable[tuple[Reading, Cut]]) -> Iterator[None]:
        """Keep what was lifted out of bodies; nothing is deleted while the block runs, which saves the rows that name it.

        Raises:
            StoreFailed: the objects cannot be written now.
        """
        lifted = [
            (reading, piece) for reading, pieces in cuts for piece in zip(pieces.lifts, pieces.contents, strict=True)
        ]
        if not lifted:
            yield
            return
        with self._lock:
            self._put(lifted)
            yield

    def contents(self, organisation_id: str, kept: Iterable[Kept]) -> dict[str, bytes | None]:
        """Return what was lifted out of these exchanges, by key; None for what is damaged or cannot be read now."""
        keys = list(dict.fromkeys(lift.key for one in kept for lift in one.lifts))
        if not keys:
            return {}
        try:
            found = self.objects.get(folder_of(organisation_id), keys)
        except StoreFailed:
            return dict.fromkeys(keys)  # it tells for itself: nothing can be saved either
        return {key: self._checked(key, found.get(key)) for key in keys}

    def content(self, organisation_id: str, key: str) -> bytes | None:
        """Return what one object says; None when it is not there or damaged.

        Raises:
            StoreFailed: it cannot be read now.
        """
        content = self.objects.get(folder_of(organisation_id), [key]).get(key)
        return None if content is None else opened(key, content)

    def address(self, organisation_id: str, key: str, lifetime_s: int) -> str | None:
        """Return an address that anybody may read an object at for so long; None when there is none but our own."""
        return self.objects.address(folder_of(organisation_id), key, lifetime_s)

    def remove(self, organisation_id: str, keys: Sequence[str]) -> None:
        """Delete objects that no row names any more. Only inside `exclusively`.

        Raises:
            StoreFailed: they cannot be deleted now.
        """
        folder = folder_of(organisation_id)
        for key in keys:
            self._known.pop(Named(folder, key), None)
        self.objects.delete(folder, keys)

    def forget(self) -> None:
        """Look anew which objects are there: another process may have deleted some."""
        with self._lock:
            self._known.clear()

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Let no object be written meanwhile by this process."""
        with self._lock:
            yield

    def collect(self, named: Callable[[], Collection[Named]]) -> int:
        """Delete what no row names: what a killed process wrote and nobody wrote again. Return how many it was.

        Raises:
            StoreFailed: they cannot be listed or deleted now.
        """
        before_s = time.time() - _GRACE_S
        old = [Named(one.folder, one.key) for one in self.objects.all() if one.written_s < before_s]
        if not old:
            return 0
        with self._lock:
            known = named()
            gone = [one for one in old if one not in known]
            for one in gone:
                self._known.pop(one, None)
                self.objects.delete(one.folder, [one.key])
        return len(gone)

    def damage(self, named: Callable[[], Collection[Named]]) -> list[str]:
        """Return what is missing, and where reading costs nothing but time what is damaged, each object once.

        Raises:
            StoreFailed: they cannot be listed or read now.
        """
        wanted = named()
        there = {Named(one.folder, one.key) for one in self.objects.all()} if wanted else set()
        odd = {one: _missing(one.key) for one in wanted if one not in there}
        for one in wanted if self.objects.is_near else ():
            content = self.objects.get(one.folder, [one.key]).get(one.key)
            if content is not None and opened(one.key, content) is None:
                odd[one] = _damaged(one.key)
        still = named() if odd else ()  # calls may have been removed meanwhile
        return sorted({sentence for one, sentence in odd.items() if one in still})

    def _put(self, lifted: Iterable[tuple[Reading, tuple[Lift, bytes]]]) -> None:
        """Write what is not known to be there."""
        compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        wanted: dict[Named, Object] = {}
        for reading, (lift, content) in lifted:
            name = Named(folder_of(reading.call.organisation_id), lift.key)
            if name not in self._known and name not in wanted:
                packed = content if lift.is_medium else compressor.compress(content)
                wanted[name] = Object(folder=name.folder, key=name.key, content=packed, media_type=lift.media_type)
        if wanted:
            self.objects.put(list(wanted.values()))
        self._known.update(dict.fromkeys(wanted))
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def _checked(self, key: str, content: bytes | None) -> bytes | None:
        """Return what an object says, or None and note why not."""
        said = None if content is None else opened(key, content)
        if said is None:
            self.noticed.add(_missing(key) if content is None else _damaged(key))
        return said


def opened(key: str, content: bytes) -> bytes | None:
    """Return what the object *key* says that is kept as *content*; None when that is not what was written."""
    name = key.removesuffix(_TEXT)
    if key.endswith(_TEXT):
        try:
            content = zstandard.ZstdDecompressor().decompress(content)
        except zstandard.ZstdError:
            return None
    return content if digest(content).hex() == name else None


def _missing(key: str) -> str:
    return f"The object {key} is missing: a piece of recorded bodies."


def _damaged(key: str) -> str:
    return f"The object {key} is damaged: a piece of recorded bodies."
