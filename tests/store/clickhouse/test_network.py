"""Tests of the ClickHouse store over a network that fails: what was saved is there once, whatever was lost on the way."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reenact.domain.exchange import Cursor
from reenact.domain.filter import EVERYTHING, Sort
from reenact.domain.total import Total
from reenact.errors import InvalidInput, StoreFailed
from reenact.store.clickhouse.opener import Embedded, open_server
from reenact.store.clickhouse.store import ClickHouseStore
from tests.fakes.chdb_http import ChdbHttp
from tests.store.given import given_reading
from tests.store.stores import ENGINE, emptied

pytestmark = ENGINE
TABLES_OF_A_BATCH = ("parts", "bodies", "call_keys", "annotations", "calls", "cursors")
READINGS = [
    given_reading(number, {"request_body": b'{"messages": ["%s"]}' % (b"one message " * 9)}, scores={"k": 1.0})
    for number in range(1, 40)
]
IDS = [reading.call.id for reading in READINGS]
END = Cursor(1, 100)


@pytest.fixture(scope="module")
def server(engine: Embedded) -> Iterator[ChdbHttp]:
    """A server that asks for a password."""
    engine.connector("networked").close()
    with ChdbHttp(str(engine.path), credentials="reenact:p@ss") as serving:
        yield serving


@pytest.fixture
def store(server: ChdbHttp, tmp_path: Path) -> Iterator[ClickHouseStore]:
    """An empty store of that server."""
    server.failing = server.dropping = 0
    url = server.url.replace("p@ss", "p%40ss")
    with emptied(lambda: open_server(f"{url}/networked"), tmp_path) as again:
        opened = again()
        assert isinstance(opened, ClickHouseStore)
        yield opened


def rows(store: ClickHouseStore, table: str) -> int:
    """How many rows a table holds, those included that a merge would take away."""
    return int(store.connector.query(f"SELECT count() FROM {table}")[0][0])


@pytest.mark.parametrize("way", ["failing", "dropping"])
@pytest.mark.parametrize("times", range(1, 7))
def test_a_batch_that_broke_anywhere_is_saved_once(
    store: ClickHouseStore, server: ChdbHttp, way: str, times: int
) -> None:
    """Refused, or done and never answered: tried again until it works, all is seen once, before any merge and after."""
    for name in TABLES_OF_A_BATCH:
        store.connector.command(f"SYSTEM STOP MERGES {name}")
    setattr(server, way, times)
    tries = 0
    while store.cursor("spool") != END:
        tries += 1
        try:
            store.save(READINGS, spool="spool", cursor=END)
        except StoreFailed:
            assert tries <= times
    assert (server.failing, server.dropping) == (0, 0)
    check(store)
    for name in TABLES_OF_A_BATCH:
        store.connector.command(f"SYSTEM START MERGES {name}")
        store.connector.command(f"OPTIMIZE TABLE {name} FINAL")
    check(store)
    assert rows(store, "calls") == rows(store, "bodies") == rows(store, "call_keys") == rows(store, "annotations") == 39
    assert rows(store, "parts") == rows(store, "cursors") == 1


def check(store: ClickHouseStore) -> None:
    """Fail unless every question is answered as if nothing had ever failed."""
    assert store.find("one", EVERYTHING, Sort(ascending=True), offset=0, limit=100) == [one.call for one in READINGS]
    assert store.exchanges("one", IDS) == [one.exchange for one in READINGS]
    assert store.count("one", EVERYTHING) == 39
    assert [found.count for found in store.score_totals("one")] == [39]


def test_the_engine_drops_no_block_that_it_believes_to_know(store: ClickHouseStore) -> None:
    """Killed at the wrong moment it knows one that it does not have: what is sent again must be taken again."""
    store.connector.command("SYSTEM STOP MERGES cursors")
    again: dict[str, list[object]] = {"spool": ["spool"], "segment": [1], "offset_bytes": [100], "version": [1]}
    store.connector.insert("cursors", again)
    store.connector.insert("cursors", again)
    assert rows(store, "cursors") == 2
    assert store.cursor("spool") == END


def test_a_batch_that_is_cut_differently_the_second_time_is_seen_once(store: ClickHouseStore, server: ChdbHttp) -> None:
    """After a crash the spool may be read in other stretches: rows replace their like, and sums count them once."""
    store.save(READINGS[:20])
    store.save(READINGS, spool="spool", cursor=END)
    assert rows(store, "calls") == 59
    assert store.count("one", EVERYTHING) == 39
    (total,) = store.totals("one")
    assert (total.calls, total.duration_us) == (39, 39 * 1_500_000)
    assert [found.count for found in store.score_totals("one")] == [39]
    assert store.sessions("one")[0].calls == 39


def test_a_server_that_is_not_there_is_told(server: ChdbHttp) -> None:
    """Wrong password, wrong port, wrong address: a failure with a sentence, never an empty store."""
    with pytest.raises(StoreFailed, match="Authentication"):
        open_server(server.url.replace("p@ss", "wrong"))
    with pytest.raises(StoreFailed):
        open_server("http://127.0.0.1:1/x")
    for odd in ("clickhouse:8123", "tcp://host", ""):
        with pytest.raises(InvalidInput):
            open_server(odd)


def test_statements_carry_no_value_of_a_user(store: ClickHouseStore, server: ChdbHttp) -> None:
    """Values travel beside the text, where nothing they hold is read as SQL."""
    reading = given_reading(exchange={"request_body": b'{"a": "secret-word"}'}, model="secret-word")
    store.save([reading])
    store.set_property("one", reading.call.id, "secret-word", "secret-word")
    store.property_values("one", "secret-word", search="secret-word")
    assert store.totals("secret-word") == [Total()]
    statements = [text for text, _ in server.statements]
    assert [text for text in statements if "secret-word" in text] == []


@pytest.mark.skipif(
    not os.environ.get("CLICKHOUSE_URL"), reason="CLICKHOUSE_URL names no server: no real one was tried"
)
def test_a_real_server_is_tried() -> None:
    """The conformance suite ran against it."""
    open_server(os.environ["CLICKHOUSE_URL"]).close()
