"""RelayAsker: sends the calls of a replay through the gateway's own relay, so that every take is recorded like any session."""

import asyncio
from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from reenact import __version__
from reenact.domain.call import Call
from reenact.domain.exchange import Chunk, Exchange, Handling, Header
from reenact.domain.replay import Answered, Plan
from reenact.errors import InvalidInput
from reenact.gateway.collector import Collector
from reenact.gateway.holder import until_written
from reenact.gateway.keying import keyed
from reenact.gateway.redacting import MARK, redact_target
from reenact.gateway.relay import Ask, Recorder, Sink
from reenact.gateway.routing import Rejection, Routes, Target
from reenact.replay.faulting import faulted
from reenact.replay.judging import Decode, judged
from reenact.replay.question import Question
from reenact.replay.recording import Recording

_KEPT_HEADERS = frozenset(
    {b"accept", b"anthropic-beta", b"anthropic-version", b"content-encoding", b"content-type", b"openai-beta"}
)
"""Recorded headers that say what is asked; the others are the agent's connection, its client, its keys or our own."""

_OF_ONE_FORMAT = frozenset({b"anthropic-beta", b"anthropic-version", b"openai-beta"})
"""Those that only the recorded format knows."""
_FORMAT_HEADERS: dict[str, tuple[Header, ...]] = {"anthropic_messages": ((b"anthropic-version", b"2023-06-01"),)}
"""What a format demands beside the body (docs.anthropic.com/en/api/versioning, 2026-11)."""

_OTHER_VARIABLES = {
    "azure": ("AZURE_OPENAI_API_KEY", "AZURE_API_KEY"),
    "google": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "x": ("XAI_API_KEY",),
}
"""Where a provider's key is looked for when not under `<PROVIDER>_API_KEY`."""

_PLACEHOLDER = "reenact-replay"
"""The key for a provider that stands on loopback and most likely wants none."""


class Relaying(Protocol):
    """The relay, as far as it is used here."""

    async def relay(self, ask: Ask, sink: Sink) -> Exchange:
        """Send *ask*, hand the answer to *sink* as it comes, record it and return it."""
        ...


