"""Runner: one composed server on one socket, until a signal or a caller ends it."""

import asyncio
import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Iterator

import msgspec
import uvicorn
import uvloop

from reenact.errors import ReenactError
from reenact.server.composer import Server
from reenact.server.dispatcher import Dispatcher
from reenact.server.listener import address_of, listen
from reenact.settings import Settings

_BACKLOG = 2048
_KEEP_ALIVE_S = 75
"""Longer than any client keeps an idle connection (aiohttp 15 s, Go 90 s only between its own hosts): the client closes first,
so that none sends into a connection that we are closing."""
_GRACE_S = 5
"""How long answers under way may take to end when the server is stopped."""
_SWITCH_S = 0.001
"""The interpreter lets another thread run after this long. Its own 5 ms would be added to every chunk that the event loop
passes on while a thread decodes or writes; switching more often costs threads little and agents nothing."""


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
    sys.setswitchinterval(_SWITCH_S)
    with (
        contextlib.closing(listen(settings.host, settings.port)) as bound,
        contextlib.closing(Server(settings)) as house,
    ):
        running = _Running(house, _url(settings, bound), on_ready)
        with contextlib.suppress(KeyboardInterrupt):
            running.run(bound)


@contextlib.contextmanager
def running_server(settings: Settings) -> Iterator[Ready]:
    """Serve in a thread while the block runs.

    Raises:
        PortUnusable: the port is taken or not allowed.
        FolderUnusable: the data folder cannot be opened.
        InvalidInput: a setting is not one that its part can work with.
    """
    with (
        contextlib.closing(listen(settings.host, settings.port)) as bound,
        contextlib.closing(Server(settings)) as house,
    ):
        settled = threading.Event()
        ready: list[Ready] = []

        def tell(told: Ready) -> None:
            ready.append(told)
            settled.set()

        running = _Running(house, _url(settings, bound), tell)
        thread = threading.Thread(target=running.run_caught, args=(bound, settled), name="reenact-server")
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
    """A uvicorn server that tells when it answers and raises what kept it from starting."""

    def __init__(self, house: Server, url: str, on_ready: Callable[[Ready], None]) -> None:
        self._dispatcher = Dispatcher(house)
        super().__init__(
            uvicorn.Config(
                self._dispatcher,
                http="httptools",
                ws="none",
                interface="asgi3",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                backlog=_BACKLOG,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=_GRACE_S,
            )
        )
        self._house = house
        self._url = url
        self._on_ready = on_ready
        self.failure: BaseException | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the parts, accept connections, and tell."""
        await super().startup(sockets)
        if self.started:
            self._on_ready(Ready(self._url, self._house.key))

    def run(self, bound: socket.socket) -> None:  # type: ignore[override] # it serves this one socket, on a loop of its own
        """Serve until told to exit.

        Raises:
            Exception: whatever kept a part from starting.
        """
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
                loop.run(self.serve([bound]))
        except SystemExit:  # uvicorn's word for a start that failed
            raise self._dispatcher.failure or ReenactError("The server did not start.") from None

    def run_caught(self, bound: socket.socket, settled: threading.Event) -> None:
        """Serve on a thread; what goes wrong is kept for the thread that waits."""
        try:
            self.run(bound)
        except BaseException as failure:  # noqa: BLE001 - raised again by the thread that waits
            self.failure = failure
        finally:
            settled.set()
