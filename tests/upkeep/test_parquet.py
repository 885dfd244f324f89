"""Tests of `upkeep.parquet`: read by another program, refused when it is damaged, written and read in bounded memory."""

import json
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from reenact.domain.exchange import Unreadable
from reenact.errors import InvalidInput
from reenact.ingest.decoding import decode
from reenact.store.sqlite.store import SqliteStore
from reenact.upkeep.archiving import VERSION, Head, Line, Tail, UnreadableLine
from reenact.upkeep.exporter import export
from reenact.upkeep.importer import Importer
from reenact.upkeep.parquet import read_lines, write_lines
from tests.golden.make import make, stored

CHDB = "import sys, chdb; print(chdb.query(sys.argv[1], 'JSONEachRow'))"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A Parquet file of the golden sessions."""
    store = SqliteStore(tmp_path / "calls.sqlite3")
    store.save(stored())
    export(store, tmp_path / "out.parquet")
    store.close()
    return tmp_path / "out.parquet"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store to import into."""
    store = SqliteStore(tmp_path / "second.sqlite3")
    yield store
    store.close()


def test_another_program_reads_it(file: Path) -> None:
    """ClickHouse's engine sums its columns and finds in it, byte for byte, what the agent had sent."""
    columns = "call_id, model, status, session_id, input_tokens"
    derived = "toUnixTimestamp64Micro(created) AS us, hex(request_body) AS body"
    asked = f"SELECT {columns}, {derived} FROM file('{file}', Parquet) WHERE kind = 'call' ORDER BY us, call_id"
    done = subprocess.run([sys.executable, "-c", CHDB, asked], capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines() if line]
    expected = [
        {
            "call_id": one.call.id, "model": one.call.model, "status": one.call.status,
            "session_id": one.call.labels.session_id, "us": one.call.created_us,
            "input_tokens": one.call.usage.input_tokens, "body": one.exchange.request_body.hex().upper(),
        }
        for one in sorted(stored(), key=lambda one: (one.call.created_us, one.call.id))
    ]  # fmt: skip
    assert expected == [{**one, "us": int(one["us"])} for one in found]
    assert 0o600 == file.stat().st_mode & 0o777


def test_a_file_of_another_program_is_refused(empty: SqliteStore, tmp_path: Path) -> None:
    """As is one that has our words in its footer and other columns, and one of a later version."""
    tail = {b"reenact.tail": b'{"kind":"tail","calls":0}'}
    ours, later = (
        {b"reenact.head": b'{"kind":"head","version":%d,"reenact":"9"}' % version, **tail}
        for version in (VERSION, VERSION + 1)
    )
    said = []
    for metadata in ({}, ours, later):
        table = pa.table({"record": ["{}"]}).replace_schema_metadata(metadata)
        parquet.write_table(table, tmp_path / "other.parquet")
        with pytest.raises(InvalidInput) as refused:
            Importer(empty, decode).run(tmp_path / "other.parquet")
        said.append(str(refused.value))
    assert f"{tmp_path / 'other.parquet'} is no archive of Reenact: its columns are another program's." == said[0]
    assert said[0] == said[1]
    assert "of another kind" in said[2]
    assert [] == empty.organisations()


def test_a_damaged_file_is_refused_whole(file: Path, empty: SqliteStore) -> None:
    """Cut off or written over anywhere: with a sentence, and nothing of it is imported."""
    whole = file.read_bytes()
    chance = random.Random(1)
    said = set()
    for number in range(200):
        place = chance.randrange(4, len(whole))
        flipped = bytes(byte ^ chance.randrange(1, 256) for byte in whole[place : place + 8])
        file.write_bytes(whole[:place] + (flipped + whole[place + 8 :] if number % 2 else b""))
        try:
            list(read_lines(file))
        except InvalidInput as error:
            said.add(str(error).partition(":")[0])
            with pytest.raises(InvalidInput):
                Importer(empty, decode).run(file)
    assert f"{file} is damaged, or no Parquet file" in said
    assert [] == empty.organisations()


def test_a_file_whose_end_was_not_written(tmp_path: Path) -> None:
    """Is told by the calls that its footer promises."""
    write_lines(tmp_path / "out.parquet", [Head(reenact="1"), Tail(calls=3)])
    with pytest.raises(InvalidInput, match="of its 3 calls there are 0"):
        list(read_lines(tmp_path / "out.parquet"))


def test_no_more_than_some_lines_are_in_memory(tmp_path: Path) -> None:
    """However many there are: 480 MB go through less than a third of it, Python's memory and the package's own together."""

    def lines() -> Iterator[Line]:
        yield Head(reenact="1")
        for number in range(3000):
            yield UnreadableLine(unreadable=Unreadable(raw=number.to_bytes(4, "big") * 30_000, reason="odd"))
        yield Tail(calls=0)

    tracemalloc.start()
    write_lines(tmp_path / "many.parquet", lines())
    assert 3002 == sum(1 for _ in read_lines(tmp_path / "many.parquet"))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes + pa.default_memory_pool().max_memory() < 150_000_000


def test_without_its_package(file: Path) -> None:
    """Both ways say what to install, and no file is written."""
    make(file.parent / "data")
    code = "import sys; sys.modules['pyarrow'] = None; from reenact.cli import main; sys.argv[0] = 'reenact'; main()"
    for arguments in (("export", "new.parquet"), ("import", file.name)):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments, "--data", "data"], cwd=file.parent, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert (2, True) == (done.returncode, "pip install 'reenact[parquet]'" in done.stderr), done
    assert not (file.parent / "new.parquet").exists()
