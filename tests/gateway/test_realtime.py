"""WebSockets through the gateway, spoken by real clients and servers at both ends: passed on, and recorded as frames."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from reenact.domain.exchange import Ending
from tests.gateway.house import House, client, house

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
PATHS = ("/v1/gateway/oai/v1/realtime", "/oai/v1/realtime", "/v1/realtime")
KEY = {"authorization": "Bearer sk-provider", "helicone-session-id": "talk"}


@asynccontextmanager
async def provider(answer: Answer) -> AsyncIterator[str]:
    """Run a provider whose every path is answered by *answer*."""
    app = web.Application()
    app.router.add_get("/v1/realtime", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def echoes(request: web.Request) -> web.WebSocketResponse:
    """Say everything again, in capitals; end when asked to."""
    socket = web.WebSocketResponse(protocols=("realtime",), compress=True)
    await socket.prepare(request)
    async for message in socket:
        if message.data == "bye":
            await socket.close(code=1000, message=b"done")
        elif message.type is aiohttp.WSMsgType.TEXT:
            await socket.send_str(message.data.upper())
        else:
            await socket.send_bytes(message.data)
    return socket


@asynccontextmanager
async def talking(
    gateway: House, path: str, protocols: tuple[str, ...] = ()
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open a WebSocket to the gateway as an agent would."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(gateway.origin + path, headers=KEY, compress=15, protocols=protocols) as socket,
    ):
        yield socket


@pytest.mark.parametrize("path", PATHS)
async def test_both_sides_hear_each_other_and_all_is_recorded(tmp_path: Path, path: str) -> None:
    """Text, bytes and a large message cross; each frame is recorded with its side, kind, size and time."""
    large = "x" * 200_000
    async with provider(echoes) as origin, house(tmp_path, {"openai": origin}) as gateway:
        async with talking(gateway, path + "?model=gpt-realtime") as socket:
            await socket.send_str("hello")
            first = await socket.receive_str()
            await socket.send_bytes(b"\x00\xff")
            second = await socket.receive_bytes()
            await socket.send_str(large)
            third = await socket.receive_str()
            await socket.send_str("bye")
            last = await socket.receive()
        exchange = await gateway.exchange()
        while len(exchange.frames) < 9:
            exchange = await gateway.exchange()

    assert ("HELLO", b"\x00\xff", large.upper(), 1000) == (first, second, third, last.data)
    assert (101, Ending.ANSWERED, "talk") == (exchange.status, exchange.ending, exchange.labels.session_id)
    said = [(frame.by_agent, frame.opcode, frame.body_bytes) for frame in exchange.frames]
    expected = [
        (True, 1, 5), (False, 1, 5), (True, 2, 2), (False, 2, 2), (True, 1, 200_000), (False, 1, 200_000), (True, 1, 3),
        (False, 8, 6), (True, 8, 2),
    ]  # fmt: skip
    assert expected == said
    assert [frame.after_us for frame in exchange.frames] == sorted(frame.after_us for frame in exchange.frames)
    assert b"hello\x00\xff" + large.encode() + b"bye" == exchange.request_body[:-2]
    assert b"HELLO\x00\xff" + large.upper().encode() == exchange.response_body[:-6]
    assert b"sk-provider" not in b"".join(value for _, value in exchange.request_headers)


async def test_a_key_in_the_protocol_is_passed_on_and_not_recorded(tmp_path: Path) -> None:
    """Browsers put it there; the provider gets it, the record does not."""
    seen: list[str] = []

    async def answer(request: web.Request) -> web.WebSocketResponse:
        seen.append(request.headers["sec-websocket-protocol"])
        return await echoes(request)

    protocols = ("realtime", "openai-insecure-api-key.sk-SECRET", "openai-beta.realtime-v1")
    async with provider(answer) as origin, house(tmp_path, {"openai": origin}) as gateway:
        async with talking(gateway, PATHS[0], protocols=protocols) as socket:
            assert "realtime" == socket.protocol
            await socket.send_str("bye")
            await socket.receive()
        await gateway.exchange()
        kept = b"".join(path.read_bytes() for path in gateway.folder.rglob("*.spool"))

    assert ["realtime,openai-insecure-api-key.sk-SECRET,openai-beta.realtime-v1"] == seen
    assert b"openai-insecure-api-key.REDACTED" in kept
    assert b"sk-SECRET" not in kept


async def test_a_refused_handshake_is_an_answer_like_any_other(tmp_path: Path) -> None:
    """The provider's own words reach the agent and the record."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=401, text="no such key")

    async with provider(answer) as origin, house(tmp_path, {"openai": origin}) as gateway:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with talking(gateway, PATHS[0]):
                pass
        exchange = await gateway.exchange()

    assert 401 == refused.value.status
    assert (401, b"no such key", Ending.ANSWERED) == (exchange.status, exchange.response_body, exchange.ending)


