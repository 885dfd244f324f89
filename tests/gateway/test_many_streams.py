"""Two thousand slow streams through one worker: none breaks, and each costs little memory."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.fakes.upstream import Received, Wire, stream_head, upstream
from tests.journeys.conftest import running

STREAMS = 2000
EVENTS = 4
EVENT = b"data: {}\n\n"
LAST = b"data: [DONE]\n\n"
REQUEST = (
    b"POST /v1/gateway/oai/v1/chat/completions HTTP/1.1\r\nhost: h\r\ncontent-length: 1000\r\nconnection: close\r\n\r\n"
    + b" " * 1000
)


def memory_kb(pid: int) -> int:
    """Return the memory that a process alone uses."""
    found = re.search(r"Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())
    assert found is not None
    return int(found[1])


def worker_of(pid: int) -> int:
    """Return the gateway worker of a server."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    [worker] = [int(one) for one in children if b"reenact.server.worker" in Path(f"/proc/{one}/cmdline").read_bytes()]
    return worker


@pytest.mark.slow
async def test_two_thousand_slow_streams(tmp_path: Path) -> None:
    """All are open at once, all end whole, and one costs under 50 KB."""
    here = 0
    all_here, go_on = asyncio.Event(), asyncio.Event()

    async def script(received: Received, wire: Wire) -> None:
        nonlocal here
        await wire.send(stream_head())
        await wire.send_chunk(EVENT)
        here += 1
        if here == STREAMS:
            all_here.set()
        await go_on.wait()
        for _ in range(EVENTS - 1):
            await wire.send_chunk(EVENT)
        await wire.send_chunk(LAST)
        await wire.send_chunk(b"")

    first = asyncio.Semaphore(0)

    async def listen(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
        writer.write(REQUEST)
        await reader.readuntil(EVENT)
        first.release()
        rest = await reader.read()
        writer.close()
        return rest

    async with upstream(script) as provider:
        arguments = (
            "serve",
            "--data",
            str(tmp_path / "data"),
            "--port",
            "0",
            "--gateway-workers",
            "1",
            "--upstream",
            f"openai={provider.origin}",
            "--gateway-workers",
            "1",
        )
        with await asyncio.to_thread(running, *arguments) as server:
            port, worker = int(server.url.rpartition(":")[2]), worker_of(server.process.pid)
            before_kb = memory_kb(worker)
            streams = []
            for begun in range(STREAMS):
                streams.append(asyncio.create_task(listen(port)))
                if begun % 100 == 99:
                    for _ in range(100):
                        await asyncio.wait_for(first.acquire(), 60)
            await asyncio.wait_for(all_here.wait(), 60)
            each_kb = (memory_kb(worker) - before_kb) / STREAMS
            go_on.set()
            rests = await asyncio.wait_for(asyncio.gather(*streams), 120)

    assert [] == [rest for rest in rests if not rest.endswith(LAST + b"\r\n0\r\n\r\n")]
    print(f"{each_kb:.1f} KB a stream")
    assert each_kb < 50
