"""A gateway on real sockets for tests: a hall on the test's own loop, a spool in a folder, a raw client."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

from reenact.domain.exchange import Cursor, Exchange, Header
from reenact.errors import Unauthenticated
from reenact.gateway.answers import Uncompressed
from reenact.gateway.app import Gateway
from reenact.gateway.controller import Controller
from reenact.gateway.forwarder import Forwarder
from reenact.gateway.guarding import Guard
from reenact.gateway.hall import Hall
from reenact.gateway.masker import Masker
from reenact.gateway.masking import Mask
from reenact.gateway.means import Means
from reenact.gateway.pool import PooledSource
from reenact.gateway.refusing import refuse
from reenact.gateway.relay import Relay
from reenact.gateway.routing import Routes
from reenact.gateway.scope import Scope
from reenact.gateway.source import AnswerSource
from reenact.gateway.visit import Visit
from reenact.server.listener import address_of, listen
from reenact.spool.disk import Counters, Disk
from reenact.spool.reader import Batch, SpoolReader
from reenact.spool.writer import SpoolWriter

NOW_US = 1_700_000_000_000_000
HELICONE_KEY = "sk-helicone-aaaaaaa-bbbbbbb-ccccccc-ddddddd"
MAX_BODY_BYTES = 3_000_000
MEANS = Means(guard=Guard())


class _Ticking:
    """A clock on which every look takes one microsecond."""

    def __init__(self) -> None:
        self._ticks = itertools.count(NOW_US)

    def __call__(self) -> int:
        return next(self._ticks)


def authorise(key: str | None, headers: Sequence[Header]) -> str:
    """Let in whoever has no key or the right one."""
    if key not in {None, HELICONE_KEY}:
        raise Unauthenticated("This key is not known.")
    return "acme"


class House:
    """A running gateway, and what it recorded."""

    def __init__(self, origin: str, folder: Path, appended: threading.Semaphore, counters: Counters) -> None:
        self.origin = origin
        self.port = int(origin.rpartition(":")[2])
        self.folder = folder
        self.counters = counters
        """What its spool's writer counted."""
        self._appended = appended

    def recorded(self) -> Batch:
        """Return all that stands in the spool now."""
        return SpoolReader(self.folder).read(Cursor(), limit_records=10**6, limit_bytes=10**9)

    async def exchange(self) -> Exchange:
        """Return the newest recorded exchange, once a further record has come."""
        assert await asyncio.to_thread(self._appended.acquire, timeout=10), "nothing was recorded"
        return self.recorded().exchanges[-1]


@asynccontextmanager
async def house(
    folder: Path,
    upstreams: dict[str, str],
    *,
    read_timeout_seconds: float = 30,
    means: Means = MEANS,
    mask: Mask | None = None,
    disk: Disk = Disk(),  # noqa: B008 - a frozen value
) -> AsyncIterator[House]:
    """Run a gateway while the block runs."""
    appended = threading.Semaphore(0)
    spool = folder / "spool"
    clock = _Ticking()
    writer = SpoolWriter(spool, clock=clock, on_append=appended.release, disk=disk)
    recorder = writer if mask is None else Masker(writer, mask)
    pooled = PooledSource(connect_timeout_s=5, silence_timeout_s=read_timeout_seconds, permit=means.guard.permits)
    source: AnswerSource = pooled if mask is None else Uncompressed(pooled)
    numbers = itertools.count(1)

    def new_id() -> str:
        return f"00000000-0000-4000-8000-{next(numbers):012d}"

    routes = Routes(upstreams)
    controller = Controller(Forwarder(source, routes, means), means, new_id=new_id)
    gateway = Gateway(
        Relay(source, recorder, clock, controller, pooled),
        routes,
        authorise,
        clock=clock,
        new_id=new_id,
        max_body_bytes=MAX_BODY_BYTES,
    )

    async def serve(scope: Scope, agent: Visit) -> None:
        if gateway.handles(scope):
            await gateway(scope, agent)
        else:
            await agent.refuse(refuse(404, "not_found", "not ours"))

    hall = Hall(serve)
    with closing(listen("127.0.0.1", 0)) as bound:
        await hall.open([bound])
        try:
            yield House(address_of(bound), spool, appended, writer.counters)
        finally:
            await hall.close(0)
            await pooled.close()
            writer.close()


class Reply:
    """An answer, as the bytes on the wire."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        self.status = int(lines[0].split(b" ")[1])
        self.headers = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines[1:])]


class Client:
    """A raw connection to the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, line: bytes, *headers: bytes, body: bytes = b"") -> None:
        """Send a request that ends the connection; *line* is such as `b"POST /v1/x"`."""
        framing = [] if any(b"chunked" in header for header in headers) else [b"content-length: %d" % len(body)]
        lines = [line + b" HTTP/1.1", b"host: localhost:8585", b"connection: close", *headers, *framing, b"", b""]
        self.writer.write(b"\r\n".join(lines) + body)
        await self.writer.drain()

    async def head(self, line: bytes, *headers: bytes) -> None:
        """Send a request's head only, which says how its body is framed."""
        self.writer.write(b"\r\n".join([line + b" HTTP/1.1", b"host: localhost:8585", *headers, b"", b""]))
        await self.writer.drain()

    async def until(self, ending: bytes) -> bytes:
        """Return what comes up to *ending*."""
        return await asyncio.wait_for(self.reader.readuntil(ending), 10)

    async def rest(self) -> bytes:
        """Return all that comes until the connection ends, in whatever way."""
        pieces = []
        try:
            while piece := await asyncio.wait_for(self.reader.read(65536), 10):
                pieces.append(piece)
        except ConnectionError:
            pass  # a reset ends an answer, too
        return b"".join(pieces)

    def abort(self) -> None:
        """Leave at once."""
        self.writer.transport.abort()


@asynccontextmanager
async def client(house: House) -> AsyncIterator[Client]:
    """Connect to the gateway."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


async def fetch(house: House, line: bytes, *headers: bytes, body: bytes = b"") -> Reply:
    """Send one request and return the whole answer."""
    async with client(house) as agent:
        await agent.send(line, *headers, body=body)
        return Reply(await agent.rest())
