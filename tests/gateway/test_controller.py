"""What headers switch on, over real sockets: from the agent's request to the provider and the record."""

import asyncio
import gzip
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from reenact.domain.call import Reading
from reenact.domain.exchange import AsAsked, Ending, Exchange, Handling, Header, Metrics
from reenact.domain.labels import Labels
from reenact.domain.message import Usage
from reenact.gateway.ask import Ask, Sink
from reenact.gateway.cacher import Cacher
from reenact.gateway.controller import Controller
from reenact.gateway.controlling import control
from reenact.gateway.course import Course
from reenact.gateway.forwarder import Forwarder
from reenact.gateway.guarding import Guard
from reenact.gateway.limiter import MemoryLimiter
from reenact.gateway.means import Means
from reenact.gateway.redacting import MARK
from reenact.gateway.routing import Routes
from tests.fakes.sources import ScriptedAnswer, ScriptedSource
from tests.fakes.upstream import Received, Script, Wire, answer, stream_head, upstream
from tests.gateway.house import HELICONE_KEY, Reply, client, fetch, house
from tests.store.given import given_call

CHAT = b"POST /v1/gateway/oai/v1/chat/completions"
GENERIC = b"POST /v1/gateway/gateway/v1/chat/completions"
JSON = b"content-type: application/json"
LOOPBACK = Means(guard=Guard(["127.0.0.1"]))
BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}'


def means(**others: Any) -> Means:
    """Return means that allow loopback targets."""
    return Means(guard=Guard(["127.0.0.1"]), **others)


def telling(reply: Reply, *names: bytes) -> list[bytes | None]:
    """Return the values of these headers, None for those that are not there."""
    told = dict(reply.headers)
    return [told.get(name) for name in names]


def counting(*bodies: bytes, status: bytes = b"200 OK") -> Script:
    """Return a script that answers with one body after the other, the last one for ever."""
    left = list(bodies)

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(answer(left.pop(0) if len(left) > 1 else left[0], JSON, status=status))

    return script


def statuses(*codes: bytes, headers: tuple[bytes, ...] = ()) -> Script:
    """Return a script that answers with one status after the other, the last one for ever."""
    left = list(codes)

    async def script(received: Received, wire: Wire) -> None:
        code = left.pop(0) if len(left) > 1 else left[0]
        await wire.send(answer(b'{"said":"' + code + b'"}', JSON, *headers, status=code + b" X"))

    return script


def priced(nanodollars: int) -> Callable[[Exchange], Reading]:
    """Return an understanding by which every call costs so much."""

    def understand(exchange: Exchange) -> Reading:
        call = given_call(exchange, cost_nanodollars=nanodollars, usage=Usage(input_tokens=7))
        return Reading(call=call, exchange=exchange)

    return understand


async def test_headers_that_cannot_be_understood_are_counted() -> None:
    """For whoever looks after the server."""
    everything = means()
    source = ScriptedSource(ScriptedAnswer(200, (), [b"1"]))
    controller = Controller(Forwarder(source, Routes(), everything), everything, new_id=str)
    course = Course(
        Ask(
            id="i1",
            organisation_id="o1",
            method="POST",
            url="http://gateway/v1/gateway/oai/v1/x",
            provider="openai",
            origin="https://api.openai.com",
            target=b"/v1/x",
            labels=Labels(),
            headers=(),
            body=b"",
            started_us=0,
            controls=control([(b"helicone-retry-enabled", b"yes"), (b"helicone-omit-request", b"maybe")]),
        )
    )

    async def relay(ask: Ask, sink: Sink) -> Exchange:
        raise AssertionError("nothing else is asked")

    answer = await controller.open(course, relay)

    assert (2, 200, 1) == (controller.malformed, getattr(answer, "status", None), course.handling.attempts)


# --- the cache


async def test_the_first_repeat_is_answered_from_the_cache(tmp_path: Path) -> None:
    """With the provider's very answer, as a new call that names the first one."""
    async with (
        upstream(counting(b'{"n":1}', b'{"n":2}')) as provider,
        house(tmp_path, {"openai": provider.origin}, means=means(cacher=Cacher(tmp_path / "cache"))) as gateway,
    ):
        first = await fetch(gateway, CHAT, b"helicone-cache-enabled: true", body=BODY)
        second = await fetch(gateway, CHAT, b"helicone-cache-enabled: true", body=BODY)
        await gateway.exchange()
        hit = await gateway.exchange()

    names = (b"helicone-cache", b"helicone-cache-bucket-idx", b"content-type")
    assert (b'{"n":1}', [b"MISS", None, b"application/json"]) == (first.body, telling(first, *names))
    assert (b'{"n":1}', [b"HIT", b"0", b"application/json"]) == (second.body, telling(second, *names))
    assert dict(second.headers)[b"helicone-cache-latency"].isdigit()
    ids = [dict(reply.headers)[b"helicone-id"].decode() for reply in (first, second)]
    assert ids[0] != ids[1] == hit.id
    assert Handling(attempts=0, cache_enabled=True, cache_reference_id=ids[0]) == hit.handling
    assert (200, b'{"n":1}', Ending.ANSWERED) == (hit.status, hit.response_body, hit.ending)
    assert 1 == len(provider.requests)


