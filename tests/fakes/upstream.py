"""A tiny provider on a raw socket, for tests: it says exactly the bytes it is told to, slowly, cut off, or lying about them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


class Received:
    """One request as it came in."""

    def __init__(self, head: bytes, body: bytes) -> None:
        lines = head.split(b"\r\n")
        self.line = lines[0]
        """The request line, such as `b"POST /v1/x HTTP/1.1"`."""
        self.headers = [
            (name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines[1:])
        ]
        """In order, names in lower case."""
        self.body = body


class Wire:
    """The connection that a script answers on."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, content: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(content)
        await self._writer.drain()

    async def send_chunk(self, content: bytes) -> None:
        """Send a chunk of a chunked body; an empty one ends it."""
        await self.send(b"%x\r\n%b\r\n" % (len(content), content))

    async def gone(self) -> None:
        """Return when the gateway has closed its side."""
        try:
            while await self._reader.read(65536):
                pass
        except ConnectionError:
            return  # a reset is a way to close, too

    def close(self) -> None:
        """End the connection in good order."""
        self._writer.close()

    def abort(self) -> None:
        """Cut the connection."""
        self._writer.transport.abort()


Script = Callable[[Received, Wire], Awaitable[None]]
"""Answers one request; the connection lives on when it returns, for the next."""


class Upstream:
    """A provider that is listening."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.requests: list[Received] = []


@asynccontextmanager
async def upstream(script: Script) -> AsyncIterator[Upstream]:
    """Answer every request with *script* while the block runs.

    Raises:
        ExceptionGroup: the script failed.
    """
    tasks: set[asyncio.Task[None]] = set()
    failures: list[Exception] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        wire = Wire(reader, writer)
        try:
            while (received := await _receive(reader)) is not None:
                provider.requests.append(received)
                await script(received, wire)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the gateway left in the middle, or the block has ended
        except Exception as error:  # noqa: BLE001 - raised in the test's own task below
            failures.append(error)
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    provider = Upstream(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield provider
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if failures:
        raise ExceptionGroup("The provider's script failed.", failures)


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """Return a whole answer with its length; *headers* are lines such as `b"x-dup: 1"`."""
    return _head(status, *headers, b"content-length: %d" % len(body)) + body


def stream_head(*headers: bytes) -> bytes:
    """Return the head of a chunked stream of events."""
    return _head(b"200 OK", b"content-type: text/event-stream", *headers, b"transfer-encoding: chunked")


def _head(status: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join((b"HTTP/1.1 " + status, *headers, b"", b""))


async def _receive(reader: asyncio.StreamReader) -> Received | None:
    """Return the next request; None when there is no further one."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
        received = Received(head, b"")
        length = next((int(value) for name, value in received.headers if name == b"content-length"), 0)
        received.body = await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        return None
    return received
