"""A gateway on real sockets above a disk that hangs: what agents get meanwhile, and what is recorded."""

import asyncio
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from reenact.domain.exchange import Cursor
from reenact.spool.disk import Disk
from reenact.spool.reader import SpoolReader
from tests.fakes.upstream import Received, Wire, answer, stream_head, upstream
from tests.gateway.house import client, fetch, house

CHAT = b"POST /v1/gateway/oai/v1/chat/completions"
END = b"data: [DONE]\n\n"


class HangingDisk:
    """Syncs hang from the first on, and writes from then on, until they are let go on."""

    def __init__(self) -> None:
        self.syncing = threading.Event()
        self.writing = threading.Event()
        self.going_on = threading.Event()

    def sync(self, file: int) -> None:
        """Hang, then sync."""
        self.syncing.set()
        assert self.going_on.wait(60)
        os.fsync(file)

    def write(self, file: int, parts: Sequence[bytes]) -> int:
        """Write, but hang first while a sync does."""
        if self.syncing.is_set():
            self.writing.set()
            assert self.going_on.wait(60)
        return os.writev(file, parts)

    def expected(self, hold_s: float) -> Disk:
        """Return what a writer is told of it."""
        return Disk(sync=self.sync, write=self.write, slow_sync_s=0.0, hold_s=hold_s)


async def test_only_the_ends_of_answers_wait_for_a_disk(tmp_path: Path) -> None:
    """Agents get all but the end, and others all they ask for; the ends come when their records are written."""
    hanging, may_end = HangingDisk(), asyncio.Event()

    async def stream(received: Received, wire: Wire) -> None:
        await wire.send(stream_head())
        await wire.send_chunk(b"data: 1\n\n")
        await may_end.wait()
        await wire.send_chunk(END)
        await wire.send_chunk(b"")

    async with (
        upstream(stream) as provider,
        house(tmp_path, {"openai": provider.origin}, disk=hanging.expected(hold_s=60.0)) as gateway,
    ):
        may_end.set()
        await fetch(gateway, CHAT)
        assert await asyncio.to_thread(hanging.syncing.wait, 10)
        may_end.clear()
        async with client(gateway) as one, client(gateway) as another:
            agents = (one, another)
            for agent in agents:
                await agent.send(CHAT)
                await agent.until(b"data: 1\n\n\r\n")
            may_end.set()
            ends = [asyncio.ensure_future(agent.rest()) for agent in agents]
            assert await asyncio.to_thread(hanging.writing.wait, 10)
            other = await fetch(gateway, b"GET /elsewhere")
            before = sum(end.done() for end in ends), len(gateway.recorded().exchanges)
            hanging.going_on.set()
            rests = await asyncio.gather(*ends)
        recorded = gateway.recorded().exchanges

    assert (404, (0, 1)) == (other.status, before)
    assert all(END in rest for rest in rests)
    assert [b"data: 1\n\n" + END] * 3 == [exchange.response_body for exchange in recorded]
    assert 0 == gateway.counters.let_go


async def test_a_stuck_disk_lets_agents_go(tmp_path: Path) -> None:
    """Past the bound answers end although nothing is written, and are counted; in the end everything is there."""
    hanging = HangingDisk()

    async def chat(received: Received, wire: Wire) -> None:
        await wire.send(answer(b"{}"))

    async with (
        upstream(chat) as provider,
        house(tmp_path, {"openai": provider.origin}, disk=hanging.expected(hold_s=0.01)) as gateway,
    ):
        await fetch(gateway, CHAT)
        assert await asyncio.to_thread(hanging.syncing.wait, 10)
        replies = [await fetch(gateway, CHAT) for _ in range(3)]
        before = len(gateway.recorded().exchanges), gateway.counters.let_go
        hanging.going_on.set()

    assert [b"{}"] * 3 == [reply.body for reply in replies]
    assert (1, 3) == before
    batch = SpoolReader(gateway.folder).read(Cursor())
    assert (4, 0) == (len(batch.exchanges), len(batch.gaps))
