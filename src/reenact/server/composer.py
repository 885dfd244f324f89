"""Composer: settings become parts, and the parts one server. The only place that knows them all."""

import asyncio
import uuid
from collections.abc import Mapping
from contextlib import AsyncExitStack, ExitStack

from litestar import Litestar

from reenact.access.authenticating import admit, need_write
from reenact.access.principal import Principal
from reenact.api.admitting import asks_no_key
from reenact.api.app import build
from reenact.api.keykeeper import KeyKeeper
from reenact.api.parts import Parts
from reenact.gateway.app import Gateway
from reenact.gateway.cacher import Cacher
from reenact.gateway.connecting import read_proxies
from reenact.gateway.controller import Controller
from reenact.gateway.forwarder import Forwarder
from reenact.gateway.guarding import Guard
from reenact.gateway.limiter import Limiter, MemoryLimiter
from reenact.gateway.means import Means
from reenact.gateway.pool import PooledSource
from reenact.gateway.providers import PROVIDERS
from reenact.gateway.redislimiter import RedisLimiter
from reenact.gateway.relay import Relay
from reenact.gateway.routing import Routes
from reenact.gateway.upstream import LiveUpstream
from reenact.ingest.decoding import decode
from reenact.ingest.pricing import price
from reenact.ingest.worker import IngestWorker
from reenact.replay.asker import RelayAsker, key_variables
from reenact.replay.runner import Runner
from reenact.replay.service import Replays
from reenact.server.clock import Clock
from reenact.server.folder import Folder
from reenact.settings import Settings, environment
from reenact.spool.reader import SpoolReader
from reenact.spool.writer import SpoolWriter
from reenact.store.control.store import ControlStore
from reenact.store.sqlite.store import SqliteStore
from reenact.web.parts import Parts as PageParts
from reenact.web.routes import router

_SETTLE_S = 2.0
"""How long a query waits for what was just recorded."""
_SILENCE_S = 30 * 60.0
"""How long a provider may say nothing; models that reason stay silent for minutes."""
_STOP_S = 10.0
"""How long a stopping server works on what is not in the store yet; the rest stays in the spool for the next start."""


