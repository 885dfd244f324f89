"""Bodies too large for memory: they cross, and are recorded whole out of files."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from reenact.domain.exchange import Ending
from reenact.errors import SpoolFailed
from reenact.gateway.transcript import MOST_BYTES, Transcript
from reenact.spool.spillage import SpillFile
from tests.fakes.talking import listening
from tests.fakes.upstream import Received, Wire, answer, stream_head, upstream
from tests.gateway.house import MAX_BODY_BYTES, client, fetch, house

PIECE = bytes(range(256)) * 256
UPLOAD = b"POST /v1/gateway/oai/v1/audio/transcriptions"


def test_a_small_body_stays_in_memory(tmp_path: Path) -> None:
    """No file is made for what is not larger than may be held."""
    transcript = Transcript(lambda: SpillFile(tmp_path), most_bytes=4)
    for piece in (b"ab", b"cd"):
        transcript.take(piece)

    assert (b"abcd", 4, None, []) == (transcript.body, transcript.size, transcript.spill, list(tmp_path.iterdir()))


def test_a_large_body_lies_in_a_file(tmp_path: Path) -> None:
    """All of it does, what was held first included, and nothing stays in memory."""
    transcript = Transcript(lambda: SpillFile(tmp_path), most_bytes=4)
    for piece in (b"ab", b"cd", b"e", b"fg"):
        transcript.take(piece)

    [file] = (tmp_path / "bodies").iterdir()
    assert (b"", 7, b"abcdefg") == (transcript.body, transcript.size, file.read_bytes())
    transcript.drop()
    assert [] == list((tmp_path / "bodies").iterdir())


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """The spool's own error says so."""
    (tmp_path / "bodies").write_text("")
    with pytest.raises(SpoolFailed):
        Transcript(lambda: SpillFile(tmp_path), most_bytes=1).take(b"ab")


async def test_a_large_answer_is_recorded_whole(tmp_path: Path) -> None:
    """Three times what is held in memory reaches the agent and the reader of the spool."""
    pieces = 3 * MOST_BYTES // len(PIECE)

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(stream_head())
        for _ in range(pieces):
            await wire.send_chunk(PIECE)
        await wire.send_chunk(b"")

    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        async with client(gateway) as agent:
            await agent.send(UPLOAD)
            await agent.rest()
        exchange = await gateway.exchange()

    expected = hashlib.sha256(PIECE * pieces).hexdigest()
    assert (expected, Ending.ANSWERED) == (hashlib.sha256(exchange.response_body).hexdigest(), exchange.ending)
    assert pieces * len(PIECE) == sum(chunk.body_bytes for chunk in exchange.chunks)


async def test_a_large_answer_that_cannot_be_recorded_is_a_gap(tmp_path: Path) -> None:
    """The agent is given all of it; that it was lost is counted."""
    pieces = 2 * MOST_BYTES // len(PIECE)

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(answer(PIECE * pieces))

    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        gateway.folder.mkdir(exist_ok=True)
        (gateway.folder / "bodies").write_text("a file where the folder should be")
        large = await fetch(gateway, UPLOAD)
        small = await fetch(gateway, b"POST /v1/gateway/oai/v1/x", b"expect-small: 1")
        batch = gateway.recorded()

    assert (pieces * len(PIECE), 200) == (len(large.body), small.status)
    assert [(1, "acme")] == [(gap.count, gap.organisation_id) for gap in batch.gaps][:1]


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_an_upload_is_passed_on_while_it_comes(tmp_path: Path, is_chunked: bool) -> None:
    """The provider has the first part before the agent has sent the second; both are recorded."""
    has_first, heads = asyncio.Event(), []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        assert b"part one" in await reader.readuntil(b"one")
        has_first.set()
        await reader.readuntil(b"two")
        writer.write(answer(b"{}"))
        await reader.read()

    async with listening(talk) as origin, house(tmp_path, {"openai": origin}) as gateway:
        async with client(gateway) as agent:
            framing = b"transfer-encoding: chunked" if is_chunked else b"content-length: 16"
            await agent.head(UPLOAD, b"content-type: multipart/form-data; boundary=x", b"connection: close", framing)
            for part in (b"part one", b"part two"):
                agent.writer.write(b"8\r\n" + part + b"\r\n" if is_chunked else part)
                await asyncio.wait_for(has_first.wait(), 5)
            if is_chunked:
                agent.writer.write(b"0\r\n\r\n")
            await agent.rest()
        exchange = await gateway.exchange()

    assert (b"part onepart two", b"{}") == (exchange.request_body, exchange.response_body)
    assert (b"transfer-encoding: chunked" in heads[0]) is is_chunked


async def test_an_upload_over_the_limit_is_cut_off_and_recorded(tmp_path: Path) -> None:
    """What does not say how long it is is refused where it passes the limit, and the provider is let go."""
    gone = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(65536):
                pass
        finally:
            gone.set()

    async with listening(talk) as origin, house(tmp_path, {"openai": origin}) as gateway:
        async with client(gateway) as agent:
            await agent.head(UPLOAD, b"content-type: audio/wav", b"connection: close", b"transfer-encoding: chunked")
            for _ in range(MAX_BODY_BYTES // len(PIECE) + 1):
                agent.writer.write(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))
            reply = await agent.rest()
        await asyncio.wait_for(gone.wait(), 5)
        exchange = await gateway.exchange()

    assert reply.startswith(b"HTTP/1.1 413 ")
    assert (413, Ending.REFUSED) == (exchange.status, exchange.ending)


async def test_a_provider_that_answers_before_an_upload_ends_is_heard(tmp_path: Path) -> None:
    """A refusal in the middle reaches the agent."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"one")
        writer.write(answer(b"no", status=b"401 Unauthorized"))
        await writer.drain()
        await reader.read()

    async with listening(talk) as origin, house(tmp_path, {"openai": origin}) as gateway, client(gateway) as agent:
        await agent.head(UPLOAD, b"content-type: audio/wav", b"connection: close", b"content-length: 99999999")
        agent.writer.write(b"part one")
        sending = asyncio.ensure_future(_go_on(agent.writer))
        reply = await agent.rest()
        sending.cancel()

    assert reply.startswith(b"HTTP/1.1 4")


async def _go_on(writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            writer.write(PIECE)
            await writer.drain()
            await asyncio.sleep(0)
    except ConnectionError:
        return
