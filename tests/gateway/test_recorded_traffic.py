"""Real traffic through the gateway: what SDKs sent and providers answered crosses unchanged."""

import json
from pathlib import Path

from tests.fakes.recorded import Recorded, recorded
from tests.fakes.upstream import Received, Wire, answer, stream_head, upstream
from tests.gateway.house import Client, client, house

KINDS = {"messages": "anthropic", "gemini": "google"}


def _path(one: Recorded) -> str:
    return one.path.partition("#")[0]  # one SDK writes fragments, which nobody sends


def _line(one: Recorded) -> bytes:
    return f"{one.method.upper()} /v1/gateway/{KINDS.get(one.kind, 'openai')}{_path(one)}".encode()


async def _answer_of(agent: Client, one: Recorded) -> bytes:
    """Send *one* on a connection that lives on, and return the answer's body without its chunk framing."""
    body = one.request_body.encode()
    agent.writer.write(
        _line(one)
        + b" HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        + body
    )
    head = (await agent.until(b"\r\n\r\n")).lower()
    if b"content-length: " in head:
        return await agent.reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    pieces = []
    while size := int(await agent.until(b"\r\n"), 16):
        pieces.append((await agent.reader.readexactly(size + 2))[:-2])
    await agent.until(b"\r\n")
    return b"".join(pieces)


async def test_recorded_traffic_crosses_and_is_recorded_unchanged(tmp_path: Path) -> None:
    """Every third recorded exchange: request and answer are the same bytes at both ends and in the spool."""
    chosen = recorded()[::3]
    answers = {json.dumps([_path(one), one.request_body]): one for one in chosen}

    async def script(received: Received, wire: Wire) -> None:
        path = received.line.split(b" ")[1].decode()
        one = answers[json.dumps([path, received.body.decode()])]
        content = one.response_body.encode()
        if not one.is_streamed:
            await wire.send(answer(content, b"content-type: application/json", status=b"%d X" % one.status))
            return
        await wire.send(stream_head())
        for at in range(0, len(content), 1000):
            await wire.send_chunk(content[at : at + 1000])
        await wire.send_chunk(b"")

    async with upstream(script) as provider:
        upstreams = dict.fromkeys(("openai", "anthropic", "google"), provider.origin)
        async with house(tmp_path, upstreams) as gateway:
            async with client(gateway) as agent:
                got = [await _answer_of(agent, one) for one in chosen]
            kept = {exchange.id: exchange for exchange in gateway.recorded().exchanges}
    expected = [answers[json.dumps([_path(one), one.request_body])] for one in chosen]
    assert got == [one.response_body.encode() for one in expected]
    assert [(exchange.request_body, exchange.response_body, exchange.status) for exchange in kept.values()] == [
        (one.request_body.encode(), one.response_body.encode(), 200 if one.is_streamed else one.status)
        for one in expected
    ]
