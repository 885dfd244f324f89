import asyncio
import gzip
from pathlib import Path

import pytest

from reenact.domain.exchange import Ending
from reenact.domain.labels import Labels
from reenact.gateway.redacting import MARK
from tests.fakes.upstream import Received, Wire, answer, stream_head, upstream
from tests.gateway.house import HELICONE_KEY, MAX_BODY_BYTES, client, fetch, house

CHAT = b"POST /v1/gateway/oai/v1/chat/completions"
ID = b"00000000-0000-4000-8000-000000000001"


async def _ok(received: Received, wire: Wire) -> None:
    await wire.send(answer(b'{"ok":true}', b"content-type: application/json"))


async def test_both_ways_the_bytes_are_the_same(tmp_path: Path) -> None:
    """A compressed answer with repeated headers and a body that is no JSON cross as they are, and are recorded so."""
    packed = gzip.compress(b'{"ok":true}' * 50)

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(
            answer(
                packed,
                b"Content-Encoding: gzip",
                b"X-Dup: 1",
                b"X-Dup: 2",
                b"Connection: x-hop",
                b"X-Hop: 1",
                status=b"418 T",
            )
        )

    sent = b'{"broken": \xff\x00'
    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        reply = await fetch(gateway, CHAT, b"X-Dup: a", b"x-dup: b", b"accept-encoding: gzip", body=sent)
        exchange = await gateway.exchange()
    assert reply.status == 418
    assert reply.body == packed
    assert reply.headers == [
        (b"content-encoding", b"gzip"),
        (b"x-dup", b"1"),
        (b"x-dup", b"2"),
        (b"content-length", b"%d" % len(packed)),
        (b"helicone-id", ID),
        (b"helicone-status", b"failed"),
        (b"connection", b"close"),
    ]
    (received,) = provider.requests
    assert (received.line, received.body) == (b"POST /v1/chat/completions HTTP/1.1", sent)
    assert sorted(received.headers) == sorted(
        [
            (b"host", provider.origin.removeprefix("http://").encode()),
            (b"x-dup", b"a"),
            (b"x-dup", b"b"),
            (b"accept-encoding", b"gzip"),
            (b"content-length", b"%d" % len(sent)),
        ]
    )
    assert (exchange.request_body, exchange.response_body, exchange.status) == (sent, packed, 418)
    assert (exchange.id, exchange.organisation_id, exchange.provider) == (ID.decode(), "acme", "openai")
    assert exchange.url == "http://localhost:8585/v1/gateway/oai/v1/chat/completions"
    assert exchange.target_url == f"{provider.origin}/v1/chat/completions"
    assert exchange.ending is Ending.ANSWERED


async def test_calls_under_one_head_are_themselves(tmp_path: Path) -> None:
    """Of calls that differ in their bodies alone, each is forwarded and recorded with its own body, length and id."""
    head = b"%b HTTP/1.1\r\nhost: h\r\ncookie: c\r\ncontent-length: %d\r\n\r\n%b"
    bodies = (b"{}", b"{ }", b"[1, 2, 3, 4]", b"")
    async with (
        upstream(_ok) as provider,
        house(tmp_path, {"openai": provider.origin}) as gateway,
        client(gateway) as agent,
    ):
        for body in bodies:
            agent.writer.write(head % (CHAT, len(body), body))
            await agent.until(b'{"ok":true}')
        for _ in bodies[1:]:
            await gateway.exchange()
        exchanges = gateway.recorded().exchanges
    assert [received.body for received in provider.requests] == [*bodies]
    assert [exchange.request_body for exchange in exchanges] == [*bodies]
    assert [exchange.request_headers for exchange in exchanges] == [
        ((b"cookie", MARK), (b"content-length", b"%d" % len(body))) for body in bodies
    ]
    assert len({exchange.id for exchange in exchanges}) == len(bodies)


async def test_percent_encoding_is_left_alone(tmp_path: Path) -> None:
    """The provider is asked for the very path and query that the agent wrote."""
    async with upstream(_ok) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        await fetch(gateway, b"GET /v1/gateway/oai/v1/files/a%2Fb%20c/..%2e?x=%20+&y&z=%C3%A4")
    assert provider.requests[0].line == b"GET /v1/files/a%2Fb%20c/..%2e?x=%20+&y&z=%C3%A4 HTTP/1.1"


