"""The archive as a Parquet file: a row a call, both bodies byte for byte, and what programs ask for in columns of their own.

A gap and an unreadable record are rows, too; head and tail stand in the file's footer. Imported only where such a file is
asked for: its package is an extra.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pyarrow as pa
from pyarrow.parquet import ParquetFile, ParquetWriter

from reenact.domain.call import Call
from reenact.errors import InvalidInput
from reenact.upkeep.archiving import CallLine, Head, Line, Tail, read_line, write_line

_AT_ONCE = 1000
_AT_ONCE_BYTES = 16 * 1024 * 1024
_LEVEL = 9
_HEAD, _TAIL = b"reenact.head", b"reenact.tail"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line; what a call has no value for is null, as all is of a line that is no call."""

    kind: str
    """`call`, `gap` or `unreadable`."""
    organisation_id: str | None = None
    call_id: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    created: int | None = None
    """Microseconds since the epoch, which the file knows to be a time."""
    duration_us: int | None = None
    provider: str | None = None
    model: str | None = None
    status: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_nanodollars: int | None = None
    request_body: bytes | None = None
    response_body: bytes | None = None
    record: str
    """The line of JSON without its bodies: together with them what an import reads."""


_TYPES = {
    **{name: pa.string() for name in ("kind", "organisation_id", "call_id", "session_id", "user_id")},
    "created": pa.timestamp("us", tz="UTC"),
    "duration_us": pa.int64(),
    **{name: pa.string() for name in ("provider", "model")},
    **{name: pa.int64() for name in ("status", "input_tokens", "output_tokens", "cost_nanodollars")},
    **{name: pa.binary() for name in ("request_body", "response_body")},
    "record": pa.string(),
}
_SCHEMA = pa.schema([pa.field(name, kind, nullable=name not in {"kind", "record"}) for name, kind in _TYPES.items()])
_LONG = ["request_body", "response_body", "record"]
"""What an import reads, and what no two rows are expected to share."""
_SHORT = [name for name in _TYPES if name not in _LONG]


def write_lines(path: Path, lines: Iterable[Line]) -> None:
    """Write *lines* as a Parquet file; no more than some of them are in memory at once.

    Raises:
        OSError: the file could not be written.
    """
    with (
        path.open("wb") as file,
        ParquetWriter(
            file, _SCHEMA, compression="zstd", compression_level=_LEVEL, use_dictionary=_SHORT, write_statistics=_SHORT,
            write_page_checksum=True,
        ) as writer,
    ):  # fmt: skip
        for rows in _chunks(_rows(writer, lines)):
            columns = [pa.array([getattr(row, name) for row in rows], kind) for name, kind in _TYPES.items()]
            writer.write_batch(pa.record_batch(columns, schema=_SCHEMA))


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of the archive that a Parquet file holds; all of it is looked at before the first is yielded.

    Raises:
        OSError: it cannot be read.
        InvalidInput: it is damaged, or none that `write_lines` wrote.
    """
    with path.open("rb") as raw, _refusing(path), ParquetFile(raw, page_checksum_verification=True) as file:
        head, tail = _ends(path, file)
        calls = sum(isinstance(line, CallLine) for line in _lines(file))
        if calls != tail.calls:
            raise InvalidInput(f"{path} is damaged: of its {tail.calls} calls there are {calls}.")
        yield head
        yield from _lines(file)
        yield tail


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Say what the package says of a damaged file in a sentence of ours."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = str(error).partition("\n")[0][:200].rstrip(". ")
        raise InvalidInput(f"{path} is damaged, or no Parquet file: {reason}.") from None


def _ends(path: Path, file: ParquetFile) -> tuple[Head, Tail]:
    """Return the first and the last line of an archive, which a Parquet file of somebody else does not have."""
    told = file.metadata.metadata or {}
    head, tail = (read_line(told[name], 1) if name in told else None for name in (_HEAD, _TAIL))
    found = {field.name: field for field in file.schema_arrow}
    is_whole = all(name in found and found[name] == _SCHEMA.field(name) for name in _LONG)
    if not isinstance(head, Head) or not isinstance(tail, Tail) or not is_whole:
        raise InvalidInput(f"{path} is no archive of Reenact: its columns are another program's.")
    return head, tail


def _lines(file: ParquetFile) -> Iterator[Line]:
    number = 0
    for group in range(file.num_row_groups):
        table = file.read_row_group(group, columns=_LONG, use_threads=False)
        for request, response, record in zip(*(table.column(name) for name in _LONG), strict=True):
            number += 1
            line = read_line(record.as_py().encode(), number)
            if isinstance(line, CallLine):
                bodies = {"request_body": request.as_py() or b"", "response_body": response.as_py() or b""}
                line = msgspec.structs.replace(line, exchange=msgspec.structs.replace(line.exchange, **bodies))
            yield line


def _rows(writer: ParquetWriter, lines: Iterable[Line]) -> Iterator[Row]:
    """Yield the rows of *lines*; what stands in the footer is given to *writer*."""
    for line in lines:
        match line:
            case Head():
                writer.add_key_value_metadata({_HEAD: write_line(line)})
            case Tail():
                writer.add_key_value_metadata({_TAIL: write_line(line)})
            case CallLine():
                yield _row(line)
            case _:
                yield Row(kind=str(line.__struct_config__.tag), record=_record(line))


def _row(line: CallLine) -> Row:
    call: Call = line.call
    bare = msgspec.structs.replace(line.exchange, request_body=b"", response_body=b"")
    return Row(
        kind="call",
        organisation_id=call.organisation_id,
        call_id=call.id,
        session_id=call.labels.session_id,
        user_id=call.labels.user_id,
        created=call.created_us,
        duration_us=call.duration_us,
        provider=call.provider,
        model=call.model,
        status=call.status,
        input_tokens=call.usage.input_tokens,
        output_tokens=call.usage.output_tokens,
        cost_nanodollars=call.cost_nanodollars,
        request_body=line.exchange.request_body,
        response_body=line.exchange.response_body,
        record=_record(msgspec.structs.replace(line, exchange=bare)),
    )


def _record(line: Line) -> str:
    return write_line(line).decode().rstrip("\n")


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield what becomes a group of rows: some, or less when they are long."""
    waiting: list[Row] = []
    waiting_bytes = 0
    for row in rows:
        waiting.append(row)
        waiting_bytes += len(row.record) + len(row.request_body or b"") + len(row.response_body or b"")
        if len(waiting) >= _AT_ONCE or waiting_bytes >= _AT_ONCE_BYTES:
            yield waiting
            waiting, waiting_bytes = [], 0
    if waiting:
        yield waiting
