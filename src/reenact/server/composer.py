"""Composer: settings become parts, and the parts one server. The only place that knows them all."""

import asyncio
import contextlib
import random
import secrets
import socket
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from pathlib import Path

from litestar import Litestar

from reenact.access.principal import Principal
from reenact.api.admitting import asks_no_key
from reenact.api.app import build
from reenact.api.keykeeper import KeyKeeper
from reenact.api.parts import Parts
from reenact.gateway.hall import Hall
from reenact.gateway.holder import keep
from reenact.gateway.masker import Masker
from reenact.gateway.routing import Routes
from reenact.ingest.decoding import decode
from reenact.ingest.pricing import price
from reenact.ingest.worker import IngestWorker
from reenact.prompts.filler import Filler
from reenact.prompts.keeper import PromptKeeper
from reenact.replay.asker import RelayAsker, named_keys
from reenact.replay.batches import Batches
from reenact.replay.desk import Desk
from reenact.replay.orderer import Orderer
from reenact.replay.playback.playbacks import Playbacks
from reenact.replay.playback.player import Player
from reenact.replay.playback.stager import Stager
from reenact.replay.runner import Runner
from reenact.replay.service import Replays
from reenact.replay.toolcaller import ToolCaller
from reenact.replay.worker import Holder, ReplayWorker, Search
from reenact.server.clock import Clock
from reenact.server.crew import Crew
from reenact.server.epoch import Epoch
from reenact.server.folder import Folder
from reenact.server.line import Admission, Line, new_id
from reenact.server.orders import Orders, Report
from reenact.server.passer import Passer
from reenact.server.patterns import read_mask
from reenact.server.prices import read_tariff
from reenact.server.shelf import open_ingest, open_store
from reenact.server.worker import GRACE_S
from reenact.settings import Settings, environment
from reenact.spool.writer import SpoolWriter
from reenact.store.control.store import ControlStore
from reenact.upkeep.checker import Checker
from reenact.upkeep.eraser import Eraser
from reenact.upkeep.retainer import Limits, Retainer
from reenact.web.parts import Parts as PageParts
from reenact.web.routes import router

_STOP_S = 10.0
"""How long a stopping server works on what is not in the store yet; the rest stays in the spool for the next start."""


