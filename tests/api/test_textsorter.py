"""Tests of `api.textsorter` beside what tests/store/test_texts_sorted holds on every store: what is damaged hides nothing."""

import sqlite3
from pathlib import Path

from reenact.api.textsorter import Page, find_sorted
from reenact.domain.filter import EVERYTHING, Sort
from reenact.store.sqlite.store import SqliteStore
from tests.store.given import given_reading


def test_a_damaged_call_sorts_as_one_that_says_nothing(tmp_path: Path) -> None:
    """The others stand where they belong."""
    bodies = [b'{"model":"gpt-4o","messages":[{"role":"user","content":"%s"}]}' % said for said in (b"b", b"c", b"a")]
    store = SqliteStore(tmp_path / "calls.sqlite3")
    store.save([given_reading(number, {"request_body": body}) for number, body in enumerate(bodies)])
    with sqlite3.connect(tmp_path / "calls.sqlite3") as other:
        other.execute("UPDATE bodies SET content = x'00' WHERE call = 2")
    other.close()

    found = find_sorted(store, "one", Page(EVERYTHING, Sort(column="asked_text", ascending=True), 0, 9))

    store.close()
    assert [given_reading(number).call.id for number in (1, 2, 0)] == [call.id for call in found]
