"""A relay between a scripted source and a sink that gathers: what is passed on, what is recorded, and in which order."""

import asyncio
import itertools
from collections.abc import Callable, Sequence

import pytest

from reenact.domain.exchange import Chunk, Ending, Exchange, Header
from reenact.domain.labels import Labels
from reenact.errors import UpstreamFailed
from reenact.gateway.collector import Collector
from reenact.gateway.refusing import refuse
from reenact.gateway.relay import Ask, Relay
from reenact.gateway.source import UpstreamRequest
from tests.fakes.sources import FULL, ListRecorder, ScriptedAnswer, ScriptedSource

STREAM: tuple[Header, ...] = ((b"content-type", b"text/event-stream"),)
CUT = UpstreamFailed("broke off", "network_error")


def _ask(method: str = "POST") -> Ask:
    return Ask(
        id="id-1",
        organisation_id="acme",
        method=method,
        url="http://localhost/v1/gateway/oai/v1/x?key=k",
        provider="openai",
        origin="https://api.openai.com",
        target=b"/v1/x?key=k",
        labels=Labels(session_id="s"),
        headers=((b"authorization", b"Bearer k"), (b"a", b"1")),
        body=b"{}",
        started_us=100,
    )


class _Watching(Collector):
    """A collector that notes how many records there were when each piece came."""

    def __init__(self, recorder: ListRecorder) -> None:
        super().__init__()
        self.records_at: list[int] = []
        self._recorder = recorder

    async def start(self, status: int, headers: list[Header]) -> None:
        self.records_at.append(len(self._recorder.exchanges))
        await super().start(status, headers)

    async def chunk(self, body: bytes) -> None:
        self.records_at.append(len(self._recorder.exchanges))
        await super().chunk(body)

    async def end(self) -> None:
        self.records_at.append(len(self._recorder.exchanges))
        await super().end()


def _relay(answer: ScriptedAnswer | UpstreamFailed, recorder: ListRecorder) -> Relay:
    return Relay(ScriptedSource(answer), recorder, itertools.count(101).__next__)


async def test_what_is_asked_passed_on_and_recorded() -> None:
    """The source is given the ask, the sink the answer with our headers, the recorder all of it less the secrets."""
    headers = (
        (b"x-a", b"1"),
        (b"helicone-id", b"other"),
        (b"connection", b"x-hop"),
        (b"x-hop", b"1"),
        (b"set-cookie", b"c"),
    )
    source = ScriptedSource(ScriptedAnswer(200, headers, [b"he", b"llo"]))
    recorder, sink = ListRecorder(), Collector()
    exchange = await Relay(source, recorder, itertools.count(101).__next__).relay(_ask(), sink)
    assert source.requests == [
        UpstreamRequest(
            method="POST", origin="https://api.openai.com", target=b"/v1/x?key=k", headers=_ask().headers, body=b"{}"
        )
    ]
    assert (sink.status, sink.body, sink.is_whole) == (200, b"hello", True)
    assert sink.headers == [
        (b"x-a", b"1"),
        (b"set-cookie", b"c"),
        (b"helicone-id", b"id-1"),
        (b"helicone-status", b"success"),
    ]
    assert exchange == Exchange(
        id="id-1",
        organisation_id="acme",
        started_us=100,
        duration_us=3,
        first_byte_us=1,
        method="POST",
        url="http://localhost/v1/gateway/oai/v1/x?key=REDACTED",
        target_url="https://api.openai.com/v1/x?key=REDACTED",
        provider="openai",
        labels=Labels(session_id="s"),
        request_headers=((b"authorization", b"REDACTED"), (b"a", b"1")),
        request_body=b"{}",
        status=200,
        response_headers=(*headers[:4], (b"set-cookie", b"REDACTED")),
        response_body=b"hello",
        chunks=(Chunk(body_bytes=2, after_us=1), Chunk(body_bytes=3, after_us=2)),
        ending=Ending.ANSWERED,
    )
    assert recorder.exchanges == [exchange]


