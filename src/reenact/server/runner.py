"""Runner: one composed server on one socket, until a signal or a caller ends it."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import msgspec
import uvicorn
import uvloop

from reenact.errors import ReenactError
from reenact.server.composer import Server
from reenact.server.dispatcher import Dispatcher
from reenact.server.interpreter import settle, share_finely
from reenact.server.listener import address_of, listen, share
from reenact.server.worker import GRACE_S
from reenact.settings import Settings

_KEEP_ALIVE_S = 120
"""Longer than a worker keeps an idle connection to the house: the worker closes first."""


class Ready(msgspec.Struct, frozen=True):
    """A server that answers."""

    url: str
    """Its origin, on this machine unless a public one is configured."""
    key: str | None
    """The API key made for a new data folder; shown now, only its hash is kept. None for a folder that had one."""


def serve(settings: Settings, on_ready: Callable[[Ready], None]) -> None:
    """Serve until SIGINT or SIGTERM, on the main thread.

    Raises:
        PortUnusable: the port is taken or not allowed.
        FolderUnusable: the data folder cannot be opened.
        InvalidInput: a setting is not one that its part can work with.
    """
    share_finely()
    with ExitStack() as opened:
        bound = listen(settings.host, settings.port)
        sockets = share(bound, settings.gateway_workers) if settings.gateway_workers > 1 else [bound]
        for one in sockets:
            opened.callback(one.close)
        house = opened.enter_context(contextlib.closing(Server(settings)))

        def tell(told: Ready) -> None:
            settle()
            on_ready(told)

        running = _Running(house, sockets, _url(settings, sockets[0]), tell)
        with contextlib.suppress(KeyboardInterrupt):
            running.run()


@contextlib.contextmanager
def running_server(settings: Settings) -> Iterator[Ready]:
    """Serve in a thread of this one process while the block runs.

    Raises:
        PortUnusable: the port is taken or not allowed.
        FolderUnusable: the data folder cannot be opened.
        InvalidInput: a setting is not one that its part can work with.
    """
    settings = msgspec.structs.replace(settings, gateway_workers=0)
    with (
        contextlib.closing(listen(settings.host, settings.port)) as bound,
        contextlib.closing(Server(settings)) as house,
    ):
        settled = threading.Event()
        ready: list[Ready] = []

        def tell(told: Ready) -> None:
            ready.append(told)
            settled.set()

        running = _Running(house, [bound], _url(settings, bound), tell)
        thread = threading.Thread(target=running.run_caught, args=(settled,), name="reenact-server")
        thread.start()
        settled.wait()
        try:
            if not ready:
                thread.join()
                raise running.failure or ReenactError("The server did not start.")
            yield ready[0]
        finally:
            running.should_exit = True
            thread.join()


def _url(settings: Settings, bound: socket.socket) -> str:
    return settings.public_url or address_of(bound)


class _Running(uvicorn.Server):
    """A uvicorn server for the API and the pages, with the gateway before it; it tells when it answers."""

    def __init__(
        self, house: Server, sockets: Sequence[socket.socket], url: str, on_ready: Callable[[Ready], None]
    ) -> None:
        self._dispatcher = Dispatcher(house)
        super().__init__(
            uvicorn.Config(
                self._dispatcher,
                uds=house.socket,
                http="httptools",
                ws="none",
                interface="asgi3",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=int(GRACE_S),
            )
        )
        self._house = house
        self._sockets = sockets
        self._url = url
        self._on_ready = on_ready
        self.failure: BaseException | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the parts, let everybody in, and tell.

        Raises:
            ReenactError: a gateway worker does not start.
        """
        await super().startup(sockets)
        if not self.started:
            return
        try:
            await self._house.open(self._sockets)
        except BaseException:
            await self.shutdown(sockets)
            raise
        self._on_ready(Ready(self._url, self._house.key))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let agents' answers end, then stop the parts."""
        await self._house.shut()
        await super().shutdown(sockets)

    def run(self) -> None:  # type: ignore[override] # it serves what it was given, on a loop of its own
        """Serve until told to exit.

        Raises:
            Exception: whatever kept a part from starting.
        """
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
                loop.run(self.serve())
        except SystemExit:  # uvicorn's word for a start that failed
            raise self._dispatcher.failure or ReenactError("The server did not start.") from None

    def run_caught(self, settled: threading.Event) -> None:
        """Serve on a thread; what goes wrong is kept for the thread that waits."""
        try:
            self.run()
        except BaseException as failure:  # noqa: BLE001 - raised again by the thread that waits
            self.failure = failure
        finally:
            settled.set()