async def test_a_chunked_request_is_gathered(tmp_path: Path) -> None:
    """A request without a length reaches the provider whole and with one."""
    async with upstream(_ok) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        await fetch(gateway, CHAT, b"transfer-encoding: chunked", body=b'3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n')
        exchange = await gateway.exchange()
    assert (provider.requests[0].body, exchange.request_body) == (b'{"a":1}', b'{"a":1}')


async def test_a_large_request_body_crosses(tmp_path: Path) -> None:
    """A body of megabytes is neither changed nor refused below the limit."""
    sent = bytes(range(256)) * 8000
    async with upstream(_ok) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        reply = await fetch(gateway, CHAT, body=sent)
    assert (reply.status, provider.requests[0].body == sent) == (200, True)


async def test_each_chunk_reaches_the_agent_while_the_provider_holds_the_next(tmp_path: Path) -> None:
    """Nothing is buffered: the second chunk is sent only when the agent has read the first."""
    read_first = asyncio.Event()

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(stream_head())
        await wire.send_chunk(b"data: 1\n\n")
        await read_first.wait()
        await wire.send_chunk(b"data: 2\n\n")
        await wire.send_chunk(b"")

    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        async with client(gateway) as agent:
            await agent.send(CHAT)
            await agent.until(b"data: 1\n\n\r\n")
            read_first.set()
            rest = await agent.rest()
        exchange = await gateway.exchange()
    assert rest == b"9\r\ndata: 2\n\n\r\n0\r\n\r\n"
    assert exchange.response_body == b"data: 1\n\ndata: 2\n\n"
    assert [chunk.body_bytes for chunk in exchange.chunks] == [9, 9]
    first, second = exchange.chunks
    assert 0 < first.after_us < second.after_us < exchange.duration_us
    assert exchange.first_byte_us == first.after_us


@pytest.mark.parametrize("has_begun", [True, False])
async def test_an_agent_that_leaves_takes_the_provider_with_it(tmp_path: Path, has_begun: bool) -> None:
    """The provider's connection is closed at once, silent or not, and what had come is recorded."""
    asked, let_go = asyncio.Event(), asyncio.Event()

    async def script(received: Received, wire: Wire) -> None:
        if has_begun:
            await wire.send(stream_head())
            await wire.send_chunk(b"data: 1\n\n")
        asked.set()
        await wire.gone()
        let_go.set()

    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        async with client(gateway) as agent:
            await agent.send(CHAT)
            if has_begun:
                await agent.until(b"data: 1")
            await asked.wait()
            agent.abort()
        await asyncio.wait_for(let_go.wait(), 5)
        exchange = await gateway.exchange()
    assert exchange.ending is Ending.CLIENT_LEFT
    assert (exchange.status, exchange.response_body) == ((200, b"data: 1\n\n") if has_begun else (0, b""))


