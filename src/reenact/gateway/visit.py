"""Visit: one request at a door, and the answer to it. It is what the gateway knows of an agent's connection."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from http import HTTPStatus
from typing import Protocol

from reenact.domain.exchange import Header
from reenact.errors import TooLarge
from reenact.gateway.refusing import Refusal
from reenact.gateway.scope import Scope

HELD_BYTES = 256 * 1024
"""How much of a body that nobody has asked for yet is held before its agent is no longer read."""
_JOIN_BYTES = 16 * 1024
"""Up to so many bytes, copying a piece between its frame costs less than writing three."""
_STATUS_LINES = {
    status: b"HTTP/1.1 %d %s\r\n" % (status, HTTPStatus(status).phrase.encode() if status in set(HTTPStatus) else b"")
    for status in range(100, 1000)
}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


class Wire(Protocol):
    """The connection below a visit."""

    def write(self, content: bytes) -> None:
        """Send bytes as they are, at the end of the loop's turn."""
        ...

    async def drained(self) -> None:
        """Return when more may be written."""
        ...

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be written for now."""
        ...

    def soon(self, act: Callable[[], None]) -> None:
        """Have *act* called at the end of the loop's turn."""
        ...

    def hold(self) -> None:
        """Read no more for now."""
        ...

    def go_on(self) -> None:
        """Read on."""
        ...