class Server:
    """One server: a data folder opened, its parts made, started and stopped in order.

    Making it opens files and starts nothing; `close` must follow. `start` and `stop` run on the event loop that serves.
    """

    gateway: Gateway
    """Once started."""
    app: Litestar
    """The API and the pages, once started."""

    def __init__(self, settings: Settings) -> None:
        """Open the data folder.

        Raises:
            FolderInUse: another server holds it.
            FolderUnusable: it cannot be opened.
            InvalidInput: an upstream is not one.
        """
        self._settings = settings
        self._clock = Clock()
        self._routes = Routes(settings.upstreams)
        self._keyless = asks_no_key(settings.host, settings.public_url, require_key=settings.require_key)
        self._running = AsyncExitStack()
        with ExitStack() as opened:
            self._folder = opened.enter_context(Folder(settings.data))
            self._calls = SqliteStore(self._folder.calls)
            opened.callback(self._calls.close)
            self._control = ControlStore(self._folder.control)
            opened.callback(self._control.close)
            self._keys = KeyKeeper(self._control, self._clock)
            self.key = self._first_key()
            """The key made for a new folder, for whoever is shown it; None for a folder that had one."""
            self._local = Principal(organisation_id=self._control.first_organisation(), key_id=None, permissions="rw")
            self._opened = opened.pop_all()

    async def start(self) -> None:
        """Start every part; what is started first is stopped last."""
        self._control.fail_running("The server was stopped while it ran.")
        async with AsyncExitStack() as running:
            self._worker = IngestWorker(SpoolReader(self._folder.spool), self._calls, decode)
            self._worker.notify()  # of what a killed server left: the first query waits for it as for any new call
            self._worker.start()
            running.push_async_callback(asyncio.to_thread, self._worker.stop)
            running.push_async_callback(asyncio.to_thread, self._worker.drain, _STOP_S)
            self._spool = SpoolWriter(self._folder.spool, clock=self._clock, on_append=self._worker.notify)
            running.push_async_callback(asyncio.to_thread, self._spool.close)
            relay = self._relay(running)
            self.gateway = Gateway(
                relay,
                self._routes,
                self._authorise,
                clock=self._clock,
                new_id=new_id,
                max_body_bytes=self._settings.max_body_bytes,
            )
            asker = RelayAsker(relay, self._routes, environ=environment(), clock=self._clock, new_id=new_id)
            runner = Runner(asker, self._control, drain=self._settle, clock=self._clock, new_id=new_id)
            running.push_async_callback(runner.close)
            self.app = self._app(Replays(self._calls, self._control, runner, price))
            await running.enter_async_context(self.app.lifespan())
            self._running = running.pop_all()

    def _relay(self, running: AsyncExitStack) -> Relay:
        """Return what every call goes through, agents' and replays' alike."""
        guard = Guard(self._settings.allowed_targets)
        upstream = self._upstream(guard)
        running.push_async_callback(upstream.close)
        cacher = Cacher(self._folder.cache)
        running.push_async_callback(cacher.close)
        redis_url = self._settings.redis_url
        limiter: Limiter = RedisLimiter(redis_url) if redis_url else MemoryLimiter()
        running.push_async_callback(limiter.close)
        means = Means(
            guard=guard,
            cacher=cacher,
            limiter=limiter,
            understand=decode,
            # Without a required key, any page in a browser could spend what the environment's keys pay for.
            provider_keys={} if self._keyless else keys_in(environment()),
        )
        controller = Controller(Forwarder(upstream, self._routes, means), means, new_id=new_id)
        running.push_async_callback(controller.close)
        return Relay(upstream, self._spool, self._clock, controller)

    def _upstream(self, guard: Guard) -> LiveUpstream | PooledSource:
        """Return what asks providers."""
        if self._settings.upstream_client == "general":
            return LiveUpstream(permit=guard.permits)
        return PooledSource(proxies=read_proxies(environment()), silence_timeout_s=_SILENCE_S, permit=guard.permits)

    async def stop(self) -> None:
        """Stop replays, providers' connections, the spool and the worker, in this order; then let go of the folder."""
        await self._running.aclose()
        self.close()

    def close(self) -> None:
        """Let go of the folder; a second time does nothing."""
        self._opened.close()

    def _first_key(self) -> str | None:
        organisation_id = new_id()
        if not self._control.first_start(organisation_id, "Default", self._clock()):
            return None
        return self._keys.issue(organisation_id, "First key", "rw")[0]

    def _app(self, replays: Replays) -> Litestar:
        secret, public_url = self._folder.secret(), self._settings.public_url
        parts = Parts(
            calls=self._calls,
            keys=self._keys,
            replays=replays,
            secret=secret,
            public_url=public_url,
            local=self._local,
            keyless=self._keyless,
            settle=self._settle,
            clock=self._clock,
            troubles=self._troubles,
        )
        pages = PageParts(
            calls=self._calls,
            control=self._control,
            replays=replays,
            principal_of=self._keys.holder,
            local=self._local,
            keyless=self._keyless,
            secret=secret,
            public_url=public_url,
            settle=self._settle,
            clock=self._clock,
        )
        return build(parts, [router(pages)])

    def _authorise(self, key: str | None, _: str | None) -> str:
        """Return the organisation that an agent's call is recorded for.

        Raises:
            Unauthenticated: a key is needed, and none came or one that is not known.
            Forbidden: the key may not record.
        """
        principal = admit(
            key=key,
            holder=self._keys.holder(key) if key else None,
            is_loopback=self._keyless,
            require_key=not self._keyless,
            local=self._local,
        )
        need_write(principal)
        return principal.organisation_id

    async def _settle(self) -> None:
        await asyncio.to_thread(self._worker.drain, _SETTLE_S)

    def _troubles(self) -> list[str]:
        """Return what is wrong with recording now."""
        status = self._worker.status()
        gaps = self._spool.counters.gaps
        lost = [f"Calls that could not be recorded since the server started: {gaps}."] if gaps else []
        waiting = ["Recorded calls wait in the spool: the journal cannot be read, or the store cannot be written."]
        return lost + (waiting if status.last_error else [])


def keys_in(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the key of every provider that *environ* has one for."""
    found = {
        provider.name: next((environ[name] for name in key_variables(provider.name) if environ.get(name)), None)
        for provider in PROVIDERS
    }
    return {name: key for name, key in found.items() if key is not None}


def new_id() -> str:
    """Return a random UUID."""
    return str(uuid.uuid4())
