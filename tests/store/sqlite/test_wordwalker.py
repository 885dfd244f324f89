"""Tests of `store.sqlite.wordwalker`: lists by time of calls that said a word are exact, however calls came, and cost a page.

That what words mean is the same in every store is tested in tests/store/test_filters, on few calls.
"""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from reenact.domain.call import Reading
from reenact.domain.filter import EVERYTHING, All, AnyOf, Condition, Filter, Operator, Sort
from reenact.domain.filtering import Texts, matches
from reenact.domain.labels import Labels
from reenact.store.sqlite.opener import open_reader
from reenact.store.sqlite.schema import ENTRIES
from reenact.store.sqlite.store import SqliteStore
from reenact.store.sqlite.wordwalker import walk_words
from reenact.store.upkeep import Removal, Scope
from tests.store.given import CREATED_US, given_reading

CALLS = 1600


def said(number: int, at_us: int, chance: random.Random) -> Reading:
    """A call of one of two organisations, that said some of a few words on either side."""
    exchange = {
        "organisation_id": "other" if chance.random() < 0.2 else "one",
        "labels": Labels(user_id=f"user-{chance.randrange(40)}"),
    }
    reading = given_reading(number, exchange, created_us=at_us)
    asked = ["every"] * (chance.random() < 0.9) + ["tenth"] * (chance.random() < 0.1) + ["rare"] * (number % 300 == 7)
    return msgspec.structs.replace(
        reading, search_text=" ".join(asked), answer_text="tenth" if chance.random() < 0.1 else "Naïve"
    )


def contains(column: str, text: str) -> Condition:
    """A condition in short."""
    return Condition(column=column, operator=Operator.CONTAINS, value=text)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SqliteStore, list[Reading], Path]]:
    """A store whose calls came somewhat out of order, then old ones, then some again; and the calls of one organisation."""
    path = tmp_path_factory.mktemp("walked") / "calls.sqlite3"
    store, chance = SqliteStore(path), random.Random(3)
    late = [said(n, CREATED_US + n * 1000 - chance.randrange(9) * 40_000, chance) for n in range(CALLS)]
    early = [said(CALLS + n, CREATED_US + chance.randrange(CALLS) * 1000, chance) for n in range(300)]
    for start in range(0, CALLS, 400):
        store.save(late[start : start + 400])
    store.save(early)
    again = chance.sample(late, 150)
    store.save(again)
    gone = {one.call.id for one in chance.sample(late, 60) if one.call.organisation_id == "one"}
    for call_id in gone:
        store.remove("one", Removal(Scope.CALL, call_id))
    store.sweep()
    kept = [one for one in (*late, *early) if one.call.organisation_id == "one" and one.call.id not in gone]
    yield store, kept, path
    store.close()


FILTERS: dict[str, Filter] = {
    "every": contains("request_body", "every"),
    "tenth": contains("request_body", "tenth"),
    "rare": contains("request_body", "rare"),
    "absent": contains("request_body", "absent"),
    "two words": contains("request_body", "every TENTH"),
    "two conditions": All((contains("request_body", "every"), contains("request_body", "tenth"))),
    "both sides": All((contains("request_body", "tenth"), contains("response_body", "tenth"))),
    "either side": AnyOf((contains("request_body", "tenth"), contains("response_body", "tenth"))),
    "either side of two": AnyOf((contains("request_body", "every"), contains("response_body", "tenth"))),
    "one but not the other": All(
        (
            contains("request_body", "every"),
            Condition(column="response_body", operator=Operator.NOT_CONTAINS, value="tenth"),
        )
    ),
    "no ASCII": contains("response_body", "naïve"),
    "no word at all": contains("request_body", " "),
    "a user's": All(
        (contains("request_body", "every"), Condition(column="user_id", operator=Operator.EQUALS, value="user-7"))
    ),
    "of a time": All(
        (
            Condition(column="created_us", operator=Operator.GT, value=CREATED_US + 300_000),
            contains("request_body", "tenth"),
            Condition(column="created_us", operator=Operator.LTE, value=CREATED_US + 700_000.5),
        )
    ),
    "of no time": All(
        (contains("request_body", "every"), Condition(column="created_us", operator=Operator.LT, value=5))
    ),
}


