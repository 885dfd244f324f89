"""Holder: holds back one call, and nothing else, until its record is safe."""

import asyncio
import contextlib
import threading
from collections.abc import Callable

from reenact.domain.exchange import Exchange
from reenact.gateway.ask import Recorder


def keep(recorder: Recorder, exchange: Exchange) -> None:
    """Keep *exchange* and wait until it is written, as `until_written` does; not for a loop's thread.

    Raises:
        SpoolFailed: it could not be kept.
    """
    written = threading.Event()
    if not recorder.append(exchange) and not written.wait(recorder.when_written(written.set)):
        recorder.let_go()


async def until_written(recorder: Recorder) -> None:
    """Wait until everything appended so far is written, or for as long as a disk may hold up an agent."""
    loop = asyncio.get_running_loop()
    written = loop.create_future()
    most_s = recorder.when_written(_resolver(loop, written))
    done, _ = await asyncio.wait([written], timeout=most_s)
    if not done:
        recorder.let_go()


async def until_durable(recorder: Recorder) -> None:
    """Wait until everything appended so far is safe from a power cut, however long that takes: its owner wished for that."""
    loop = asyncio.get_running_loop()
    durable = loop.create_future()
    recorder.when_durable(_resolver(loop, durable))
    await durable


def _resolver(loop: asyncio.AbstractEventLoop, future: "asyncio.Future[None]") -> Callable[[], None]:
    """Return what resolves *future* from any thread."""

    def resolve() -> None:
        if not future.done():
            future.set_result(None)

    def act() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and with it whoever waited
            loop.call_soon_threadsafe(resolve)

    return act