async def test_three_slots_answer_from_the_fourth_call_on(tmp_path: Path) -> None:
    """Before that every call reaches the provider."""
    headers = (b"helicone-cache-enabled: true", b"helicone-cache-bucket-max-size: 3")
    async with (
        upstream(counting(*(b"%d" % number for number in range(1, 9)))) as provider,
        house(tmp_path, {"openai": provider.origin}, means=means(cacher=Cacher())) as gateway,
    ):
        replies = [await fetch(gateway, CHAT, *headers, body=BODY) for _ in range(6)]

    assert [b"MISS"] * 3 + [b"HIT"] * 3 == [telling(reply, b"helicone-cache")[0] for reply in replies]
    assert [b"1", b"2", b"3"] == [reply.body for reply in replies[:3]]
    assert {b"1", b"2", b"3"} >= {reply.body for reply in replies[3:]}
    assert 3 == len(provider.requests)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((b"helicone-cache-enabled: true", b"helicone-cache-seed: other"), BODY),
        ((b"helicone-cache-enabled: true", b"authorization: Bearer other"), BODY),
        ((b"helicone-cache-enabled: true",), BODY + b" "),
        ((b"helicone-cache-save: true",), BODY),
    ],
)
async def test_another_call_is_not_answered_from_the_cache(
    tmp_path: Path, headers: tuple[bytes, ...], body: bytes
) -> None:
    """Another seed, another key, another byte; or one that does not read."""
    async with (
        upstream(counting(b"1", b"2")) as provider,
        house(tmp_path, {"openai": provider.origin}, means=means(cacher=Cacher())) as gateway,
    ):
        await fetch(gateway, CHAT, b"helicone-cache-enabled: true", body=BODY)
        reply = await fetch(gateway, CHAT, *headers, body=body)

    assert b"2" == reply.body
    assert 2 == len(provider.requests)


async def test_errors_and_expired_answers_are_not_given_again(tmp_path: Path) -> None:
    """Only status 2xx is kept, and only for as long as was said."""
    async with (
        upstream(statuses(b"500", b"200")) as provider,
        house(tmp_path, {"openai": provider.origin}, means=means(cacher=Cacher())) as gateway,
    ):
        headers = (b"helicone-cache-enabled: true", b"helicone-cache-control: max-age=0")
        replies = [await fetch(gateway, CHAT, b"helicone-cache-enabled: true", body=BODY) for _ in range(3)]
        aged = [await fetch(gateway, CHAT, *headers, body=BODY) for _ in range(2)]

    assert [b"MISS", b"MISS", b"HIT"] == [telling(reply, b"helicone-cache")[0] for reply in replies]
    assert [b"MISS", b"MISS"] == [telling(reply, b"helicone-cache")[0] for reply in aged]
    assert 4 == len(provider.requests)


async def test_a_stream_is_given_again_as_a_stream(tmp_path: Path) -> None:
    """At once, even to an agent that does not wait for the connection's end before it asks again."""
    events = [b'data: {"a":1}\n\n', b'data: {"a":2}\n\n', b"data: [DONE]\n\n"]

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(stream_head())
        for event in events:
            await wire.send_chunk(event)
        if len(provider.requests) == 1:
            await held.wait()
        await wire.send_chunk(b"")

    held = asyncio.Event()
    async with (
        upstream(script) as provider,
        house(tmp_path, {"openai": provider.origin}, means=means(cacher=Cacher())) as gateway,
        client(gateway) as agent,
    ):
        await agent.send(CHAT, b"helicone-cache-enabled: true", body=BODY)
        await agent.until(b"[DONE]\n\n")
        second = await fetch(gateway, CHAT, b"helicone-cache-enabled: true", body=BODY)
        held.set()
        await agent.rest()

    assert b"HIT" == telling(second, b"helicone-cache")[0]
    assert b"text/event-stream" == telling(second, b"content-type")[0]
    assert all(event in second.body for event in events)
    assert 1 == len(provider.requests)


async def test_a_bucket_that_is_too_large_is_an_error(tmp_path: Path) -> None:
    """The documented one, and it is recorded."""
    headers = (b"helicone-cache-enabled: true", b"helicone-cache-bucket-max-size: 21")
    async with (
        upstream(counting(b"1")) as provider,
        house(tmp_path, {"openai": provider.origin}, means=means(cacher=Cacher())) as gateway,
    ):
        reply = await fetch(gateway, CHAT, *headers, body=BODY)
        exchange = await gateway.exchange()

    assert (500, b"true") == (reply.status, telling(reply, b"helicone-error")[0])
    assert "Cache bucket size cannot be greater than 20" == json.loads(reply.body)["helicone-error"]
    assert (500, Ending.REFUSED) == (exchange.status, exchange.ending)
    assert [] == provider.requests


# --- retries