@pytest.mark.parametrize("where", FILTERS.values(), ids=FILTERS)
@pytest.mark.parametrize("ascending", [True, False])
def test_a_page_is_cut_from_the_whole_order(
    filled: tuple[SqliteStore, list[Reading], Path], where: Filter, ascending: bool
) -> None:
    """The same calls as plain Python chooses, in their order, whatever page is asked for."""
    store, kept, _ = filled
    found = [one.call for one in kept if matches(where, one.call, Texts(one.search_text, one.answer_text))]
    whole = [call.id for call in sorted(found, key=lambda call: (call.created_us, call.id), reverse=not ascending)]
    for offset, limit in ((0, 1), (0, 50), (70, 50), (0, 1000), (990, 20), (0, 0)):
        page = store.find("one", where, Sort(ascending=ascending), offset=offset, limit=limit)
        assert [call.id for call in page] == whole[offset : offset + limit]
    assert len(whole) == store.count("one", where)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of many calls that all said one word."""
    path = tmp_path_factory.mktemp("spoken") / "calls.sqlite3"
    store = SqliteStore(path)
    store.save([msgspec.structs.replace(given_reading(n), search_text="every") for n in range(3 * CALLS)])
    store.close()
    return path


@pytest.mark.parametrize(
    ("where", "sort", "wanted"),
    [
        (FILTERS["every"], Sort(), 1001),
        (FILTERS["every"], Sort(column="latency_ms"), 50),
        (FILTERS["either side of two"], Sort(), 50),
        (FILTERS["no word at all"], Sort(), 50),
        (EVERYTHING, Sort(), 50),
        (FILTERS["a user's"], Sort(), 50),
    ],
)
def test_what_a_walk_does_not_answer(spoken: Path, where: Filter, sort: Sort, wanted: int) -> None:
    """Deep pages, other orders, words that need not have been said, and a page that is not full after many entries."""
    connection = open_reader(spoken)
    assert walk_words(connection, 1, where, sort, wanted) is None
    connection.close()


@pytest.mark.parametrize("ascending", [True, False])
def test_a_page_costs_the_same_however_often_a_word_was_said(tmp_path: Path, ascending: bool) -> None:
    """Counted in steps of the database's machine: three times the calls, hardly more steps."""
    store = SqliteStore(tmp_path / "calls.sqlite3")
    spoken = [
        msgspec.structs.replace(given_reading(n), search_text="every", answer_text="word") for n in range(3 * ENTRIES)
    ]
    store.save(spoken[:ENTRIES])
    few = steps(tmp_path / "calls.sqlite3", ascending)
    store.save(spoken[ENTRIES:])
    many = steps(tmp_path / "calls.sqlite3", ascending)
    store.close()
    assert many < 1.1 * few


def steps(path: Path, ascending: bool) -> int:
    """How many steps a page takes."""
    connection, counted = open_reader(path), 0

    def step() -> int:
        nonlocal counted
        counted += 1
        return 0

    connection.set_progress_handler(step, 1)
    assert 50 == len(walk_words(connection, 1, FILTERS["every"], Sort(ascending=ascending), 50) or ())
    connection.close()
    return counted


def test_spans_are_of_the_calls_that_are_left(tmp_path: Path) -> None:
    """After a sweep nothing tells when a removed call was made."""
    store = SqliteStore(tmp_path / "calls.sqlite3")
    store.save([msgspec.structs.replace(given_reading(n), search_text="one", answer_text="two") for n in range(3)])
    store.remove("one", Removal(Scope.CALL, given_reading(2).call.id))
    store.sweep()
    connection = sqlite3.connect(tmp_path / "calls.sqlite3")
    assert [(CREATED_US, CREATED_US + 1_000_000)] == connection.execute(
        "SELECT first_us, latest_us FROM word_spans"
    ).fetchall()
    connection.close()
    store.close()
