"""One HTTP/1.1 connection to a provider: the protocol that writes a request and reads its answer as it comes.

Framing is strict: llhttp refuses an answer with both Content-Length and Transfer-Encoding, with two lengths, or with a bad
chunk; such a connection is dropped and never used again. Sources: RFC 9110, RFC 9112.
"""

import asyncio
import math
import select
from collections.abc import AsyncIterator, Callable
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from reenact.domain.exchange import Header
from reenact.errors import UpstreamFailed
from reenact.gateway.outbox import Outbox

CLOSING: int = getattr(select, "POLLRDHUP", select.POLLHUP)
"""What the kernel tells of a peer that closed; only Linux tells it apart from bytes to read."""
HIGH_WATER_BYTES = 256 * 1024
"""How much of an answer is held for a slow reader before the provider is no longer read."""
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
BODYLESS = frozenset({204, 304})


class Connection(asyncio.Protocol):
    """A connection that carries one exchange at a time. Made by the pool; given back to it by the answer's end."""

    headers: list[Header]
    status: int
    heard: bool
    headers_complete: bool
    complete: bool
    reusable: bool
    surplus: bool
    failure: UpstreamFailed | None
    pieces: list[bytes]
    """Of the body, as they came; one and the same list as long as a parser, which adds to it."""
    size: int
    """About how many bytes they are."""
    on_body: Callable[[bytes], None]
    """What the parser gives pieces of the body to: a stream has one for each event, so that it is the list itself."""
    _head: bytes
    _waiter: "asyncio.Future[None] | None"
    _is_tunnel: bool
    _until_eof: bool
    _whole_pieces: int | None
    """How many pieces there were when an answer that nobody asked for began; None as long as none did."""

    def __init__(self, loop: asyncio.AbstractEventLoop, outbox: Outbox, gone: "Callable[[Connection], None]") -> None:
        self._loop = loop
        self._outbox = outbox
        self._gone = gone
        self.transport: asyncio.Transport | None = None
        self.idle_since_s = 0.0
        self.waiting_since_s = 0.0
        """When the provider was last heard of, or asked; the pool's watch cuts a connection that is silent too long."""
        self.silence_timeout_s = math.inf
        """How long the provider may be silent in the exchange under way."""
        self.busy = False
        self.is_asked = False
        """Whether the request has begun to leave; until then nothing that comes can be its answer."""
        self.lost = False
        self._parser: HttpResponseParser | None = None
        """Of the exchange under way, and of those after it: a connection that goes on is where its parser left it."""
        self._is_head = False
        self._paused = False
        self._is_used = False
        """Whether it has carried a request."""
        self._is_sent = True
        self._drain: asyncio.Future[None] | None = None
        self._silence = select.poll()

    @property
    def is_open(self) -> bool:
        """Whether a request may be begun, as far as the loop has seen."""
        return not (self.lost or self.transport is None or self.transport.is_closing())

    @property
    def is_reusable(self) -> bool:
        """Whether another request may follow: the answer was whole, read to its end, and nothing came after it."""
        return self.complete and self.reusable and self._is_sent and not (self.surplus or self.lost or self.pieces)

    @property
    def is_held(self) -> bool:
        """Whether the provider is not read because the reader is slow: its silence is then our own."""
        return self._paused

    # --- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self.transport = cast("asyncio.Transport", transport)
        self.idle_since_s = self._loop.time()
        unasked = 0 if transport.get_extra_info("sslcontext") else select.POLLIN  # TLS sends tickets when it likes
        self._silence.register(transport.get_extra_info("socket").fileno(), unasked | CLOSING)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the provider."""
        if not self.busy:
            self.abort()  # bytes that nobody asked for: whatever follows cannot be trusted
            return
        if not self.is_asked:
            self._give_up_unasked()
            return
        self.waiting_since_s = self._loop.time()
        self.heard = True
        try:
            if self._parser is None:
                self._take(data)
            else:
                self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            if self._is_tunnel and self.status == 101:
                self._parser = None
                self._take(data[upgrade.args[0] :])
            else:
                self._fail("The provider switched protocols, which was not asked for.", "provider_error")
        except HttpParserError as error:
            self.surplus = True
            if not self.complete:
                self._fail(f"The provider's answer is not valid HTTP: {error}", "provider_error")
        if self._whole_pieces is not None:
            del self.pieces[self._whole_pieces :]
        if self.pieces:
            self.size += len(data)
        self._wake()
        if self.size > HIGH_WATER_BYTES and self.transport is not None and not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        """Take the end of what the provider sends; the transport then closes."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Take the end of the connection: the end of the answer if its length was left open, else a break."""
        self.lost = True
        self.resume_writing()
        if self.busy:
            if self.headers_complete and self._until_eof and error is None:
                self.complete = True
                self._wake()
            elif not self.complete:
                what = "in the middle of its answer" if self.headers_complete else "before answering"
                self._fail(f"The provider closed the connection {what}.", "network_error")
        self._gone(self)

    def pause_writing(self) -> None:
        """Take that the provider reads slowly."""
        self._drain = self._loop.create_future()

    def resume_writing(self) -> None:
        """Take that it has caught up."""
        drain, self._drain = self._drain, None
        if drain is not None and not drain.done():
            drain.set_result(None)

    # --- the parser's side

    def on_message_begin(self) -> None:
        """Take the start of an answer; one that follows the whole answer was not asked for."""
        if self.complete and not self.surplus:
            self.surplus = True
            self._whole_pieces = len(self.pieces)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a trailer is read and dropped, since it cannot be passed on."""
        if not self.headers_complete:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Take the end of the head; an interim answer (1xx) is passed over."""
        if self.surplus:
            return
        assert self._parser is not None
        status = self._parser.get_status_code()
        if status == 101 and self._is_tunnel:
            self.status = status
            self.headers_complete = self._until_eof = True
            return
        if 100 <= status < 200:
            self.headers = []
            return
        self.status = status
        self.headers_complete = True
        self._until_eof = not (self._is_head or status in BODYLESS or _has_framing(self.headers))
        if self._is_head:
            self.complete = True

    def _take(self, body: bytes) -> None:
        if body:
            self.pieces.append(body)

    def on_message_complete(self) -> None:
        """Take the end of the answer."""
        if self.headers_complete and not self.surplus and self.status != 101:
            assert self._parser is not None
            self.complete = True
            self.reusable = not self._is_head and self._parser.should_keep_alive()

    # --- our side

    def begin(self, head: bytes, body: bytes, *, is_head: bool, is_tunnel: bool = False, at_once: bool = False) -> None:
        """Send a request whose head ends in an empty line.

        Args:
            head: the request's.
            body: all of it, or nothing of one that `send` sends.
            is_head: whether its answer has no body.
            is_tunnel: whether its answer may be a WebSocket.
            at_once: whether more of it follows at once; otherwise it leaves at the end of the loop's turn.
        """
        self._is_tunnel = is_tunnel
        was_head, self._is_head = self._is_head, is_head
        self._waiter = None
        self._paused = False
        self._until_eof = False
        self.busy = True
        self.is_asked = False
        self.heard = self.headers_complete = self.complete = self.reusable = self.surplus = False
        self.failure = None
        self.status = 0
        self.headers = []
        self.size = 0
        self._whole_pieces = None
        if self._parser is None or is_head or was_head:
            self.pieces = []
            self.on_body = _drop if is_head else self.pieces.append
            self._parser = HttpResponseParser(self)
        self.waiting_since_s = self._loop.time()
        self._head = head
        if at_once:
            self._ask(body)
        else:
            self._outbox.post(self._ask, body)

    async def send(self, pieces: AsyncIterator[bytes], *, is_chunked: bool) -> None:
        """Send the body of the request that was begun, as it comes; stop when the provider answers before its end."""
        self._is_sent = False
        assert self.transport is not None
        async for piece in pieces:
            if self.headers_complete or self.failure is not None:
                return
            self.waiting_since_s = self._loop.time()
            self.transport.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
            if self._drain is not None:
                await self._drain
        if is_chunked:
            self.transport.write(b"0\r\n\r\n")
        self._is_sent = True

    async def say(self, content: bytes) -> None:
        """Send bytes of a WebSocket as they are; returns when more may follow."""
        assert self.transport is not None
        self.waiting_since_s = self._loop.time()
        self.transport.write(content)
        if self._drain is not None:
            await self._drain

    async def head(self) -> None:
        """Return when the answer's head has come.

        Raises:
            UpstreamFailed: it did not.
        """
        while not self.headers_complete:
            if self.failure is not None:
                raise self.failure
            await self._wait()

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes; see `__anext__`."""
        return self

    async def __anext__(self) -> bytes:
        """Return what came of the body since the last time, pieces that came together in one.

        Raises:
            StopAsyncIteration: that was all.
            UpstreamFailed: it broke off.
        """
        if self._paused and not self.pieces and self.transport is not None:
            self._paused = False
            self.transport.resume_reading()
        while not self.pieces:
            if self.failure is not None:
                raise self.failure
            if self.complete:
                raise StopAsyncIteration
            await self._wait()
        body = self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)
        self.pieces.clear()
        self.size = 0
        if self._whole_pieces is not None:
            self._whole_pieces = 0
        return body

    def hang_up(self) -> None:
        """Close once what was written is sent."""
        self._outbox.empty()
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        if self.transport is not None:
            self.transport.abort()

    def cut(self, seconds: float) -> None:
        """Fail the exchange under way because the provider was silent for *seconds*."""
        self._fail(f"The provider was silent for {seconds:.0f} s.", "timeout")
        self.abort()

    def _ask(self, body: bytes) -> None:
        """Send the request, unless something came since the last answer: an end or unasked bytes.

        One look at the socket, since the loop may not have seen it yet: no request is written to a connection that was already
        closed, and none is answered by what was sent before it was asked (a 408 of a provider that grew tired of waiting).
        """
        if not self.is_open:
            return  # given up meanwhile
        if self._is_used and self._silence.poll(0):
            self._give_up_unasked()
            return
        self._is_used = self.is_asked = True
        assert self.transport is not None
        if len(body) < HIGH_WATER_BYTES:
            self.transport.write(self._head + body)
        else:
            self.transport.write(self._head)
            self.transport.write(body)

    def _give_up_unasked(self) -> None:
        self._fail("The provider ended the connection before it was asked anything.", "network_error")

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, message: str, kind: str) -> None:
        if self.failure is None:
            self.failure = UpstreamFailed(message, kind)
        self._wake()
        self.abort()


def _has_framing(headers: list[Header]) -> bool:
    for name, _ in headers:  # noqa: SIM110 - for every answer: a generator costs more than the looking
        if name in _FRAMING:
            return True
    return False


def _drop(body: bytes) -> None:
    """Take a piece of what answers to HEAD do not have."""
