"""The general client's own side: what it adds, which names it gives to failures, how proxies are found."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from reenact.domain.exchange import Header
from reenact.errors import UpstreamFailed
from reenact.gateway.source import UpstreamRequest
from reenact.gateway.upstream import LiveUpstream, environment_proxy
from tests.fakes.upstream import Received, Wire, answer, upstream


def _request(
    origin: str, target: bytes = b"/v1/x", headers: tuple[Header, ...] = (), body: bytes = b""
) -> UpstreamRequest:
    return UpstreamRequest(method="POST", origin=origin, target=target, headers=headers, body=body)


@pytest.fixture(name="source")
async def _source() -> AsyncIterator[LiveUpstream]:
    source = LiveUpstream(connect_timeout_seconds=2, read_timeout_seconds=5, proxy_for=lambda origin: None)
    yield source
    await source.close()


async def _read(source: LiveUpstream, request: UpstreamRequest) -> tuple[int, tuple[Header, ...], bytes]:
    got = await source.open(request)
    body = b"".join([chunk async for chunk in got.chunks()])
    await got.close()
    return got.status, got.headers, body


async def _ok(received: Received, wire: Wire) -> None:
    await wire.send(answer(b"hi", b"Set-Cookie: a=1", b"X-A: 1", b"x-a: 2"))


async def test_nothing_is_added_to_a_request(source: LiveUpstream) -> None:
    """Only the host and the length are the client's own; cookies of earlier answers are not sent back."""
    async with upstream(_ok) as provider:
        for _ in range(2):
            got = await _read(source, _request(provider.origin, headers=((b"x-a", "ä".encode()),), body=b"{}"))
    assert got == (200, ((b"set-cookie", b"a=1"), (b"x-a", b"1"), (b"x-a", b"2"), (b"content-length", b"2")), b"hi")
    assert sorted(provider.requests[1].headers) == sorted(
        [
            (b"host", provider.origin.removeprefix("http://").encode()),
            (b"x-a", "ä".encode()),
            (b"content-length", b"2"),
        ]
    )


async def test_redirects_are_the_agents_to_follow(source: LiveUpstream) -> None:
    """A redirect is an answer like any other."""

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(answer(b"", b"location: http://127.0.0.1:1/", status=b"307 Temporary Redirect"))

    async with upstream(script) as provider:
        assert (await _read(source, _request(provider.origin)))[0] == 307


@pytest.mark.parametrize(
    ("origin", "kind"),
    [
        ("http://127.0.0.1:1", "connection_refused"),
        ("http://name.invalid", "dns_error"),
        ("http://", "internal_error"),
    ],
)
async def test_what_cannot_be_reached_says_why(source: LiveUpstream, origin: str, kind: str) -> None:
    """Each way of not reaching a provider has Helicone's name."""
    with pytest.raises(UpstreamFailed) as failed:
        await source.open(_request(origin))
    assert failed.value.kind == kind


@pytest.mark.parametrize(("said", "kind"), [(b"", "network_error"), (b"what?\r\n\r\n", "provider_error")])
async def test_an_answer_that_is_none_says_why(source: LiveUpstream, said: bytes, kind: str) -> None:
    """A connection that ends before an answer, and an answer that is no HTTP."""

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(said)
        wire.close()

    async with upstream(script) as provider:
        with pytest.raises(UpstreamFailed) as failed:
            await source.open(_request(provider.origin))
    assert failed.value.kind == kind


async def test_tls_that_does_not_hold_is_refused(source: LiveUpstream) -> None:
    """A server that does not speak TLS where it should is a failure of its own kind, and is sent nothing."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        with pytest.raises(UpstreamFailed) as failed:
            await source.open(_request(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    assert failed.value.kind == "ssl_error"


async def test_closing_cuts_an_answer_under_way(source: LiveUpstream) -> None:
    """The provider sees the end of its connection at once, and may stop working."""
    gone = asyncio.Event()

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhi")
        await wire.gone()
        gone.set()

    async with upstream(script) as provider:
        got = await source.open(_request(provider.origin))
        assert await anext(aiter(got.chunks())) == b"hi"
        await got.close()
        await asyncio.wait_for(gone.wait(), 5)


async def test_an_answer_read_to_its_end_leaves_its_connection_for_the_next(source: LiveUpstream) -> None:
    """Connections are kept: two calls, one connection."""
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.read(65536):
            writer.write(answer(b"hi"))
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for _ in range(2):
            await _read(source, _request(origin))
        await source.close()
    assert connections == 1


async def test_a_proxy_is_asked_for_the_whole_address() -> None:
    """An http origin behind a proxy is asked for by its absolute address."""
    async with upstream(_ok) as proxy:
        source = LiveUpstream(proxy_for=lambda origin: proxy.origin)
        await _read(source, _request("http://provider.test", b"/v1/x?a=%2F"))
        await source.close()
    assert proxy.requests[0].line == b"POST http://provider.test/v1/x?a=%2F HTTP/1.1"


def test_the_environment_names_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the scheme of the origin, and none for hosts that are exempt."""
    for name, value in {
        "http_proxy": "http://p:1",
        "https_proxy": "http://p:2",
        "no_proxy": "localhost,.internal",
    }.items():
        monkeypatch.setenv(name, value)
    origins = ("http://h", "https://h", "http://localhost:9000", "https://h.internal")
    assert [environment_proxy(origin) for origin in origins] == ["http://p:1", "http://p:2", None, None]
