"""Outbox: what many calls send within one turn of the event loop leaves together, at its end.

Each send wakes whoever reads the other end, and one who is quick is asleep again before the next: with the work on other calls
between them, the sends of a busy turn wake one each, which costs more than the sends themselves. Next to one another they wake
one for all. A call that has the loop to itself waits for nothing but one more look at the sockets.
"""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

_log = logging.getLogger(__name__)

_MOST_BYTES = 256 * 1024
"""As much as a turn may gather; beyond it transports have to see for themselves who reads slowly."""
_LONGEST_S = 0.001
"""As long as a turn may gather: the first of a long turn must not wait for the last."""


class Outbox:
    """Gathers what is to be sent. One event loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, now_s: Callable[[], float] = monotonic) -> None:
        """Take the *loop* and a clock; the loop's own stands still within a turn."""
        self._loop = loop
        self._now_s = now_s
        self._acts: list[Callable[[], None]] = []
        self._held: list[tuple[Callable[[bytes], None], bytes]] = []
        self._held_bytes = 0
        self._since_s = 0.0
        self._is_due = False

    def post(self, send: Callable[[bytes], None], content: bytes) -> None:
        """Have *send* called with *content* at the turn's end; in the order of posting, and never if the loop ends before."""
        now_s = self._now_s()
        if not self._held:
            self._since_s = now_s
        self._held.append((send, content))
        self._held_bytes += len(content)
        if self._held_bytes > _MOST_BYTES or now_s - self._since_s > _LONGEST_S:
            self.empty()
        elif not self._is_due:
            self._schedule()

    def before(self, act: Callable[[], None]) -> None:
        """Have *act* called at the turn's end before anything is sent; it may post more."""
        self._acts.append(act)
        if not self._is_due:
            self._schedule()

    def empty(self) -> None:
        """Send everything now."""
        acts, self._acts = self._acts, []
        for act in acts:
            act()
        held, self._held = self._held, []
        self._held_bytes = 0
        for send, content in held:
            try:
                send(content)
            except Exception:  # noqa: BLE001 - a fault with one connection is no reason to let the others wait for ever
                _log.exception("A piece of a call could not be sent.")

    def _schedule(self) -> None:
        self._is_due = True
        self._loop.call_soon(self._end_turn)

    def _end_turn(self) -> None:
        try:
            self.empty()
        finally:
            self._is_due = False
