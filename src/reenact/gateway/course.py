"""Course: one call that headers switch something on for, as far as it has come."""

import logging
from collections.abc import Callable

import msgspec

from reenact.domain.exchange import Exchange, Handling, Header, Tagged
from reenact.gateway.ask import Ask

_log = logging.getLogger(__name__)

Shape = Callable[[Exchange], Exchange]
Afterwards = Callable[[Exchange], None]


class Course:
    """Gathers, along the way of a call, what is sent, what its agent is told, and what is recorded of it."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        """As it is sent now: where to, with which headers and body."""
        self.told: list[Header] = []
        """Headers for the agent beside those of the answer."""
        self.handling = Handling(attempts=0, notes=ask.controls.notes)
        self.tagged: Tagged | None = None
        """What the tags in the prompt said."""
        self.shape: Shape | None = None
        """Makes of an exchange what may be recorded of it."""
        self._afterwards: list[Afterwards] = []

    def handle(self, **changes: object) -> None:
        """Record that something was done."""
        self.handling = msgspec.structs.replace(self.handling, **changes)

    def note(self, sentence: str) -> None:
        """Record that something could not be done."""
        self.handle(notes=(*self.handling.notes, sentence))

    def change(self, body: bytes, by: str) -> None:
        """Send *body* in the place of the one that came, for the sake of the header *by*."""
        self.send(body=body)
        if by not in self.handling.changed_by:
            self.handle(changed_by=(*self.handling.changed_by, by))

    def count(self) -> None:
        """Record that a provider is asked once more."""
        self.handle(attempts=self.handling.attempts + 1)

    def send(self, **changes: object) -> None:
        """Change what is sent."""
        self.ask = msgspec.structs.replace(self.ask, **changes)

    def label(self, name: str, value: str) -> None:
        """Give the call a property of the server's own."""
        labels = self.ask.labels
        self.send(labels=msgspec.structs.replace(labels, properties=labels.properties | {name: value}))

    def afterwards(self, act: Afterwards) -> None:
        """Have *act* called with the whole exchange when it is kept, the last time with all of it."""
        self._afterwards.append(act)

    def record(self, exchange: Exchange) -> Exchange:
        """Return what is to be recorded of *exchange*."""
        handled = msgspec.structs.replace(exchange, handling=self.handling, tagged=self.tagged)
        return handled if self.shape is None else self.shape(handled)

    def kept(self, exchange: Exchange) -> None:
        """Take that *exchange*, bodies and all, was kept."""
        for act in self._afterwards:
            try:
                act(exchange)
            except Exception:  # noqa: BLE001 - the gateway's tap: a call never fails because of what follows it
                _log.exception("What follows a call could not be done.")