class Server:
    """One server: a data folder opened, its parts made, started and stopped in order.

    Making it opens files and starts nothing; `close` must follow. `start` and `stop` run on the event loop that serves.
    """

    app: Litestar
    """The API and the pages, once started."""

    def __init__(self, settings: Settings) -> None:
        """Open the data folder.

        Raises:
            FolderInUse: another server holds it.
            FolderUnusable: it cannot be opened.
            InvalidInput: an upstream is not one, or the folder's prices are not valid.
        """
        self._settings = settings
        self._clock = Clock()
        Routes(settings.upstreams)  # refused before anything is opened
        self._mask = read_mask(settings.redact_patterns)
        self._ingest: list[IngestWorker] = []
        self._crew: Crew | None = None
        self._hall: Hall | None = None
        self._passer: Passer | None = None
        self._keyless = asks_no_key(settings.host, settings.public_url, require_key=settings.require_key)
        self._running = AsyncExitStack()
        with ExitStack() as opened:
            self._folder = opened.enter_context(Folder(settings.data))
            self._tariff = read_tariff(self._folder)
            self._decode = partial(decode, tariff=self._tariff)
            # Paths of sockets are short: the data folder's may be too long for one.
            sockets = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="reenact-")))
            self.socket = str(sockets / "house")
            """The path of the socket that the API and the pages are to answer on."""
            self._stage_socket = str(sockets / "stage")
            self._calls = open_store(settings)
            opened.callback(self._calls.close)
            self._control = ControlStore(settings.control or self._folder.control)
            opened.callback(self._control.close)
            self._epoch = Epoch()
            opened.callback(self._epoch.close)
            self._keys = KeyKeeper(self._control, self._clock, self._epoch)
            self.key = self._first_key()
            """The key made for a new folder, for whoever is shown it; None for a folder that had one."""
            self._prompts = PromptKeeper(self._control.prompts, clock=self._clock, new_id=new_id, choose=secrets.choice)
            self._local = Principal(organisation_id=self._control.first_organisation(), key_id=None, permissions="rw")
            self._opened = opened.pop_all()

    async def start(self) -> None:
        """Start every part; what is started first is stopped last."""
        async with AsyncExitStack() as running:
            workers = self._settings.gateway_workers
            for worker in open_ingest(
                self._settings, self._folder, self._calls, self._tariff, workers=workers, yields=workers > 0
            ):
                worker.notify()  # of what a killed server left: the first query waits for it as for any new call
                worker.start()
                running.push_async_callback(asyncio.to_thread, worker.stop)
                self._ingest.append(worker)
            running.push_async_callback(asyncio.to_thread, self._drain, _STOP_S)
            self._spool = SpoolWriter(
                self._folder.spool,
                clock=self._clock,
                quota_bytes=self._settings.spool_quota_bytes,
                on_append=self._ingest[0].notify,
            )
            running.push_async_callback(asyncio.to_thread, self._spool.close)
            self._recorder = self._spool if self._mask is None else Masker(self._spool, self._mask)
            admission = Admission(self._keys, self._local, self._keyless)
            self._stager = Stager(self._calls)
            self._line = Line(
                self._settings, self._folder.cache, self._recorder, self._clock, admission, stage=self._stager
            )
            running.push_async_callback(self._line.close)
            self._keep_in_order(running)
            self.app = self._app(self._replays(running))
            await running.enter_async_context(self.app.lifespan())
            self._running = running.pop_all()

    def _keep_in_order(self, running: AsyncExitStack) -> None:
        """Start what removes recorded data."""
        workers = self._settings.gateway_workers
        self._eraser = Eraser(
            self._calls,
            self._control,
            spools=lambda: self._folder.spools(workers),
            cache=self._folder.cache,
            on_wipe=self._epoch.advance,
        )
        self._eraser.start()
        running.push_async_callback(asyncio.to_thread, self._eraser.stop)
        self._checker = Checker(self._calls)
        self._checker.start()
        running.push_async_callback(asyncio.to_thread, self._checker.stop)
        limits = Limits(days=self._settings.retention_days, used_bytes=self._settings.retention_bytes)
        self._retainer = Retainer(self._calls, limits, self._clock)
        self._retainer.start()
        running.push_async_callback(asyncio.to_thread, self._retainer.stop)

    def _replays(self, running: AsyncExitStack) -> Replays:
        """Return what plans and performs replays, those among them that a stopped server left."""
        asker = RelayAsker(
            self._line.relay,
            self._line.routes,
            recorder=self._recorder,
            decode=self._decode,
            environ=dict(environment()) | named_keys(self._settings.provider_keys),
            clock=self._clock,
        )
        caller = ToolCaller(self._line.source, self._line.guard, self._spool, self._clock)
        holder = Holder(self._control.leases, self._folder.name(), self._clock)
        runner = Runner(
            asker,
            self._control,
            desk=Desk(caller, self._calls, self._clock),
            store=self._calls,
            leases=holder,
            drain=self._drained,
            clock=self._clock,
            new_id=new_id,
            chance=random.random,
        )
        running.push_async_callback(runner.close)
        playbacks = Playbacks(
            self._stager,
            Player(self._line.relay, self._calls, clock=self._clock, new_id=new_id),
            self._calls,
            self._control,
            leases=holder,
            drain=self._drained,
            clock=self._clock,
            new_id=new_id,
        )
        running.push_async_callback(playbacks.close)
        fill = Filler(self._prompts).filled
        orderer = Orderer(self._calls, runner, partial(price, tariff=self._tariff), fill)
        replays = Replays(orderer, self._control, runner, playbacks)
        book = self._control.batches
        self._batches = Batches(self._calls, book, self._control, orderer, runner, clock=self._clock, new_id=new_id)
        running.push_async_callback(self._batches.close)
        searches = (
            Search(self._control.unfinished_replays, replays.recover),
            Search(book.unfinished, self._batches.recover),
        )
        worker = ReplayWorker(holder, searches=searches, performers=(runner, playbacks, self._batches))
        worker.start()
        running.push_async_callback(worker.close)
        return replays

    async def open(self, sockets: Sequence[socket.socket]) -> None:
        """Let agents and visitors in.

        Raises:
            ReenactError: a gateway worker does not start.
        """
        if self._settings.gateway_workers:
            stage = socket.socket(socket.AF_UNIX)
            with contextlib.closing(stage):
                stage.bind(self._stage_socket)
                await self._admit([stage])  # what plays takes is here
            self._crew = Crew([self._orders(number, bound) for number, bound in enumerate(sockets, 1)])
            await self._crew.start()
        else:
            await self._admit(sockets)

    async def _admit(self, sockets: Sequence[socket.socket]) -> None:
        """Serve agents in this process."""
        self._passer = Passer(self._line.gateway, self.socket, self._settings.max_body_bytes)
        self._hall = Hall(self._passer)
        await self._hall.open(sockets)

    async def shut(self) -> None:
        """Let nobody in any more, and wait for answers under way."""
        if self._crew is not None:
            await self._crew.stop()
        if self._hall is not None and self._passer is not None:
            await self._hall.close(GRACE_S)
            await self._passer.close()

    def _orders(self, number: int, bound: socket.socket) -> Orders:
        return Orders(
            settings=self._settings,
            number=number,
            listener=bound.fileno(),
            house=self.socket,
            stage=self._stage_socket,
            organisation_id=self._local.organisation_id,
            epoch=self._epoch.descriptor,
        )

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
            batches=self._batches,
            secret=secret,
            public_url=public_url,
            local=self._local,
            keyless=self._keyless,
            hidden=self._control.hidden,
            prompts=self._prompts,
            record=partial(keep, self._recorder),
            new_id=new_id,
            settle=self._settle,
            clock=self._clock,
            eraser=self._eraser,
            troubles=self._troubles,
            provider_keys=frozenset(self._settings.provider_keys),
            notes=self._notes,
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

    async def _settle(self) -> None:
        await self._drained()

    async def _drained(self) -> bool:
        if any(worker.status().last_error for worker in self._ingest):
            return False  # nobody waits for what is known not to come
        return await asyncio.to_thread(self._drain, self._settings.fresh_within_s)

    def _drain(self, timeout_s: float) -> bool:
        """Wait until what was recorded so far is in the store; return False when that takes longer."""
        until_s = time.monotonic() + timeout_s
        return all(worker.drain(until_s - time.monotonic()) for worker in self._ingest)

    def _troubles(self) -> list[str]:
        """Return what is wrong with recording now."""
        gaps = self._counted().gaps
        lost = [f"Calls that could not be recorded since the server started: {gaps}."] if gaps else []
        failing = [status for worker in self._ingest if (status := worker.status()).last_error]
        waits = "Recorded calls wait in the spool"
        unsaid = f"{waits}: the journal cannot be read, or the store cannot be written."
        waiting = {f"{waits}. {status.bucket}." if status.bucket else unsaid for status in failing}
        left = [f"Bytes of removed calls still lie in the data folder: {self._eraser.trouble}."]
        kept = [f"What is over the retention limits could not be removed: {self._retainer.trouble}."]
        return [
            *lost,
            *sorted(waiting),
            *(left if self._eraser.trouble else []),
            *(kept if self._retainer.trouble else []),
            *self._checker.troubles,
        ]

    def _notes(self) -> list[str]:
        """Return what goes on that is no trouble."""
        counted = self._counted()
        odd = f"Headers that could not be understood since the server started: {counted.malformed}."
        strangers = f"Calls that were refused for want of a key since the server started: {counted.unadmitted}."
        let_go = (
            f"Answers that a stuck disk let end before they were recorded, since the server started: {counted.let_go}."
        )
        told = ((counted.malformed, odd), (counted.unadmitted, strangers), (counted.let_go, let_go))
        return [*self._retainer.notes(), *(sentence for count, sentence in told if count)]

    def _counted(self) -> Report:
        """Return what this process and the gateway's workers counted since they started."""
        return sum([self._crew.report] if self._crew else [], self._line.report(self._spool.counters))