async def test_a_call_is_retried_until_it_is_answered(tmp_path: Path) -> None:
    """One row, which says how often the provider was asked; the waits asked for are kept to."""
    headers = (b"helicone-retry-enabled: true", b"helicone-retry-min-timeout: 1")
    script = statuses(b"429", b"503", b"200", headers=(b"retry-after-ms: 30",))
    loop = asyncio.get_running_loop()
    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        started_s = loop.time()
        reply = await fetch(gateway, CHAT, *headers, body=BODY)
        took_s = loop.time() - started_s
        exchange = await gateway.exchange()

    assert (200, 3) == (reply.status, len(provider.requests))
    assert [BODY] * 3 == [received.body for received in provider.requests]
    assert Handling(attempts=3) == exchange.handling
    assert took_s >= 0.06
    assert 1 == len(gateway.recorded().exchanges)


async def test_the_last_answer_is_given_when_the_retries_are_used_up(tmp_path: Path) -> None:
    """As it is."""
    headers = (b"helicone-retry-enabled: true", b"helicone-retry-num: 1", b"helicone-retry-min-timeout: 1")
    async with (
        upstream(statuses(b"500", b"529")) as provider,
        house(tmp_path, {"openai": provider.origin}) as gateway,
    ):
        reply = await fetch(gateway, CHAT, *headers, body=BODY)

    assert (529, b'{"said":"529"}', 2) == (reply.status, reply.body, len(provider.requests))


async def test_an_agent_that_leaves_between_retries_ends_them(tmp_path: Path) -> None:
    """The provider is not asked again, and the row says who left."""
    headers = (b"helicone-retry-enabled: true", b"helicone-retry-min-timeout: 9000")
    asked = asyncio.Event()

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(answer(b"", status=b"500 X"))
        asked.set()

    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        async with client(gateway) as agent:
            await agent.send(CHAT, *headers, body=BODY)
            await asked.wait()
            agent.abort()
        exchange = await gateway.exchange()

    assert (Ending.CLIENT_LEFT, 1, 1) == (exchange.ending, exchange.handling.attempts, len(provider.requests))


# --- rate limits


async def test_the_third_call_of_a_user_is_refused_and_another_user_is_not(tmp_path: Path) -> None:
    """With status, headers and a row."""
    limit = b"helicone-ratelimit-policy: 2;w=60;s=user"
    async with (
        upstream(counting(b"1")) as provider,
        house(tmp_path, {"openai": provider.origin}, means=means(limiter=MemoryLimiter())) as gateway,
    ):
        replies = [await fetch(gateway, CHAT, limit, b"helicone-user-id: ann", body=BODY) for _ in range(3)]
        other = await fetch(gateway, CHAT, limit, b"helicone-user-id: bob", body=BODY)
        for _ in range(3):
            await gateway.exchange()

    assert [200, 200, 429, 200] == [reply.status for reply in (*replies, other)]
    names = [b"helicone-ratelimit-" + name for name in (b"limit", b"remaining", b"policy", b"reset")]
    assert [b"2", b"1", b"2;w=60;s=user", None] == telling(replies[0], *names)
    assert [b"2", b"0", b"2;w=60;s=user", b"30"] == telling(replies[2], *names)
    assert [b"rate_limited", b"30"] == telling(replies[2], b"x-helicone-error", b"retry-after")
    assert ["message"] == list(json.loads(replies[2].body))
    refused = gateway.recorded().exchanges[2]
    assert (429, Ending.REFUSED, True) == (refused.status, refused.ending, refused.handling.is_rate_limited)
    assert "bucket_rate_limited" == refused.labels.properties["Helicone-Rate-Limit-Status"]
    assert 3 == len(provider.requests)


async def test_a_malformed_policy_lets_the_call_through_and_is_noted(tmp_path: Path) -> None:
    """Never an error to the agent."""
    async with (
        upstream(counting(b"1")) as provider,
        house(tmp_path, {"openai": provider.origin}, means=means(limiter=MemoryLimiter())) as gateway,
    ):
        reply = await fetch(gateway, CHAT, b"helicone-ratelimit-policy: ten a minute", body=BODY)
        exchange = await gateway.exchange()

    assert (200, [None]) == (reply.status, telling(reply, b"helicone-ratelimit-limit"))
    (note,) = exchange.handling.notes
    assert note.startswith("Helicone-Ratelimit-Policy: 'ten a minute' is no policy")


async def test_a_budget_in_cents_is_used_up_by_what_calls_cost(tmp_path: Path) -> None:
    """One call may overshoot; the next is refused."""
    limit = b"helicone-ratelimit-policy: 5;w=600;u=cents"
    everything = means(limiter=MemoryLimiter(), understand=priced(60_000_000))
    async with (
        upstream(counting(b"1")) as provider,
        house(tmp_path, {"openai": provider.origin}, means=everything) as gateway,
    ):
        replies = [await fetch(gateway, CHAT, limit, body=BODY) for _ in range(2)]

    assert [200, 429] == [reply.status for reply in replies]
    assert [b"5", b"0"] == [telling(reply, b"helicone-ratelimit-remaining")[0] for reply in replies]
    assert b"120" == telling(replies[1], b"helicone-ratelimit-reset")[0]


# --- targets