class RelayAsker:
    """Asks through a relay, as agents do, with the recorded call's labels in the take's session."""

    def __init__(
        self,
        relay: Relaying,
        routes: Routes,
        *,
        recorder: Recorder,
        decode: Decode,
        environ: Mapping[str, str],
        clock: Callable[[], int],
    ) -> None:
        """Take the parts.

        Args:
            relay: sends and records.
            routes: where addresses lead.
            recorder: keeps answers that are taken from the record; the one that *relay* has.
            decode: reads an exchange as a call.
            environ: where providers' keys are found that a replay was not given.
            clock: the time in microseconds since the epoch.
        """
        self._relay = relay
        self._routes = routes
        self._environ = environ
        self._clock = clock
        self._recorder = recorder
        self._decode = decode
        self._way = lru_cache(maxsize=1024)(self._find_way)
        """Worked out once for each address: a replay asks the same few again and again."""

    def check_addresses(self, plan: Plan, recording: Recording) -> None:
        """Make sure that every call of *plan* has somewhere to go.

        Raises:
            InvalidInput: names the call whose address leads nowhere.
        """
        calls = {call.id: call for call in recording.calls}
        for call in plan.asked:
            source = calls[call.call_id]
            if why := self._way(source.target_url, call.url)[1]:
                field = "session_id" if call.url == source.url else "patch"
                raise InvalidInput(f"Call {call.index} cannot be asked of {call.provider}: {why}", field)

    def check(self, plan: Plan, recording: Recording, provider_keys: Mapping[str, str]) -> None:
        """Make sure that every call of *plan* has somewhere to go and the key to go there.

        Raises:
            InvalidInput: names the call whose address leads nowhere, or the provider whose key is missing.
        """
        self.check_addresses(plan, recording)
        calls = {call.id: call for call in recording.calls}
        for call in plan.asked:
            target = self._target(calls[call.call_id], call.url)
            key = self._key(target, provider_keys)
            if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
                raise InvalidInput(
                    f"The key for {target.provider} holds characters that no key has.",
                    f"provider_keys.{target.provider}",
                )
            if key is None:
                names = " or ".join(key_variables(target.provider))
                raise InvalidInput(
                    f"There is no key for {target.provider}: give provider_keys.{target.provider} with the replay, "
                    f"or set {names} for the server.",
                    f"provider_keys.{target.provider}",
                )

    async def ask(self, question: Question, provider_keys: Mapping[str, str]) -> Answered:
        """Send one call, later where its fault says so, and return what became of it."""
        source, ask = question.source, question.ask
        target = self._target(source, ask.url)
        started_us = self._clock()
        if question.fault is not None:
            await asyncio.sleep(question.fault.delay_ms / 1000)
        headers = (
            *_kept(question),
            (b"user-agent", f"reenact/{__version__}".encode()),
            (b"authorization", f"Bearer {self._key(target, provider_keys)}".encode()),
        )
        exchange = await self._relay.relay(
            Ask(
                id=question.id,
                organisation_id=question.organisation_id,
                method=source.method,
                url=ask.url,
                provider=target.provider,
                origin=target.origin,
                target=target.target,
                labels=question.labels,
                headers=keyed(headers, target.auth, target.target),
                body=ask.body,
                started_us=started_us,
                is_guarded=target.is_guarded,
            ),
            Collector(),
        )
        return judged(question, exchange, self._decode)

    def recall(self, question: Question, exchange: Exchange) -> Answered:
        """Return what became of a call that was made before, out of its recording."""
        return judged(question, exchange, self._decode)

    async def reuse(self, question: Question, exchange: Exchange) -> Answered:
        """Record the answer of *exchange* once more in the take's session, as one out of a cache, and ask nobody."""
        copy = msgspec.structs.replace(
            exchange,
            chunks=(Chunk(body_bytes=len(exchange.response_body), after_us=0),),
            handling=Handling(attempts=0, cache_reference_id=exchange.id),
        )
        return await self._keep(question, copy, self._clock())

    async def fail(self, question: Question, exchange: Exchange) -> Answered:
        """Record in the take's session that the call failed or broke off as its fault says, and ask nobody."""
        fault, ask, started_us = question.fault, question.ask, self._clock()
        assert fault is not None, "only calls with a fault are to fail"
        target = self._target(question.source, ask.url)
        await asyncio.sleep(fault.delay_ms / 1000)
        path = target.target.partition(b"?")[0].decode("latin-1")
        copy = msgspec.structs.replace(
            faulted(exchange, fault, target.provider, path),
            url=ask.url,
            target_url=target.origin + redact_target(target.target).decode("latin-1"),
            provider=target.provider,
            request_headers=tuple(_kept(question)),
            request_body=ask.body,
        )
        return await self._keep(question, copy, started_us)

    async def _keep(self, question: Question, exchange: Exchange, started_us: int) -> Answered:
        """Record *exchange* as what became of the question, and return that."""
        taken_us = self._clock() - started_us
        kept = msgspec.structs.replace(
            exchange,
            id=question.id,
            started_us=started_us,
            duration_us=taken_us,
            first_byte_us=taken_us,
            labels=question.labels,
        )
        if not self._recorder.append(kept):
            await until_written(self._recorder)
        return judged(question, kept, self._decode)

    def _target(self, source: Call, url: str) -> Target:
        """Return where *url* leads, as it did when an agent called it."""
        target, why = self._way(source.target_url, url)
        if target is None:
            raise InvalidInput(f"The call {source.id} cannot be sent to {url}: {why}", "session_id")
        return target

    def _find_way(self, target_url: str, url: str) -> tuple[Target | None, str]:
        """Return where *url* leads, for a call that went to *target_url*; None, and why not, in words."""
        parts = urlsplit(url)
        wanted: tuple[Header, ...] = ((b"helicone-target-url", target_url.encode()),)
        route = self._routes.route(
            host=parts.netloc.encode(), raw_path=parts.path.encode(), query=_query(parts.query), headers=wanted
        )
        if isinstance(route, Target) and not route.elects:
            return route, ""
        return None, route.message if isinstance(route, Rejection) else f"{url} leads to no provider."

    def _key(self, target: Target, provider_keys: Mapping[str, str]) -> str | None:
        given = provider_keys.get(target.provider)
        found = (self._environ.get(name) for name in key_variables(target.provider))
        key = given or next((value for value in found if value), None)
        return key or (_PLACEHOLDER if _is_loopback(target.origin) else None)


def key_variables(provider: str) -> tuple[str, ...]:
    """Return the environment variables in which a provider's key is looked for, the first before the second."""
    return _OTHER_VARIABLES.get(provider, (f"{provider.upper().replace('-', '_')}_API_KEY",))


def named_keys(provider_keys: Mapping[str, str]) -> dict[str, str]:
    """Return keys by provider under the environment variables in which they are looked for."""
    return {key_variables(provider)[0]: key for provider, key in provider_keys.items()}


@lru_cache(maxsize=1024)
def _is_loopback(origin: str) -> bool:
    host = urlsplit(origin).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _query(query: str) -> bytes:
    """Return *query* without the parameters whose values were secrets and are gone."""
    return "&".join(part for part in query.split("&") if not part.endswith(f"={MARK.decode()}")).encode()


def _kept(question: Question) -> list[Header]:
    """Return the recorded headers to send again; a body that was made anew is no longer compressed as the old one was."""
    is_new = question.ask.body != question.recorded_body
    kept = [
        (name, value)
        for name, value in question.headers
        if name in _KEPT_HEADERS and not (is_new and name == b"content-encoding")
    ]
    if question.ask.dialect in ("", question.source.dialect):
        return kept
    own = _FORMAT_HEADERS.get(question.ask.dialect, ())
    return [*((name, value) for name, value in kept if name not in _OF_ONE_FORMAT), *own]