async def test_a_provider_that_vanishes_ends_the_agents_connection(tmp_path: Path) -> None:
    """The agent sees the end at once; the record says who broke off."""

    async def answer(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        assert request.transport is not None
        request.transport.abort()
        return socket

    async with provider(answer) as origin, house(tmp_path, {"openai": origin}) as gateway:
        async with talking(gateway, PATHS[0]) as socket:
            await socket.send_str("hello")
            last = await asyncio.wait_for(socket.receive(), 5)
        exchange = await gateway.exchange()

    assert last.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.ERROR}
    assert (Ending.PROVIDER_CUT, b"hello") == (exchange.ending, exchange.request_body[:5])


async def test_an_agent_that_vanishes_takes_the_provider_with_it(tmp_path: Path) -> None:
    """The provider's connection ends at once; what was said is recorded."""
    gone = asyncio.Event()

    async def answer(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("hello")
        async for _ in socket:
            pass
        gone.set()
        return socket

    async with provider(answer) as origin, house(tmp_path, {"openai": origin}) as gateway:
        async with client(gateway) as agent:
            await agent.head(
                f"GET {PATHS[0]}".encode(), b"connection: Upgrade", b"upgrade: websocket",
                b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", b"sec-websocket-version: 13",
            )  # fmt: skip
            await agent.until(b"hello")
            agent.abort()
        await asyncio.wait_for(gone.wait(), 5)
        exchange = await gateway.exchange()

    assert (Ending.CLIENT_LEFT, b"hello") == (exchange.ending, exchange.response_body)


async def test_what_is_said_can_be_left_out(tmp_path: Path) -> None:
    """As with any other call; the connection is what it was."""
    async with provider(echoes) as origin, house(tmp_path, {"openai": origin}) as gateway:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(gateway.origin + PATHS[0], headers=KEY | {"helicone-omit-request": "true"}) as socket,
        ):
            await socket.send_str("hello")
            assert "HELLO" == await socket.receive_str()
            await socket.send_str("bye")
            await socket.receive()
        exchange = await gateway.exchange()

    assert (b"", b"HELLO", ()) == (exchange.request_body, exchange.response_body[:5], exchange.frames)
    assert (True, ()) == (exchange.handling.omitted_request, exchange.handling.notes)


async def test_a_named_target_gets_no_websocket(tmp_path: Path) -> None:
    """Where agents name the target, only calls that are checked go."""
    async with house(tmp_path, {}) as gateway, client(gateway) as agent:
        await agent.head(
            b"GET /v1/gateway/gateway/v1/realtime", b"helicone-target-url: https://example.com",
            b"connection: Upgrade", b"upgrade: websocket", b"sec-websocket-version: 13",
        )  # fmt: skip
        reply = await agent.rest()
        exchange = await gateway.exchange()

    assert (b"HTTP/1.1 400 Bad Request", Ending.REFUSED) == (reply.partition(b"\r\n")[0], exchange.ending)
