"""A door, spoken to on a raw socket: framing, order, limits and patience, on both event loops."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from reenact.domain.exchange import Header
from reenact.errors import TooLarge
from reenact.gateway.hall import Hall
from reenact.gateway.refusing import refuse
from reenact.gateway.scope import Scope
from reenact.gateway.visit import Visit
from reenact.server.listener import listen

GET = b"GET /x HTTP/1.1\r\nhost: h\r\n\r\n"
LIMIT_BYTES = 100_000


async def echo(scope: Scope, visit: Visit) -> None:
    """Say the method, the path, the query and the body."""
    try:
        body = await visit.body(LIMIT_BYTES)
    except TooLarge as error:
        await visit.refuse(refuse(413, "request_too_large", error.message))
        return
    said = b"|".join([scope["method"].encode(), scope["raw_path"], scope["query_string"], body])
    headers: list[Header] = [] if b"chunked" in scope["query_string"] else [(b"content-length", b"%d" % len(said))]
    await visit.start(200, headers)
    await visit.chunk(said)
    await visit.end()


class Wire:
    """A connection to a hall."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, content: bytes) -> None:
        """Send bytes."""
        self.writer.write(content)
        await self.writer.drain()

    async def hear(self, ending: bytes) -> bytes:
        """Return what comes up to *ending*."""
        return await asyncio.wait_for(self.reader.readuntil(ending), 5)

    async def rest(self) -> bytes:
        """Return all that comes until the connection ends."""
        try:
            return await asyncio.wait_for(self.reader.read(), 10)
        except ConnectionError:
            return b""


@asynccontextmanager
async def hall(serve: object = echo, **manners: object) -> AsyncIterator[tuple[Hall, int]]:
    """Run a hall; yield it with its port."""
    made = Hall(serve, **manners)  # type: ignore[arg-type] # each test's own
    with closing(listen("127.0.0.1", 0)) as bound:
        await made.open([bound])
        try:
            yield made, bound.getsockname()[1]
        finally:
            await made.close(0)


