"""Agent: the far end of one HTTP connection, as ASGI shows it."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from reenact.domain.exchange import Header
from reenact.errors import TooLarge
from reenact.gateway.refusing import Refusal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Agent:
    """Whoever sent a request: gives its body, takes its answer (see Sink), and may leave at any moment."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._is_answered = False
        self._has_left = False

    async def body(self, limit_bytes: int) -> bytes | None:
        """Return the whole request body; None when the agent went away before it had sent it.

        Raises:
            TooLarge: it has more than *limit_bytes*; what follows is not read.
        """
        pieces: list[bytes] = []
        body_bytes = 0
        while (message := await self._receive())["type"] != "http.disconnect":
            piece = message.get("body", b"")
            body_bytes += len(piece)
            if body_bytes > limit_bytes:
                raise TooLarge(f"The request body is larger than {limit_bytes} bytes.")
            pieces.append(piece)
            if not message.get("more_body", False):
                return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return None

    async def stay(self, answering: Awaitable[object]) -> None:
        """Wait for *answering*, which is cancelled when the agent leaves before it is answered. The body has to be read."""
        task = asyncio.current_task()
        assert task is not None
        watcher = asyncio.ensure_future(self._watch(task))
        try:
            await answering
        except asyncio.CancelledError:
            if not self._has_left:
                raise
            task.uncancel()
        finally:
            watcher.cancel()

    async def start(self, status: int, headers: list[Header]) -> None:
        """Send the answer's head."""
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def chunk(self, body: bytes) -> None:
        """Send a piece of the body; returns when the connection can take more."""
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self) -> None:
        """Send the end of a whole answer."""
        self._is_answered = True
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def refuse(self, refusal: Refusal) -> None:
        """Answer in the provider's place."""
        await self.start(refusal.status, list(refusal.headers))
        await self.chunk(refusal.body)
        await self.end()

    async def _watch(self, task: "asyncio.Task[object]") -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self._is_answered:  # the end of an answer looks like a disconnect, too
            self._has_left = True
            task.cancel()
