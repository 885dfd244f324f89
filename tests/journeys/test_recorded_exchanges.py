"""All recorded exchanges pass through a gateway that is a process of its own, and come back as they crossed."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from reenact.dialects.framing import cut_events
from reenact.domain.exchange import Ending, Exchange, Header
from reenact.domain.labels import Labels
from reenact.gateway.ask import Ask
from reenact.gateway.relay import Relay
from reenact.gateway.streaming import ends_stream
from reenact.ingest.decoding import decode
from reenact.store.control.store import ControlStore
from reenact.store.sqlite.store import SqliteStore
from tests.fakes.recorded import Recorded, recorded
from tests.fakes.sources import ListRecorder, ScriptedAnswer, ScriptedSource
from tests.fakes.upstream import Received, Wire, answer, upstream
from tests.journeys.conftest import running

PROVIDERS = (
    ("openai.azure.com", "azure"),
    ("anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "google"),
    ("aiplatform.googleapis.com", "vertex"),
    ("groq.com", "groq"),
    ("mistral.ai", "mistral"),
    ("writer.com", "writer"),
    ("together.ai", "together"),
    ("together.xyz", "together"),
    ("deepseek.com", "deepseek"),
    ("voyageai.com", "voyage"),
)
"""Provider by the end of a host; whatever is not here is asked as OpenAI, whose format it speaks."""
AGENTS = 8
"""How many agents call at once; each has one connection for all its calls."""
WHICH = "x-recorded"
"""A header of the test's own: which recorded exchange a call is."""


def provider_of(one: Recorded) -> str:
    """Return the provider that *one* was recorded from."""
    host = urlsplit(one.url).hostname or ""
    return next((name for ending, name in PROVIDERS if host.endswith(ending)), "openai")


def target_of(one: Recorded) -> str:
    """Return path and query; one SDK writes fragments, which nobody sends."""
    parts = urlsplit(one.url)
    return parts.path + ("?" + parts.query if parts.query else "")


def request_headers(one: Recorded) -> list[Header]:
    """Return the headers that the SDK sent, names in lower case."""
    return [(name.lower().encode(), str(value).encode()) for name, value in one.request_headers.items()]


def response_headers(one: Recorded) -> list[Header]:
    """Return the headers that the provider answered with; recorders left out the framing."""
    headers = [(name.lower().encode(), str(value).encode()) for name, value in one.response_headers.items()]
    if one.is_streamed and not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", b"text/event-stream"))
    return headers


@asynccontextmanager
async def recorded_provider(chosen: Sequence[Recorded], *, piece_bytes: int = 0) -> AsyncIterator[str]:
    """Answer call number N with the Nth of *chosen*: streams event by event, or *piece_bytes* at a time."""

    async def script(received: Received, wire: Wire) -> None:
        number = next(int(value) for name, value in received.headers if name == WHICH.encode())
        one = chosen[number]
        content = one.response_body.encode()
        lines = [name + b": " + value for name, value in response_headers(one)]
        if not one.is_streamed:
            await wire.send(answer(content, *lines, status=b"%d Recorded" % one.status))
            return
        head = [b"HTTP/1.1 %d Recorded" % one.status, *lines, b"transfer-encoding: chunked", b"", b""]
        await wire.send(b"\r\n".join(head))
        for piece in _pieces(content, piece_bytes):
            await wire.send_chunk(piece)
        await wire.send_chunk(b"")

    async with upstream(script) as listening:
        yield listening.origin


def _pieces(content: bytes, piece_bytes: int) -> list[bytes]:
    if piece_bytes:
        return [content[at : at + piece_bytes] for at in range(0, len(content), piece_bytes)]
    return [piece for piece in re.split(rb"(?<=\n\n)", content) if piece]


