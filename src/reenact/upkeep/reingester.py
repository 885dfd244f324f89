"""Reingester: derives calls again from the exchanges, which are the truth. What was said of a call afterwards stays."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from reenact.domain.call import Call, Reading
from reenact.domain.exchange import Exchange
from reenact.errors import ReenactError
from reenact.ingest.continuing import kept
from reenact.ingest.decoding import derive
from reenact.store.upkeep import Place, Upkeep

_AT_ONCE = 100


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls are derived again; all when nothing is said."""

    session_id: str | None = None
    since_us: int | None = None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What deriving again has changed."""

    calls: int = 0
    """Derived again."""
    changed: int = 0
    """Whose row is another one now."""
    newly_readable: int = 0
    newly_unreadable: int = 0
    repriced: int = 0
    damaged: int = 0
    """Whose exchange cannot be read from the store; their rows stay as they were."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far it has come: kept in a file, so that it can be broken off at any time."""

    selection: Selection
    organisation_id: str = ""
    after: Place = Place()
    summary: Summary = Summary()


class Reingester:
    """Goes through the calls of all organisations. Doing so twice changes nothing the second time."""

    def __init__(self, store: Upkeep, decode: Callable[[Exchange], Reading], file: Path) -> None:
        """Take the parts; *file* is where the progress is kept until it is done."""
        self._store = store
        self._decode = decode
        self._file = file

    def run(self, selection: Selection, on_progress: Callable[[Summary], None] = lambda _: None) -> Summary:
        """Derive again, from where an earlier run of the same selection was broken off.

        Raises:
            StoreFailed: the store could not be read or written; the next run goes on from here.
        """
        progress = self._begun(selection)
        for organisation_id, chunk in self._chunks(progress):
            ids = [place.call_id for place in chunk]
            summary = self._derive(organisation_id, ids, progress.summary)
            progress = msgspec.structs.replace(
                progress, organisation_id=organisation_id, after=chunk[-1], summary=summary
            )
            self._keep(progress)
            on_progress(summary)
        self._store.sweep()
        self._file.unlink(missing_ok=True)
        return progress.summary

    def _begun(self, selection: Selection) -> Progress:
        """Return where to go on."""
        try:
            found = msgspec.json.decode(self._file.read_bytes(), type=Progress)
        except (FileNotFoundError, msgspec.DecodeError):
            return Progress(selection=selection)
        return found if found.selection == selection else Progress(selection=selection)

    def _keep(self, progress: Progress) -> None:
        fresh = self._file.with_name(f"{self._file.name}.new")
        fresh.write_bytes(msgspec.json.encode(progress))
        fresh.replace(self._file)

    def _chunks(self, progress: Progress) -> Iterator[tuple[str, Sequence[Place]]]:
        """Yield the calls that are left, in pieces."""
        selection = progress.selection
        first = Place() if selection.since_us is None else Place(selection.since_us)
        for organisation_id in self._store.organisations():
            if organisation_id < progress.organisation_id:
                continue
            after = max(first, progress.after) if organisation_id == progress.organisation_id else first
            if selection.session_id is None:
                while chunk := self._store.places(organisation_id, after, _AT_ONCE):
                    yield organisation_id, chunk
                    after = chunk[-1]
                continue
            calls = self._store.session(organisation_id, selection.session_id)
            left = [place for call in calls if (place := Place(call.created_us, call.id)) > after]
            for start in range(0, len(left), _AT_ONCE):
                yield organisation_id, left[start : start + _AT_ONCE]

    def _derive(self, organisation_id: str, ids: Sequence[str], summary: Summary) -> Summary:
        before = self._store.get(organisation_id, ids)
        exchanges = list(self._exchanges(organisation_id, ids))
        rows = {call.id: call for call in before}
        self._store.save([kept(rows[one.id], derive(one, self._decode)) for one in exchanges])
        after = {call.id: call for call in self._store.get(organisation_id, ids)}
        pairs = [(call, after[call.id]) for call in before if call.id in after]
        return _added(summary, pairs, damaged=len(before) - len(exchanges))

    def _exchanges(self, organisation_id: str, ids: Sequence[str]) -> Iterator[Exchange]:
        """Yield the exchanges that can be read; one that is damaged does not hide the others."""
        try:
            yield from self._store.exchanges(organisation_id, ids)
        except ReenactError:
            if len(ids) > 1:
                for one in ids:
                    yield from self._exchanges(organisation_id, [one])


def _added(summary: Summary, pairs: Sequence[tuple[Call, Call]], *, damaged: int) -> Summary:
    """Return *summary* with calls as they were and as they are now."""
    return Summary(
        calls=summary.calls + len(pairs) - damaged,
        changed=summary.changed + sum(old != new for old, new in pairs),
        newly_readable=summary.newly_readable + sum(bool(old.unreadable and not new.unreadable) for old, new in pairs),
        newly_unreadable=summary.newly_unreadable
        + sum(bool(new.unreadable and not old.unreadable) for old, new in pairs),
        repriced=summary.repriced + sum(old.cost_nanodollars != new.cost_nanodollars for old, new in pairs),
        damaged=summary.damaged + damaged,
    )
