"""Cacher: keeps answers to be given again, in memory and in a folder, both bounded; the folder outlives a restart."""

import asyncio
import logging
import os
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from reenact.gateway.caching import Entry

_log = logging.getLogger(__name__)

_LOOKUP_S = 2.0
_MEBIBYTE = 1024 * 1024
_LARGEST_SHARE = 8
"""An answer that would fill more than this part of the memory is not kept."""
_MOST_WAITING = 1000
"""Answers that wait to be written; beyond, a slow disk costs only what is then kept in memory alone."""
_ROOM = 0.9
"""How full the folder is after it was cleared up."""

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Entry)
Slots = dict[int, Entry]


class Shelf:
    """The folder: one file for each slot, written whole or not at all. Slow; used from one thread."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._used_bytes: int | None = None

    def load(self, key: str, slots: int, now_s: float) -> Slots:
        """Return the filled slots of *key*; expired and damaged ones are thrown away."""
        found: Slots = {}
        for slot in range(slots):
            file = self._file(key, slot)
            try:
                entry = _decoder.decode(file.read_bytes())
            except FileNotFoundError:
                continue
            except msgspec.DecodeError:
                file.unlink(missing_ok=True)
                continue
            if entry.expires_s > now_s:
                found[slot] = entry
            else:
                file.unlink(missing_ok=True)
        return found

    def store(self, key: str, slot: int, entry: Entry) -> None:
        """Keep *entry*, in the place of what stood in its slot."""
        file = self._file(key, slot)
        content = _encode(entry)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as target:  # noqa: PTH123 - a descriptor opened for its owner alone has no path
            target.write(content)
        fresh.rename(file)
        self._used_bytes = self._measured() + len(content)
        if self._used_bytes > self._limit_bytes:
            self._clear_up()

    def _file(self, key: str, slot: int) -> Path:
        return self._folder / key[:2] / f"{key}-{slot}"

    def _measured(self) -> int:
        if self._used_bytes is None:
            self._used_bytes = sum(size for _, size, _ in self._files())
        return self._used_bytes

    def _clear_up(self) -> None:
        """Throw the oldest files away until there is room again."""
        files = sorted(self._files())
        used_bytes = sum(size for _, size, _ in files)
        for _, size, file in files:
            if used_bytes <= self._limit_bytes * _ROOM:
                break
            file.unlink(missing_ok=True)
            used_bytes -= size
        self._used_bytes = used_bytes

    def _files(self) -> list[tuple[float, int, Path]]:
        found = []
        for file in self._folder.glob("??/*"):
            stat = file.stat()
            found.append((stat.st_mtime, stat.st_size, file))
        return found


class Cacher:
    """Finds and keeps answers. Belongs to one event loop; the folder's work is done on a thread of its own."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        memory_bytes: int = 64 * _MEBIBYTE,
        folder_bytes: int = 1024 * _MEBIBYTE,
        now_s: Callable[[], float] = time.time,
        draw: Callable[[int], int] = random.randrange,
        epoch: Callable[[], int] = int,
    ) -> None:
        """Open nothing yet.

        Args:
            folder: where answers are kept beside the memory; nowhere when None.
            memory_bytes: how much is held in memory; what was not used for longest goes first.
            folder_bytes: how much is held in the folder; the oldest goes first.
            now_s: seconds since the epoch.
            draw: picks a number below the one given: the slot that answers.
            epoch: what is held in memory is dropped when this changes: some of it may have been deleted from the folder.
        """
        self._shelf = Shelf(folder, folder_bytes) if folder is not None else None
        self._memory_bytes = memory_bytes
        self._now_s = now_s
        self._draw = draw
        self._epoch = epoch
        self._held_since = epoch()
        self._held: OrderedDict[str, Slots] = OrderedDict()
        self._held_bytes = 0
        self._thread = ThreadPoolExecutor(1, "cache")
        self._room = threading.Semaphore(_MOST_WAITING)

    async def find(self, key: str, slots: int) -> tuple[int, Entry] | None:
        """Return a slot and its answer once all *slots* are filled, None before (surface 5.3)."""
        filled = self._fresh(key)
        if len(filled) < slots and self._shelf is not None:
            filled = self._hold(key, await self._load(key, slots) | filled)
        if any(slot not in filled for slot in range(slots)):
            return None
        slot = self._draw(slots)
        return slot, filled[slot]

    async def warm(self, key: str, slots: int) -> None:
        """Learn which slots are filled, so that `save` takes the next one."""
        if self._shelf is not None:
            self._hold(key, await self._load(key, slots) | self._fresh(key))

    def save(self, key: str, slots: int, entry: Entry) -> None:
        """Keep *entry* in the next free slot, or in the one that the same call filled; nowhere when none is free."""
        if entry.body_bytes > self._memory_bytes // _LARGEST_SHARE:
            return
        filled = self._fresh(key)
        own = [slot for slot, other in filled.items() if other.call_id == entry.call_id]
        free = [slot for slot in range(slots) if slot not in filled]
        if not (own or free):
            return
        slot = (own or free)[0]
        self._hold(key, filled | {slot: entry})
        if self._shelf is not None and self._room.acquire(blocking=False):
            self._thread.submit(self._store, key, slot, entry)

    async def close(self) -> None:
        """Finish writing."""
        await asyncio.to_thread(self._thread.shutdown)

    def _fresh(self, key: str) -> Slots:
        """Return the slots held in memory that have not expired."""
        now_s = self._now_s()
        if self._held_since != (since := self._epoch()):
            self._held.clear()
            self._held_bytes, self._held_since = 0, since
        held = self._held.get(key)
        if held is None:
            return {}
        self._held.move_to_end(key)
        return {slot: entry for slot, entry in held.items() if entry.expires_s > now_s}

    def _hold(self, key: str, filled: Slots) -> Slots:
        """Put *filled* into memory, and what was not used for longest out of it."""
        self._held_bytes -= _size(self._held.pop(key, {}))
        if filled:
            self._held[key] = filled
            self._held_bytes += _size(filled)
        while self._held_bytes > self._memory_bytes:
            _, dropped = self._held.popitem(last=False)
            self._held_bytes -= _size(dropped)
        return filled

    async def _load(self, key: str, slots: int) -> Slots:
        """Return the slots in the folder; none when that takes too long or fails: the provider is asked then."""
        assert self._shelf is not None
        loading = asyncio.get_running_loop().run_in_executor(self._thread, self._shelf.load, key, slots, self._now_s())
        try:
            return await asyncio.wait_for(loading, _LOOKUP_S)
        except (OSError, TimeoutError) as failure:
            _log.warning("The answer cache cannot be read: %s", failure or "it takes too long")
            return {}

    def _store(self, key: str, slot: int, entry: Entry) -> None:
        assert self._shelf is not None
        try:
            self._shelf.store(key, slot, entry)
        except OSError as failure:
            _log.warning("The answer cache cannot be written: %s", failure)
        finally:
            self._room.release()


_ENTRY_BYTES = 1000
"""About what an entry takes beside its body."""


def _size(filled: Slots) -> int:
    return sum(entry.body_bytes + _ENTRY_BYTES for entry in filled.values())
