"""Tests of `upkeep.exporter`, `importer` and `archiving`: what goes out comes in again, byte for byte."""

import tempfile
import time
from pathlib import Path

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from reenact.domain.exchange import Chunk, Ending, Exchange, Gap, Span, Told, Unreadable
from reenact.domain.filter import Everything, Sort
from reenact.domain.labels import Labels, ReplayLink
from reenact.errors import InvalidInput
from reenact.ingest.continuing import in_session
from reenact.ingest.decoding import decode
from reenact.store.sqlite.store import SqliteStore
from reenact.upkeep.archiving import VERSION
from reenact.upkeep.exporter import export
from reenact.upkeep.importer import Imported, Importer
from tests.fakes import tau_bench
from tests.store.given import given_exchange

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
BODY = st.one_of(
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.floats() | TEXT,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["model", "messages", "x"]), inner),
        max_leaves=8,
    ).map(msgspec.json.encode),
)
HEADERS = st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9)), max_size=3).map(tuple)
LABELS = st.builds(
    Labels,
    session_id=st.none() | TEXT,
    session_name=st.none() | TEXT,
    user_id=st.none() | TEXT,
    properties=st.dictionaries(TEXT, TEXT, max_size=3),
    replay=st.none() | st.builds(ReplayLink, replay_id=TEXT, take=st.integers(0, 9), source_session_id=TEXT),
)
SPANS = st.builds(Told, span=st.none() | st.builds(Span, trace_id=TEXT, span_id=TEXT), cost_nanodollars=st.none())
EXCHANGES = st.builds(
    given_exchange,
    id=st.uuids().map(str),
    organisation_id=st.sampled_from(["one", "two"]),
    started_us=st.integers(0, 2**50),
    labels=LABELS,
    request_headers=HEADERS,
    response_headers=HEADERS,
    request_body=BODY,
    response_body=BODY,
    chunks=st.lists(st.builds(Chunk, body_bytes=st.integers(0, 99), after_us=st.integers(0, 99)), max_size=3).map(
        tuple
    ),
    ending=st.sampled_from(Ending),
    detail=TEXT,
    told=st.none() | SPANS,
)


NAMES = ["out.jsonl", "out.jsonl.zst", "out.parquet"]


def everything(store: SqliteStore) -> dict[str, object]:
    """Return all that a store has, as it is seen from outside."""
    found: dict[str, object] = {"unreadables": store.unreadables()}
    for name in store.organisations():
        calls = store.find(name, Everything(), Sort(), offset=0, limit=10_000)
        found[name] = (calls, store.exchanges(name, [call.id for call in calls]), store.gaps(name))
    return found


@settings(max_examples=40, deadline=None)
@given(st.lists(EXCHANGES, max_size=6, unique_by=lambda one: one.id), st.sampled_from(NAMES))
def test_out_and_in_is_the_same(exchanges: list[Exchange], name: str) -> None:
    """Whatever was recorded and said of it; importing it twice changes nothing."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        first, second = SqliteStore(folder / "first"), SqliteStore(folder / "second")
        gap = Gap(organisation_id="one", first_us=1, last_us=2, count=3, reason="full")
        first.save([decode(one) for one in exchanges], gaps=[gap], unreadables=[Unreadable(raw=b"\xff", reason="odd")])
        for number, one in enumerate(exchanges):
            if number % 2:
                first.set_scores(one.organisation_id, one.id, {"Good": number / 3})
                first.set_property(one.organisation_id, one.id, "Later", "said")
                first.set_property(one.organisation_id, one.id, "Helicone-Session-Id", "moved")
            if number % 3 == 1:
                first.set_feedback(one.organisation_id, one.id, rating=False)
        file = folder / name
        assert len(exchanges) == export(first, file)
        for _ in range(2):
            assert len(exchanges) == Importer(second, decode).run(file).calls
        assert everything(first) == everything(second)
        first.close()
        second.close()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of three calls, two of one organisation and one of another."""
    store = SqliteStore(tmp_path / "calls.sqlite3")
    told = (("a", "one", "s1"), ("b", "one", "s2"), ("c", "two", "s1"))
    exchanges = [
        given_exchange(
            id=f"{name * 8}-0000-4000-8000-000000000000", organisation_id=owner, labels=Labels(session_id=session)
        )
        for name, owner, session in told
    ]
    store.save([decode(one) for one in exchanges])
    export(store, tmp_path / "all.jsonl")
    export(store, tmp_path / "s1.jsonl", session_id="s1")
    export(store, tmp_path / "two.jsonl", organisation_id="two")
    store.close()
    return tmp_path / "all.jsonl"


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    """An empty store."""
    return SqliteStore(tmp_path / "empty.sqlite3")