async def test_a_named_target_is_called_when_it_is_allowed(tmp_path: Path) -> None:
    """Only its origin counts; our headers stay here."""
    async with upstream(counting(b"1")) as provider, house(tmp_path, {}, means=LOOPBACK) as gateway:
        reply = await fetch(gateway, GENERIC, b"Helicone-Target-URL: " + provider.origin.encode() + b"/else", body=BODY)
        exchange = await gateway.exchange()

    assert (200, b"POST /v1/chat/completions HTTP/1.1") == (reply.status, provider.requests[0].line)
    assert [] == [name for name, _ in provider.requests[0].headers if name.startswith(b"helicone")]
    assert f"{provider.origin}/v1/chat/completions" == exchange.target_url


@pytest.mark.parametrize(
    "target",
    [
        b"http://127.0.0.1:PORT",
        b"https://0x7f000001:PORT",
        b"https://localhost:PORT",
        b"https://[::ffff:127.0.0.1]:PORT",
    ],
)
async def test_a_named_target_inside_a_network_is_refused(tmp_path: Path, target: bytes) -> None:
    """Nothing is sent; status, sentence and row say so."""
    async with upstream(counting(b"1")) as provider, house(tmp_path, {}) as gateway:
        port = provider.origin.rpartition(":")[2].encode()
        reply = await fetch(gateway, GENERIC, b"helicone-target-url: " + target.replace(b"PORT", port), body=BODY)
        exchange = await gateway.exchange()

    assert (403, b"disallowed") == (reply.status, telling(reply, b"x-helicone-error-type")[0])
    assert "allowed_targets" in json.loads(reply.body)["helicone-message"]
    assert (403, Ending.REFUSED) == (exchange.status, exchange.ending)
    assert [] == provider.requests


async def test_an_operators_own_upstream_may_be_named(tmp_path: Path) -> None:
    """What the server was told of is trusted."""
    async with upstream(counting(b"1")) as provider, house(tmp_path, {"mine": provider.origin}) as gateway:
        reply = await fetch(gateway, GENERIC, b"helicone-target-url: " + provider.origin.encode(), body=BODY)

    assert 200 == reply.status


# --- fallbacks


def falling(*targets: dict[str, Any]) -> bytes:
    """Return the header that names targets."""
    return b"helicone-fallbacks: " + json.dumps(targets).encode()


async def test_the_next_target_is_asked_with_its_own_headers_and_body(tmp_path: Path) -> None:
    """Keys of one are never shown to the other, and never recorded."""
    async with (
        upstream(statuses(b"429")) as first,
        upstream(counting(b"1")) as second,
        house(tmp_path, {}, means=LOOPBACK) as gateway,
    ):
        header = falling(
            {"target-url": first.origin, "headers": {"Authorization": "Bearer one"}, "onCodes": [429]},
            {
                "target-url": second.origin,
                "headers": {"x-api-key": "two-secret"},
                "onCodes": [{"from": 500, "to": 599}],
                "bodyKeyOverride": {"model": "other"},
            },
        )
        reply = await fetch(gateway, GENERIC, header, JSON, b"authorization: Bearer zero", body=BODY)
        exchange = await gateway.exchange()

    assert (200, b"1") == (reply.status, telling(reply, b"helicone-fallback-index")[0])
    assert [(b"authorization", b"Bearer one")] == keys(first.requests[0])
    assert [(b"x-api-key", b"two-secret")] == keys(second.requests[0])
    assert "other" == json.loads(second.requests[0].body)["model"] == json.loads(exchange.request_body)["model"]
    asked = AsAsked(provider="custom", target="/v1/chat/completions", fields={"model": "gpt-4o"})
    changed = ("Helicone-Fallbacks",)
    assert Handling(attempts=2, fallback_index=1, changed_by=changed, asked=asked) == exchange.handling
    assert f"{second.origin}/v1/chat/completions" == exchange.target_url
    assert MARK == dict(exchange.request_headers)[b"helicone-fallbacks"]
    spool = b"".join(file.read_bytes() for file in gateway.folder.glob("**/*") if file.is_file())
    assert b"two-secret" not in spool
    assert b"Bearer one" not in spool


def keys(received: Received) -> list[Header]:
    """Return the keys that a provider was shown."""
    return [header for header in received.headers if header[0] in {b"authorization", b"x-api-key"}]


async def test_a_target_that_cannot_be_reached_is_passed_over(tmp_path: Path) -> None:
    """And the last one's answer is given, whatever it is."""
    async with upstream(statuses(b"500")) as provider, house(tmp_path, {}, means=LOOPBACK) as gateway:
        header = falling(
            {"target-url": "http://127.0.0.1:1", "onCodes": []}, {"target-url": provider.origin, "onCodes": [500]}
        )
        reply = await fetch(gateway, GENERIC, header, body=BODY)

    assert (500, b"1", b'{"said":"500"}') == (reply.status, telling(reply, b"helicone-fallback-index")[0], reply.body)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"nonsense", 400),
        (b'[{"target-url":"no url","onCodes":[]}]', 400),
        (b'[{"target-url":"https://169.254.169.254","onCodes":[]}]', 403),
    ],
)
async def test_fallbacks_that_cannot_be_used_are_an_error(tmp_path: Path, text: bytes, status: int) -> None:
    """Before anything is sent."""
    async with house(tmp_path, {}, means=LOOPBACK) as gateway:
        reply = await fetch(gateway, GENERIC, b"helicone-fallbacks: " + text, body=BODY)

    assert (status, b"true") == (reply.status, telling(reply, b"helicone-error")[0])


