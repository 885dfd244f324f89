"""What every live AnswerSource must do, run on each: our own connections and the general client."""

import asyncio
import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reenact.domain.exchange import Header
from reenact.errors import UpstreamFailed
from reenact.gateway.connecting import Address, Proxies, Proxy
from reenact.gateway.pool import PooledSource
from reenact.gateway.source import AnswerSource, UpstreamRequest
from reenact.gateway.upstream import LiveUpstream
from tests.fakes.talking import Talk, listening

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


async def read_request(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Return the head and body of one request."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return head, await reader.readexactly(lengths[0]) if lengths else b""


def replies(*answers: bytes, close: bool = False) -> Talk:
    """Return a talk that gives one of *answers* to each request, the last one for ever."""
    left = list(answers)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(left.pop(0) if len(left) > 1 else left[0])
            await writer.drain()
            if close:
                return

    return talk


def ask(origin: str, method: str = "POST", body: bytes = b"{}", headers: list[Header] | None = None) -> UpstreamRequest:
    """Return a small request."""
    return UpstreamRequest(method=method, origin=origin, target=b"/v1/x?a=%2F", headers=headers or [], body=body)


async def whole(source: AnswerSource, request: UpstreamRequest) -> tuple[int, list[Header], bytes]:
    """Ask and read to the end."""
    answer = await source.open(request)
    try:
        body = b"".join([chunk async for chunk in answer.chunks()])
    finally:
        await answer.close()
    return answer.status, list(answer.headers), body


@pytest.fixture(params=["pooled", "general"])
async def source(request: pytest.FixtureRequest) -> AsyncIterator[AnswerSource]:
    """Each live source in turn."""
    made: PooledSource | LiveUpstream
    if request.param == "pooled":
        made = PooledSource(connect_timeout_s=2, silence_timeout_s=2)
    else:
        made = LiveUpstream(connect_timeout_seconds=2, read_timeout_seconds=2, proxy_for=lambda origin: None)
    yield made
    await made.close()


async def test_a_request_is_sent_as_it_is(source: AnswerSource) -> None:
    """The line, the headers in order with their duplicates and the body arrive; nothing is added but host and length."""
    seen: list[tuple[bytes, bytes]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(OK)

    async with listening(talk) as origin:
        headers: list[Header] = [(b"x-a", b"1"), (b"x-b", b"\xc3\xa9"), (b"x-a", b"2")]
        await whole(source, ask(origin, body=b"\x00\xff", headers=headers))

    head, body = seen[0]
    lines = head.rstrip().split(b"\r\n")
    assert b"POST /v1/x?a=%2F HTTP/1.1" == lines[0]
    assert [b"x-a: 1", b"x-b: \xc3\xa9", b"x-a: 2"] == [line for line in lines if line.lower().startswith(b"x-")]
    assert {b"host", b"content-length", b"x-a", b"x-b"} == {line.split(b":")[0].lower() for line in lines[1:]}
    assert b"\x00\xff" == body


async def test_header_bytes_that_are_no_text_are_sent_as_they_are() -> None:
    """Latin-1 crosses. Not on the general client: aiohttp takes text and writes UTF-8, whatever the bytes were."""
    seen: list[tuple[bytes, bytes]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(OK)

    source = PooledSource()
    async with listening(talk) as origin:
        await whole(source, ask(origin, headers=[(b"x-b", b"\xe9")]))
    await source.close()

    assert b"x-b: \xe9\r\n" in seen[0][0]


async def test_an_answer_comes_as_it_was_sent(source: AnswerSource) -> None:
    """Status, duplicate headers, an empty value and an encoded body come undecoded and in order."""
    sent = (
        b"set-cookie: a\r\nx-empty:\r\nset-cookie: b\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\n\x1f\x8b\x00"
    )
    answer = b"HTTP/1.1 429 Slow\r\n" + sent
    async with listening(replies(answer)) as origin:
        status, headers, body = await whole(source, ask(origin))

    assert 429 == status
    expected = [
        (b"set-cookie", b"a"),
        (b"x-empty", b""),
        (b"set-cookie", b"b"),
        (b"content-encoding", b"gzip"),
        (b"content-length", b"3"),
    ]
    assert expected == headers
    assert b"\x1f\x8b\x00" == body


@pytest.mark.parametrize("pause", range(0, 80, 7))
async def test_a_chunked_answer_cut_anywhere_is_joined(source: AnswerSource, pause: int) -> None:
    """Chunks, their extensions and trailers are taken apart wherever the network cuts them."""
    answer = (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=1\r\nabc\r\n2\r\nde\r\n0\r\nx-trailer: t\r\n\r\n"
    )
    written = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer[:pause])
        await writer.drain()
        written.set()
        for _ in range(3):
            await asyncio.sleep(0)
        writer.write(answer[pause:])
        await reader.read()

    async with listening(talk) as origin:
        status, headers, body = await whole(source, ask(origin))

    assert (200, [(b"transfer-encoding", b"chunked")], b"abcde") == (status, headers, body)


async def test_the_first_chunk_comes_while_the_second_is_held_back(source: AnswerSource) -> None:
    """Nothing is gathered: a piece is given as soon as it arrives."""
    go_on = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await go_on.wait()
        writer.write(b"2\r\nde\r\n0\r\n\r\n")
        await reader.read()

    async with listening(talk) as origin:
        answer = await source.open(ask(origin))
        chunks = answer.chunks()
        first = await anext(chunks)
        go_on.set()
        rest = b"".join([chunk async for chunk in chunks])
        await answer.close()

    assert (b"abc", b"de") == (first, rest)


async def test_connections_are_used_again(source: AnswerSource) -> None:
    """One connection serves one request after the other."""
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await replies(OK)(reader, writer)

    async with listening(talk) as origin:
        for _ in range(5):
            assert (200, b"hello") == (await whole(source, ask(origin)))[::2]

    assert 1 == connections


async def test_an_answer_without_length_ends_with_the_connection(source: AnswerSource) -> None:
    """HTTP/1.0 manners: the body is whatever comes before the end."""
    async with listening(replies(b"HTTP/1.1 200 OK\r\n\r\nhello", close=True)) as origin:
        assert b"hello" == (await whole(source, ask(origin)))[2]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhello",
    ],
)
async def test_an_answer_that_breaks_off_is_seen_as_such(source: AnswerSource, answer: bytes) -> None:
    """What came is given, then the break is an error."""
    async with listening(replies(answer, close=True)) as origin:
        opened = await source.open(ask(origin))
        got = b""
        with pytest.raises(UpstreamFailed) as failed:  # noqa: PT012 - what came before the break matters too
            async for chunk in opened.chunks():
                got += chunk
        await opened.close()

    assert (b"hello", "network_error") == (got, failed.value.kind)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        b"nonsense\r\n\r\n",
    ],
)
async def test_ambiguous_framing_is_refused(source: AnswerSource, answer: bytes) -> None:
    """An answer whose end two readers could see in two places is not passed on whole."""
    async with listening(replies(answer)) as origin:
        with pytest.raises(UpstreamFailed):
            await whole(source, ask(origin))


