"""Sessions out of a real store as turns."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reenact.comparison.reader import compare_sessions, read_turns
from reenact.domain.exchange import Ending
from reenact.domain.message import Answer
from reenact.errors import NotFound
from reenact.store.sqlite.store import SqliteStore
from tests.store.given import given_reading
from tests.web.recordings import a_debate


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store with a session and a take of it."""
    opened = SqliteStore(tmp_path / "calls.sqlite3")
    opened.save([*a_debate(), *a_debate("debate-2", changed=True, first=50)])
    yield opened
    opened.close()


def test_turns_say_what_was_asked_and_answered(store: SqliteStore) -> None:
    """In order, through the dialect of each call."""
    turns = read_turns(store, "org", "debate-1")

    assert [turn.prompt.messages[-1].text for turn in turns if turn.prompt] == [
        "Climate change is a natural cycle.",
        "Regulation hinders growth.",
        "One country alone changes nothing.",
    ]
    assert [turn.answer.message.text for turn in turns if turn.answer and turn.answer.message][
        2
    ] == "Each country can lead."


def test_equal_messages_are_held_once(store: SqliteStore) -> None:
    """A session of n calls repeats its history n times on the wire, not in memory."""
    first, second, _ = (turn.prompt.origin["messages"] for turn in read_turns(store, "org", "debate-1") if turn.prompt)

    assert [id(message) for message in second[: len(first)]] == [id(message) for message in first]


def test_a_take_is_compared_with_its_source(store: SqliteStore) -> None:
    """Every call finds its own."""
    comparison = compare_sessions(store, "org", "debate-1", "debate-2")

    assert (comparison.paired, comparison.different, len(comparison.pairs)) == (3, 2, 3)
    assert (comparison.left_name, comparison.right_name) == ("AI Debate", "Replay of AI Debate")


@pytest.mark.parametrize(("left", "right"), [("debate-1", "none"), ("none", "debate-1")])
def test_a_session_that_is_not_here_is_named(store: SqliteStore, left: str, right: str) -> None:
    """On either side."""
    with pytest.raises(NotFound, match="There is no session 'none'"):
        compare_sessions(store, "org", left, right)


def test_another_organisation_has_no_such_session(store: SqliteStore) -> None:
    """It looks as if it were not there."""
    with pytest.raises(NotFound):
        read_turns(store, "other", "debate-1")


def test_what_no_dialect_reads_is_still_compared(store: SqliteStore) -> None:
    """An opaque call keeps its JSON; a body that is none has no prompt; a body of the wrong shape keeps its model."""
    opaque = given_reading(1, {"organisation_id": "org"}, dialect="opaque")
    broken = given_reading(2, {"organisation_id": "org", "request_body": b"\xff{", "ending": Ending.CLIENT_LEFT})
    strange = given_reading(3, {"organisation_id": "org", "request_body": b"[1]"})
    answered = type(opaque)(call=opaque.call, exchange=opaque.exchange, answer={"found": 1})
    store.save([answered, broken, strange])
    one, two, three = read_turns(store, "org", "s1")

    assert (one.prompt and one.prompt.origin["model"], one.answer) == ("gpt-4o", Answer(origin={"found": 1}))
    assert (two.prompt, two.answer) == (None, None)
    assert (three.prompt and (three.prompt.model, three.prompt.origin)) == ("gpt-4o", [1])