# --- a choice of providers


async def test_a_model_is_asked_where_there_is_a_key(tmp_path: Path) -> None:
    """As if the agent had called that provider itself: path, key, model; recorded so that it can be asked again."""
    async with (
        upstream(counting(b'{"ok":1}')) as provider,
        house(tmp_path, {"groq": provider.origin}, means=means(provider_keys={"groq": "groq-secret"})) as gateway,
    ):
        auth = b"authorization: Bearer " + HELICONE_KEY.encode()
        body = b'{"model":"llama-3/groq","stream":true,"plugins":[],"n":1.0}'
        reply = await fetch(gateway, b"POST /v1/chat/completions", auth, body=body)
        exchange = await gateway.exchange()

    (received,) = provider.requests
    assert b"POST /openai/v1/chat/completions HTTP/1.1" == received.line
    assert b'{"model":"llama-3","stream":true,"n":1.0,"stream_options":{"include_usage":true}}' == received.body
    assert [(b"authorization", b"Bearer groq-secret")] == keys(received)
    names = (b"helicone-provider", b"helicone-model", b"helicone-gateway-mode")
    assert (200, [b"groq", b"llama-3", b"BYOK"]) == (reply.status, telling(reply, *names))
    assert ("groq", received.body) == (exchange.provider, exchange.request_body)
    assert "http://localhost:8585/v1/gateway/groq/openai/v1/chat/completions" == exchange.url
    asked = AsAsked(
        provider="ai-gateway",
        target="/v1/chat/completions",
        fields={"model": "llama-3/groq", "plugins": []},
        added=("stream_options",),
    )
    handling = Handling(attempts=1, changed_by=("model",), body_mapping="OPENAI", asked=asked)
    assert handling == exchange.handling


async def test_the_responses_path_says_its_format_by_itself(tmp_path: Path) -> None:
    """Nothing of the chat format is put into such a body, and the row tells the format."""
    async with (
        upstream(counting(b'{"ok":1}')) as provider,
        house(tmp_path, {"openai": provider.origin}, means=means(provider_keys={"openai": "k1"})) as gateway,
    ):
        body = b'{"model":"gpt-4o","input":"Hi","stream":true}'
        await fetch(gateway, b"POST /ai/v1/responses", body=body)
        exchange = await gateway.exchange()

    (received,) = provider.requests
    assert (b"POST /v1/responses HTTP/1.1", body) == (received.line, received.body)
    assert ("RESPONSES", "ai-gateway") == (exchange.handling.body_mapping, exchange.handling.referrer)


@pytest.mark.parametrize(
    ("first", "expected"),
    [(b"429", 200), (b"401", 200), (b"500", 200), (b"403", 403), (b"404", 404)],
)
async def test_the_next_provider_is_asked_when_one_cannot(tmp_path: Path, first: bytes, expected: int) -> None:
    """But a fault of the call's own is told at once."""
    async with (
        upstream(statuses(first)) as one,
        upstream(counting(b"2")) as other,
        house(
            tmp_path,
            {"openai": one.origin, "anthropic": other.origin},
            means=means(provider_keys={"openai": "k1", "anthropic": "k2"}),
        ) as gateway,
    ):
        body = b'{"model":"gpt-4o/openai,claude/anthropic"}'
        reply = await fetch(gateway, b"POST /ai/chat/completions", body=body)

    assert (expected, 1) == (reply.status, len(one.requests))
    assert (1 if expected == 200 else 0) == len(other.requests)


async def test_the_most_telling_error_is_given_when_all_fail(tmp_path: Path) -> None:
    """As the provider sent it."""
    async with (
        upstream(statuses(b"429")) as one,
        upstream(statuses(b"401")) as other,
        house(
            tmp_path,
            {"openai": one.origin, "anthropic": other.origin},
            means=means(provider_keys={"openai": "k1", "anthropic": "k2"}),
        ) as gateway,
    ):
        body = b'{"model":"gpt-4o/openai,claude/anthropic,gpt-4o-mini/openai"}'
        reply = await fetch(gateway, b"POST /router/mine/chat/completions", body=body)
        exchange = await gateway.exchange()

    assert (401, b'{"said":"401"}', b"anthropic") == (reply.status, reply.body, telling(reply, b"helicone-provider")[0])
    assert ("anthropic", 3) == (exchange.provider, exchange.handling.attempts)


async def test_a_call_may_bring_the_first_providers_key(tmp_path: Path) -> None:
    """No other provider is shown it; the server's own keys serve for those."""
    async with (
        upstream(statuses(b"500")) as one,
        upstream(counting(b"2")) as other,
        house(
            tmp_path,
            {"openai": one.origin, "anthropic": other.origin},
            means=means(provider_keys={"anthropic": "k2"}),
        ) as gateway,
    ):
        auth = b"authorization: Bearer sk-brought"
        body = b'{"model":"gpt-4o/openai,claude/anthropic"}'
        reply = await fetch(gateway, b"POST /ai/v1/chat/completions", auth, body=body)
        kept = b"".join(path.read_bytes() for path in gateway.folder.rglob("*.spool"))

    assert (200, b"anthropic") == (reply.status, telling(reply, b"helicone-provider")[0])
    assert [(b"authorization", b"Bearer sk-brought")] == keys(one.requests[0])
    assert [(b"authorization", b"Bearer k2")] == keys(other.requests[0])
    assert b"sk-brought" not in kept


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"no json", b"invalid_format"),
        (b'{"model":7}', b"invalid_format"),
        (b'{"model":"gpt-4o/openai"}', b"disallowed"),
    ],
)
async def test_a_model_that_cannot_be_asked_is_an_error(tmp_path: Path, body: bytes, kind: bytes) -> None:
    """That says what is missing."""
    async with house(tmp_path, {}) as gateway:
        reply = await fetch(gateway, b"POST /v1/gateway/ai/v1/chat/completions", body=body)

    assert (400, kind) == (reply.status, telling(reply, b"x-helicone-error-type")[0])


