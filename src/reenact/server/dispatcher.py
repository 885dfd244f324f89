"""Dispatcher: the API and the pages as one ASGI app, whose lifespan is the server's."""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_log = logging.getLogger(__name__)


class House(Protocol):
    """What is started before the first request and stopped after the last."""

    async def start(self) -> None:
        """Start every part."""
        ...

    @property
    def app(self) -> Callable[[Any, Any, Any], Awaitable[None]]:
        """What answers for the API and the pages, once started."""
        ...

    async def stop(self) -> None:
        """Stop every part, in order."""
        ...


class Dispatcher:
    """Passes requests on, and carries the server's lifespan to the house."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.failure: BaseException | None = None
        """Why the house could not start, for whoever started the server."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or the lifespan."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._house.app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._house.start()
        except Exception as failure:  # noqa: BLE001 - raised again by whoever started the server
            self.failure = failure
            await send({"type": "lifespan.startup.failed", "message": ""})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        try:
            await self._house.stop()
        except Exception:  # noqa: BLE001 - the process ends in any case; the log says what was not closed
            _log.exception("The server did not stop cleanly.")
        await send({"type": "lifespan.shutdown.complete"})
