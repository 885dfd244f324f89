"""Exporter: writes recorded calls into an archive."""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import zstandard

from reenact import __version__
from reenact.errors import InvalidInput
from reenact.store.upkeep import Place, Upkeep
from reenact.upkeep.archiving import CallLine, GapLine, Head, Line, Tail, UnreadableLine, annotations, write_line

_AT_ONCE = 50
_LEVEL = 9
_ZSTD = ".zst"
_PARQUET = ".parquet"


def export(
    store: Upkeep,
    target: Path,
    *,
    session_id: str | None = None,
    organisation_id: str | None = None,
    is_parquet: bool | None = None,
) -> int:
    """Write the calls of a session, of an organisation or of all into *target*; return how many.

    The file is compressed when its name ends in `.zst`, whole or not there at all, and readable by its owner only. It is a
    Parquet file when *is_parquet*, or when that is None and its name ends in `.parquet`.

    Raises:
        InvalidInput: the package for Parquet is not installed.
        StoreFailed, FolderUnusable: a call could not be read.
        OSError: the file could not be written.
    """
    if is_parquet is None:
        is_parquet = target.name.endswith(_PARQUET)
    if is_parquet:
        need_parquet()
    fresh = target.with_name(f"{target.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    count = _Count()
    lines = count(_lines(store, session_id, organisation_id))
    try:
        if is_parquet:
            from reenact.upkeep.parquet import write_lines  # noqa: PLC0415 - its package is an extra

            write_lines(fresh, lines)
        else:
            with _opened(fresh, is_compressed=target.name.endswith(_ZSTD)) as file:
                for line in lines:  # a compressed file has no `writelines`
                    file.write(write_line(line))
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return count.calls


def need_parquet() -> None:
    """Refuse to read or write Parquet files without the package for them.

    Raises:
        InvalidInput: it is not installed.
    """
    if find_spec("pyarrow") is None:
        raise InvalidInput("Parquet files need: pip install 'reenact[parquet]'", "--format")


class _Count:
    """Counts the calls among the lines that pass, and adds the line that tells how many."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, lines: Iterator[Line]) -> Iterator[Line]:
        for line in lines:
            self.calls += isinstance(line, CallLine)
            yield line
        yield Tail(calls=self.calls)


def _opened(path: Path, *, is_compressed: bool) -> IO[bytes]:
    if not is_compressed:
        return path.open("wb")
    opened: IO[bytes] = zstandard.open(path, "wb", cctx=zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True))
    return opened


def _lines(store: Upkeep, session_id: str | None, organisation_id: str | None) -> Iterator[Line]:
    yield Head(reenact=__version__)
    for organisation in store.organisations():
        if organisation_id not in {None, organisation}:
            continue
        if session_id is not None:
            ids = [call.id for call in store.session(organisation, session_id)]
            for start in range(0, len(ids), _AT_ONCE):
                yield from _calls(store, organisation, ids[start : start + _AT_ONCE])
            continue
        after = Place()
        while places := store.places(organisation, after, _AT_ONCE):
            yield from _calls(store, organisation, [place.call_id for place in places])
            after = places[-1]
        for gap in store.gaps(organisation):
            yield GapLine(gap=gap)
    if session_id is None and organisation_id is None:
        for unreadable in store.unreadables():
            yield UnreadableLine(unreadable=unreadable)


def _calls(store: Upkeep, organisation_id: str, ids: Sequence[str]) -> Iterator[Line]:
    calls = {call.id: call for call in store.get(organisation_id, ids)}
    for exchange in store.exchanges(organisation_id, ids):
        if (call := calls.get(exchange.id)) is not None:  # it may just have been removed
            yield CallLine(exchange=exchange, call=call, annotations=annotations(exchange, call))
