"""The gateway forwards and records the very bytes it received."""

import asyncio
import gzip
import os
from pathlib import Path

import httpx2
import zstandard

from reenact.domain.exchange import Exchange
from reenact.store.control.store import ControlStore
from reenact.store.sqlite.store import SqliteStore
from tests.fakes.upstream import Received, Wire, answer, upstream
from tests.journeys.conftest import running

ODD = (
    b'{"model" :\t"gpt-4o",\r\n "messages":[], "a":1.0, "a":2, "\\u00e9":"\\ud83d\\ude00", "big":1234567890123456789}\n'
)
"""JSON that no encoder would write so."""
BODIES = {
    "odd": (b"application/json", b"", ODD),
    "empty": (b"application/json", b"", b""),
    "binary": (b"application/octet-stream", b"", bytes(range(256)) * 300),
    "random": (b"audio/mpeg", b"", os.urandom(300_000)),
    "multipart": (
        b"multipart/form-data; boundary=x",
        b"",
        b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n\x00\x01\r\n--x--\r\n',
    ),
    "gzip": (b"application/json", b"gzip", gzip.compress(ODD)),
    "zstd": (b"application/json", b"zstd", zstandard.compress(ODD)),
    "broken gzip": (b"application/json", b"gzip", gzip.compress(ODD)[:40]),
    "broken br": (b"application/json", b"br", b"\x0b\x02\x80hello\x03"),
    "unknown encoding": (b"application/json", b"x-own", b"\x0b\x02\x80hello\x03"),
    "not utf-8": (b"application/json", b"", b'{"model": "\xff\xfe"}'),
    "events": (b"text/event-stream", b"", b": hello\r\rdata: {\r\ndata: }\n\nevent: x\rdata: \xff\r\r"),
    "not json": (b"application/json", b"", b"{" * 100_000),
    "looks like a record": (b"text/plain", b"", b"\xf1R1E" + b"\x00" * 64),
}
"""Bodies of requests and answers: content type, encoding, bytes."""


async def test_what_crosses_is_what_came(tmp_path: Path) -> None:
    """Odd bodies, whole or in chunks: the same bytes at the provider, at the agent and in the store."""

    async def script(received: Received, wire: Wire) -> None:
        content_type, encoding, body = BODIES[dict(received.headers)[b"x-body"].decode()]
        lines = [b"content-type: " + content_type, *([b"content-encoding: " + encoding] if encoding else [])]
        await wire.send(answer(body, *lines, b"x-twice: 1", b"x-twice: 2", b"x-odd:  \xe9"))

    async with upstream(script) as listening:
        with running(
            "serve", "--data", str(tmp_path / "data"), "--port", "0", "--upstream", f"openai={listening.origin}"
        ) as server:
            ids = {name: await called(server.url, name) for name in BODIES}
            async with httpx2.AsyncClient(trust_env=False, timeout=60) as http:
                rows = (
                    await http.post(f"{server.url}/v1/request/query-ids", json={"requestIds": [*ids.values()]})
                ).json()
                assert len(BODIES) == len(rows["data"])

    forwarded = {dict(received.headers)[b"x-body"].decode(): received for received in listening.requests}
    kept = exchanges(tmp_path / "data", ids)
    for name, (_, _, body) in BODIES.items():
        assert body == forwarded[name].body
        assert (body, body) == (kept[name].request_body, kept[name].response_body)
        assert [b"1", b"2"] == [value for header, value in kept[name].response_headers if header == b"x-twice"]
        assert (b"x-odd", b"\xe9") in kept[name].response_headers
        assert b"POST /v1/%7Eodd//path;a=b/./?q=%20&q=+&empty= HTTP/1.1" == forwarded[name].line
        assert (b"x-odd", b"\xe9") in forwarded[name].headers
        assert (b"x-odd", b"\xe9") in kept[name].request_headers


async def called(url: str, name: str) -> str:
    """Send a body and be sent the same; return the call's id."""
    content_type, encoding, body = BODIES[name]
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [
        b"POST /v1/gateway/oai/v1/%7Eodd//path;a=b/./?q=%20&q=+&empty= HTTP/1.1",
        *(b"host: h", b"connection: close", b"x-odd:  \xe9", b"x-body: " + name.encode()),
        *(b"content-type: " + content_type, b"content-length: %d" % len(body)),
        *([b"content-encoding: " + encoding] if encoding else []),
        *(b"", b""),
    ]
    writer.write(b"\r\n".join(lines) + body)
    head, _, got = (await reader.read(-1)).partition(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.1 200 "), (name, head)
    assert body == got, name
    return next(line for line in head.split(b"\r\n") if line.startswith(b"helicone-id: "))[13:].decode()


def exchanges(data: Path, ids: dict[str, str]) -> dict[str, Exchange]:
    """Return what the store of a stopped server holds, by name."""
    control = ControlStore(data / "control.sqlite3")
    store = SqliteStore(data / "calls.sqlite3")
    try:
        found = {one.id: one for one in store.exchanges(control.first_organisation(), [*ids.values()])}
    finally:
        store.close()
        control.close()
    return {name: found[call_id] for name, call_id in ids.items()}
