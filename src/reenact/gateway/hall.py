"""Hall: everybody who is connected. Makes doors, bounds how many there are and how long they let us wait, and shuts."""

import asyncio
import resource
import socket
from collections.abc import Sequence

from reenact.gateway.door import Door, Serve
from reenact.gateway.heads import Heads
from reenact.gateway.outbox import Outbox

_WATCH_S = 1.0
_BACKLOG = 2048
_SPARE_FILES = 128
"""Open files that are not agents' connections or their providers'."""


class Hall:
    """Accepts agents on sockets. One event loop; made inside it."""

    def __init__(
        self,
        serve: Serve,
        *,
        max_head_bytes: int = 64 * 1024,
        head_timeout_s: float = 30.0,
        body_timeout_s: float = 60.0,
        idle_timeout_s: float = 75.0,
        max_doors: int | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            serve: answers one request.
            max_head_bytes: a longer head is refused with 431.
            head_timeout_s: how long an agent may take for a head.
            body_timeout_s: how long an agent may be silent within a body.
            idle_timeout_s: how long an unused connection is kept. Longer than clients keep theirs (aiohttp 15 s), so that
                none sends into a connection that we are closing.
            max_doors: how many connections there may be; half of the files that may be open when None, since each
                needs one to its provider, too.
        """
        self.serve = serve
        self.max_head_bytes = max_head_bytes
        self.head_timeout_s = head_timeout_s
        self.body_timeout_s = body_timeout_s
        self.idle_timeout_s = idle_timeout_s
        self.stall_timeout_s = 10 * 60.0
        """How long an agent may leave an answer unread."""
        self.loop = asyncio.get_running_loop()
        self.now_s = self.loop.time
        self.is_closing = False
        self.heads = Heads()
        self.outbox = Outbox(self.loop)
        self._max_doors = max_doors or _most_doors()
        self._doors: set[Door] = set()
        self._servers: list[asyncio.Server] = []
        self._watcher: asyncio.TimerHandle | None = None

    async def open(self, sockets: Sequence[socket.socket]) -> None:
        """Accept agents on bound *sockets*, which stay the caller's."""
        for bound in sockets:
            create = self.loop.create_unix_server if bound.family == socket.AF_UNIX else self.loop.create_server
            self._servers.append(await create(lambda: Door(self), sock=bound.dup(), backlog=_BACKLOG))
        self._watcher = self.loop.call_later(_WATCH_S, self._watch)

    async def close(self, grace_s: float) -> None:
        """Accept nobody any more, let answers under way end for *grace_s*, then cut them off."""
        self.is_closing = True
        if self._watcher is not None:
            self._watcher.cancel()
        for server in self._servers:
            server.close()
        busy = [door for door in tuple(self._doors) if door.is_busy]
        for door in tuple(self._doors):
            if not door.is_busy:
                door.close()
        if busy:
            await asyncio.wait([asyncio.ensure_future(door.ended()) for door in busy], timeout=grace_s)
        while self._doors:
            for door in tuple(self._doors):
                door.close(at_once=door.is_busy)
                if door.is_busy:
                    await door.ended()
            await asyncio.sleep(0)

    def enter(self, door: Door) -> bool:
        """Take a new connection; return whether there is room for it."""
        self._doors.add(door)
        return len(self._doors) <= self._max_doors

    def leave(self, door: Door) -> None:
        """Take that a connection is gone."""
        self._doors.discard(door)

    def _watch(self) -> None:
        now_s = self.now_s()
        for door in [door for door in self._doors if door.deadline_s < now_s]:
            door.expire()
        self._watcher = self.loop.call_later(_WATCH_S, self._watch)


def _most_doors() -> int:
    """Return how many connections this process can hold, having asked for as many files as it may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return max(16, (soft - _SPARE_FILES) // 2)