class Visit:
    """Whoever sent a request: gives its body, takes its answer (see Sink). Its task is cancelled when the agent leaves."""

    __slots__ = (
        "_body_bytes", "_framing", "_held_bytes", "_is_chunked", "_pieces", "_unsent", "_waiter", "_wire", "closes", "is_begun",
        "is_ended", "is_old", "is_open_ended", "is_received", "scope",
    )  # fmt: skip

    def __init__(self, wire: Wire, scope: Scope, *, closes: bool, is_old: bool) -> None:
        """Take a head.

        Args:
            wire: below.
            scope: the head.
            closes: whether the connection ends with this answer.
            is_old: whether the agent speaks HTTP/1.0, which knows no chunks.
        """
        self.scope = scope
        self.closes = closes
        self.is_old = is_old
        self.is_received = False
        """Whether the request's body has come whole."""
        self.is_begun = False
        """Whether the answer has begun."""
        self.is_ended = False
        """Whether the answer is whole."""
        self.is_open_ended = False
        """Whether only the connection's end will tell the answer's."""
        self._wire = wire
        self._pieces: list[bytes] = []
        self._body_bytes = 0
        self._held_bytes = 0
        self._waiter: asyncio.Future[None] | None = None
        self._is_chunked = False
        self._framing = True
        self._unsent: list[bytes] | None = None
        """The head and what came with it, or a small piece: they leave in one write."""

    # --- the door's side

    def take(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._pieces.append(piece)
        self._held_bytes += len(piece)
        if self._waiter is not None:
            self._wake()
        elif self._held_bytes > HELD_BYTES:
            self._wire.hold()

    def reopen(self) -> None:
        """Take that what follows the head is a WebSocket's."""
        self.is_received = False

    def receive(self) -> None:
        """Take the end of the body."""
        self.is_received = True
        self._wake()

    # --- the gateway's side: the request

    @property
    def is_upgrade(self) -> bool:
        """Whether the agent asks for a WebSocket."""
        return bool(self.scope.get("upgrade"))

    async def body(self, limit_bytes: int) -> bytes:
        """Return the whole request body.

        Raises:
            TooLarge: it has more than *limit_bytes*; what follows is not read.
        """
        if self.is_received and self._held_bytes <= limit_bytes and not self._body_bytes:
            pieces, self._pieces = self._pieces, []
        else:
            pieces = [piece async for piece in self.pieces(limit_bytes)]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def pieces(self, limit_bytes: int) -> AsyncIterator[bytes]:
        """Yield the request body as it comes; the agent is not read faster than this is.

        Raises:
            TooLarge: it has more than *limit_bytes*; what follows is not read.
        """
        told = next((value for name, value in self.scope["headers"] if name == b"content-length"), b"")
        if told.isdigit() and int(told) > limit_bytes:
            raise TooLarge(f"The request body is larger than {limit_bytes} bytes.")
        if not self.is_received and not self._pieces and self._expects():
            self._wire.write(_CONTINUE)
        while True:
            pieces, self._pieces, self._held_bytes = self._pieces, [], 0
            for piece in pieces:
                self._body_bytes += len(piece)
                if self._body_bytes > limit_bytes:
                    raise TooLarge(f"The request body is larger than {limit_bytes} bytes.")
                yield piece
            if not self._pieces:
                if self.is_received:
                    return
                self._wire.go_on()
                self._waiter = asyncio.get_running_loop().create_future()
                try:
                    await self._waiter
                finally:
                    self._waiter = None

    # --- the gateway's side: the answer

    async def start(self, status: int, headers: list[Header]) -> None:
        """Send the answer's head, framed by its length, by chunks, or by the connection's end where nothing else is left."""
        lines = [_STATUS_LINES[status]]
        has_length = False
        for name, value in headers:
            if name == b"content-length":
                has_length = True
            lines.append(name + b": " + value + b"\r\n")
        if status < 200 or status in {204, 304} or self.scope["method"] == "HEAD":
            self._framing = False
        elif not has_length:
            if self.is_old:
                self.is_open_ended = self.closes = True
            else:
                self._is_chunked = True
                lines.append(b"transfer-encoding: chunked\r\n")
        if not self.is_received and self._waiter is None:
            self.closes = (
                True  # nobody reads what is left of the body; unsaid, it would cost the agent its next request
            )
        if self.closes:
            lines.append(b"connection: close\r\n")
        elif self.is_old:
            lines.append(b"connection: keep-alive\r\n")
        lines.append(b"\r\n")
        head = b"".join(lines)
        if head.count(b"\n") != len(lines):  # nobody may begin a header of their own within another's value
            head = b"".join([lines[0], *(_one_line(line) for line in lines[1:-1]), lines[-1]])
        self.is_begun = True
        self._unsent = [head]
        if self._is_chunked:
            self._wire.soon(self.flush)  # a stream's first event may be long in coming

    async def chunk(self, body: bytes) -> None:
        """Send a piece of the body; returns when the connection can take more."""
        if not body or not self._framing:
            return
        wire = self._wire
        is_small = len(body) <= _JOIN_BYTES
        if self._is_chunked and is_small:
            if self._unsent is None:
                self._unsent = []
                wire.soon(self.flush)  # where the answer's end has come, too, both leave in one write
            self._unsent += (b"%x\r\n" % len(body), body, b"\r\n")
        elif self._unsent is not None:
            self._unsent += (b"%x\r\n" % len(body), body, b"\r\n") if self._is_chunked else (body,)
            self.flush()
        elif not self._is_chunked:
            wire.write(body)
        else:
            wire.write(b"%x\r\n" % len(body))
            wire.write(body)
            wire.write(b"\r\n")
        if wire.is_full:
            await wire.drained()

    async def end(self) -> None:
        """Send the end of a whole answer."""
        self.is_ended = True
        if self._unsent is not None:
            if self._is_chunked:
                self._unsent.append(_LAST_CHUNK)
            self.flush()
        elif self._is_chunked:
            self._wire.write(_LAST_CHUNK)

    def flush(self) -> None:
        """Send what is still held back."""
        if self._unsent is not None:
            unsent, self._unsent = self._unsent, None
            self._wire.write(b"".join(unsent))

    async def switch(self, headers: Sequence[Header]) -> None:
        """Send a head that makes the connection a WebSocket."""
        lines = [name + b": " + value + b"\r\n" for name, value in headers]
        self._wire.write(b"".join([_STATUS_LINES[101], *lines, b"connection: Upgrade\r\nupgrade: websocket\r\n\r\n"]))
        self.is_begun = True

    async def pass_on(self, content: bytes) -> None:
        """Send bytes of a WebSocket as they are; returns when the connection can take more."""
        self._wire.write(content)
        if self._wire.is_full:
            await self._wire.drained()

    async def refuse(self, refusal: Refusal) -> None:
        """Answer in the provider's place."""
        await self.start(refusal.status, list(refusal.headers))
        await self.chunk(refusal.body)
        await self.end()

    def _expects(self) -> bool:
        return any(name == b"expect" and value.lower() == b"100-continue" for name, value in self.scope["headers"])

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _one_line(line: bytes) -> bytes:
    return line[:-2].replace(b"\r", b" ").replace(b"\n", b" ") + b"\r\n"
