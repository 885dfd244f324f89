"""Line: what agents' calls go through in one process, composed: admission, gateway, relay, and what answers."""

import importlib.util
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from reenact.access.authenticating import admit, need_write
from reenact.access.principal import Principal
from reenact.api.keykeeper import KeyKeeper
from reenact.domain.exchange import Header
from reenact.errors import Forbidden, InvalidInput
from reenact.gateway.answers import Uncompressed
from reenact.gateway.app import Gateway
from reenact.gateway.ask import Recorder
from reenact.gateway.cacher import Cacher
from reenact.gateway.connecting import read_proxies
from reenact.gateway.controller import Controller
from reenact.gateway.distrusting import is_from_a_strange_page
from reenact.gateway.forwarder import Forwarder
from reenact.gateway.guarding import Guard
from reenact.gateway.labelling import LOGINS
from reenact.gateway.limiter import Limiter, MemoryLimiter
from reenact.gateway.means import Means
from reenact.gateway.pool import PooledSource
from reenact.gateway.providers import PROVIDERS
from reenact.gateway.redislimiter import RedisLimiter
from reenact.gateway.relay import Relay
from reenact.gateway.routing import Routes
from reenact.gateway.screener import Screener
from reenact.gateway.source import AnswerSource
from reenact.gateway.stage import Stage
from reenact.ingest.decoding import decode
from reenact.replay.asker import key_variables
from reenact.server.orders import Report
from reenact.settings import Settings, environment
from reenact.spool.disk import Counters

if TYPE_CHECKING:
    from reenact.gateway.upstream import LiveUpstream

_SILENCE_S = 30 * 60.0
"""How long a provider may say nothing; models that reason stay silent for minutes."""


class Admission(msgspec.Struct, frozen=True):
    """Whom agents' calls are recorded for."""

    keys: KeyKeeper
    local: Principal
    """For whom whoever needs no key acts."""
    keyless: bool

    def __call__(self, key: str | None, headers: Sequence[Header]) -> str:
        """Return the organisation that an agent's call is recorded for.

        Raises:
            Unauthenticated: a key is needed, and none came or one that is not known.
            Forbidden: the key may not record, or a page of somebody else's asks that has none.
        """
        holder = self.keys.holder(key) if key else None
        # A page can put what it likes into a path: only a key that is known says that somebody gave it one.
        if holder is None and self.keyless and is_from_a_strange_page(headers):
            raise Forbidden("A web page of another site may not call this gateway without a Helicone key.")
        principal = admit(
            key=key,
            holder=holder,
            is_loopback=self.keyless,
            require_key=not self.keyless,
            local=self.local,
            brings_login=key is None and not self.keyless and any(name in LOGINS for name, _ in headers),
        )
        need_write(principal)
        return principal.organisation_id


class Line:
    """The parts, started; `close` stops them."""

    def __init__(
        self,
        settings: Settings,
        cache: Path,
        recorder: Recorder,
        clock: Callable[[], int],
        admission: Admission,
        stage: Stage | None = None,
    ) -> None:
        """Compose.

        Args:
            settings: the server's.
            cache: folder of kept answers.
            recorder: the spool of this process.
            clock: microseconds since the epoch.
            admission: knows the keys.
            stage: answers the calls of takes; None where another process does.
        """
        self._settings = settings
        self._stage = stage
        self._running = AsyncExitStack()
        self.routes = Routes(settings.upstreams)
        self.relay, self._controller = self._relay(cache, recorder, clock, admission)
        """What every call goes through, agents' and replays' alike."""
        self.gateway = Gateway(
            self.relay,
            self.routes,
            admission,
            clock=clock,
            new_id=new_id,
            max_body_bytes=settings.max_body_bytes,
            provider_keys=settings.provider_keys,
        )

    def report(self, spool: Counters) -> Report:
        """Return what was counted since the start, what *spool* counted among it."""
        return Report(
            gaps=spool.gaps,
            malformed=self._controller.malformed,
            unadmitted=self.gateway.unadmitted,
            let_go=spool.let_go,
        )

    async def close(self) -> None:
        """Stop every part and close providers' connections."""
        await self._running.aclose()

    def _relay(
        self, cache: Path, recorder: Recorder, clock: Callable[[], int], admission: Admission
    ) -> tuple[Relay, Controller]:
        guard = self.guard = Guard(self._settings.allowed_targets)
        """Which addresses may be named."""
        upstream = self.source = self._upstream(guard)
        """What asks them."""
        self._running.push_async_callback(upstream.close)
        # Kept answers are whole, so that they can be given again: where something must not be written they stay in memory.
        cacher = Cacher(None if self._settings.redact_patterns else cache, epoch=admission.keys.epoch)
        self._running.push_async_callback(cacher.close)
        redis_url = self._settings.redis_url
        limiter: Limiter = RedisLimiter(redis_url) if redis_url else MemoryLimiter()
        self._running.push_async_callback(limiter.close)
        means = Means(
            guard=guard,
            cacher=cacher,
            limiter=limiter,
            understand=decode,
            stage=self._stage,
            screen=Screener(upstream, self._settings.screen_url) if self._settings.screen_url else None,
            # Without a required key, any program here could spend what the environment's keys pay for; those in the
            # settings are meant for that.
            provider_keys=({} if admission.keyless else keys_in(environment())) | self._settings.provider_keys,
        )
        source: AnswerSource = Uncompressed(upstream) if self._settings.redact_patterns else upstream
        controller = Controller(Forwarder(source, self.routes, means), means, new_id=new_id)
        self._running.push_async_callback(controller.close)
        tunnels = upstream if isinstance(upstream, PooledSource) else self._pooled(guard)
        if tunnels is not upstream:
            self._running.push_async_callback(tunnels.close)
        relay = Relay(source, recorder, clock, controller, tunnels, is_durable=self._settings.durable_answers)
        return relay, controller

    def _upstream(self, guard: Guard) -> "LiveUpstream | PooledSource":
        """Return what asks providers.

        Raises:
            InvalidInput: the general client was asked for and is not installed.
        """
        if self._settings.upstream_client != "general":
            return self._pooled(guard)
        if importlib.util.find_spec("aiohttp") is None:
            raise InvalidInput("upstream_client=general needs aiohttp: install reenact[aiohttp].", "upstream_client")
        # Imported here alone: most installations have no aiohttp, and a start that imported it would be a third slower.
        general: LiveUpstream = importlib.import_module("reenact.gateway.upstream").LiveUpstream(permit=guard.permits)
        return general

    def _pooled(self, guard: Guard) -> PooledSource:
        return PooledSource(proxies=read_proxies(environment()), silence_timeout_s=_SILENCE_S, permit=guard.permits)


def keys_in(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the key of every provider that *environ* has one for."""
    found = {
        provider.name: next((environ[name] for name in key_variables(provider.name) if environ.get(name)), None)
        for provider in PROVIDERS
    }
    return {name: key for name, key in found.items() if key is not None}


class _Ids:
    """Random UUIDs, version 4, out of randomness fetched for many at once: one system call for 256 calls."""

    def __init__(self) -> None:
        self._digits = ""
        self._at = 0

    def __call__(self) -> str:
        """Return the next."""
        at = self._at
        if at >= len(self._digits):
            self._digits, at = secrets.token_hex(16 * 256), 0
        self._at = at + 32
        text = self._digits[at : at + 32]
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:]}"


_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
new_id = _Ids()
"""Returns a random UUID."""