async def test_surplus_bytes_are_never_the_next_answer(source: AnswerSource) -> None:
    """A provider that answers twice cannot put its second answer before another caller."""
    forged = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged"
    async with listening(replies(OK + forged, OK)) as origin:
        bodies = [(await whole(source, ask(origin)))[2] for _ in range(3)]

    assert b"forged" not in bodies


async def test_interim_answers_are_passed_over(source: AnswerSource) -> None:
    """100 Continue and 103 Early Hints come before the answer and are not it."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
    async with listening(replies(interim + OK)) as origin:
        assert (200, [(b"content-length", b"5")], b"hello") == await whole(source, ask(origin))


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n"),
        ("POST", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 500\r\n\r\n"),
    ],
)
async def test_answers_that_have_no_body_end_at_once(source: AnswerSource, method: str, answer: bytes) -> None:
    """No body is waited for where none can come, and the next request is not disturbed."""
    async with listening(replies(answer, OK)) as origin:
        assert b"" == (await asyncio.wait_for(whole(source, ask(origin, method, b"")), 5))[2]
        assert b"hello" == (await whole(source, ask(origin)))[2]


async def test_a_connection_closed_while_idle_is_not_used(source: AnswerSource) -> None:
    """The provider closes after each answer without saying so: every request is still answered."""
    async with listening(replies(OK, close=True)) as origin:
        for _ in range(5):
            assert b"hello" == (await whole(source, ask(origin)))[2]
            await asyncio.sleep(0.01)  # the close needs a moment on the wire; no event tells of it


UNHEARD_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@pytest.mark.parametrize("farewell", [b"", UNHEARD_TIMEOUT], ids=["an end", "an answer that nobody asked for"])
async def test_what_came_while_the_loop_slept_is_seen_before_a_request_is_written(farewell: bytes) -> None:
    """The provider's farewell stands in the kernel, the loop has not read it: the next request goes elsewhere."""
    said = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for last in (farewell, b""):
            accepted, _ = listener.accept()
            with accepted:
                got = b""
                while not got.endswith(b"\r\n\r\n{}"):
                    got += accepted.recv(65536)
                accepted.sendall(OK)
                read.wait(20)
                if last:
                    accepted.sendall(last)
                accepted.shutdown(socket.SHUT_WR)
                said.set()

    read = threading.Event()
    thread = threading.Thread(target=serve)
    thread.start()
    source = PooledSource(connect_timeout_s=20, silence_timeout_s=20)
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    first = await whole(source, ask(origin))
    read.set()
    assert said.wait(20)  # the loop stands still meanwhile, on purpose
    second = await whole(source, ask(origin))
    await source.close()
    thread.join()
    listener.close()

    assert [(200, b"hello")] * 2 == [(status, body) for status, _, body in (first, second)]


