"""The scripted provider as an ASGI app: receives a request, decides, answers or fails as told."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from reenact.dialects.conversing import conversation_place
from reenact.dialects.dialect import Dialect
from reenact.domain.digesting import digest
from reenact.errors import InvalidInput, NotFound
from reenact.provider.answering import answer
from reenact.provider.asking import Asked, dialect_of, read_request
from reenact.provider.counting import count_prompt
from reenact.provider.failing import write_error
from reenact.provider.fault import Fault
from reenact.provider.holder import Held, Holder
from reenact.provider.messages_writing import write_count
from reenact.provider.recalling import Seen, redacted
from reenact.provider.responses_writing import written_output
from reenact.provider.script import Script
from reenact.provider.talker import Talker
from reenact.provider.writing import stream_answer, write_answer, write_models

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_JSON: Headers = [(b"content-type", b"application/json")]
_EVENTS: Headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
_MOST_KEPT = 1000
_LIE_BYTES = 10_000


class _ClientLeft(Exception):
    """The client went away while it was being answered."""


class Provider:
    """The ASGI app. `seen` holds the newest requests, oldest first, secrets redacted."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._failures: Counter[bytes] = Counter()
        self.seen: deque[Seen] = deque(maxlen=_MOST_KEPT)
        self.total = 0
        self._holder = Holder()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; lifespan events are acknowledged."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            try:
                await self._answer(scope, receive, send)
            except _ClientLeft:
                return
        elif scope["type"] == "websocket":
            await self._talk(scope, receive, send)

    async def _talk(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Converse on a WebSocket; one that is for something else is closed before it is open, which answers it with 403."""
        self.total += 1
        self.seen.append(redacted("GET", scope["path"], scope["query_string"], scope["headers"], b""))
        if not scope["path"].rstrip("/").endswith("/realtime"):
            await receive()
            await send({"type": "websocket.close"})
            return
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        model = asked.get("model", asked.get("deployment", ["gpt-realtime"]))[0]
        await Talker(model, self._script).talk(scope["subprotocols"], receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path, query = scope["method"], scope["path"], scope["query_string"]
        body = await _read_body(receive)
        if path == "/provider/requests":
            return await _send(send, 200, msgspec.json.encode({"total": self.total, "requests": list(self.seen)}))
        self.total += 1
        self.seen.append(redacted(method, path, query, scope["headers"], body))
        if method == "GET" and path.rstrip("/").endswith("/models"):
            return await _send(send, 200, write_models())
        told = query.decode("latin-1")
        try:
            if (place := conversation_place(path)) is not None:
                return await _send(send, 200, msgspec.json.encode(self._holder.answer(method, place, told, body)))
            dialect = dialect_of(method, path)
            whole, held = self._in_full(dialect, body)
        except NotFound as error:
            return await _send(send, 404, write_error("", 404, error.message))
        except InvalidInput as error:
            return await _send(send, 400, write_error("", 400, error.message, error.field))
        try:
            asked = read_request(dialect, path, told, scope["headers"], whole, self._script)
        except InvalidInput as error:
            return await _send(send, 400, write_error(dialect.name, 400, error.message, error.field))
        return await self._perform(asked, self._fault(asked, body), held, receive, send)

    def _in_full(self, dialect: Dialect, body: bytes) -> tuple[bytes, Held | None]:
        """Return a request with what its conversation holds, and that conversation with what the request adds to it."""
        return self._holder.told_in_full(body) if dialect.name == "openai_responses" else (body, None)

    def _fault(self, asked: Asked, body: bytes) -> Fault:
        """Return the fault, none once the same request has failed as often as it was to."""
        if asked.fault.times is None:
            return asked.fault
        self._failures[digest(body)] += 1
        return asked.fault if self._failures[digest(body)] <= asked.fault.times else Fault()

    async def _perform(self, asked: Asked, fault: Fault, held: Held | None, receive: Receive, send: Send) -> None:
        """Answer as well as *fault* lets it."""
        await _wait(receive, None if fault.hangs else fault.delay_ms)
        prompt = asked.prompt
        if fault.status is not None:
            retry = fault.retry_after_seconds
            more = [] if retry is None else [(b"retry-after", str(retry).encode())]
            return await _send(send, fault.status, write_error(prompt.dialect, fault.status), more)
        if asked.counts_only:
            return await _send(send, 200, msgspec.json.encode(write_count(count_prompt(prompt))))
        reply = answer(prompt, asked.rule)
        if held is not None:
            prompt = held.said(prompt, written_output(reply))
        if prompt.stream and prompt.dialect != "openai_embeddings":
            headers = _JSON if asked.as_array else _EVENTS
            pieces = stream_answer(prompt, reply, is_array=asked.as_array)
            return await _send_pieces(send, receive, _broken(pieces, fault), headers, fault)
        slices = list(_broken(_slices(write_answer(prompt, reply), fault), fault))
        promised = sum(map(len, slices)) + (_LIE_BYTES if fault.has_wrong_length else 0)
        headers = [*_JSON, (b"content-length", str(promised).encode())]
        return await _send_pieces(send, receive, iter(slices), headers, fault)


def create_provider(script: Script | None = None) -> Provider:
    """Return the app; without a script it answers by its own rules alone."""
    return Provider(script or Script())


async def _live(receive: Receive, send: Send) -> None:
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


async def _read_body(receive: Receive) -> bytes:
    pieces = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientLeft
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)


async def _wait(receive: Receive, milliseconds: int | None) -> None:
    """Wait, for ever when None, unless the client leaves."""
    if milliseconds == 0:
        return
    try:
        async with asyncio.timeout(None if milliseconds is None else milliseconds / 1000):
            while (await receive())["type"] != "http.disconnect":
                continue
    except TimeoutError:
        return
    raise _ClientLeft


async def _send(send: Send, status: int, body: bytes, more: Headers | None = None) -> None:
    headers = [*_JSON, (b"content-length", str(len(body)).encode()), *(more or [])]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _send_pieces(send: Send, receive: Receive, pieces: Iterator[bytes], headers: Headers, fault: Fault) -> None:
    """Send a body piece by piece. Returning without its end makes the server close the connection: a cut."""
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for at, piece in enumerate(pieces):
        if fault.cut_after is not None and at >= fault.cut_after:
            return
        await _wait(receive, fault.slow_ms)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if not fault.has_wrong_length:
        await send({"type": "http.response.body", "body": b""})


def _slices(body: bytes, fault: Fault) -> Iterator[bytes]:
    """Return an unstreamed body in one piece, in several when it is to be slow or cut."""
    if not fault.slow_ms and fault.cut_after is None:
        return iter((body,))
    size = max(1, len(body) // 8)
    return (body[at : at + size] for at in range(0, len(body), size))


def _broken(pieces: Iterator[bytes], fault: Fault) -> Iterator[bytes]:
    """Return the pieces, for a malformed answer with the second (or the only one) torn in its middle."""
    if not fault.is_malformed:
        return pieces
    ready = list(pieces)
    at = min(1, len(ready) - 1)
    half = len(ready[at]) // 2
    end = b"\n\n" if ready[at].endswith(b"\n\n") else b""
    return iter([*ready[:at], ready[at][:half] + end, *ready[at + 1 :]])