@pytest.mark.parametrize(
    ("head", "piece"),
    [(stream_head(), b"9\r\ndata: 1\n\n\r\n"), (b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", b"data: 1\n\n")],
)
async def test_a_cut_answer_is_seen_as_cut(tmp_path: Path, head: bytes, piece: bytes) -> None:
    """A provider that breaks off, or promised more than it sends, leaves the agent with an answer that has no end."""

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(head + piece)
        wire.abort()

    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        reply = await fetch(gateway, CHAT)
        exchange = await gateway.exchange()
    assert reply.body == piece
    assert (exchange.ending, exchange.response_body) == (Ending.PROVIDER_CUT, b"data: 1\n\n")
    assert exchange.detail


@pytest.mark.parametrize(
    ("line", "raw", "status", "body"),
    [
        (b"POST", b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\netag: x\r\n\r\n", 304, b""),
        (b"HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", 200, b""),
        (b"POST", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, b""),
        (b"POST", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 200, b"0\r\n\r\n"),
    ],
)
async def test_answers_without_a_body_end(tmp_path: Path, line: bytes, raw: bytes, status: int, body: bytes) -> None:
    """Statuses and methods that have no body end at their head, and are recorded whole."""

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(raw)

    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        reply = await fetch(gateway, line + b" /v1/gateway/oai/v1/x")
        exchange = await gateway.exchange()
    assert (reply.status, reply.body) == (status, body)
    assert (exchange.status, exchange.response_body, exchange.ending) == (status, b"", Ending.ANSWERED)


async def test_an_answer_that_ends_with_its_connection_is_whole(tmp_path: Path) -> None:
    """An old provider's answer has no length; its end is the connection's, and the agent is given a proper end."""

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(b"HTTP/1.0 200 OK\r\n\r\nhello")
        wire.close()

    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        reply = await fetch(gateway, CHAT)
    assert reply.body == b"5\r\nhello\r\n0\r\n\r\n"


async def test_a_provider_that_refuses_connections_is_reported(tmp_path: Path) -> None:
    """The agent is told in Helicone's shape that nobody answered, and the call is recorded as unreached."""
    async with upstream(_ok) as provider:
        origin = provider.origin
    async with house(tmp_path, {"openai": origin}) as gateway:
        reply = await fetch(gateway, CHAT)
        exchange = await gateway.exchange()
    headers = dict(reply.headers)
    assert reply.status == 502
    assert (headers[b"helicone-error"], headers[b"x-helicone-error-type"]) == (b"true", b"connection_refused")
    assert (headers[b"helicone-id"], headers[b"helicone-status"]) == (ID, b"failed")
    assert b'"helicone-error-type":"connection_refused"' in reply.body
    assert (exchange.ending, exchange.status, exchange.response_body) == (Ending.UNREACHED, 502, reply.body)


async def test_a_silent_provider_times_out(tmp_path: Path) -> None:
    """A provider that never answers is given up after the time set, with 504."""

    async def script(received: Received, wire: Wire) -> None:
        await wire.gone()

    async with (
        upstream(script) as provider,
        house(tmp_path, {"openai": provider.origin}, read_timeout_seconds=0.1) as gateway,
    ):
        reply = await fetch(gateway, CHAT)
        exchange = await gateway.exchange()
    assert (reply.status, exchange.ending) == (504, Ending.TIMED_OUT)


async def test_labels_are_read_and_none_of_them_reaches_the_provider(tmp_path: Path) -> None:
    """Headers of ours become labels; the provider sees its own key and no header of ours."""
    async with upstream(_ok) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        reply = await fetch(
            gateway,
            CHAT,
            b"Authorization: Bearer sk-provider",
            b"Helicone-Auth: Bearer " + HELICONE_KEY.encode(),
            b"Helicone-Session-Id: s1",
            b"Helicone-Property-App: shop",
            b"Helicone-Request-Id: 7b2a3c4d-1111-4222-8333-444455556666",
            b"Reenact-Anything: x",
        )
        exchange = await gateway.exchange()
    received = dict(provider.requests[0].headers)
    assert {name for name in received if name.startswith((b"helicone", b"reenact"))} == set()
    assert received[b"authorization"] == b"Bearer sk-provider"
    assert exchange.labels == Labels(session_id="s1", properties={"app": "shop"})
    assert exchange.id == "7b2a3c4d-1111-4222-8333-444455556666"
    assert dict(reply.headers)[b"helicone-id"] == exchange.id.encode()


async def test_secrets_never_reach_the_spool(tmp_path: Path) -> None:
    """No key that came in a header, in the path or in the query, either way, stands in any file."""

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(answer(b"{}", b"Set-Cookie: session=SECRET-cookie"))

    path = f"/{HELICONE_KEY}/v1/gateway/google/v1beta/models?key=SECRET-query".encode()
    secrets = (b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key", b"cookie", b"proxy-authorization")
    async with upstream(script) as provider, house(tmp_path, {"google": provider.origin}) as gateway:
        reply = await fetch(
            gateway,
            b"POST " + path,
            *(name + b": Bearer SECRET-" + name for name in secrets),
            b"openai-organization: org-1",
        )
        exchange = await gateway.exchange()
        content = b"".join(file.read_bytes() for file in gateway.folder.iterdir())
    assert dict(reply.headers)[b"set-cookie"] == b"session=SECRET-cookie"
    assert b"SECRET-query" in provider.requests[0].line
    assert dict(provider.requests[0].headers)[b"x-goog-api-key"] == b"Bearer SECRET-x-goog-api-key"
    assert [found for found in (b"SECRET", HELICONE_KEY.encode()) if found in content] == []
    assert dict(exchange.request_headers)[b"openai-organization"] == b"org-1"
    assert dict(exchange.request_headers)[b"authorization"] == MARK
    assert exchange.url == "http://localhost:8585/v1/gateway/google/v1beta/models?key=REDACTED"


async def test_an_unknown_key_is_refused_and_not_recorded(tmp_path: Path) -> None:
    """Nobody's call is nobody's record: 401, nothing sent, nothing written."""
    async with upstream(_ok) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        reply = await fetch(gateway, CHAT, b"Helicone-Auth: Bearer wrong", body=b"{}")
        batch = gateway.recorded()
    assert (reply.status, b"This key is not known." in reply.body) == (401, True)
    assert (provider.requests, batch.exchanges) == ([], ())


async def test_too_large_a_request_is_refused_and_recorded(tmp_path: Path) -> None:
    """A body over the limit is answered with 413 and nothing is sent upstream."""
    async with upstream(_ok) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        reply = await fetch(gateway, CHAT, body=bytes(MAX_BODY_BYTES + 1))
        exchange = await gateway.exchange()
    assert (reply.status, provider.requests) == (413, [])
    assert (exchange.ending, exchange.status, exchange.request_body) == (Ending.REFUSED, 413, b"")


async def test_an_unknown_provider_is_refused_and_recorded(tmp_path: Path) -> None:
    """A path that names no provider is answered with what to do, and recorded."""
    async with house(tmp_path, {}) as gateway:
        reply = await fetch(gateway, b"POST /v1/gateway/nobody/v1/x")
        exchange = await gateway.exchange()
    assert (reply.status, b"--upstream nobody=URL" in reply.body) == (404, True)
    assert (exchange.ending, exchange.url) == (Ending.REFUSED, "http://localhost:8585/v1/gateway/nobody/v1/x")


async def test_what_is_not_for_a_provider_is_left_to_others(tmp_path: Path) -> None:
    """The REST API's paths pass the gateway by."""
    async with house(tmp_path, {}) as gateway:
        reply = await fetch(gateway, b"POST /v1/request/query")
    assert (reply.status, b"not ours" in reply.body) == (404, True)


async def test_the_record_stands_before_the_last_byte_is_sent(tmp_path: Path) -> None:
    """Whoever sees an answer's end, or a stream's last event, can find the record: no wait, no exception."""

    async def script(received: Received, wire: Wire) -> None:
        if received.body == b"stream":
            await wire.send(stream_head())
            await wire.send_chunk(b"data: 1\n\n")
            await wire.send_chunk(b"data: [DONE]\n\n")
            await wire.gone()
        else:
            await wire.send(answer(b"hello"))

    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        seen = []
        for number in range(20):
            async with client(gateway) as agent:
                await agent.send(CHAT, body=b"" if number % 2 else b"stream")
                await agent.until(b"hello" if number % 2 else b"[DONE]\n\n")
                seen.append(gateway.recorded().exchanges[-1])
    assert [(exchange.response_body, exchange.ending) for exchange in seen] == [
        (b"data: 1\n\ndata: [DONE]\n\n", Ending.ANSWERED),
        (b"hello", Ending.ANSWERED),
    ] * 10


async def test_a_spool_that_cannot_be_written_harms_no_agent(tmp_path: Path) -> None:
    """Every call is answered; what was lost is a gap as soon as the spool can be written again."""
    blocked = tmp_path / "spool"
    blocked.write_text("a file where the folder should be")
    async with upstream(_ok) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        replies = [await fetch(gateway, CHAT) for _ in range(3)]
        blocked.unlink()
        last = await fetch(gateway, CHAT)
        kept = await gateway.exchange()
        gaps = gateway.recorded().gaps
    assert [reply.body for reply in (*replies, last)] == [b'{"ok":true}'] * 4
    assert kept.id.endswith("4")
    assert [(gap.organisation_id, gap.count) for gap in gaps] == [("acme", 3)]
    assert "Not a directory" in gaps[0].reason or "File exists" in gaps[0].reason


async def test_a_slow_agent_slows_its_provider(tmp_path: Path) -> None:
    """A provider is not read faster than the agent reads: back-pressure goes all the way through."""
    total_bytes, sent_bytes, done = 64 * 1024 * 1024, 0, asyncio.Event()

    async def script(received: Received, wire: Wire) -> None:
        nonlocal sent_bytes
        await wire.send(stream_head())
        while sent_bytes < total_bytes:
            await wire.send_chunk(bytes(65536))
            sent_bytes += 65536
        await wire.send_chunk(b"")
        done.set()

    async with (
        upstream(script) as provider,
        house(tmp_path, {"openai": provider.origin}) as gateway,
        client(gateway) as agent,
    ):
        await agent.send(CHAT)
        await agent.until(b"\0")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(done.wait(), 0.5)
        held_bytes = sent_bytes
        agent.abort()
    assert held_bytes < total_bytes / 2
