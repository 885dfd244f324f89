"""Crew: the gateway workers of a server. Starts them, starts another where one died, and stops them."""

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import Sequence

from reenact.errors import ReenactError
from reenact.server.orders import Orders, Report, decode_report, encode
from reenact.server.worker import GRACE_S

_log = logging.getLogger(__name__)

_START_S = 60.0
_FIRST_WAIT_S, _MOST_WAIT_S = 0.1, 5.0


class Crew:
    """One worker for each of the orders given."""

    def __init__(self, orders: Sequence[Orders]) -> None:
        self._orders = orders
        self._reports: dict[int, Report] = {}
        self._ended = Report()
        """What those that are gone had told."""
        self._watchers: list[asyncio.Task[None]] = []
        self._channels: dict[int, asyncio.StreamWriter] = {}
        self._stopping = asyncio.Event()

    @property
    def report(self) -> Report:
        """What all of them counted since the server started."""
        return sum(self._reports.values(), self._ended)

    async def start(self) -> None:
        """Start all, and return when they answer.

        Raises:
            ReenactError: one does not.
        """
        ready = [asyncio.get_running_loop().create_future() for _ in self._orders]
        for orders, answers in zip(self._orders, ready, strict=True):
            self._watchers.append(asyncio.create_task(self._watch(orders, answers)))
        try:
            await asyncio.wait_for(asyncio.gather(*ready), _START_S)
        except TimeoutError:
            await self.stop()
            raise ReenactError("A gateway worker does not answer; the log says why.") from None

    async def stop(self) -> None:
        """Tell all to stop and wait until they are gone."""
        self._stopping.set()
        for channel in self._channels.values():
            channel.write(b"\n")
        if self._watchers:
            _, late = await asyncio.wait(self._watchers, timeout=GRACE_S + 5.0)
            for watcher in late:
                watcher.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _watch(self, orders: Orders, answers: "asyncio.Future[None]") -> None:
        """Keep one worker running."""
        wait_s = _FIRST_WAIT_S
        while not self._stopping.is_set():
            begun_s = asyncio.get_running_loop().time()
            code = await self._run(orders, answers)
            self._ended += self._reports.pop(orders.number, Report())
            if self._stopping.is_set():
                return
            _log.error("Gateway worker %d ended with code %s; another is started.", orders.number, code)
            lived_s = asyncio.get_running_loop().time() - begun_s
            wait_s = _FIRST_WAIT_S if lived_s > _MOST_WAIT_S else min(wait_s * 2, _MOST_WAIT_S)
            await asyncio.sleep(wait_s)

    async def _run(self, orders: Orders, answers: "asyncio.Future[None]") -> int:
        """Run one worker until it ends; its connections that nobody has accepted yet wait for the next one."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "reenact.server.worker", str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL, pass_fds=(theirs.fileno(), orders.listener, orders.epoch),
            )  # fmt: skip
        reader, writer = await asyncio.open_connection(sock=ours)
        self._channels[orders.number] = writer
        try:
            writer.write(encode(orders))
            while line := await reader.readline():
                self._reports[orders.number] = decode_report(line)
                if not answers.done():
                    answers.set_result(None)
            return await process.wait()
        finally:
            del self._channels[orders.number]
            writer.close()
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