def _narrow(limit: int) -> Script:
    """Return a script that takes bodies of up to so many bytes, and says so as OpenAI does."""

    async def script(received: Received, wire: Wire) -> None:
        if len(received.body) <= limit:
            await wire.send(answer(b'{"ok":1}', JSON))
            return
        message = (
            f"This model's maximum context length is {limit} tokens, however you requested {len(received.body)} tokens."
        )
        body = json.dumps({"error": {"code": "context_length_exceeded", "message": message}}).encode()
        await wire.send(answer(body, JSON, status=b"400 Bad Request"))

    return script


LONG = json.dumps(
    {
        "model": "gpt-4o/openai",
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "a" * 5000 + "z" * 5000}],
    }
).encode()


@pytest.mark.parametrize(
    ("handler", "kept"), [(b"truncate", r"a{5000}z{3,4999}"), (b"middle-out", r"a{2000,4999} \[\.\.\.\] z{2000,4999}")]
)
async def test_a_prompt_that_is_too_long_is_cut(tmp_path: Path, handler: bytes, kept: str) -> None:
    """Its longest text, once its provider has said how much it takes; the record holds what was answered."""
    async with (
        upstream(_narrow(6000)) as provider,
        house(tmp_path, {"openai": provider.origin}, means=means(provider_keys={"openai": "k1"})) as gateway,
    ):
        header = b"helicone-token-limit-exception-handler: " + handler
        reply = await fetch(gateway, b"POST /ai/chat/completions", header, body=LONG)
        exchange = await gateway.exchange()

    sent = json.loads(provider.requests[-1].body)
    assert (200, b'{"ok":1}', provider.requests[-1].body) == (reply.status, reply.body, exchange.request_body)
    assert "Be kind." == sent["messages"][0]["content"]
    assert re.fullmatch(kept, sent["messages"][1]["content"])
    changed = ("Helicone-Token-Limit-Exception-Handler", "model")
    asked = exchange.handling.asked
    assert asked is not None
    assert (json.loads(LONG)["messages"], "gpt-4o/openai") == (asked.fields["messages"], asked.fields["model"])
    assert Handling(attempts=2, changed_by=changed, body_mapping="OPENAI", asked=asked) == exchange.handling


@pytest.mark.parametrize("headers", [(), (b"helicone-token-limit-exception-handler: fallback",)])
async def test_the_next_model_is_asked_with_the_whole_prompt(tmp_path: Path, headers: tuple[bytes, ...]) -> None:
    """As it is without the header."""
    async with (
        upstream(_narrow(6000)) as one,
        upstream(counting(b"2")) as other,
        house(
            tmp_path,
            {"openai": one.origin, "anthropic": other.origin},
            means=means(provider_keys={"openai": "k1", "anthropic": "k2"}),
        ) as gateway,
    ):
        body = LONG.replace(b"gpt-4o/openai", b"gpt-4o/openai,claude/anthropic")
        reply = await fetch(gateway, b"POST /ai/chat/completions", *headers, body=body)

    assert (200, b"2", 1) == (reply.status, reply.body, len(one.requests))
    assert json.loads(LONG)["messages"] == json.loads(other.requests[0].body)["messages"]


async def test_a_call_with_a_provider_of_its_own_is_not_cut(tmp_path: Path) -> None:
    """The provider's answer is passed on; the row says why nothing was done."""
    async with upstream(_narrow(6000)) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        reply = await fetch(gateway, CHAT, b"helicone-token-limit-exception-handler: truncate", body=LONG)
        exchange = await gateway.exchange()

    note = "Helicone-Token-Limit-Exception-Handler: it counts where the provider is left to the gateway."
    assert (400, LONG, (note,)) == (reply.status, exchange.request_body, exchange.handling.notes)


# --- prompt tags


TAGGED = (
    b'{"messages":[{"role":"user","content":"Hi <helicone-prompt-input key=\\"who\\" >Ann</helicone-prompt-input>"}]}'
)
UNTAGGED = b'{"messages":[{"role":"user","content":"Hi Ann"}]}'


async def test_tags_are_taken_out_of_a_named_prompt(tmp_path: Path) -> None:
    """The provider and the record get the text; the record names the inputs."""
    async with upstream(counting(b"1")) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        await fetch(gateway, CHAT, b"helicone-prompt-id: greeting", body=TAGGED)
        exchange = await gateway.exchange()

    assert (UNTAGGED, UNTAGGED) == (provider.requests[0].body, exchange.request_body)
    assert exchange.tagged is not None
    assert {"who": "Ann"} == exchange.tagged.inputs
    assert Handling(attempts=1, changed_by=("Helicone-Prompt-Id",)) == exchange.handling


