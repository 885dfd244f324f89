"""Orders: what a server tells a gateway worker when it starts it, and what the worker tells back; JSON, one a line."""

import msgspec

from reenact.settings import Settings


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """The first line that a worker reads. An empty line after it tells it to stop; the end of the channel, to be gone."""

    settings: Settings
    number: int
    """Counted from 1; which of the spools is its own."""
    listener: int
    """The descriptor of its socket."""
    house: str
    """The path of the socket that the API and the pages answer on."""
    stage: str
    """The path of the socket that takes are played on."""
    organisation_id: str
    """For whom whoever needs no key acts."""
    epoch: int
    """The descriptor of the number that tells when keys have changed."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker is doing: the first one says that it answers."""

    gaps: int = 0
    """Calls that could not be recorded since it started."""
    malformed: int = 0
    """Headers that could not be understood."""
    unadmitted: int = 0
    """Calls that were refused for want of a key."""
    let_go: int = 0
    """Calls whose agents were given the end before they were written: the disk was stuck."""

    def __add__(self, other: "Report") -> "Report":
        return Report(
            gaps=self.gaps + other.gaps,
            malformed=self.malformed + other.malformed,
            unadmitted=self.unadmitted + other.unadmitted,
            let_go=self.let_go + other.let_go,
        )


def encode(told: Orders | Report) -> bytes:
    """Return one line."""
    return msgspec.json.encode(told, enc_hook=str) + b"\n"


def decode_orders(line: bytes) -> Orders:
    """Return the orders in a line."""
    return msgspec.json.decode(line, type=Orders, dec_hook=lambda kind, value: kind(value))


def decode_report(line: bytes) -> Report:
    """Return the report in a line."""
    return msgspec.json.decode(line, type=Report)
