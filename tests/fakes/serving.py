"""A real server on a real socket, for tests: uvicorn (uvloop, httptools) in a thread, on a free port."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


class _Announced(uvicorn.Server):
    """A server that tells when it listens, so that nobody has to poll."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.settled.set()


@contextmanager
def serving(app: Any, *, lifespan: str = "auto") -> Iterator[str]:
    """Serve the ASGI *app* while the block runs; yields its origin, such as `http://127.0.0.1:40123`.

    The end of the block does not wait for answers still under way: they are cut off, as a killed server's would be.

    Raises:
        RuntimeError: the app could not be started; its own error is the cause where it has one.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        lifespan=lifespan,  # type: ignore[arg-type] # a literal type of uvicorn's own
        timeout_graceful_shutdown=0,
        server_header=False,
        date_header=False,
    )
    server = _Announced(config)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            server.run([listener])
        except BaseException as error:  # noqa: BLE001 - told to the test's thread below
            failures.append(error)
        finally:
            server.settled.set()

    thread = threading.Thread(target=run, name="serving", daemon=True)
    thread.start()
    server.settled.wait()
    try:
        if not server.started:
            raise RuntimeError("The server did not start.") from (failures[0] if failures else None)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
