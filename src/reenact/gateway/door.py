"""Door: one agent's HTTP/1.1 connection, parsed by llhttp; requests are answered one after the other, in their order.

Framing is strict: llhttp refuses a request that two readers could see the end of in two places. Sources: RFC 9110, RFC 9112.

Long, since the loop's side, the parser's and the gateway's share the state of one connection.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, parse_url

from reenact.domain.exchange import Header
from reenact.gateway.heads import Found, Heads, find_head
from reenact.gateway.outbox import Outbox
from reenact.gateway.refusing import Refusal, refuse
from reenact.gateway.scope import Scope
from reenact.gateway.visit import Visit

_log = logging.getLogger(__name__)

Serve = Callable[[Scope, Visit], Awaitable[None]]
"""Answers one request."""
_LINGER_S = 2.0
"""How long an agent whose body nobody wanted may go on sending it, so that it gets to read the answer."""
_FAULT = refuse(500, "internal_error", "This server failed to answer; its log says why.")


class Manners(Protocol):
    """What doors have in common; the hall's."""

    serve: Serve
    loop: asyncio.AbstractEventLoop
    now_s: Callable[[], float]
    is_closing: bool
    max_head_bytes: int
    head_timeout_s: float
    body_timeout_s: float
    idle_timeout_s: float
    stall_timeout_s: float
    heads: Heads
    outbox: Outbox

    def enter(self, door: "Door") -> bool:
        """Take a new connection; return whether there is room for it."""
        ...

    def leave(self, door: "Door") -> None:
        """Take that a connection is gone."""
        ...


