"""Importer: takes the calls of an archive into a store. Doing so twice leaves one of each."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TypeVar

import msgspec
import zstandard

from reenact.domain.call import Reading
from reenact.domain.exchange import Exchange, Gap, Unreadable
from reenact.errors import InvalidInput
from reenact.ingest.continuing import kept
from reenact.ingest.decoding import derive
from reenact.store.calls import CallStore
from reenact.upkeep.archiving import (
    NO_ANNOTATIONS,
    Annotations,
    CallLine,
    GapLine,
    Head,
    Line,
    Tail,
    UnreadableLine,
    read_line,
)
from reenact.upkeep.exporter import need_parquet

Owned = TypeVar("Owned", Exchange, Gap)

_AT_ONCE = 200
_AT_ONCE_BYTES = 16 * 1024 * 1024
_ZSTD_MAGIC = zstandard.FRAME_HEADER
_PARQUET_MAGIC = b"PAR1"


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an archive brought."""

    calls: int = 0
    gaps: int = 0
    unreadables: int = 0
    organisations: tuple[str, ...] = ()
    """Whose calls they are now, ordered."""


class Importer:
    """Takes one archive in, batch after batch: what was imported before it broke off stays."""

    def __init__(
        self, store: CallStore, decode: Callable[[Exchange], Reading], *, organisation_id: str | None = None
    ) -> None:
        """Take the parts; every call is imported for *organisation_id*, or for its own organisation when it is None."""
        self._store = store
        self._decode = decode
        self._organisation_id = organisation_id
        self._readings: list[Reading] = []
        self._annotations: list[tuple[Exchange, Annotations]] = []
        self._gaps: list[Gap] = []
        self._unreadables: list[Unreadable] = []
        self._waiting_bytes = 0
        self._imported = Imported()

    def run(self, source: Path) -> Imported:
        """Take *source* in.

        Raises:
            InvalidInput: it is no archive, or was cut off; what stood before that is imported, but nothing of a Parquet file.
            StoreFailed: the store could not be written.
            OSError: it cannot be read.
        """
        expected = None
        try:
            for line in _lines(source):
                expected = line.calls if isinstance(line, Tail) else None
                self._take(line)
        finally:
            self._save()
        if expected != self._imported.calls:
            raise InvalidInput(f"{source} was cut off: {self._imported.calls} calls were imported.")
        return self._imported

    def _take(self, line: Line) -> None:
        match line:
            case CallLine(exchange=exchange, call=call, annotations=annotations):
                exchange = self._owned(exchange)
                self._readings.append(kept(call, derive(exchange, self._decode)))
                self._waiting_bytes += len(exchange.request_body) + len(exchange.response_body)
                if annotations != NO_ANNOTATIONS:
                    self._annotations.append((exchange, annotations))
            case GapLine(gap=gap):
                self._gaps.append(self._owned(gap))
            case UnreadableLine(unreadable=unreadable):
                self._unreadables.append(unreadable)
            case _:
                pass
        waiting = len(self._readings) + len(self._gaps) + len(self._unreadables)
        if waiting >= _AT_ONCE or self._waiting_bytes >= _AT_ONCE_BYTES:
            self._save()

    def _owned(self, record: Owned) -> Owned:
        if self._organisation_id is None:
            return record
        return msgspec.structs.replace(record, organisation_id=self._organisation_id)

    def _save(self) -> None:
        self._store.save(self._readings, gaps=self._gaps, unreadables=self._unreadables)
        for exchange, annotations in self._annotations:
            self._annotate(exchange.organisation_id, exchange.id, annotations)
        owners = {one.call.organisation_id for one in self._readings} | {gap.organisation_id for gap in self._gaps}
        before = self._imported
        self._imported = Imported(
            calls=before.calls + len(self._readings),
            gaps=before.gaps + len(self._gaps),
            unreadables=before.unreadables + len(self._unreadables),
            organisations=tuple(sorted(owners.union(before.organisations))),
        )
        for waiting in (self._readings, self._annotations, self._gaps, self._unreadables):
            waiting.clear()
        self._waiting_bytes = 0

    def _annotate(self, organisation_id: str, call_id: str, said: Annotations) -> None:
        for key, value in said.properties.items():
            self._store.set_property(organisation_id, call_id, key, value)
        if said.scores:
            self._store.set_scores(organisation_id, call_id, said.scores)
        if said.feedback is not None:
            self._store.set_feedback(organisation_id, call_id, said.feedback)


def _lines(source: Path) -> Iterator[Line]:
    """Yield the lines of *source*, a Parquet file, compressed, or neither."""
    with source.open("rb") as raw:
        beginning = raw.read(len(_ZSTD_MAGIC))
    if beginning == _PARQUET_MAGIC:
        need_parquet()
        from reenact.upkeep.parquet import read_lines  # noqa: PLC0415 - its package is an extra

        yield from read_lines(source)
        return
    number = 0
    try:
        with _opened(source, is_compressed=beginning == _ZSTD_MAGIC) as file:
            for number, content in enumerate(_split(file), 1):
                line = read_line(content, number)
                if (number == 1) != isinstance(line, Head):
                    raise InvalidInput(f"{source} is no archive of Reenact: it does not begin with its head.")
                yield line
    except zstandard.ZstdError as error:
        raise InvalidInput(f"{source} is damaged behind line {number}: {error}.") from None


def _opened(source: Path, *, is_compressed: bool) -> IO[bytes]:
    if not is_compressed:
        return source.open("rb")
    opened: IO[bytes] = zstandard.open(source, "rb")
    return opened


def _split(file: IO[bytes]) -> Iterator[bytes]:
    """Yield what stands between line feeds; a compressed file does not do it itself."""
    rest = b""
    while piece := file.read(1024 * 1024):
        *whole, rest = (rest + piece).split(b"\n") if b"\n" in piece else (rest + piece,)
        yield from whole
    if rest:
        yield rest