class Got:
    """An answer as its agent saw it."""

    def __init__(self, status: int, headers: list[Header], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


async def agent(url: str, chosen: Sequence[Recorded], numbers: Sequence[int]) -> list[Got]:
    """Send those of *chosen* on one connection, one after the other, and return their answers."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        return [await _call(reader, writer, chosen[number], number) for number in numbers]
    finally:
        writer.close()


async def _call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, one: Recorded, number: int) -> Got:
    body = one.request_body.encode()
    lines = [
        f"{one.method.upper()} /v1/gateway/{provider_of(one)}{target_of(one)} HTTP/1.1".encode(),
        b"host: gateway.test",
        f"{WHICH}: {number}".encode(),
        f"helicone-session-id: {one.cassette}".encode(),
        *[name + b": " + value for name, value in request_headers(one)],
        b"content-length: %d" % len(body),
    ]
    writer.write(b"\r\n".join([*lines, b"", b""]) + body)
    head = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in head[1:])]
    return Got(int(head[0].split()[1]), headers, await _body(reader, headers))


async def _body(reader: asyncio.StreamReader, headers: Sequence[Header]) -> bytes:
    length = next((int(value) for name, value in headers if name == b"content-length"), None)
    if length is not None:
        return await reader.readexactly(length)
    pieces = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append((await reader.readexactly(size + 2))[:-2])
    await reader.readexactly(2)
    return b"".join(pieces)


def usage_told(one: Recorded) -> tuple[int | None, int | None]:
    """Return the tokens in and out that the recording itself tells, read without a line of the product."""
    objects = _events(one) if one.is_streamed else [as_json(one.response_body)]
    tokens_in: int | None = None
    tokens_out: int | None = None
    for item in objects:
        for usage in _usages(item):
            cached = sum(usage.get(name) or 0 for name in ("cache_read_input_tokens", "cache_creation_input_tokens"))
            given = _first(usage, "prompt_tokens", "input_tokens", "promptTokenCount")
            said = _first(usage, "completion_tokens", "output_tokens", "candidatesTokenCount")
            thought = usage.get("thoughtsTokenCount")
            if given is None and one.kind == "embeddings":
                given = usage.get("total_tokens")
            tokens_in = tokens_in if given is None else given + cached
            tokens_out = tokens_out if said is None and thought is None else (said or 0) + (thought or 0)
    return tokens_in, None if one.kind == "embeddings" else tokens_out


def as_json(body: str) -> Any:
    """Return *body* as JSON, else as it is; None when it is empty."""
    try:
        return json.loads(body)
    except ValueError:
        return body or None


def _events(one: Recorded) -> list[Any]:
    data = [line[5:].strip() for line in one.response_body.splitlines() if line.startswith("data:")]
    return [json.loads(text) for text in data if text.startswith("{")]


def _usages(item: Any) -> list[dict[str, Any]]:
    """Return the usage objects of an answer or event, wherever providers put them."""
    if isinstance(item, list):
        return [usage for one in item for usage in _usages(one)]
    if not isinstance(item, dict):
        return []
    places = [item, *(item.get(name) for name in ("message", "response", "x_groq"))]
    named = [place.get(name) for place in places if isinstance(place, dict) for name in ("usage", "usageMetadata")]
    return [usage for usage in named if isinstance(usage, dict)]


def _first(usage: dict[str, Any], *names: str) -> int | None:
    return next((usage[name] for name in names if isinstance(usage.get(name), int)), None)


async def rows(url: str) -> list[dict[str, Any]]:
    """Return every row, bodies and all."""
    found: list[dict[str, Any]] = []
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as http:
        while True:
            query = {"filter": "all", "limit": 200, "offset": len(found), "sort": {"created_at": "asc"}}
            reply = await http.post(f"{url}/v1/request/query", json=query)
            page = reply.raise_for_status().json()["data"]
            if not page:
                return found
            found += page


def kept(data: Path, ids: Sequence[str]) -> dict[int, Exchange]:
    """Return what the store of a stopped server holds of the calls *ids*, by the number of the recorded exchange."""
    control = ControlStore(data / "control.sqlite3")
    store = SqliteStore(data / "calls.sqlite3")
    try:
        assert [] == store.unreadables()
        exchanges = store.exchanges(control.first_organisation(), ids)
    finally:
        store.close()
        control.close()
    return {number_of(exchange): exchange for exchange in exchanges}


def number_of(exchange: Exchange) -> int:
    """Return which recorded exchange this is."""
    return next(int(value) for name, value in exchange.request_headers if name == WHICH.encode())


async def test_every_recorded_exchange_crosses_and_comes_back(tmp_path: Path) -> None:
    """Status, headers, bytes and the order of events at the agent's end; usage in the row; the bytes in the store."""
    chosen = recorded()
    names = {provider_of(one) for one in chosen}
    async with recorded_provider(chosen) as origin:
        upstreams = [part for name in names for part in ("--upstream", f"{name}={origin}")]
        with running("serve", "--data", str(tmp_path / "data"), "--port", "0", *upstreams) as server:
            shares = [range(first, len(chosen), AGENTS) for first in range(AGENTS)]
            answers = await asyncio.gather(*(agent(server.url, chosen, share) for share in shares))
            shown = await rows(server.url)
            server.process.terminate()
            assert server.process.stdout is not None
            printed = server.process.stdout.read()
            server.process.wait()

    assert "ERROR" not in printed
    got = {
        number: one
        for share, part in zip(shares, answers, strict=True)
        for number, one in zip(share, part, strict=True)
    }
    for number, one in enumerate(chosen):
        assert (one.status, one.response_body.encode()) == (got[number].status, got[number].body), one.url
        assert set(response_headers(one)) <= set(got[number].headers), one.url
        if one.is_streamed:
            assert cut_events(one.response_body.encode()) == cut_events(got[number].body)

    by_id = {row["request_id"]: row for row in shown}
    exchanges = kept(tmp_path / "data", list(by_id))
    assert list(range(len(chosen))) == sorted(exchanges)
    for number, one in enumerate(chosen):
        exchange = exchanges[number]
        row = by_id[exchange.id]
        assert (one.request_body.encode(), one.response_body.encode()) == (
            exchange.request_body,
            exchange.response_body,
        )
        assert (one.status, Ending.ANSWERED) == (exchange.status, exchange.ending)
        assert one.request == row["request_body"]
        assert usage_told(one) == (row["prompt_tokens"], row["completion_tokens"]), one.url
        assert decode(exchange).call.unreadable is None
        if not one.is_streamed:
            assert as_json(one.response_body) == row["response_body"]


def twenty_streams() -> list[Recorded]:
    """Return twenty streams of every kind that has some, the smallest five of each first."""
    streams = sorted((one for one in recorded() if one.is_streamed), key=lambda one: len(one.response_body))
    chosen: dict[str, Recorded] = {}
    for kind in ("chat", "completions", "messages", "responses"):
        for one in [one for one in streams if one.kind == kind and one.status == 200]:
            if sum(other.kind == kind for other in chosen.values()) < 5:
                chosen.setdefault(one.response_body, one)
    assert 20 == len(chosen)
    return list(chosen.values())


async def test_streams_in_pieces_of_one_byte(tmp_path: Path) -> None:
    """Twenty streams cross real sockets a byte at a time, so that every offset is a cut; agent and store get them whole."""
    chosen = twenty_streams()
    async with recorded_provider(chosen, piece_bytes=1) as origin:
        names = {provider_of(one) for one in chosen}
        upstreams = [part for name in names for part in ("--upstream", f"{name}={origin}")]
        with running("serve", "--data", str(tmp_path / "data"), "--port", "0", *upstreams) as server:
            got = await agent(server.url, chosen, range(len(chosen)))
            shown = {row["request_id"]: row for row in await rows(server.url)}

    exchanges = kept(tmp_path / "data", list(shown))
    assert [one.response_body.encode() for one in chosen] == [one.body for one in got]
    for number, one in enumerate(chosen):
        row = shown[exchanges[number].id]
        assert one.response_body.encode() == exchanges[number].response_body
        assert usage_told(one) == (row["prompt_tokens"], row["completion_tokens"]), one.url


class _Agent:
    """Takes an answer, and notes what the recorder had when the last byte came."""

    def __init__(self, recorder: ListRecorder) -> None:
        self._recorder = recorder
        self.body = b""
        self.kept_before_its_end = False

    async def start(self, status: int, headers: list[Header]) -> None:
        """Take the head."""

    async def chunk(self, body: bytes) -> None:
        """Take a piece, and whether the call was kept by then."""
        self.body += body
        self.kept_before_its_end = bool(self._recorder.exchanges)

    async def end(self) -> None:
        """Take the end."""


async def test_streams_cut_at_every_offset() -> None:
    """However a stream falls into two pieces, the agent gets its bytes and the journal has them before the last piece goes.

    Sockets are left out: what the relay sees of them is the list of pieces, which is given here. That real sockets hand
    pieces on as they come is what the test with pieces of one byte shows.
    """
    for one in twenty_streams():
        content = one.response_body.encode()
        has_end = ends_stream(b"\n", content)
        for at in range(1, len(content)):
            recorder = ListRecorder()
            source = ScriptedSource(
                ScriptedAnswer(200, [(b"content-type", b"text/event-stream")], [content[:at], content[at:]])
            )
            listener = _Agent(recorder)
            exchange = await Relay(source, recorder, lambda: 0).relay(ASK, listener)
            assert content == listener.body == exchange.response_body
            assert content == recorder.exchanges[-1].response_body
            assert has_end == listener.kept_before_its_end, (one.url, at)


ASK = Ask(
    id="00000000-0000-4000-8000-000000000001",
    organisation_id="one",
    method="POST",
    url="http://localhost/v1/gateway/openai/v1/chat/completions",
    provider="openai",
    origin="http://localhost",
    target=b"/v1/chat/completions",
    labels=Labels(),
    headers=(),
    received=(),
    body=b"{}",
    started_us=0,
)