class Door(asyncio.Protocol):
    """A connection. Made by the hall, which also watches its deadline."""

    def __init__(self, hall: Manners) -> None:
        self._hall = hall
        self._transport: asyncio.Transport | None = None
        self._parser = HttpRequestParser(self)
        self.deadline_s = math.inf
        """When the hall gives up on it; in the loop's time."""
        self._client: tuple[str, int] | None = None
        self._scheme = "http"
        self._url = b""
        self._headers: list[Header] = []
        self._head_bytes = 0
        """Of what is no body: the head, extensions of chunks, trailers."""
        self._data_bytes = 0
        """Of what came last."""
        self._has_body = False
        """Whether what came last held some of a body."""
        self._in_head = False
        self._found: Found | None = None
        """The head that what came last begins with."""
        self._incoming: Visit | None = None
        """Whose body is coming."""
        self._visit: Visit | None = None
        """Who is being answered."""
        self._waiting: deque[Visit] = deque()
        """Who sent a request before the last one was answered."""
        self._task: asyncio.Task[None] | None = None
        self._drain: asyncio.Future[None] | None = None
        self._is_held = False
        self._is_deaf = False
        """Nothing that comes is of interest any more."""
        self.is_lost = False
        self._speaker: Visit | None = None
        """Whose WebSocket this has become."""

    # --- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._client = (peer[0], peer[1]) if isinstance(peer, tuple) else None
        self.deadline_s = self._hall.now_s() + self._hall.head_timeout_s
        if not self._hall.enter(self):
            self._reject(503, "too_many_connections", "This server has as many connections as it can hold.")

    def data_received(self, data: bytes) -> None:
        """Take bytes from the agent."""
        if self._speaker is not None:
            self._speaker.take(data)
            return
        if self._is_deaf:
            return
        if self._is_idle and self._take_known(data):
            return
        self._has_body = False
        self._data_bytes = len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._upgrade(data[upgrade.args[0] :])
            return
        except HttpParserError as error:
            self._reject(400, "invalid_request", f"This is no valid HTTP request: {error}")
            return
        if self._incoming is not None and not self._is_held:
            self.deadline_s = self._hall.now_s() + self._hall.body_timeout_s
        if self._in_head or (self._incoming is not None and not self._has_body):
            self._head_bytes += len(data)
            if self._head_bytes > self._hall.max_head_bytes:
                self._reject(431, "headers_too_large", f"The headers have over {self._hall.max_head_bytes} bytes.")

    def eof_received(self) -> bool:
        """Take the end of what the agent sends: it has left."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Take the end of the connection; what is under way is given up."""
        self.is_lost = True
        self._hall.leave(self)
        self._waiting.clear()
        if self._drain is not None and not self._drain.done():
            self._drain.set_result(None)
        if self._speaker is not None:
            self._speaker.receive()  # what it said last is passed on
        elif self._task is not None and self._visit is not None and not self._visit.is_ended:
            self._task.cancel()

    def pause_writing(self) -> None:
        """Take that the agent reads too slowly."""
        self._drain = self._hall.loop.create_future()
        self.deadline_s = self._hall.now_s() + self._hall.stall_timeout_s

    def resume_writing(self) -> None:
        """Take that it has caught up."""
        if self._drain is not None and not self._drain.done():
            self._drain.set_result(None)
        self._drain = None
        self.deadline_s = math.inf

    # --- the parser's side

    def on_message_begin(self) -> None:
        """Take the start of a request."""
        self._in_head = True
        self._head_bytes = 0
        self._url = b""
        self._headers = []
        if self._visit is None:
            self.deadline_s = self._hall.now_s() + self._hall.head_timeout_s

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a trailer is read and dropped, since it cannot be passed on."""
        if self._in_head:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Take the end of the head."""
        self._in_head = False
        most_bytes, came_bytes = self._hall.max_head_bytes, self._head_bytes + self._data_bytes
        self._head_bytes = 0
        if came_bytes > most_bytes and _size(self._url, self._headers) > most_bytes:
            self._reject(431, "headers_too_large", f"The headers have over {most_bytes} bytes.")
        if self._is_deaf:
            return
        parser = self._parser
        path, query = _split(self._url)
        scope: Scope = {
            "type": "http",
            "method": parser.get_method().decode("ascii"),
            "scheme": self._scheme,
            "raw_path": path,
            "query_string": query,
            "headers": self._headers,
            "client": self._client,
        }
        found, self._found = self._found, None
        visit = Visit(self, scope, closes=not parser.should_keep_alive(), is_old=parser.get_http_version() == "1.0")
        if parser.should_upgrade():
            scope["upgrade"] = any(
                name == b"upgrade" and value.lower() == b"websocket" for name, value in self._headers
            )
            visit.closes = True
        elif found is not None and not visit.closes and not visit.is_old:
            known = self._hall.heads.find(found.key) or self._hall.heads.keep(found, scope)
            if known is not None:
                known.mark(scope, found.digits)
        self._incoming = visit
        if self._visit is None:
            self._begin(visit)
        else:
            self._waiting.append(visit)
            self.hold()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._head_bytes = 0
        self._has_body = True
        if self._incoming is not None:
            self._incoming.take(body)

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        if self._incoming is not None:
            visit, self._incoming = self._incoming, None
            self.deadline_s = math.inf
            visit.receive()

    @property
    def _is_idle(self) -> bool:
        """Whether what comes is the beginning of a request that nobody has to wait for."""
        return self._visit is None and self._incoming is None and not self._in_head

    def _take_known(self, data: bytes) -> bool:
        """Answer a request that came whole and alone under a head that is known; return whether it did.

        The parser has read such a head before and sees none of this; whatever is not just so is left to it.
        """
        self._found = found = find_head(data)
        if found is None or (known := self._hall.heads.find(found.key)) is None:
            return False
        if len(data) - found.body_at != int(found.digits):
            return False
        self._found = None
        visit = Visit(self, known.scope(found.digits, self._client), closes=False, is_old=False)
        if found.body_at < len(data):
            visit.take(data[found.body_at :])
        visit.is_received = True
        self._begin(visit)
        return True

    # --- the visit's side; see Wire

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be written for now."""
        return self._drain is not None

    def write(self, content: bytes) -> None:
        """Send bytes as they are, at the end of the loop's turn."""
        self._hall.outbox.post(self._send, content)

    def soon(self, act: Callable[[], None]) -> None:
        """Have *act* called at the end of the loop's turn."""
        self._hall.outbox.before(act)

    async def drained(self) -> None:
        """Return when more may be written."""
        if self._drain is not None:
            await self._drain

    def hold(self) -> None:
        """Read no more for now."""
        if not self._is_held and self._transport is not None:
            self._is_held = True
            self._transport.pause_reading()
            self.deadline_s = math.inf

    def go_on(self) -> None:
        """Read on."""
        if self._is_held and self._transport is not None and not self.is_lost:
            self._is_held = False
            self._transport.resume_reading()

    # --- the hall's side

    @property
    def is_busy(self) -> bool:
        """Whether somebody is being answered."""
        return self._visit is not None

    def expire(self) -> None:
        """Give up on an agent that lets us wait."""
        if self._visit is not None and not self._visit.is_begun and not self._visit.is_received:
            self._reject(408, "request_timeout", "The request's body did not come in time.")
        elif self._in_head and self._visit is None and not self._is_deaf:
            self._reject(408, "request_timeout", "The request's head did not come in time.")
        else:
            self.close(at_once=True)

    def close(self, *, at_once: bool = False) -> None:
        """End the connection, what was written first unless *at_once*."""
        self._hall.outbox.empty()
        if self._transport is not None:
            if at_once:
                self._transport.abort()
            else:
                self._transport.close()

    async def ended(self) -> None:
        """Return when whoever is being answered is."""
        if self._task is not None:
            await asyncio.wait([self._task])

    # --- inside

    def _send(self, content: bytes) -> None:
        if not self.is_lost and self._transport is not None and not self._transport.is_closing():
            self._transport.write(content)

    def _begin(self, visit: Visit) -> None:
        self._visit = visit
        self.deadline_s = math.inf if self._incoming is None else self._hall.now_s() + self._hall.body_timeout_s
        self._task = self._hall.loop.create_task(self._answer(visit))

    async def _answer(self, visit: Visit) -> None:
        try:
            await self._hall.serve(visit.scope, visit)
        except asyncio.CancelledError:
            if not self.is_lost and not self._hall.is_closing:
                raise
        except Exception:  # noqa: BLE001 - whatever went wrong, the agent is told and others are served on
            _log.exception("A request could not be answered.")
            if not visit.is_begun:
                visit.closes = True
                await visit.refuse(_FAULT)
        finally:
            self._finish(visit)

    def _finish(self, visit: Visit) -> None:
        """Go on with the next request, or end the connection where none can follow."""
        if self._visit is not visit:
            return  # rejected: what is to be said is said
        self._visit = self._task = None
        if self.is_lost:
            return
        if not visit.is_ended:
            visit.flush()
            self.close(at_once=visit.is_open_ended or not visit.is_begun)
        elif not visit.is_received:
            self._linger()
        elif visit.closes or self._hall.is_closing:
            self.close()
        elif self._waiting:
            self._begin(self._waiting.popleft())
        else:
            self.deadline_s = self._hall.now_s() + self._hall.idle_timeout_s
            self.go_on()

    def _linger(self) -> None:
        """Close our side and let the agent finish sending: closing at once could take the answer from it."""
        self._is_deaf = True
        self._incoming = None
        self.go_on()
        self._hall.outbox.empty()
        if self._transport is not None:
            if self._transport.can_write_eof():
                self._transport.write_eof()
            self.deadline_s = self._hall.now_s() + _LINGER_S

    def _reject(self, status: int, kind: str, message: str) -> None:
        """Answer bytes that are no request that could be served, and end the connection."""
        self._is_deaf = True
        self._waiting.clear()
        self._incoming = None
        task, self._task = self._task, None
        visit, self._visit = self._visit, None
        if task is not None:
            task.cancel()
        if visit is not None and visit.is_begun:
            self.close(at_once=True)  # in the middle of an answer there is no room for another
            return
        refusal: Refusal = refuse(status, kind, message)
        lines = [b"HTTP/1.1 %d %s" % (status, kind.encode()), *(b"%s: %s" % header for header in refusal.headers)]
        self.write(b"\r\n".join([*lines, b"connection: close", b"", refusal.body]))
        self._linger()

    def _upgrade(self, rest: bytes) -> None:
        """Leave HTTP for good: to speak of a WebSocket where one was asked for, or to hear nothing more."""
        self._is_deaf = True
        if self._visit is not None and self._visit.is_upgrade and not self._waiting:
            self._speaker = self._visit
            self._speaker.reopen()
            if rest:
                self._speaker.take(rest)


def _size(url: bytes, headers: list[Header]) -> int:
    return len(url) + sum(len(name) + len(value) for name, value in headers)


def _split(url: bytes) -> tuple[bytes, bytes]:
    """Return path and query of a request's target; a fragment, which nobody should send, is left out."""
    if not url.startswith(b"/"):
        parsed = parse_url(url)
        return parsed.path or b"/", parsed.query or b""
    if b"#" in url:
        url = url.partition(b"#")[0]
    path, _, query = url.partition(b"?")
    return path, query
