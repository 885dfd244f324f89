"""A replay's calls go through the real relay to a real socket, in the take's session and with the right key."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import msgspec
import pytest

from reenact import __version__
from reenact.domain.call import Call
from reenact.domain.exchange import Ending, Exchange, Header, Spill
from reenact.domain.labels import Labels, ReplayLink
from reenact.domain.patch import Change, Patch, SetModel
from reenact.domain.replay import Answered, AskCall, Mode
from reenact.errors import InvalidInput
from reenact.gateway.relay import Relay
from reenact.gateway.routing import Routes
from reenact.gateway.upstream import LiveUpstream
from reenact.ingest.decoding import decode
from reenact.replay.asker import RelayAsker
from reenact.replay.planning import plan
from reenact.replay.question import Question
from tests.fakes.upstream import Received, Script, Upstream, Wire, answer, upstream
from tests.replay.recordings import URL, a_call, a_recording, chat

NOW_US = 1_700_000_000_000_000
BODY = b'{"model":"gpt-4o-mini", "messages":[]}'
LINK = ReplayLink(replay_id="replay", take=1, source_session_id="debate", source_call_id="call-1")


class Kept:
    """A recorder that keeps exchanges in a list."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def append(self, exchange: Exchange) -> bool:
        """Keep *exchange*."""
        self.exchanges.append(exchange)
        return True

    def spill(self) -> Spill:
        """Fail: no body here is that large."""
        raise AssertionError

    def append_spilled(self, exchange: Exchange, request: Spill | None, response: Spill | None) -> bool:
        """Fail: no body here is that large."""
        raise AssertionError

    def when_written(self, act: Callable[[], None]) -> float:
        """What is in a list is written."""
        act()
        return 1.0

    def let_go(self) -> None:
        """Fail: nothing has to be waited for."""
        raise AssertionError("nobody is let go here")

    def when_durable(self, act: Callable[[], None]) -> None:
        """What is in a list is safe."""
        act()

    def gap(self, organisation_id: str, reason: str) -> None:
        """Fail: nothing is lost here."""
        raise AssertionError(reason)


class Stage(msgspec.Struct):
    """An asker, the provider that it reaches and what was recorded."""

    asker: RelayAsker
    provider: Upstream
    kept: Kept


async def says_hello(received: Received, wire: Wire) -> None:
    """Answer every request alike."""
    await wire.send(answer(b'{"choices":[]}', b"content-type: application/json"))


async def refuses(received: Received, wire: Wire) -> None:
    """Answer as OpenAI does when it has too much to do."""
    await wire.send(answer(b'{"error":{"message":"Slow down."}}', status=b"429 Too Many Requests"))


async def breaks_off(received: Received, wire: Wire) -> None:
    """Promise more than is sent."""
    await wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")
    wire.abort()


@asynccontextmanager
async def staged(script: Script = says_hello, environ: Mapping[str, str] | None = None) -> AsyncIterator[Stage]:
    """Run a provider and an asker whose providers all stand there."""
    async with upstream(script) as provider:
        source = LiveUpstream(connect_timeout_seconds=5, read_timeout_seconds=10, proxy_for=lambda origin: None)
        kept = Kept()
        names = ("openai", "anthropic", "google", "azure")
        asker = RelayAsker(
            Relay(source, kept, lambda: NOW_US),
            Routes(dict.fromkeys(names, provider.origin)),
            recorder=kept,
            decode=decode,
            environ=environ or {},
            clock=lambda: NOW_US,
        )
        try:
            yield Stage(asker, provider, kept)
        finally:
            await source.close()


def a_question(source: Call, *headers: Header, body: bytes = BODY, model: str = "gpt-4o-mini") -> Question:
    """Return a call to ask again; BODY is what was recorded."""
    return Question(
        id="new-1",
        organisation_id="org",
        ask=AskCall(index=1, source_call_id=source.id, model=model, url=source.url, body=body),
        source=source,
        headers=headers,
        recorded_body=BODY,
        link=LINK,
        session_id="take",
        session_name="Replay of AI Debate",
    )