@pytest.mark.parametrize(
    "headers",
    [(), (b"helicone-prompt-id: greeting", b"helicone-prompt-mode: deactivated"), (b"helicone-prompt-id: undefined",)],
)
async def test_tags_of_no_prompt_are_sent_as_they_are(tmp_path: Path, headers: tuple[bytes, ...]) -> None:
    """Byte for byte."""
    async with upstream(counting(b"1")) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        await fetch(gateway, CHAT, *headers, body=TAGGED)
        exchange = await gateway.exchange()

    assert (TAGGED, TAGGED, None) == (provider.requests[0].body, exchange.request_body, exchange.tagged)


async def test_inputs_are_omitted_with_the_request(tmp_path: Path) -> None:
    """They are pieces of it."""
    headers = (b"helicone-prompt-id: greeting", b"helicone-omit-request: true")
    async with upstream(counting(b"1")) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        await fetch(gateway, CHAT, *headers, body=TAGGED)
        exchange = await gateway.exchange()

    assert (UNTAGGED, b"", None) == (provider.requests[0].body, exchange.request_body, exchange.tagged)


# --- streams


async def test_usage_is_asked_for(tmp_path: Path) -> None:
    """The body that is recorded is the one that the provider was given."""
    async with upstream(counting(b"1")) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        await fetch(gateway, CHAT, b"helicone-stream-usage: true", body=b'{"stream": true}')
        exchange = await gateway.exchange()

    expected = b'{"stream":true,"stream_options":{"include_usage":true}}'
    assert (expected, expected) == (provider.requests[0].body, exchange.request_body)
    assert Handling(attempts=1, changed_by=("Helicone-Stream-Usage",)) == exchange.handling


async def test_events_are_passed_on_whole(tmp_path: Path) -> None:
    """However the provider cuts them; and it is asked not to compress them."""
    stream = b'event: a\r\ndata: {"n":1}\r\n\r\ndata: {"n":2}\n\ndata: [DONE]\n\n'

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(stream_head())
        for at in range(0, len(stream), 7):
            await wire.send_chunk(stream[at : at + 7])
        await wire.send_chunk(b"")

    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        await fetch(gateway, CHAT, b"helicone-stream-force-format: true", b"accept-encoding: gzip", body=BODY)
        exchange = await gateway.exchange()
        while exchange.response_body != stream:
            exchange = await gateway.exchange()

    assert [27, 15, 14] == [chunk.body_bytes for chunk in exchange.chunks]
    assert b"identity" == dict(provider.requests[0].headers)[b"accept-encoding"]


# --- checks


def moderating(verdict: bytes, status: bytes = b"200 OK") -> Script:
    """Return a script that answers moderations with a verdict and everything else with `1`."""

    async def script(received: Received, wire: Wire) -> None:
        if b"/moderations" in received.line:
            await wire.send(answer(verdict, JSON, status=status))
        else:
            await wire.send(answer(b"1"))

    return script


async def test_flagged_words_are_not_sent(tmp_path: Path) -> None:
    """The moderation is asked with the same key and recorded as a call of its own."""
    headers = (b"helicone-moderations-enabled: true", b"authorization: Bearer k", b"helicone-session-id: s")
    async with (
        upstream(moderating(b'{"results":[{"flagged":true}]}')) as provider,
        house(tmp_path, {"openai": provider.origin}) as gateway,
    ):
        reply = await fetch(gateway, CHAT, *headers, body=BODY)
        await gateway.exchange()
        await gateway.exchange()
        moderation, refused = gateway.recorded().exchanges

    assert (400, "PROMPT_FLAGGED_FOR_MODERATION") == (reply.status, json.loads(reply.body)["error"]["code"])
    (received,) = provider.requests
    assert (b"POST /v1/moderations HTTP/1.1", b'{"input":"hi"}') == (received.line, received.body)
    assert [(b"authorization", b"Bearer k")] == keys(received)
    assert ({"Helicone-Moderation-For": refused.id}, None) == (
        moderation.labels.properties,
        moderation.labels.session_id,
    )
    assert (400, Ending.REFUSED, "s") == (refused.status, refused.ending, refused.labels.session_id)


@pytest.mark.parametrize(
    ("verdict", "status", "notes"),
    [(b'{"results":[{"flagged":false}]}', b"200 OK", 0), (b"nonsense", b"200 OK", 1), (b"{}", b"500 X", 1)],
)
async def test_other_words_are_sent(tmp_path: Path, verdict: bytes, status: bytes, notes: int) -> None:
    """A moderation that fails stops nothing, and is noted."""
    async with (
        upstream(moderating(verdict, status)) as provider,
        house(tmp_path, {"openai": provider.origin}) as gateway,
    ):
        reply = await fetch(gateway, CHAT, b"helicone-moderations-enabled: true", body=BODY)
        await gateway.exchange()
        exchange = await gateway.exchange()

    assert (200, b"1", 2) == (reply.status, reply.body, len(provider.requests))
    assert notes == len(exchange.handling.notes)