@asynccontextmanager
async def wire(port: int) -> AsyncIterator[Wire]:
    """Connect."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()


async def exchanged(content: bytes, **manners: object) -> bytes:
    """Return all that a hall answers to *content*."""
    async with hall(**manners) as (_, port), wire(port) as agent:
        await agent.say(content)
        return await agent.rest()


async def test_a_connection_serves_one_request_after_the_other() -> None:
    """It stays open, and every answer is framed by its length."""
    async with hall() as (_, port), wire(port) as agent:
        for body in (b"one", b"two"):
            await agent.say(b"POST /a%2Fb?c=d HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\n" + body)
            assert b"HTTP/1.1 200 OK\r\ncontent-length: 19\r\n\r\n" == await agent.hear(b"\r\n\r\n")
            assert b"POST|/a%2Fb|c=d|" + body == await agent.hear(body)


@pytest.mark.parametrize("cut", [0, 10, 60, 75])
async def test_a_head_that_is_known_by_now(cut: int) -> None:
    """Each request is itself, whole or cut, long or short, alone or with the next, though its head was seen before."""
    head = b"POST /x HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\nx: y\r\n\r\n"
    async with hall() as (_, port), wire(port) as agent:
        for body in (b"one", b"two", b"fourth", b"", b"f" * 70_000, b"sixth"):
            request = head % len(body) + body
            await agent.say(request[:cut])
            await asyncio.sleep(0)
            await agent.say(request[cut:])
            assert b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (9 + len(body)) == await agent.hear(b"\r\n\r\n")
            assert b"POST|/x||" + body == await agent.reader.readexactly(9 + len(body))
        await agent.say(head % 1 + b"a" + head % 1 + b"b" + head % 9 + b"half")
        assert b"POST|/x||a" in await agent.hear(b"POST|/x||a")
        assert b"POST|/x||b" in await agent.hear(b"POST|/x||b")
        await agent.say(b"whole")
        assert b"POST|/x||halfwhole" in await agent.hear(b"whole")
        await agent.say(head.replace(b"x: y", b"transfer-encoding: chunked") % 1 + b"a")
        assert (await agent.rest()).startswith(b"HTTP/1.1 400 ")


async def test_requests_that_came_together_are_answered_in_order() -> None:
    """Pipelining: nothing is lost or mixed, the bodies neither."""
    posts = [b"POST /%d HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\n\r\n%d" % (number, number) for number in range(9)]
    async with hall() as (_, port), wire(port) as agent:
        await agent.say(b"".join(posts))
        heard = [await agent.hear(b"POST|/%d||%d" % (number, number)) for number in range(9)]

    assert all(one.startswith(b"HTTP/1.1 200 OK\r\n") for one in heard)


@pytest.mark.parametrize("cut", range(1, 70, 6))
async def test_a_request_cut_anywhere(cut: int) -> None:
    """However the network cuts it, it is one request."""
    request = b"POST /x HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    async with hall() as (_, port), wire(port) as agent:
        await agent.say(request[:cut])
        await asyncio.sleep(0)
        await agent.say(request[cut:])
        assert (await agent.hear(b"POST|/x||abcde")).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"GET /x HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n", b"content-length: 8\r\nconnection: close\r\n\r\nGET|/x||"),
        (b"GET /x HTTP/1.0\r\n\r\n", b"content-length: 8\r\nconnection: close\r\n\r\nGET|/x||"),
        (b"GET /x?chunked HTTP/1.0\r\n\r\n", b"connection: close\r\n\r\nGET|/x|chunked|"),
        (
            b"GET /x?chunked HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
            b"transfer-encoding: chunked\r\nconnection: close\r\n\r\nf\r\nGET|/x|chunked|\r\n0\r\n\r\n",
        ),
        (b"HEAD /x HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n", b"content-length: 9\r\nconnection: close\r\n\r\n"),
        (
            b"GET http://h/x?y#z HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
            b"content-length: 9\r\nconnection: close\r\n\r\nGET|/x|y|",
        ),
    ],
)  # fmt: skip
async def test_how_answers_are_framed(request_: bytes, answer: bytes) -> None:
    """By length, by chunks, by the end for those who know neither, and not at all for HEAD."""
    assert b"HTTP/1.1 200 OK\r\n" + answer == await exchanged(request_)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", b"400"),
        (b"GET / HTTP/1.1\r\nhost: h\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nhost: h\r\n" + b"x: y\r\n" * 20_000, b"431"),
        (b"GET /" + b"x" * 70_000, b"431"),
        (b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 100001\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n" % 200_000 + bytes(150_000), b"413"),
    ],
)
async def test_what_cannot_be_served_is_refused(request_: bytes, status: bytes) -> None:
    """The agent is told why, and the connection ends."""
    assert (await exchanged(request_)).startswith(b"HTTP/1.1 " + status + b" ")


async def test_a_body_is_asked_for_when_its_agent_waits_to_be() -> None:
    """`Expect: 100-continue` is answered when somebody wants the body, and not when it is too large."""
    async with hall() as (_, port), wire(port) as agent:
        await agent.say(b"POST /x HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n")
        assert b"HTTP/1.1 100 Continue\r\n\r\n" == await agent.hear(b"\r\n\r\n")
        await agent.say(b"abc")
        assert (await agent.hear(b"POST|/x||abc")).startswith(b"HTTP/1.1 200")
    large = b"POST /x HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 999999\r\n\r\n"
    assert (await exchanged(large)).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("begun", "manners"),
    [
        (b"", {"head_timeout_s": 0.1}),
        (b"GET /x HTTP/1.1\r\nho", {"head_timeout_s": 0.1}),
        (b"POST /x HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nab", {"body_timeout_s": 0.1}),
    ],
)
async def test_an_agent_that_lets_us_wait_is_given_up(begun: bytes, manners: dict[str, float]) -> None:
    """A head or a body that does not come in time ends the connection."""
    answer = await exchanged(begun, **manners)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


async def test_an_unused_connection_is_closed_after_a_while() -> None:
    """Its answer was whole; then nothing came."""
    heard = await exchanged(GET, idle_timeout_s=0.1)
    assert heard.endswith(b"\r\n\r\nGET|/x||")


async def test_connections_are_bounded() -> None:
    """One more than fits is told so; those that are there are served on."""
    async with hall(max_doors=2) as (_, port), wire(port) as first, wire(port) as second:
        for agent in (first, second):
            await agent.say(GET)
            await agent.hear(b"GET|/x||")
        async with wire(port) as third:
            assert (await third.rest()).startswith(b"HTTP/1.1 503 ")
        await first.say(GET)
        assert (await first.hear(b"GET|/x||")).startswith(b"HTTP/1.1 200")


async def test_nobody_can_begin_a_header_within_another(caplog: pytest.LogCaptureFixture) -> None:
    """A line break in a value becomes a blank."""

    async def serve(scope: Scope, visit: Visit) -> None:
        await visit.start(200, [(b"x-model", b"a\r\nset-cookie: b"), (b"content-length", b"0")])
        await visit.end()

    heard = await exchanged(GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), serve=serve)
    assert b"HTTP/1.1 200 OK\r\nx-model: a  set-cookie: b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" == heard


async def test_a_fault_of_ours_is_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    """The agent is told, the log has the reason, and the server goes on."""

    async def serve(scope: Scope, visit: Visit) -> None:
        raise RuntimeError("a fault")

    with caplog.at_level(logging.ERROR):
        heard = await exchanged(GET, serve=serve)
    assert heard.startswith(b"HTTP/1.1 500 ")
    assert "a fault" in caplog.text


async def test_an_answer_that_is_not_ended_is_seen_as_such() -> None:
    """Chunks without a last one, fewer bytes than were told: the connection ends before the answer does."""

    async def serve(scope: Scope, visit: Visit) -> None:
        await visit.start(200, [(b"content-length", b"9")] if b"length" in scope["raw_path"] else [])
        await visit.chunk(b"abc")

    chunked = await exchanged(GET, serve=serve)
    told = await exchanged(GET.replace(b"/x", b"/length"), serve=serve)
    assert (True, True) == (chunked.endswith(b"3\r\nabc\r\n"), told.endswith(b"\r\n\r\nabc"))


async def test_an_agent_that_leaves_cancels_its_answer() -> None:
    """Whoever answers learns of it at once."""
    asked, cancelled = asyncio.Event(), asyncio.Event()

    async def serve(scope: Scope, visit: Visit) -> None:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with hall(serve=serve) as (_, port):
        async with wire(port) as agent:
            await agent.say(GET)
            await asyncio.wait_for(asked.wait(), 5)
        await asyncio.wait_for(cancelled.wait(), 5)


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_nothing_stays_open_behind_agents() -> None:
    """A thousand connections, ended in every way, leave no descriptor."""
    endings = (
        b"",
        b"GET /x HT",
        GET,
        b"nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nab",
    )
    async with hall() as (made, port):
        before = _open_files()
        for number in range(1000):
            async with wire(port) as agent:
                await agent.say(endings[number % len(endings)])
        while made._doors:
            await asyncio.sleep(0)
        assert before >= _open_files() - 1


async def test_an_answer_leaves_at_the_end_of_the_turn_that_made_it() -> None:
    """Whole and in one piece: what many calls are answered within a turn wakes its readers once."""
    agent = socket.socket()
    seen = list[str]()

    async def serve(scope: Scope, visit: Visit) -> None:
        await echo(scope, visit)
        try:
            agent.recv(1)
        except BlockingIOError:
            seen.append("nothing yet")

    async with hall(serve) as (_, port):
        loop = asyncio.get_running_loop()
        agent.setblocking(False)
        await loop.sock_connect(agent, ("127.0.0.1", port))
        await loop.sock_sendall(agent, GET)
        answer = await asyncio.wait_for(loop.sock_recv(agent, 65536), 5)
    agent.close()
    assert ["nothing yet"] == seen
    assert answer.endswith(b"GET|/x||")
