"""Tunneller: passes a WebSocket on, byte for byte both ways, with a copy of every frame."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from reenact.domain.exchange import Ending, Exchange, Header
from reenact.errors import UpstreamFailed
from reenact.gateway.source import UpstreamAnswer, UpstreamRequest
from reenact.gateway.tap import Tap
from reenact.gateway.unframing import CLOSE, Unframer

_EXTENSIONS = b"sec-websocket-extensions"
"""Not passed on: nobody could read in the record what the ends compress. An offer may be declined (RFC 6455, 9.1)."""


class Speaker(Protocol):
    """An agent that asked for a WebSocket; a visit."""

    def pieces(self, limit_bytes: int) -> AsyncIterator[bytes]:
        """Yield what it says, as it comes."""
        ...

    async def switch(self, headers: Sequence[Header]) -> None:
        """Tell it that the connection is a WebSocket now."""
        ...

    async def pass_on(self, content: bytes) -> None:
        """Send bytes as they are; returns when more may follow."""
        ...


class UpstreamTunnel(UpstreamAnswer, Protocol):
    """An answer whose chunks, when its status is 101, are what the provider says on a WebSocket."""

    async def send(self, content: bytes) -> None:
        """Send the provider bytes as they are; returns when more may follow."""
        ...

    def hang_up(self) -> None:
        """End the connection once the provider has been sent everything."""
        ...


class TunnelSource(Protocol):
    """Whoever opens WebSockets."""

    async def open_tunnel(self, request: UpstreamRequest) -> UpstreamTunnel:
        """Send the handshake *request* and return the answer when its head has come.

        Raises:
            UpstreamFailed: nothing came; its `kind` says why.
        """
        ...


def handshake(headers: Sequence[Header]) -> tuple[Header, ...]:
    """Return an agent's end-to-end headers of a handshake as they are passed on."""
    return tuple(header for header in headers if header[0] != _EXTENSIONS)


async def pass_both_ways(answer: UpstreamTunnel, agent: Speaker, tap: Tap) -> Exchange:
    """Pass on what both say until one of them ends the connection; return what was recorded."""
    closes, has_left = asyncio.Event(), asyncio.Event()

    async def listen() -> None:
        frames = Unframer()
        async for piece in agent.pieces(sys.maxsize):
            for part in frames.read(piece):
                tap.hear(part, by_agent=True)
                if part.opcode == CLOSE:
                    closes.set()
            await answer.send(piece)
        has_left.set()
        answer.hang_up()

    listening = asyncio.ensure_future(listen())
    frames = Unframer()
    failure = ""
    try:
        async for piece in answer.chunks():
            for part in frames.read(piece):
                tap.hear(part, by_agent=False)
                if part.opcode == CLOSE:
                    closes.set()
            if closes.is_set():
                tap.keep(Ending.ANSWERED)  # whoever sees a connection close finds its record
                if tap.is_unsettled:
                    await tap.settle()
            await agent.pass_on(piece)
    except UpstreamFailed as error:
        failure = error.message
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError, UpstreamFailed):
            await listening
    if closes.is_set():
        return tap.finish()
    if has_left.is_set():
        return tap.keep(Ending.CLIENT_LEFT, "The agent ended the connection without closing the WebSocket.")
    return tap.keep(Ending.PROVIDER_CUT, failure or "The provider ended the connection without closing the WebSocket.")
