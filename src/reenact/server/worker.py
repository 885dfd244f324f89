"""Worker: a process that does nothing but relay agents' calls and write them into a spool of its own.

`python -m reenact.server.worker CHANNEL`, started by the crew, where CHANNEL is the descriptor of a socket to the server.
What the calls mean is worked out in the server's process, so that it costs no agent any time.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import sys
from pathlib import Path

import uvloop

from reenact.access.principal import Principal
from reenact.api.admitting import asks_no_key
from reenact.api.keykeeper import KeyKeeper
from reenact.gateway.hall import Hall
from reenact.gateway.masker import Masker
from reenact.server.clock import Clock
from reenact.server.epoch import Epoch
from reenact.server.interpreter import settle, share_finely
from reenact.server.line import Admission, Line
from reenact.server.orders import Orders, Report, decode_orders, encode
from reenact.server.passer import Passer
from reenact.server.patterns import read_mask
from reenact.spool.writer import SpoolWriter
from reenact.store.control.store import ControlStore

GRACE_S = 5.0
"""How long answers under way may take to end when the server is stopped."""
_TELL_S = 1.0


def main() -> None:
    """Relay until told to stop, or until the server is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the server is told, and tells its workers
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    share_finely()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(_work(socket.socket(fileno=int(sys.argv[1]))))


async def _work(channel: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=channel)
    orders = decode_orders(await reader.readline())
    data = orders.settings.data
    folder = data / "spool" / str(orders.number)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.ExitStack() as opened:
        opened.callback(os.close, _held(folder / "lock"))
        clock = Clock()
        epoch = Epoch(orders.epoch)
        control = ControlStore(orders.settings.control or data / "control.sqlite3")
        opened.callback(control.close)
        spool = SpoolWriter(folder, clock=clock, quota_bytes=orders.settings.spool_quota_bytes)
        opened.callback(spool.close)
        admission = _admission(orders, KeyKeeper(control, clock, epoch))
        mask = read_mask(orders.settings.redact_patterns)
        recorder = spool if mask is None else Masker(spool, mask)
        line = Line(orders.settings, data / "cache", recorder, clock, admission)
        passer = Passer(line.gateway, orders.house, orders.settings.max_body_bytes, orders.stage)
        hall = Hall(passer)
        listener = socket.socket(fileno=orders.listener)
        await hall.open([listener])
        settle()
        await _follow(reader, writer, spool, line)
        await hall.close(GRACE_S)
        await passer.close()
        await line.close()
    writer.close()


def _admission(orders: Orders, keys: KeyKeeper) -> Admission:
    settings = orders.settings
    local = Principal(organisation_id=orders.organisation_id, key_id=None, permissions="rw")
    keyless = asks_no_key(settings.host, settings.public_url, require_key=settings.require_key)
    return Admission(keys, local, keyless)


def _held(file: Path) -> int:
    """Return *file* locked, once the worker before this one is gone: what it had begun to write is whole then."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


async def _follow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, spool: SpoolWriter, line: Line) -> None:
    """Tell how it goes until told to stop; end the process at once when the server is gone."""
    told = Report()
    writer.write(encode(told))
    order = asyncio.ensure_future(reader.readline())
    while not (await asyncio.wait([order], timeout=_TELL_S))[0]:
        if (now := line.report(spool.counters)) != told:
            told = now
            writer.write(encode(told))
    if not order.result():
        os._exit(1)  # a new server may hold the folder soon: nothing may be relayed that it would not know of


if __name__ == "__main__":
    main()