async def test_letting_go_closes_the_connection_at_once(source: AnswerSource) -> None:
    """An answer that is not wanted any more costs the provider nothing further."""
    gone = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
        try:
            await reader.read()
        finally:
            gone.set()

    async with listening(talk) as origin:
        answer = await source.open(ask(origin))
        await anext(answer.chunks())
        await answer.close()
        await asyncio.wait_for(gone.wait(), 5)


async def test_giving_up_before_the_head_closes_the_connection(source: AnswerSource) -> None:
    """A caller that is cancelled while the provider thinks leaves nothing running."""
    asked, gone = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.set()
        try:
            await reader.read()
        finally:
            gone.set()

    async with listening(talk) as origin:
        task = asyncio.create_task(source.open(ask(origin)))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(gone.wait(), 5)


async def test_a_slow_reader_holds_the_provider_back(source: AnswerSource) -> None:
    """What is not read is not fetched: the provider's writing stalls and memory stays small."""
    total, sent = 64 * 1024 * 1024, 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total)
        while sent < total:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async with listening(talk) as origin:
        answer = await source.open(ask(origin))
        chunks = answer.chunks()
        received = len(await anext(chunks))
        before = -1
        while before != sent:  # until the provider stands still
            before = sent
            await asyncio.sleep(0.1)
        held = sent
        received += sum([len(chunk) async for chunk in chunks])
        await answer.close()

    assert held < total // 2
    assert total == received


async def test_silence_is_a_timeout(source: AnswerSource) -> None:
    """A provider that accepts and says nothing fails the call after the time that was set."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        await reader.read()

    async with listening(talk) as origin:
        with pytest.raises(UpstreamFailed) as failed:
            await asyncio.wait_for(source.open(ask(origin)), 10)

    assert "timeout" == failed.value.kind


async def test_failures_have_their_kinds(source: AnswerSource) -> None:
    """A closed port and an unknown name are told apart."""
    async with listening(replies(OK)) as origin:
        pass
    with pytest.raises(UpstreamFailed) as refused:
        await source.open(ask(origin))
    with pytest.raises(UpstreamFailed) as unknown:
        await source.open(ask("http://no-such-host.invalid"))

    assert ("connection_refused", "dns_error") == (refused.value.kind, unknown.value.kind)


@pytest.mark.parametrize(
    "request_",
    [
        UpstreamRequest(method="POST", origin="", target=b"/x HTTP/1.1\r\nx: y\r\n\r\nGET /", headers=[], body=b""),
        UpstreamRequest(method="POST", origin="", target=b"/x", headers=[(b"a", b"b\r\nc: d")], body=b""),
        UpstreamRequest(method="POST", origin="", target=b"/x", headers=[(b"a\r\nb", b"c")], body=b""),
        UpstreamRequest(method="POST", origin="", target=b"/x", headers=[(b"a", b"b\0")], body=b""),
    ],
)
async def test_a_request_cannot_smuggle_another(source: AnswerSource, request_: UpstreamRequest) -> None:
    """Line breaks in a header or path are refused before anything is sent."""
    async with listening(replies(OK)) as origin:
        smuggling = UpstreamRequest(
            method="POST", origin=origin, target=request_.target, headers=request_.headers, body=b""
        )
        with pytest.raises(UpstreamFailed):
            await source.open(smuggling)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's TLS settings around a certificate for 127.0.0.1."""
    folder: Path = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key", "-out", folder / "cert",
         "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "cert", folder / "key")
    return server, ssl.create_default_context(cafile=str(folder / "cert"))