async def test_the_recorded_bytes_reach_the_provider_with_its_key_and_ours_as_agent() -> None:
    """What says how to answer is kept; keys, cookies, our own headers and the old client are not."""
    recorded = (
        (b"content-type", b"application/json"),
        (b"accept", b"text/event-stream"),
        (b"openai-beta", b"assistants=v2"),
        (b"authorization", b"REDACTED"),
        (b"cookie", b"REDACTED"),
        (b"user-agent", b"OpenAI/JS 4.0"),
        (b"helicone-cache-enabled", b"true"),
        (b"content-length", b"9999"),
    )
    async with staged() as stage:
        answered = await stage.asker.ask(a_question(a_call("call-1"), *recorded), {"openai": "sk-mine"})

    (request,) = stage.provider.requests
    assert Answered(index=1, call_id="new-1", status=200) == answered
    assert (b"POST /v1/chat/completions HTTP/1.1", BODY) == (request.line, request.body)
    assert {
        b"host": stage.provider.origin.removeprefix("http://").encode(),
        b"content-type": b"application/json",
        b"accept": b"text/event-stream",
        b"openai-beta": b"assistants=v2",
        b"user-agent": f"reenact/{__version__}".encode(),
        b"authorization": b"Bearer sk-mine",
        b"content-length": b"%d" % len(BODY),
    } == dict(request.headers)


async def test_a_take_is_recorded_as_a_session_of_its_own() -> None:
    """Path, prompt id, user and properties stay; id, name and link are the take's; no cache may answer it."""
    labels = Labels(
        session_id="debate",
        session_name="AI Debate",
        session_path="/debate/climate-change",
        prompt_id="assistant-response",
        user_id="ann",
        model_override="house-model",
        properties={"App": "demo", "Helicone-Cache-Enabled": "true", "helicone-cache-seed": "1"},
    )
    async with staged() as stage:
        await stage.asker.ask(a_question(a_call("call-1", labels=labels)), {})

    (exchange,) = stage.kept.exchanges
    expected = msgspec.structs.replace(
        labels, session_id="take", session_name="Replay of AI Debate", properties={"App": "demo"}, replay=LINK
    )
    assert expected == exchange.labels
    assert ("new-1", "org", URL, "openai") == (exchange.id, exchange.organisation_id, exchange.url, exchange.provider)


async def test_another_model_is_not_shown_under_the_old_override() -> None:
    """The label that names the recorded model does not name the new one."""
    labels = Labels(session_id="debate", model_override="house-model")
    async with staged() as stage:
        await stage.asker.ask(a_question(a_call("call-1", labels=labels), model="gpt-4o"), {})

    assert stage.kept.exchanges[0].labels.model_override is None


async def test_a_body_made_anew_is_no_longer_said_to_be_compressed() -> None:
    """The recorded body is sent as it was, under its encoding."""
    encoding = (b"content-encoding", b"gzip")
    async with staged() as stage:
        await stage.asker.ask(a_question(a_call("call-1"), encoding), {})
        await stage.asker.ask(a_question(a_call("call-1"), encoding, body=b"{}"), {})

    assert [True, False] == [encoding in request.headers for request in stage.provider.requests]


@pytest.mark.parametrize(
    ("url", "header"),
    [
        ("http://localhost:8585/v1/gateway/anthropic/v1/messages", (b"x-api-key", b"sk-mine")),
        (
            "http://localhost:8585/v1/gateway/google/v1beta/models/gemini-2.0-flash:generateContent?key=REDACTED",
            (b"x-goog-api-key", b"sk-mine"),
        ),
        ("http://localhost:8585/v1/gateway/azure/openai/deployments/d/chat/completions", (b"api-key", b"sk-mine")),
    ],
)
async def test_each_provider_is_given_its_key_as_it_wants_it(url: str, header: Header) -> None:
    """In a header of its own, never beside a key that was taken out of the address."""
    names = ("openai", "anthropic", "google", "azure")
    async with staged() as stage:
        await stage.asker.ask(a_question(a_call("call-1", url=url)), dict.fromkeys(names, "sk-mine"))

    (request,) = stage.provider.requests
    assert header in request.headers
    assert b"authorization" not in dict(request.headers)
    assert b"REDACTED" not in request.line


async def test_a_refusal_is_told_in_the_providers_words() -> None:
    """Status and message of the answer; the call is recorded all the same."""
    async with staged(refuses) as stage:
        answered = await stage.asker.ask(a_question(a_call("call-1")), {})

    assert Answered(index=1, call_id="new-1", status=429, failure="HTTP 429: Slow down.", is_passing=True) == answered
    assert 429 == stage.kept.exchanges[0].status


async def test_an_answer_that_breaks_off_is_a_failure() -> None:
    """Though its status was good."""
    async with staged(breaks_off) as stage:
        answered = await stage.asker.ask(a_question(a_call("call-1")), {})

    assert (200, stage.kept.exchanges[0].detail) == (answered.status, answered.failure)
    assert Ending.PROVIDER_CUT is stage.kept.exchanges[0].ending


