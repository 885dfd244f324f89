"""Tests of `store.sqlite.formkeeper`: what calls have in common is kept once, and goes with the last call that has it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from reenact.domain.call import Reading
from reenact.domain.filter import EVERYTHING, Sort
from reenact.store.sqlite.formkeeper import FormKeeper
from reenact.store.sqlite.opener import open_writer
from reenact.store.sqlite.store import SqliteStore
from reenact.store.upkeep import Removal, Scope
from tests.store.given import given_reading


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database without rows."""
    opened = open_writer(tmp_path / "calls.sqlite3")
    yield opened
    opened.close()


def to(number: int, url: str) -> Reading:
    """A call to an address."""
    return given_reading(number, url=url)


def urls(path: Path) -> list[str]:
    """The addresses that are kept."""
    with sqlite3.connect(path) as opened:
        found = [url for (url,) in opened.execute("SELECT url FROM forms ORDER BY url")]
    opened.close()
    return found


def test_alike_calls_share_one(connection: sqlite3.Connection) -> None:
    """Whatever else of them differs; another address, model or stop reason makes another."""
    forms = FormKeeper(connection)
    numbers = [
        forms.keep(one.call)
        for one in (
            given_reading(1),
            given_reading(2, status=500, model="other"),
            to(3, "http://elsewhere/"),
            given_reading(4, stop_reason="length"),
            given_reading(5, request_model=None),
        )
    ]
    assert [1, 1, 2, 3, 4] == numbers
    assert [1, 4] == [
        FormKeeper(connection).keep(one.call) for one in (given_reading(1), given_reading(5, request_model=None))
    ]


def test_one_goes_with_its_last_call(tmp_path: Path) -> None:
    """When the room of removed calls is given back; calls that are saved again leave the one they had."""
    path = tmp_path / "calls.sqlite3"
    store = SqliteStore(path)
    store.save([to(1, "http://one/"), to(2, "http://one/"), to(3, "http://two/"), to(4, "http://three/")])
    store.save([to(4, "http://four/")])
    for number in (1, 3):
        store.remove("one", Removal(Scope.CALL, given_reading(number).call.id))
    store.sweep()
    assert ["http://four/", "http://one/"] == urls(path)
    store.save([to(3, "http://two/")])
    found = store.find("one", EVERYTHING, Sort(ascending=True), offset=0, limit=9)
    assert ["http://one/", "http://two/", "http://four/"] == [call.url for call in found]
    store.close()


def test_one_that_a_call_was_given_meanwhile_stays(connection: sqlite3.Connection) -> None:
    """Between looking for the unused and deleting them."""
    forms = FormKeeper(connection)
    first, second = forms.keep(to(1, "http://one/").call), forms.keep(to(2, "http://two/").call)
    watched = forms.watch()
    forms.keep(to(1, "http://one/").call)
    assert forms.free([first, second], watched)
    assert [(first,)] == connection.execute("SELECT form FROM forms").fetchall()


def test_nothing_goes_when_it_is_not_known_what_was_given(connection: sqlite3.Connection) -> None:
    """A failed batch makes the keeper forget."""
    forms = FormKeeper(connection)
    number = forms.keep(to(1, "http://one/").call)
    watched = forms.watch()
    forms.keep(to(1, "http://one/").call)
    forms.forget()
    assert not forms.free([number], watched)
    assert [(number,)] == connection.execute("SELECT form FROM forms").fetchall()
