"""The floor under any relay in Python on uvloop: passes bytes on and appends them to a file, and does nothing else.

    python bench/gateway/bare.py PORT UPSTREAM FILE

It reads no HTTP: every agent's connection has one of its own to the provider. What it costs is the loop, the kernel and a
handful of calls; what a gateway on the same loop costs beyond it is what the gateway does.
"""

import asyncio
import os
import sys
from typing import cast

import uvloop


class Side(asyncio.Protocol):
    """One of the two connections of a pair."""

    def __init__(self, journal: int, other: "Side | None" = None) -> None:
        self.transport: asyncio.Transport | None = None
        self.other = other
        self.journal = journal
        self.asked: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport, and pass on what came before there was one."""
        self.transport = cast("asyncio.Transport", transport)
        for piece in self.asked:
            self.transport.write(piece)

    def connection_lost(self, error: Exception | None) -> None:
        """Close the other one, too."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


class Agent(Side):
    """Whoever asks."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Call the provider."""
        super().connection_made(transport)
        self.other = Provider(self.journal, self)
        host, _, port = UPSTREAM.rpartition(":")
        self.calling = asyncio.ensure_future(
            asyncio.get_running_loop().create_connection(lambda: self.other, host, int(port))
        )

    def data_received(self, data: bytes) -> None:
        """Pass it on, and keep a copy."""
        provider = cast("Provider", self.other)
        if provider.transport is None:
            provider.asked.append(data)
        else:
            provider.transport.write(data)
        provider.copy = data


class Provider(Side):
    """Whoever answers."""

    copy = b""
    written = 0

    def data_received(self, data: bytes) -> None:
        """Append both copies, then pass it on."""
        Provider.written += os.writev(self.journal, (self.copy, data))
        if Provider.written > JOURNAL_BYTES:
            Provider.written = 0
            os.ftruncate(self.journal, 0)
        self.copy = b""
        agent = cast("Agent", self.other)
        if agent.transport is not None:
            agent.transport.write(data)


async def main() -> None:
    """Relay until killed."""
    journal = os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC)
    server = await asyncio.get_running_loop().create_server(
        lambda: Agent(journal), "127.0.0.1", int(sys.argv[1]), backlog=2048
    )
    await server.serve_forever()


JOURNAL_BYTES = 64 * 1024 * 1024
UPSTREAM = sys.argv[2].removeprefix("http://")

if __name__ == "__main__":
    uvloop.run(main())
