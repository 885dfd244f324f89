"""Whatever providers and agents do, and however often the server is killed: nothing is lost, doubled, leaked or untold."""

import asyncio
import itertools
import random
import threading
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.fakes.upstream import Received, Wire, answer, stream_head, upstream
from tests.journeys.conftest import Running, running, start, stop

SEED = 20261122
AGENTS = 8
BIG = b"data: " + b"x" * 10_000_000 + b"\n\n"
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
DONE = b"data: [DONE]\n\n"
JSON = b'{"object":"chat.completion","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
WHOLE = "answered 200"
CUT = "provider_cut 200"
NEVER = "unreached 502"
LEFT = "client_left -3"


async def fine(wire: Wire) -> None:
    """A short answer."""
    await wire.send(answer(JSON, b"content-type: application/json"))


async def streamed(wire: Wire) -> None:
    """A stream."""
    await wire.send(stream_head())
    for _ in range(5):
        await wire.send_chunk(EVENT)
    await wire.send_chunk(DONE)
    await wire.send_chunk(b"")


async def reset(wire: Wire) -> None:
    """No answer."""
    wire.abort()


async def cut(wire: Wire) -> None:
    """A stream that ends with its connection."""
    await wire.send(stream_head())
    await wire.send_chunk(EVENT)
    wire.abort()


async def half_closed(wire: Wire) -> None:
    """A stream that ends in good order before its last chunk."""
    await wire.send(stream_head())
    await wire.send_chunk(EVENT)
    wire.close()


async def promising(wire: Wire) -> None:
    """Fewer bytes than were told."""
    await wire.send(HEAD + b"content-length: %d\r\n\r\n" % (len(JSON) + 1000) + JSON)
    wire.close()