async def test_a_cancelled_call_lets_the_provider_go_and_is_recorded() -> None:
    """Cancelling works at once and nothing that was sent goes missing."""
    came = asyncio.Event()

    async def never_answers(received: Received, wire: Wire) -> None:
        came.set()
        await wire.gone()

    async with staged(never_answers) as stage:
        task = asyncio.create_task(stage.asker.ask(a_question(a_call("call-1")), {}))
        await came.wait()
        task.cancel()
        await asyncio.wait([task])

    assert [Ending.CLIENT_LEFT] == [exchange.ending for exchange in stage.kept.exchanges]


OPENAI = "https://api.openai.com"


def checked(
    url: str,
    *,
    upstreams: dict[str, str],
    environ: dict[str, str],
    keys: dict[str, str],
    patch: Patch = Patch(),  # noqa: B008 - a frozen value
) -> None:
    """Check a plan of one call to *url*."""
    source = LiveUpstream(connect_timeout_seconds=5, read_timeout_seconds=10, proxy_for=lambda origin: None)
    recording = a_recording((a_call("call-1", url=url), chat("hi")))
    whole = plan(recording, patch, Mode.ANCHORED, 1, lambda *_: None)
    asker = RelayAsker(
        Relay(source, Kept(), lambda: NOW_US),
        Routes(upstreams),
        recorder=Kept(),
        decode=decode,
        environ=environ,
        clock=lambda: NOW_US,
    )
    asker.check(whole, recording, keys)


@pytest.mark.parametrize(
    ("upstreams", "environ", "keys"),
    [
        ({}, {}, {"openai": "sk"}),
        ({}, {"OPENAI_API_KEY": "sk"}, {}),
        ({"openai": "http://127.0.0.1:9000"}, {}, {}),
        ({"openai": "http://localhost:9000"}, {}, {}),
        ({"openai": "http://[::1]:9000"}, {}, {}),
    ],
)
def test_a_key_is_found_in_the_request_or_the_environment_or_not_needed(
    upstreams: dict[str, str], environ: dict[str, str], keys: dict[str, str]
) -> None:
    """A provider on loopback most likely wants none."""
    checked(URL, upstreams=upstreams, environ=environ, keys=keys)


@pytest.mark.parametrize(
    ("url", "provider", "variable"),
    [
        (URL, "openai", "OPENAI_API_KEY"),
        (
            "http://localhost/v1/gateway/gemini/v1beta/models/m:generateContent",
            "google",
            "GEMINI_API_KEY or GOOGLE_API_KEY",
        ),
        ("http://localhost/v1/gateway/mistral/v1/chat/completions", "mistral", "MISTRAL_API_KEY"),
    ],
)
def test_a_missing_key_is_found_before_anything_is_sent(url: str, provider: str, variable: str) -> None:
    """Provider and variable are named."""
    with pytest.raises(InvalidInput, match=variable) as caught:
        checked(url, upstreams={"openai": "http://192.0.2.1"}, environ={"OPENAI_API_KEY": ""}, keys={"other": "sk"})

    assert f"provider_keys.{provider}" == caught.value.field


@pytest.mark.parametrize("key", ["sk-\r\nx-evil: 1", "sk with spaces", "sk-é"])
def test_a_key_that_could_not_stand_in_a_header_is_refused_and_not_shown(key: str) -> None:
    """So that it can neither smuggle a header nor appear in an error."""
    with pytest.raises(InvalidInput) as caught:
        checked(URL, upstreams={}, environ={}, keys={"openai": key})

    assert key not in caught.value.message


def test_an_address_that_leads_nowhere_is_told_before_anything_is_sent() -> None:
    """A provider that this server does not know."""
    with pytest.raises(InvalidInput, match=r"^Call 1 cannot be asked of openai: There is no provider named .nobody"):
        checked("http://localhost/v1/gateway/nobody/v1/x", upstreams={}, environ={}, keys={})


def test_the_key_of_the_provider_that_is_asked_instead_is_looked_for() -> None:
    """And that of the recorded one is not wanted any more."""
    patch = Patch(changes=(Change(edits=(SetModel("claude-x"),)),))
    with pytest.raises(InvalidInput) as caught:
        checked(URL, upstreams={}, environ={"OPENAI_API_KEY": "sk"}, keys={}, patch=patch)

    assert "provider_keys.anthropic" == caught.value.field
    checked(URL, upstreams={}, environ={"ANTHROPIC_API_KEY": "sk"}, keys={}, patch=patch)