async def test_tls_is_spoken_and_checked(certificate: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    """A trusted provider is reached; one that nobody vouches for is not."""
    server, client = certificate
    trusting, doubting = PooledSource(tls=client), PooledSource()
    async with listening(replies(OK), tls=server) as origin:
        assert b"hello" == (await whole(trusting, ask(origin)))[2]
        with pytest.raises(UpstreamFailed) as failed:
            await doubting.open(ask(origin))
    await trusting.close()
    await doubting.close()

    assert "ssl_error" == failed.value.kind


async def test_a_proxy_is_asked_for_plain_and_for_secure_origins(
    certificate: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    """Plain requests go in absolute form; secure ones through a tunnel that the proxy cannot read."""
    server, client = certificate
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, _ = await read_request(reader)
        asked.append(head)
        if not head.startswith(b"CONNECT"):
            writer.write(OK)
            await reader.read()
            return
        host, port = head.split(b" ")[1].split(b":")
        there, back = await asyncio.open_connection(host.decode(), int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                sink.write(data)
            sink.close()

        await asyncio.gather(copy(reader, back), copy(there, writer))

    async with (
        listening(proxy) as address,
        listening(replies(OK)) as plain,
        listening(replies(OK), tls=server) as secure,
    ):
        gate = Proxy(Address("127.0.0.1", int(address.rsplit(":", 1)[1]), is_tls=False), b"Basic eDp5")
        source = PooledSource(tls=client, proxies=Proxies(gate, gate))
        assert b"hello" == (await whole(source, ask(plain)))[2]
        assert b"hello" == (await whole(source, ask(secure)))[2]
        await source.close()

    assert asked[0].startswith(f"POST {plain}/v1/x?a=%2F HTTP/1.1\r\n".encode())
    assert asked[1].startswith(f"CONNECT {secure.removeprefix('https://')} HTTP/1.1\r\n".encode())
    assert all(b"proxy-authorization: Basic eDp5\r\n" in head for head in asked)


@pytest.mark.parametrize("farewell", [b"", UNHEARD_TIMEOUT], ids=["an end", "an answer that nobody asked for"])
async def test_a_request_leaves_at_the_turns_end_and_not_after_a_farewell(farewell: bytes) -> None:
    """Nothing is on the wire when it is begun; what the provider says until it would leave sends it elsewhere, POST or not."""
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    source = PooledSource(connect_timeout_s=20, silence_timeout_s=20)
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"

    async def served(connection: socket.socket, asking: "asyncio.Task[tuple[int, list[Header], bytes]]") -> bytes:
        got = b""
        while not got.endswith(b"\r\n\r\n{}"):
            got += await loop.sock_recv(connection, 65536)
        await loop.sock_sendall(connection, OK)
        return (await asking)[2]

    first = asyncio.create_task(whole(source, ask(origin)))
    old, _ = await loop.sock_accept(listener)
    assert b"hello" == await served(old, first)

    came = list[bytes]()

    def leave() -> None:
        with pytest.raises(BlockingIOError):  # the request was begun before this was called
            old.recv(65536)
        came.append(farewell)
        if farewell:
            old.sendall(farewell)
        old.shutdown(socket.SHUT_WR)

    second = asyncio.create_task(whole(source, ask(origin)))
    loop.call_soon(leave)
    new, _ = await asyncio.wait_for(loop.sock_accept(listener), 5)
    assert b"hello" == await served(new, second)
    assert [farewell] == came
    await source.close()
    with contextlib.suppress(ConnectionResetError), contextlib.closing(old):
        assert b"" == old.recv(65536)  # an end, and nothing of the second request before it
    new.close()
    listener.close()
