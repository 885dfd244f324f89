"""Targets that agents name, on each live source: checked when the connection is made, and connected to as checked."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable

import pytest

from reenact.errors import UpstreamFailed
from reenact.gateway.guarding import Guard
from reenact.gateway.pool import PooledSource
from reenact.gateway.source import AnswerSource, Permit, UpstreamRequest
from reenact.gateway.upstream import LiveUpstream
from tests.fakes.upstream import Received, Wire, answer, upstream

Make = Callable[[Permit], AnswerSource]


async def _ok(received: Received, wire: Wire) -> None:
    await wire.send(answer(b"hello"))


def ask(origin: str, *, is_guarded: bool = True, silence_s: float | None = None) -> UpstreamRequest:
    """Return a small request."""
    return UpstreamRequest(
        method="POST",
        origin=origin,
        target=b"/v1/x",
        headers=(),
        body=b"{}",
        is_guarded=is_guarded,
        silence_timeout_s=silence_s,
    )


async def whole(source: AnswerSource, request: UpstreamRequest) -> bytes:
    """Ask and read to the end."""
    got = await source.open(request)
    try:
        return b"".join([chunk async for chunk in got.chunks()])
    finally:
        await got.close()


@pytest.fixture(params=["pooled", "general"])
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    """Makes each live source with a rule."""
    made: list[PooledSource | LiveUpstream] = []

    def one(permit: Permit) -> AnswerSource:
        if request.param == "pooled":
            made.append(PooledSource(permit=permit, silence_timeout_s=5))
        else:
            made.append(LiveUpstream(permit=permit, read_timeout_seconds=5, proxy_for=lambda origin: None))
        return made[-1]

    yield one
    for source in made:
        await source.close()


async def test_a_name_that_leads_inside_is_refused(make: Make) -> None:
    """By the address that it is resolved to, whatever the name looked like; nothing is sent."""
    async with upstream(_ok) as provider:
        port = provider.origin.rpartition(":")[2]
        source = make(Guard().permits)
        for host in ("localhost", "127.0.0.1"):
            with pytest.raises(UpstreamFailed, match=rf"^The target {host} leads to ") as caught:
                await source.open(ask(f"http://{host}:{port}"))
            assert "disallowed" == caught.value.kind

    assert [] == provider.requests


async def test_the_connection_goes_to_the_address_that_was_checked(make: Make) -> None:
    """Each address of the name is shown to the rule with the host and the port that were asked for."""
    shown: list[tuple[str, int, str]] = []

    def permit(host: str, port: int, address: str) -> bool:
        shown.append((host, port, address))
        return True

    async with upstream(_ok) as provider:
        port = int(provider.origin.rpartition(":")[2])
        assert b"hello" == await whole(make(permit), ask(f"http://localhost:{port}"))

    assert ("localhost", port, "127.0.0.1") in shown
    assert {("localhost", port)} == {(host, asked) for host, asked, _ in shown}


async def test_a_trusted_connection_is_never_given_to_a_named_target(make: Make) -> None:
    """Although the origin is the same and the connection idles."""
    source = make(Guard().permits)
    async with upstream(_ok) as provider:
        assert b"hello" == await whole(source, ask(provider.origin, is_guarded=False))
        with pytest.raises(UpstreamFailed, match="leads to"):
            await source.open(ask(provider.origin))

    assert 1 == len(provider.requests)


async def test_a_source_that_was_given_no_rule_refuses_named_targets() -> None:
    """Rather than trusting everybody."""
    async with upstream(_ok) as provider:
        source = PooledSource()
        with pytest.raises(UpstreamFailed, match="leads to"):
            await source.open(ask(provider.origin))
        await source.close()


async def test_tls_is_spoken_with_the_name_and_not_the_address(make: Make) -> None:
    """The handshake asks for the name; what is checked is the address."""
    asked: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(4096))
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(UpstreamFailed):
        await make(lambda host, port, address: True).open(ask(f"https://localhost:{port}"))
    server.close()
    await server.wait_closed()

    assert asked
    assert all(b"localhost" in hello for hello in asked if hello)
    assert ssl.HAS_SNI


async def test_a_call_may_wait_longer_or_less_long_than_others(make: Make) -> None:
    """How long a silent provider is waited for is the request's to say."""
    gone = asyncio.Event()

    async def silent(received: Received, wire: Wire) -> None:
        await wire.gone()
        gone.set()

    async with upstream(silent) as provider:
        source = make(lambda host, port, address: True)
        with pytest.raises(UpstreamFailed) as caught:
            await asyncio.wait_for(source.open(ask(provider.origin, silence_s=0.5)), 4)
        await asyncio.wait_for(gone.wait(), 4)

    assert "timeout" == caught.value.kind
