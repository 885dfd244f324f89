"""Mover: takes all that one store keeps into another, and proves that it is all there.

How far it has come is kept in a file beside the stores; what a killed run had saved behind that is saved once more, which
leaves the same. The other store is marked as this move's own, so that no calls of somebody else are mixed in.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from reenact.domain.call import Call, Reading
from reenact.domain.exchange import Cursor, Exchange
from reenact.errors import InvalidInput, StoreFailed
from reenact.ingest.continuing import kept
from reenact.ingest.decoding import derive
from reenact.store.upkeep import Place, Upkeep
from reenact.upkeep.archiving import annotations
from reenact.upkeep.digesting import Sum

_AT_ONCE = 500
_AT_ONCE_BYTES = 64 * 1024 * 1024
_MARKED = Cursor(1, 1)


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a move has come."""

    source: str
    target: str
    mark: str
    """The name of a cursor that the target keeps, which tells that it is this move's own."""
    organisation_id: str = ""
    after: Place = Place()


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What is in both stores now."""

    calls: int
    organisations: int
    gaps: int
    unreadables: int
    digest: str
    """Of all calls, the same in both stores."""


class Mover:
    """One for a move. The source stays as it is."""

    def __init__(self, source: Upkeep, target: Upkeep, decode: Callable[[Exchange], Reading], file: Path) -> None:
        """Take the parts; *file* is where the progress is kept until it is done."""
        self._source = source
        self._target = target
        self._decode = decode
        self._file = file

    def run(
        self, names: tuple[str, str], cursors: Mapping[str, Cursor], on_progress: Callable[[int], None] = lambda _: None
    ) -> Moved:
        """Move everything and compare; a run that was broken off is gone on with.

        Args:
            names: what the source and the target are called.
            cursors: how far each spool has been saved, by what its cursor is kept under in the target.
            on_progress: is told how many calls this run has moved.

        Raises:
            InvalidInput: the target has calls that no such move brought, or another move was broken off.
            StoreFailed: a store failed, or does not hold afterwards what the source holds.
        """
        progress = self._begun(*names)
        moved = 0
        for organisation_id, chunk in self._chunks(progress):
            self._move(organisation_id, chunk)
            moved += len(chunk)
            self._keep(msgspec.structs.replace(progress, organisation_id=organisation_id, after=chunk[-1]))
            on_progress(moved)
        for organisation_id in self._source.organisations():
            self._target.save([], gaps=self._source.gaps(organisation_id))
        self._target.save([], unreadables=self._source.unreadables())
        for spool, cursor in cursors.items():
            self._target.save([], spool=spool, cursor=cursor)
        done = self._compared()
        self._file.unlink(missing_ok=True)
        return done

    def _begun(self, source: str, target: str) -> Progress:
        """Return where to go on; the target is marked before anything is saved in it."""
        fresh = Progress(source=source, target=target, mark=f"move/{secrets.token_hex(8)}")
        try:
            found = msgspec.json.decode(self._file.read_bytes(), type=Progress)
        except (FileNotFoundError, msgspec.DecodeError):
            found = fresh
        if (found.source, found.target) != (source, target):
            raise InvalidInput(
                f"A move from {found.source} to {found.target} was broken off. Finish it, or delete {self._file}."
            )
        if self._target.cursor(found.mark) != _MARKED:
            if self._target.organisations():
                raise InvalidInput(
                    f"The store {target} has calls already, and no move that was broken off brought them. "
                    "Move into an empty one."
                )
            found = msgspec.structs.replace(fresh, mark=found.mark)
            self._keep(found)
            self._target.save([], spool=found.mark, cursor=_MARKED)
        return found

    def _keep(self, progress: Progress) -> None:
        fresh = self._file.with_name(f"{self._file.name}.new")
        fresh.write_bytes(msgspec.json.encode(progress))
        fresh.replace(self._file)

    def _chunks(self, progress: Progress) -> Iterator[tuple[str, Sequence[Place]]]:
        """Yield what is left to be moved, in pieces."""
        for organisation_id in self._source.organisations():
            if organisation_id < progress.organisation_id:
                continue
            after = progress.after if organisation_id == progress.organisation_id else Place()
            for chunk in _pieces(self._source, organisation_id, after):
                yield organisation_id, chunk

    def _move(self, organisation_id: str, chunk: Sequence[Place]) -> None:
        """Save calls as they are; properties that were set since go one by one, for so they are known as set."""
        readings: list[Reading] = []
        held_bytes = 0
        changed: list[tuple[str, Mapping[str, str]]] = []
        for call, exchange in _read(self._source, organisation_id, chunk):
            reading = self._as_kept(call, exchange)
            readings.append(reading)
            recorded = msgspec.structs.replace(exchange, labels=reading.call.labels)
            changed.append((call.id, annotations(recorded, call).properties))
            held_bytes += len(exchange.request_body) + len(exchange.response_body)
            if held_bytes >= _AT_ONCE_BYTES:
                self._target.save(readings)
                readings, held_bytes = [], 0
        self._target.save(readings)
        for call_id, properties in changed:
            for key, value in properties.items():
                self._target.set_property(organisation_id, call_id, key, value)

    def _as_kept(self, call: Call, exchange: Exchange) -> Reading:
        """Return what the source knows of a call: meaning, price, scores and feedback as they are, words derived."""
        derived = kept(call, derive(exchange, self._decode))
        return msgspec.structs.replace(derived, call=msgspec.structs.replace(call, labels=derived.call.labels))

    def _compared(self) -> Moved:
        """Return what both stores hold.

        Raises:
            StoreFailed: it is not the same.
        """
        total, gaps = Sum(), 0
        organisations = self._source.organisations()
        for organisation_id in sorted({*organisations, *self._target.organisations()}):
            here, there = (_summed(store, organisation_id) for store in (self._source, self._target))
            if here != there:
                raise StoreFailed(
                    f"The stores are not alike: of the organisation {organisation_id} the source has {here.count} calls and "
                    f"gaps ({here.digest}), the target {there.count} ({there.digest}). Was the source written since the move "
                    f"began? Empty the target, delete {self._file} and move again."
                )
            lost = len(self._source.gaps(organisation_id))
            gaps += lost
            total = Sum(total.count + here.count - lost, (total.digests + here.digests) % (1 << 128))
        unread = [Sum().plus(store.unreadables()) for store in (self._source, self._target)]
        if unread[0] != unread[1]:
            raise StoreFailed("The stores are not alike in the records that could not be read.")
        return Moved(
            calls=total.count,
            organisations=len(organisations),
            gaps=gaps,
            unreadables=unread[0].count,
            digest=total.digest,
        )


def _summed(store: Upkeep, organisation_id: str) -> Sum:
    """Return the sum of an organisation's calls and gaps."""
    total = Sum().plus(store.gaps(organisation_id))
    for chunk in _pieces(store, organisation_id, Place()):
        total = total.plus(_read(store, organisation_id, chunk))
    return total


def _pieces(store: Upkeep, organisation_id: str, after: Place) -> Iterator[Sequence[Place]]:
    while chunk := store.places(organisation_id, after, _AT_ONCE):
        yield chunk
        after = chunk[-1]


def _read(store: Upkeep, organisation_id: str, chunk: Sequence[Place]) -> Iterator[tuple[Call, Exchange]]:
    """Yield the calls at these places with what they were made of."""
    ids = [place.call_id for place in chunk]
    exchanges = {exchange.id: exchange for exchange in store.exchanges(organisation_id, ids)}
    for call in store.get(organisation_id, ids):
        if call.id not in exchanges:
            raise StoreFailed(f"What the call {call.id} was made of cannot be read.")
        yield call, exchanges[call.id]
