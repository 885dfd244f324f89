"""What patterns match is in no journal; agents and providers get the bytes that were sent."""

import gzip
import re
from pathlib import Path

from reenact.domain.exchange import Ending
from reenact.server.patterns import read_mask
from tests.fakes.upstream import Received, Wire, answer, stream_head, upstream
from tests.gateway.house import MAX_BODY_BYTES, House, fetch, house

CHAT = b"POST /v1/gateway/oai/v1/chat/completions"
JSON = b"content-type: application/json"
SECRET = "tok_12345678"
MASK = read_mask([r"tok_\w{8}"])
BODY = b'{"model":"m","messages":[{"role":"user","content":"My key is tok_12345678."}]}'


def kept(gateway: House) -> bytes:
    """Return all that the journal holds."""
    return b"".join(path.read_bytes() for path in gateway.folder.rglob("*") if path.is_file())


async def test_a_secret_reaches_the_provider_and_the_agent_but_no_file(tmp_path: Path) -> None:
    """In bodies, a stream in pieces among them, in addresses, headers, inputs and what went wrong."""
    events = [
        b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % piece for piece in (b"tok_", b"1234", b"5678")
    ]
    events.append(b"data: [DONE]\n\n")

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(stream_head(f"x-seen: {SECRET}".encode()))
        for event in events:
            await wire.send_chunk(event)
        await wire.send_chunk(b"")

    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}, mask=MASK) as gateway:
        body = BODY.replace(b"My", b'<helicone-prompt-input key=\\"k\\">My').replace(b".", b".</helicone-prompt-input>")
        sent = (f"x-own: {SECRET}".encode(), b"accept-encoding: gzip, br", b"helicone-prompt-id: p")
        reply = await fetch(gateway, CHAT + b"?name=" + SECRET.encode(), *sent, body=body)
        exchange = await gateway.exchange()
        journal = kept(gateway)

    (received,) = provider.requests
    assert BODY == received.body
    assert (b"accept-encoding", b"identity") in received.headers
    assert all(event in reply.body for event in events)
    assert SECRET.encode() not in journal
    assert BODY.replace(SECRET.encode(), b"*" * 12) == exchange.request_body
    pieces = re.compile(rb"tok_|1234|5678")
    assert pieces.sub(b"****", b"".join(events)) == exchange.response_body
    assert len(exchange.response_body) == sum(chunk.body_bytes for chunk in exchange.chunks)
    assert exchange.tagged is not None
    assert {"k": "My key is ************."} == exchange.tagged.inputs


async def test_what_cannot_be_looked_into_is_left_out(tmp_path: Path) -> None:
    """A compressed body, which its sender insists on; the row says why it is empty."""
    packed = gzip.compress(BODY)

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(answer(packed, JSON, b"content-encoding: gzip"))

    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}, mask=MASK) as gateway:
        reply = await fetch(gateway, CHAT, b"content-encoding: gzip", body=packed)
        exchange = await gateway.exchange()

    assert (packed, packed) == (provider.requests[0].body, reply.body)
    assert (b"", b"", Ending.ANSWERED) == (exchange.request_body, exchange.response_body, exchange.ending)
    handling = exchange.handling
    assert (True, True, 2) == (handling.omitted_request, handling.omitted_response, len(handling.notes))
    assert all("was compressed and could not be looked through" in note for note in handling.notes)


async def test_what_is_too_large_to_be_looked_through_is_left_out(tmp_path: Path) -> None:
    """It is never held whole, so it is never written at all."""
    large = b"x" * 9_000_000 + SECRET.encode()

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(answer(large))

    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}, mask=MASK) as gateway:
        upload = b"content-type: application/octet-stream"
        reply = await fetch(gateway, b"POST /v1/gateway/oai/v1/files", upload, body=b"y" * (MAX_BODY_BYTES - 1))
        exchange = await gateway.exchange()
        journal = kept(gateway)

    assert large == reply.body
    assert SECRET.encode() not in journal
    assert (MAX_BODY_BYTES - 1, b"") == (len(exchange.request_body), exchange.response_body)
    assert (False, True) == (exchange.handling.omitted_request, exchange.handling.omitted_response)


async def test_what_was_asked_of_somebody_else_is_masked_too(tmp_path: Path) -> None:
    """A fallback replaces a field in which the agent wrote a secret."""

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(answer(b"{}"))

    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}, mask=MASK) as gateway:
        target = b'[{"target-url":"%b","onCodes":[],"bodyKeyOverride":{"messages":null}}]' % provider.origin.encode()
        await fetch(gateway, CHAT, b"helicone-fallbacks: " + target, body=BODY)
        exchange = await gateway.exchange()
        journal = kept(gateway)

    assert exchange.handling.asked is not None
    assert {"messages": [{"role": "user", "content": "My key is ************."}]} == exchange.handling.asked.fields
    assert SECRET.encode() not in journal