async def overflowing(wire: Wire) -> None:
    """More bytes than were told: they are nobody's answer."""
    await wire.send(answer(JSON) + b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbad")
    wire.close()


async def babbling(wire: Wire) -> None:
    """No HTTP."""
    await wire.send(b"\x00\x01\x02 what?\r\n\r\n")
    wire.close()


async def hanging(wire: Wire) -> None:
    """Nothing, until the gateway leaves."""
    await wire.gone()
    wire.close()


async def stalling(wire: Wire) -> None:
    """A beginning, and nothing more until the gateway leaves."""
    await wire.send(stream_head())
    await wire.send_chunk(EVENT)
    await wire.gone()
    wire.close()


async def giant(wire: Wire) -> None:
    """A line of ten megabytes."""
    await wire.send(stream_head())
    await wire.send_chunk(BIG)
    await wire.send_chunk(DONE)
    await wire.send_chunk(b"")


async def hinting(wire: Wire) -> None:
    """Heads that are no answers, and then one."""
    await wire.send(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 3)
    await fine(wire)


FAULTS: dict[str, tuple[Callable[[Wire], Awaitable[None]], set[str]]] = {
    "fine": (fine, {WHOLE}),
    "streamed": (streamed, {WHOLE}),
    "reset": (reset, {NEVER}),
    "cut": (cut, {CUT}),
    "half_closed": (half_closed, {CUT}),
    "promising": (promising, {CUT}),
    "overflowing": (overflowing, {WHOLE}),
    "babbling": (babbling, {NEVER}),
    "hanging": (hanging, set()),
    "stalling": (stalling, set()),
    "giant": (giant, {WHOLE}),
    "hinting": (hinting, {WHOLE}),
}
"""What a provider does, and how its row may then say that the call ended, unless the agent left first."""
SILENT = {"hanging", "stalling"}


@contextmanager
def chaotic_provider() -> Iterator[str]:
    """A provider on a loop of its own, which does what the header `x-fault` says."""

    async def script(received: Received, wire: Wire) -> None:
        fault = next(value.decode() for name, value in received.headers if name == b"x-fault")
        await FAULTS[fault][0](wire)

    async def serve() -> None:
        ended = asyncio.Event()
        async with upstream(script) as listening:
            told.append((listening.origin, asyncio.get_running_loop(), ended))
            ready.set()
            await ended.wait()

    told: list[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    ready.wait()
    origin, loop, ended = told[0]
    try:
        yield origin
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()


class Call:
    """One call as its agent made it, and what it knows of its end."""

    def __init__(self, fault: str, *, leaves: bool) -> None:
        self.id = str(uuid.uuid4())
        self.fault = fault
        self.leaves = leaves or fault in SILENT
        """Whether its agent goes away in the middle."""
        self.is_acknowledged = False
        """Whether the agent had the whole of what it was to be given."""

    @property
    def endings(self) -> set[str]:
        """How its row may say that it ended."""
        return FAULTS[self.fault][1] | ({LEFT} if self.leaves else set())


async def make(http: httpx2.AsyncClient, url: str, call: Call, chance: random.Random) -> None:
    """Make *call*, as far as the two ends let it come.

    Raises:
        httpx2.ConnectError: there is no server.
    """
    headers = {
        "authorization": "Bearer sk-chaos",
        "helicone-session-id": "chaos",
        "helicone-request-id": call.id,
        "x-fault": call.fault,
    }
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": call.id}]}
    target = f"{url}/v1/gateway/oai/v1/chat/completions"
    try:
        async with asyncio.timeout(
            chance.uniform(0, 0.05) if call.leaves and call.fault not in SILENT else 0.3 if call.leaves else 60
        ):
            async with http.stream("POST", target, json=body, headers=headers) as reply:
                async for chunk in reply.aiter_raw():
                    if DONE in chunk:
                        break
                call.is_acknowledged = True
    except TimeoutError:
        return  # it left
    except httpx2.ConnectError:
        raise
    except httpx2.TransportError:
        return  # the answer broke off, or the server is gone


async def agents(url: str, calls: Iterator[Call], made: list[Call], enough: int, dead: Callable[[], None]) -> None:
    """Make *calls*, several at a time, until *enough* are acknowledged; then *dead* ends the server while they go on."""
    chance = random.Random(SEED)
    is_over = False

    async def agent() -> None:
        nonlocal is_over
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as http:
            while not is_over:
                call = next(calls)
                made.append(call)
                try:
                    await make(http, url, call, chance)
                except httpx2.ConnectError:
                    return
                if sum(one.is_acknowledged for one in made) >= enough and not is_over:
                    is_over = True
                    dead()

    await asyncio.gather(*(agent() for _ in range(AGENTS)))


def some_calls(seed: int) -> Iterator[Call]:
    """Yield calls of every kind, the good ones more often; one agent in five leaves."""
    chance = random.Random(seed)
    kinds = [*FAULTS, *["fine", "streamed"] * 6]
    kinds.remove("giant")
    while True:
        fault = chance.choice(kinds) if chance.random() > 0.02 else "giant"
        yield Call(fault, leaves=chance.random() < 0.2)


async def rows(url: str) -> list[dict[str, Any]]:
    """Return every row, without its bodies."""
    found: list[dict[str, Any]] = []
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as http:
        while True:
            query = {"filter": "all", "limit": 50, "offset": len(found), "sort": {"created_at": "asc"}}
            page = (await http.post(f"{url}/v1/request/query", json=query)).raise_for_status().json()["data"]
            if not page:
                return found
            found += [{name: row[name] for name in ("request_id", "ending", "response_status")} for row in page]


def told(row: dict[str, Any]) -> str:
    """Return how a row says that its call ended."""
    return f"{row['ending']} {row['response_status']}"


def family(process: int) -> list[int]:
    """Return a process and its children."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(one for child in children for one in family(int(child)))]


def open_files(server: Running) -> int:
    """Return how many files the server and its workers have open."""
    return sum(len(list(Path(f"/proc/{process}/fd").iterdir())) for process in family(server.process.pid))


def memory_bytes(server: Running) -> int:
    """Return the most memory that the server and its workers have had."""
    told_by = (Path(f"/proc/{process}/status").read_text() for process in family(server.process.pid))
    return sum(int(status.split("VmHWM:")[1].split()[0]) * 1024 for status in told_by)


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """A provider that does what it is told, and outlives the servers."""
    with chaotic_provider() as listening:
        yield listening


async def test_every_call_is_told_as_it_ended(origin: str, tmp_path: Path) -> None:
    """Some hundred calls of every kind: each has one row, which says how it ended; no file stays open, memory is bounded."""
    made: list[Call] = []
    with running("serve", "--data", str(tmp_path / "data"), "--port", "0", "--upstream", f"openai={origin}") as server:
        warm = itertools.cycle([Call("fine", leaves=False)])
        await agents(server.url, warm, [], 1, lambda: None)
        before = open_files(server)

        await agents(server.url, some_calls(SEED), made, 300, lambda: None)

        ended = {row["request_id"]: told(row) for row in await rows(server.url)}
        strange = {
            (call.fault, ended.get(call.id, "missing")) for call in made if ended.get(call.id) not in call.endings
        }
        assert not [one for one in strange if one[1] != "missing"]
        # An agent that left before its request had come was never there.
        assert {call.id for call in made if not call.leaves} <= set(ended)
        for _ in range(20):  # connections that have ended are let go of in the next turns of the loop
            if open_files(server) <= before + AGENTS:
                break
            await rows(server.url)
        assert open_files(server) <= before + AGENTS
        assert memory_bytes(server) < 600_000_000


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=pytest.mark.slow)])
async def test_killing_the_server_loses_and_doubles_nothing(origin: str, tmp_path: Path, kills: int) -> None:
    """In the middle of all that, again and again: what an agent had to its end is there, once, and says how it ended."""
    arguments = ("serve", "--data", str(tmp_path / "data"), "--port", "0", "--upstream", f"openai={origin}")
    chance = random.Random(SEED)
    calls = some_calls(SEED)
    made: list[Call] = []
    for _ in range(kills):
        server = start(*arguments)
        so_far = sum(call.is_acknowledged for call in made)
        await agents(server.url, calls, made, so_far + chance.randint(10, 60), server.kill)
        stop(server)

    with running(*arguments) as server:
        shown = await rows(server.url)

    ended = {row["request_id"]: told(row) for row in shown}
    assert [] == [one for one, count in Counter(row["request_id"] for row in shown).items() if count > 1]
    assert set() == {call.id for call in made if call.is_acknowledged} - set(ended)
    strange = [(call.fault, ended[call.id]) for call in made if call.id in ended and ended[call.id] not in call.endings]
    assert [] == strange
    assert len(ended) > 10 * kills