@pytest.mark.parametrize(
    ("headers", "chunks", "records_at"),
    [
        (((b"content-length", b"4"),), [b"ab", b"cd"], [0, 0, 1, 1]),
        (((b"content-length", b"0"),), [], [1, 1]),
        ((), [b"ab", b"cd"], [0, 0, 0, 1]),
        ((), [], [0, 1]),
        (STREAM, [b"data: 1\n\n", b"data: [DONE]\n\n"], [0, 0, 1, 1]),
        (STREAM, [b"data: 1\n\ndata: [DO", b"NE]\n\n"], [0, 0, 1, 1]),
        (STREAM, [b"data: [DONE]", b"\n\n"], [0, 1, 1, 2]),
        (STREAM, [b"data: 1\n\n"], [0, 0, 1]),
        (((b"content-type", b"text/plain"),), [b"data: [DONE]\n\n", b"x"], [0, 0, 0, 1]),
    ],
)
async def test_the_record_is_kept_before_the_last_byte(
    headers: Sequence[Header], chunks: list[bytes], records_at: list[int]
) -> None:
    """Before the last chunk where its length tells which it is, before the last event of a stream, before the end else."""
    recorder = ListRecorder()
    sink = _Watching(recorder)
    await _relay(ScriptedAnswer(200, headers, chunks), recorder).relay(_ask(), sink)
    assert sink.records_at == records_at
    assert recorder.exchanges[-1].response_body == b"".join(chunks)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("POST", 204), ("GET", 304)])
async def test_an_answer_without_a_body_is_kept_before_its_head(method: str, status: int) -> None:
    """Nothing follows the head of such an answer, whatever length it names."""
    recorder = ListRecorder()
    sink = _Watching(recorder)
    await _relay(ScriptedAnswer(status, ((b"content-length", b"9"),), []), recorder).relay(_ask(method), sink)
    assert (sink.records_at, len(recorder.exchanges), sink.is_whole) == ([1, 1], 1, True)


@pytest.mark.parametrize("before", [[b"ab"], [], [b"\ndata: [DONE]\n\n"]])
async def test_an_answer_that_breaks_off_is_never_ended(before: list[bytes]) -> None:
    """The sink is not told an end that was none, the source is let go, and the record says who broke off."""
    recorder, sink = ListRecorder(), Collector()
    answer = ScriptedAnswer(200, STREAM, [*before, CUT])
    exchange = await _relay(answer, recorder).relay(_ask(), sink)
    assert (sink.is_whole, sink.body, answer.is_closed) == (False, b"".join(before), True)
    assert (exchange.ending, exchange.detail, exchange.response_body) == (
        Ending.PROVIDER_CUT,
        "broke off",
        b"".join(before),
    )
    assert recorder.exchanges[-1] == exchange


@pytest.mark.parametrize("headers", [(), STREAM, ((b"content-length", b"14"),)])
@pytest.mark.parametrize("failure", [FULL, RuntimeError("a fault")])
async def test_a_lost_record_is_one_gap_and_no_harm(headers: Sequence[Header], failure: Exception) -> None:
    """Whatever goes wrong in keeping, the sink is given everything and the gap is counted once."""
    recorder, sink = ListRecorder(failure), Collector()
    await _relay(ScriptedAnswer(200, headers, [b"data: [DONE]\n\n"]), recorder).relay(_ask(), sink)
    assert (sink.body, sink.is_whole) == (b"data: [DONE]\n\n", True)
    assert recorder.gaps == [("acme", "No space left on device" if failure is FULL else "RuntimeError")]


@pytest.mark.parametrize(
    ("kind", "status", "ending"),
    [
        ("timeout", 504, Ending.TIMED_OUT),
        ("dns_error", 502, Ending.UNREACHED),
        ("internal_error", 500, Ending.UNREACHED),
    ],
)
async def test_no_answer_is_answered_for(kind: str, status: int, ending: Ending) -> None:
    """A provider that cannot be asked leaves a whole answer of ours, recorded before it was given."""
    recorder = ListRecorder()
    sink = _Watching(recorder)
    exchange = await _relay(UpstreamFailed("nobody", kind), recorder).relay(_ask(), sink)
    assert (sink.status, sink.is_whole, sink.records_at) == (status, True, [1, 1, 1])
    assert (exchange.status, exchange.ending, exchange.response_body) == (status, ending, sink.body)
    assert recorder.exchanges == [exchange]
    assert b"key=k" not in sink.body


async def test_a_refusal_asks_nobody() -> None:
    """What the gateway refuses is answered and recorded, and nothing is sent."""
    source, recorder, sink = ScriptedSource(CUT), ListRecorder(), Collector()
    refusal = refuse(413, "request_too_large", "too large")
    exchange = await Relay(source, recorder, lambda: 100).refuse(_ask(), refusal, sink)
    assert (source.requests, recorder.exchanges) == ([], [exchange])
    assert (exchange.status, exchange.ending, exchange.detail) == (413, Ending.REFUSED, "too large")
    assert (sink.status, sink.body) == (413, refusal.body)