def screening(verdict: bool) -> Callable[[str, bool], Awaitable[bool]]:
    """Return a classifier that says *verdict* of `hi`, looked at thoroughly."""

    async def screen(text: str, thorough: bool) -> bool:
        assert ("hi", True) == (text, thorough)
        return verdict

    return screen


@pytest.mark.parametrize(("verdict", "status"), [(True, 400), (False, 200)])
async def test_attacks_are_not_sent(tmp_path: Path, verdict: bool, status: int) -> None:
    """By the classifier that the server was given."""
    headers = (b"helicone-llm-security-enabled: true", b"helicone-llm-security-advanced: true")
    async with (
        upstream(counting(b"1")) as provider,
        house(tmp_path, {"openai": provider.origin}, means=means(screen=screening(verdict))) as gateway,
    ):
        reply = await fetch(gateway, CHAT, *headers, body=BODY)
        exchange = await gateway.exchange()

    assert (status, verdict) == (reply.status, exchange.handling.is_threat)
    assert (0 if verdict else 1) == len(provider.requests)
    assert not verdict or json.loads(reply.body)["error"]["code"] == "PROMPT_THREAT_DETECTED"


async def test_what_the_server_cannot_do_is_noted(tmp_path: Path) -> None:
    """Without a cache, a limiter or a classifier the call goes on, and its row says what was not done."""
    headers = (
        b"helicone-cache-enabled: true",
        b"helicone-ratelimit-policy: 2;w=60",
        b"helicone-llm-security-enabled: true",
        b"helicone-cache-read: perhaps",
    )
    async with upstream(counting(b"1")) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        reply = await fetch(gateway, CHAT, *headers, body=BODY)
        exchange = await gateway.exchange()

    assert 200 == reply.status
    assert [
        "Helicone-Cache-Read: 'perhaps' is neither true nor false; it was ignored.",
        "Helicone-Cache-Enabled: this server keeps no answers.",
        "Helicone-RateLimit-Policy: this server has no limiter; it was not limited.",
        "Helicone-LLM-Security-Enabled: this server has no classifier; the call was not checked.",
    ] == list(exchange.handling.notes)


# --- bodies left out


async def test_omitted_bodies_are_nowhere(tmp_path: Path) -> None:
    """Not in the spool, not in the cache; how large they were and what they cost stays."""
    secret_in, secret_out = b'{"asked":"sesame"}', b'{"said":"opened"}'
    headers = (b"helicone-omit-request: true", b"helicone-omit-response: true", b"helicone-cache-enabled: true")
    everything = means(understand=priced(5), cacher=Cacher(tmp_path / "cache"))
    async with (
        upstream(counting(secret_out)) as provider,
        house(tmp_path, {"openai": provider.origin}, means=everything) as gateway,
    ):
        reply = await fetch(gateway, CHAT, *headers, body=secret_in)
        exchange = await gateway.exchange()

    assert (secret_out, secret_in) == (reply.body, provider.requests[0].body)
    assert (b"", b"", ()) == (exchange.request_body, exchange.response_body, exchange.chunks)
    handling = exchange.handling
    assert (True, True) == (handling.omitted_request, handling.omitted_response)
    metrics = Metrics(
        request_model="gpt-4o", usage=Usage(input_tokens=7), request_body_bytes=18, response_body_bytes=17
    )
    assert metrics == handling.metrics
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("**/*") if file.is_file())
    assert b"sesame" not in kept
    assert b"opened" not in kept


async def test_a_call_that_cannot_be_understood_is_answered_and_kept_without_its_bodies(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault in reading it is the server's own, and told in its log."""

    def fail(exchange: Exchange) -> Reading:
        raise ValueError("a fault of ours")

    headers = (b"helicone-omit-response: true", b"helicone-ratelimit-policy: 5;w=600;u=cents")
    async with (
        upstream(counting(b'{"said":"opened"}')) as provider,
        house(tmp_path, {"openai": provider.origin}, means=means(understand=fail, limiter=MemoryLimiter())) as gateway,
    ):
        reply = await fetch(gateway, CHAT, *headers, body=BODY)
        exchange = await gateway.exchange()

    assert (200, b"") == (reply.status, exchange.response_body)
    assert Metrics(request_body_bytes=len(BODY), response_body_bytes=17) == exchange.handling.metrics
    assert "a fault of ours" in caplog.text


async def test_a_plain_call_is_recorded_as_one(tmp_path: Path) -> None:
    """Nothing was done with it, and its bytes are the very ones that came."""
    packed = gzip.compress(b"1")

    async def script(received: Received, wire: Wire) -> None:
        await wire.send(answer(packed, b"content-encoding: gzip"))

    async with upstream(script) as provider, house(tmp_path, {"openai": provider.origin}) as gateway:
        reply = await fetch(gateway, CHAT, b"helicone-cache-enabled: false", body=b'{ "stream" : true }')
        exchange = await gateway.exchange()

    assert (packed, b'{ "stream" : true }') == (reply.body, provider.requests[0].body)
    assert (packed, b'{ "stream" : true }') == (exchange.response_body, exchange.request_body)
    assert Handling() == exchange.handling
