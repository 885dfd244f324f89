"""The scripted provider as an ASGI app: receives a request, decides, answers or fails as told."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import Any

import msgspec

from reenact.dialects.registry import find_dialect
from reenact.domain.digesting import digest
from reenact.domain.message import Prompt
from reenact.errors import InvalidInput
from reenact.provider.answering import answer
from reenact.provider.failing import find_missing, write_error
from reenact.provider.fault import Fault
from reenact.provider.faulting import marked_fault, read_fault
from reenact.provider.recalling import Seen, redacted
from reenact.provider.script import Script
from reenact.provider.scripting import find_rule, system_text, user_text
from reenact.provider.writing import stream_answer, write_answer, write_models

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_JSON: Headers = [(b"content-type", b"application/json")]
_EVENTS: Headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
_MOST_KEPT = 1000


class _ClientLeft(Exception):
    """The client went away while it was being answered."""


class Provider:
    """The ASGI app. `seen` holds the newest requests, oldest first, secrets redacted."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._failures: Counter[bytes] = Counter()
        self.seen: deque[Seen] = deque(maxlen=_MOST_KEPT)
        self.total = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; lifespan events are acknowledged."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            try:
                await self._answer(scope, receive, send)
            except _ClientLeft:
                return

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        body = await _read_body(receive)
        if path == "/provider/requests":
            return await _send(send, 200, msgspec.json.encode({"total": self.total, "requests": list(self.seen)}))
        self.total += 1
        self.seen.append(redacted(method, path, scope["query_string"], scope["headers"], body))
        if method == "GET" and path.rstrip("/").endswith("/models"):
            return await _send(send, 200, write_models())
        dialect = find_dialect("", method, path)
        if dialect is None:
            return await _send(
                send, 404, write_error(404, f"Unknown request URL: {method} {path}.", code="unknown_url")
            )
        try:
            prompt = dialect.read_prompt(msgspec.json.decode(body))
            fault = self._fault(prompt, scope["headers"], body)
        except msgspec.DecodeError:
            return await _send(send, 400, write_error(400, "We could not parse the JSON body of your request."))
        except InvalidInput as error:
            return await _send(send, 400, write_error(400, error.message, param=error.field or None))
        if missing := find_missing(prompt):
            sentence = f"Missing required parameter: '{missing}'."
            return await _send(send, 400, write_error(400, sentence, param=missing, code="missing_required_parameter"))
        return await self._perform(prompt, fault, receive, send)

    def _fault(self, prompt: Prompt, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Fault:
        """Return the fault that the header, the newest turn, the system prompt or the script asks for, in this order."""
        rule = find_rule(self._script, prompt)
        header = next((value.decode("latin-1") for name, value in headers if name == b"x-provider-fault"), None)
        marked = (marked_fault(text) for text in (user_text(prompt), system_text(prompt)))
        wished = next((wish for wish in (header, *marked, rule.fault if rule else None) if wish is not None), "")
        fault = read_fault(wished)
        if fault.times is not None:
            self._failures[digest(body)] += 1
            if self._failures[digest(body)] > fault.times:
                return Fault()
        return fault

    async def _perform(self, prompt: Prompt, fault: Fault, receive: Receive, send: Send) -> None:
        """Answer *prompt* as well as *fault* lets it."""
        if fault.hangs:
            await _wait(receive, None)
        await _wait(receive, fault.delay_ms)
        if fault.status is not None:
            retry = fault.retry_after_seconds
            more = [] if retry is None else [(b"retry-after", str(retry).encode())]
            return await _send(send, fault.status, write_error(fault.status), more)
        reply = answer(prompt, find_rule(self._script, prompt))
        is_streamed = prompt.stream
        pieces = stream_answer(prompt, reply) if is_streamed else _slices(write_answer(prompt, reply), fault)
        if fault.is_malformed:
            pieces = _broken(pieces)
        return await _send_pieces(send, receive, pieces, _EVENTS if is_streamed else _JSON, fault, is_streamed)


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


async def _send_pieces(
    send: Send, receive: Receive, pieces: Iterator[bytes], headers: Headers, fault: Fault, is_streamed: bool
) -> None:
    """Send a body piece by piece. Returning without its end makes the server close the connection: a cut."""
    ready = None if is_streamed else list(pieces)
    length = None if ready is None else sum(map(len, ready))
    if fault.has_wrong_length:
        length = (length or 0) + 10_000
    if length is not None:
        headers = [*headers, (b"content-length", str(length).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for at, piece in enumerate(pieces if ready is None else ready):
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


def _broken(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces with the second (or the only one) torn in its middle."""
    ready = list(pieces)
    at = min(1, len(ready) - 1)
    half = len(ready[at]) // 2
    end = b"\n\n" if ready[at].endswith(b"\n\n") else b""
    return iter([*ready[:at], ready[at][:half] + end, *ready[at + 1 :]])