async def test_a_sink_that_fails_is_a_client_that_left() -> None:
    """An agent's connection that breaks in the middle of a piece leaves a record of what had come."""

    class Broken(Collector):
        async def chunk(self, body: bytes) -> None:
            raise ConnectionResetError

    recorder = ListRecorder()
    answer = ScriptedAnswer(200, (), [b"ab", b"cd"])
    with pytest.raises(ConnectionResetError):
        await _relay(answer, recorder).relay(_ask(), Broken())
    assert [(exchange.ending, exchange.response_body) for exchange in recorder.exchanges] == [
        (Ending.CLIENT_LEFT, b"ab")
    ]
    assert answer.is_closed


async def test_received_headers_are_what_is_recorded() -> None:
    """Where the headers came from an agent, the record shows them as it sent them, ours among them."""
    recorder = ListRecorder()
    received = ((b"helicone-session-id", b"s"), (b"helicone-auth", b"Bearer k"))
    ask = Ask(**{name: getattr(_ask(), name) for name in Ask.__struct_fields__} | {"received": received})
    await _relay(ScriptedAnswer(200, (), []), recorder).relay(ask, Collector())
    assert recorder.exchanges[0].request_headers == ((b"helicone-session-id", b"s"), (b"helicone-auth", b"REDACTED"))


@pytest.mark.parametrize(
    ("headers", "chunks", "held"),
    [
        (((b"content-length", b"4"),), [b"data"], b""),
        (((b"content-length", b"0"),), [], b""),
        ((), [b"data", b": [DONE]\n\n"], b"data: [DONE]\n\n"),
        (STREAM, [b"data", b": [DONE]\n\n"], b"data"),
    ],
)
async def test_where_wished_for_the_end_waits_for_the_disk(
    headers: Sequence[Header], chunks: list[bytes], held: bytes
) -> None:
    """Nothing that would let an agent take its answer for whole goes out before the record is safe from a power cut."""
    asked: asyncio.Queue[Callable[[], None]] = asyncio.Queue()

    class Slow(ListRecorder):
        def when_durable(self, act: Callable[[], None]) -> None:
            asked.put_nowait(act)

    sink = Collector()
    source = ScriptedSource(ScriptedAnswer(200, headers, chunks))
    relay = Relay(source, Slow(), itertools.count(101).__next__, is_durable=True)
    relaying = asyncio.ensure_future(relay.relay(_ask(), sink))
    act = await asked.get()
    before = sink.is_whole, sink.body
    act()
    await relaying

    assert ((False, held), (True, b"".join(chunks))) == (before, (sink.is_whole, sink.body))


class _Behind(ListRecorder):
    """Writes when it is told to; agents may wait for so many seconds."""

    def __init__(self, hold_s: float) -> None:
        super().__init__()
        self.asked: asyncio.Queue[Callable[[], None]] = asyncio.Queue()
        self.let_go_count = 0
        self._hold_s = hold_s

    def append(self, exchange: Exchange) -> bool:
        super().append(exchange)
        return False

    def when_written(self, act: Callable[[], None]) -> float:
        self.asked.put_nowait(act)
        return self._hold_s

    def let_go(self) -> None:
        self.let_go_count += 1


async def test_the_end_waits_until_the_record_is_written() -> None:
    """While a slow disk keeps a record waiting, its agent is not given the end of the answer, and others are answered."""
    recorder, sink = _Behind(60.0), Collector()
    source = ScriptedSource(ScriptedAnswer(200, (), [b"data", b": [DONE]\n\n"]))
    relaying = asyncio.ensure_future(Relay(source, recorder, itertools.count(101).__next__).relay(_ask(), sink))
    act = await asyncio.wait_for(recorder.asked.get(), 10)
    other = Collector()
    await _relay(ScriptedAnswer(200, (), [b"other"]), ListRecorder()).relay(_ask(), other)
    before = sink.is_whole, relaying.done(), other.is_whole
    act()
    await relaying
    assert ((False, False, True), True, 0) == (before, sink.is_whole, recorder.let_go_count)


async def test_a_stuck_disk_holds_no_end_back_for_ever() -> None:
    """Past the bound the agent is given the end of its answer, and that is counted: a kill just then would lose the call."""
    recorder, sink = _Behind(0.0), Collector()
    source = ScriptedSource(ScriptedAnswer(200, (), [b"data"]))
    await Relay(source, recorder, itertools.count(101).__next__).relay(_ask(), sink)
    assert (True, 1) == (sink.is_whole, recorder.let_go_count)
    (await recorder.asked.get())()  # written after all; nobody waits any more