def test_parts_can_be_exported(archive: Path, store: SqliteStore) -> None:
    """A session of every organisation that has one of the name, or one organisation."""
    by_session = Importer(store, decode).run(archive.with_name("s1.jsonl"))
    by_owner = Importer(store, decode).run(archive.with_name("two.jsonl"))
    store.close()
    assert Imported(calls=2, organisations=("one", "two")) == by_session
    assert Imported(calls=1, organisations=("two",)) == by_owner


def test_everything_can_be_imported_for_one(archive: Path, store: SqliteStore) -> None:
    """Where another server's organisations mean nothing."""
    imported = Importer(store, decode, organisation_id="mine").run(archive)
    owners = store.organisations()
    store.close()
    assert (Imported(calls=3, organisations=("mine",)), ["mine"]) == (imported, owners)


@pytest.mark.parametrize("name", NAMES)
def test_inferred_sessions_come_in_as_they_were(name: str, tmp_path: Path) -> None:
    """As inferred ones: what was never said of a call is not said by its archive either."""
    source, target = (SqliteStore(tmp_path / f"{store}.sqlite3") for store in ("source", "target"))
    source.save([in_session(decode(given_exchange(labels=Labels())), "inferred-x")])
    export(source, tmp_path / name)
    for _ in range(2):
        Importer(target, decode).run(tmp_path / name)
        assert everything(source) == everything(target)
    assert [True] == [call.session_inferred for call in target.session("one", "inferred-x")]
    source.close()
    target.close()


def test_a_file_that_was_cut_off(archive: Path, store: SqliteStore) -> None:
    """What is whole is imported; that the rest is missing is told."""
    lines = archive.read_bytes().splitlines(keepends=True)
    archive.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(InvalidInput, match="was cut off: 3 calls were imported"):
        Importer(store, decode).run(archive)
    archive.write_bytes(b"".join(lines)[:-40] + b"\n")
    with pytest.raises(InvalidInput, match="Line"):
        Importer(store, decode).run(archive)
    archive.write_bytes(zstandard.compress(b"".join(lines))[:-20])
    with pytest.raises(InvalidInput, match=r"cut off|damaged"):
        Importer(store, decode).run(archive)
    store.close()


@pytest.mark.parametrize("content", [b"", b"{}\n", b"no\n", b'{"kind":"tail","calls":0}\n'])
def test_what_is_no_archive(content: bytes, store: SqliteStore, tmp_path: Path) -> None:
    """Is refused with a sentence, and nothing is imported."""
    file = tmp_path / "odd"
    file.write_bytes(content)
    with pytest.raises(InvalidInput):
        Importer(store, decode).run(file)
    assert [] == store.organisations()
    store.close()


def test_an_archive_of_a_later_version(store: SqliteStore, tmp_path: Path) -> None:
    """Is not guessed at."""
    file = tmp_path / "new"
    head = {"kind": "head", "format": "reenact-archive", "version": VERSION + 1, "reenact": "9"}
    file.write_bytes(msgspec.json.encode(head) + b"\n")
    with pytest.raises(InvalidInput, match="another kind"):
        Importer(store, decode).run(file)
    store.close()


@pytest.mark.skipif(not tau_bench.DATA.exists(), reason=tau_bench.MISSING)
def test_a_hundred_real_sessions(tmp_path: Path) -> None:
    """They come in within seconds and take at most 1.3 times the bytes that are not repeated."""
    exchanges, unique_bytes, number = [], 0, 0
    for session in tau_bench.sessions():
        seen: set[bytes] = set()
        for turn in session.turns:
            number += 1
            messages = [msgspec.json.encode(one) for one in msgspec.json.decode(turn.request)["messages"]]
            seen.update(messages)
            unique_bytes += len(turn.answer)
            exchanges.append(
                given_exchange(
                    id=f"{number:08d}-0000-4000-8000-000000000000", started_us=number,
                    labels=Labels(session_id=session.name), request_body=turn.request, response_body=turn.answer,
                )
            )  # fmt: skip
        unique_bytes += sum(map(len, seen))
    first, second = SqliteStore(tmp_path / "first"), SqliteStore(tmp_path / "second")
    for start in range(0, len(exchanges), 100):
        first.save([decode(one) for one in exchanges[start : start + 100]])
    export(first, tmp_path / "tau.jsonl.zst")
    began_s = time.process_time()
    imported = Importer(second, decode).run(tmp_path / "tau.jsonl.zst")
    took_s = time.process_time() - began_s
    ids = [one.id for one in exchanges]

    assert len(exchanges) == imported.calls
    assert exchanges == second.exchanges("one", ids)
    assert first.get("one", ids) == second.get("one", ids)
    assert second.used_bytes() <= 1.3 * unique_bytes
    assert took_s < 5
    first.close()
    second.close()
