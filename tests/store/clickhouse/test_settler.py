"""Tests of `store.clickhouse.settler`: sums that stand ready say what plain sums of the calls say, whatever happens."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reenact.domain.call import Reading
from reenact.domain.filter import EVERYTHING, Condition, Operator
from reenact.domain.labels import Labels
from reenact.domain.total import BY_TIME, Grouping, Step
from reenact.store.clickhouse.opener import Embedded
from reenact.store.clickhouse.settler import Doubts, Interval, Settler
from reenact.store.clickhouse.store import ClickHouseStore
from reenact.store.clickhouse.ticker import Ticker
from reenact.store.upkeep import Removal, Scope
from tests.store import reference, stores
from tests.store.given import CREATED_US, given_reading

pytestmark = stores.ENGINE
HOUR_US = 3_600_000_000
BY_DAY = Grouping(step=Step.DAY, column="model")
LATE = Condition(column="created_us", operator=Operator.GTE, value=CREATED_US + 5 * HOUR_US)
"""Begins in the middle of an hour."""


@pytest.fixture(scope="module")
def opening(engine: Embedded) -> Iterator[Callable[[], ClickHouseStore]]:
    """How an empty store is opened whose engine merges nothing by itself: what is replaced stands beside what replaces it."""
    with stores.chdb(engine) as again:
        store = again()
        assert isinstance(store, ClickHouseStore)
        store.connector.command("SYSTEM STOP MERGES calls")
        yield again  # type: ignore[misc]
        store.connector.command("SYSTEM START MERGES calls")


def reading(number: int, hours: int = 0, said: int = 0) -> Reading:
    """A call of some hour; *said* is what a later reading of it says differently."""
    model, customer = ("gpt-4o", "gpt-4o-mini")[(number + said) % 2], f"customer-{(number + said) % 5}"
    one = given_reading(
        number, {"duration_us": 1_000_000 + 7_000 * (number + 3 * said),
                 "labels": Labels(session_id=f"s{number % 3}", properties={"Customer": customer, f"Key-{said}": "x"})}
    )  # fmt: skip
    changed = {
        "created_us": CREATED_US + hours * HOUR_US,
        "model": model,
        "cost_nanodollars": None if said == 2 else 9 + said,
    }
    return msgspec.structs.replace(one, call=msgspec.structs.replace(one.call, **changed))


def asked(store: ClickHouseStore) -> tuple[object, ...]:
    """What is answered from what stands ready."""
    return (
        store.totals("one"),
        store.totals("one", EVERYTHING, BY_DAY),
        store.totals("one", LATE, Grouping(step=Step.HOUR, column="status")),
        store.percentiles("one", "latency_ms", [0.0, 0.5, 0.95, 1.0]),
        [key.lower() for key in store.property_keys("one")],
        store.property_values("one", "customer"),
    )


def summed(readings: Sequence[Reading]) -> tuple[object, ...]:
    """The same in plain Python."""
    return (
        reference.totals(readings, EVERYTHING, Grouping(), BY_TIME),
        reference.totals(readings, EVERYTHING, BY_DAY, BY_TIME),
        reference.totals(readings, LATE, Grouping(step=Step.HOUR, column="status"), BY_TIME),
        reference.percentiles(readings, "latency_ms", [0.0, 0.5, 0.95, 1.0]),
        reference.property_keys(readings),
        reference.property_values(readings, "customer"),
    )


def in_doubt(store: ClickHouseStore) -> tuple[int, int]:
    """How many hours are unsettled, and how many have rows that replace others."""
    doubts = Settler(store.connector, Ticker()).doubts("one")
    return tuple(
        sum((one.to_us - one.from_us) // HOUR_US for one in part) for part in (doubts.unsettled, doubts.unplain)
    )  # type: ignore[return-value]


SAVED = st.tuples(st.integers(1, 6), st.integers(0, 40), st.integers(0, 2))
STEPS = st.lists(
    st.tuples(st.just("save"), st.lists(SAVED, max_size=4))
    | st.tuples(st.sampled_from(["remove", "discard", "move"]), st.integers(1, 6))
    | st.tuples(st.sampled_from(["settle", "sweep", "wipe", "merge"]), st.none()),
    max_size=10,
)


def test_whatever_happens_to_calls_sums_are_theirs(opening: Callable[[], ClickHouseStore]) -> None:
    """Saved once and again, at another time, moved to another session, removed, discarded, swept, wiped, merged."""

    @settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
    @given(STEPS)
    def check(steps: list[tuple[str, object]]) -> None:
        store, there = opening(), dict[int, Reading]()
        for name, what in steps:
            act(store, there, name, what)
            assert asked(store) == summed(list(there.values()))

    check()


def act(store: ClickHouseStore, there: dict[int, Reading], name: str, what: object) -> None:
    """Do one thing, and note what is there after it."""
    match name, what:
        case "save", list(saved):
            latest = {number: reading(number, hours, said) for number, hours, said in saved}
            store.save(list(latest.values()))
            there |= latest
        case "move", int(number) if number in there:
            store.set_property("one", there[number].call.id, "Helicone-Session-Id", "elsewhere")
        case "remove", int(number):
            store.remove("one", Removal(Scope.CALL, reading(number).call.id))
            there.pop(number, None)
        case "discard", int(number):
            store.discard("one", [reading(number).call.id])
            there.pop(number, None)
        case "sweep", None:
            with merging(store):
                store.sweep()
        case "settle", None:
            store.settle(rest_s=0.0)
        case "wipe", None:
            with merging(store):
                store.wipe()
        case "merge", None:
            with merging(store):
                store.connector.command("OPTIMIZE TABLE calls FINAL")


@contextmanager
def merging(store: ClickHouseStore) -> Iterator[None]:
    """Let the engine write parts anew meanwhile; it would wait for ever."""
    store.connector.command("SYSTEM START MERGES calls")
    yield
    store.connector.command("SYSTEM STOP MERGES calls")


def test_hours_at_rest_are_settled_and_no_others(opening: Callable[[], ClickHouseStore]) -> None:
    """What was just written is left alone, a call that is saved again unsettles its hour, and hours settle anew."""
    store = opening()
    store.save([reading(number, number) for number in range(1, 9)])
    store.settle()
    fresh = in_doubt(store)
    store.settle(rest_s=0.0)
    at_rest = in_doubt(store)
    store.save([reading(3, 3, 1)])
    changed = in_doubt(store)
    store.settle(rest_s=0.0)
    again = in_doubt(store)
    assert ((8, 8), (0, 0), (1, 1), (0, 1)) == (fresh, at_rest, changed, again)
    assert summed([reading(number, number, int(number == 3)) for number in range(1, 9)]) == asked(store)


def test_what_is_ready_is_read_and_no_call(opening: Callable[[], ClickHouseStore]) -> None:
    """Sums and lists of settled hours are the same without the calls, of which only the times are looked at by percentiles."""
    store = opening()
    store.save([reading(number, number) for number in range(1, 9)])
    store.settle(rest_s=0.0)
    before = (
        store.totals("one", EVERYTHING, BY_DAY),
        store.property_keys("one"),
        store.property_values("one", "customer"),
    )
    store.connector.command("TRUNCATE TABLE calls")
    after = (
        store.totals("one", EVERYTHING, BY_DAY),
        store.property_keys("one"),
        store.property_values("one", "customer"),
    )
    assert before == after
    assert before[0]


def test_nothing_of_a_wiped_call_is_left_in_what_is_ready(opening: Callable[[], ClickHouseStore]) -> None:
    """A value that others had in that hour stays; of an organisation without calls nothing does."""
    store = opening()
    store.save([reading(1), reading(2), reading(6)])
    store.settle(rest_s=0.0)
    tables = ("span_sums", "span_properties", "settled_spans", "hour_changes")

    def left() -> list[int]:
        return [int(store.connector.query(f"SELECT count() FROM {table}")[0][0]) for table in tables]

    with merging(store):
        store.remove("one", Removal(Scope.CALL, reading(2).call.id))
        store.wipe()
        values = store.connector.query("SELECT DISTINCT value FROM span_properties WHERE key_lower = 'customer'")
        some = left()
        store.remove("one", Removal(Scope.ORGANISATION, "one"))
        store.wipe()
    assert [("",), ("customer-1",)] == sorted((value,) for (value,) in values)
    assert (True, [0, 0, 0, 0]) == (all(some), left())


def test_doubts_that_have_grown_are_told() -> None:
    """An hour that was not plain before may be so still; another may not."""
    first, second = Interval(0, HOUR_US), Interval(HOUR_US, 2 * HOUR_US)
    both = Doubts((), (Interval(0, 2 * HOUR_US),), ())
    one = Doubts((), (first,), ())
    other = Doubts((), (second,), ())
    assert [True, False, True] == [both.have_grown(one), one.have_grown(both), other.have_grown(one)]
    many = Doubts((), tuple(Interval(2 * at * HOUR_US, (2 * at + 1) * HOUR_US) for at in range(300)), ())
    assert (many.are_mixed, many.are_many, other.have_grown(many)) == (True, False, False)


def test_hours_are_plain_again_once_the_engine_has_merged_them(opening: Callable[[], ClickHouseStore]) -> None:
    """Looking for that is left to the settling that is not done in passing."""
    store = opening()
    for said in (0, 1):
        store.save([reading(3, 3, said)])
    store.settle(rest_s=0.0)
    before = in_doubt(store)
    with merging(store):
        store.connector.command("OPTIMIZE TABLE calls FINAL")
    store.settle(rest_s=0.0)
    assert ((0, 1), (0, 0)) == (before, in_doubt(store))


def test_hours_that_nobody_noted_are_noted(opening: Callable[[], ClickHouseStore]) -> None:
    """As long as they are not, sums leave their calls out."""
    store = opening()
    store.save([reading(number, number) for number in range(1, 4)])
    expected = asked(store)
    store.connector.command("TRUNCATE TABLE hour_changes")
    store.settle()
    assert expected == asked(store)


def test_lists_are_right_while_many_days_are_in_doubt(opening: Callable[[], ClickHouseStore]) -> None:
    """Days may be unsettled whose hours are settled; then all calls are looked at."""
    store = opening()
    readings = [reading(number, 48 * number) for number in range(1, 211)]
    store.save(readings)
    store.settle(rest_s=0.0)
    store.connector.command("DELETE FROM settled_spans WHERE span_us = 86400000000")
    store = ClickHouseStore(store.connector)
    doubts = Settler(store.connector, Ticker()).doubts("one")
    assert (True, ()) == (doubts.are_many, doubts.unsettled)
    assert summed(readings) == asked(store)


def test_percentiles_are_right_while_calls_are_written_over(opening: Callable[[], ClickHouseStore]) -> None:
    """Each look at the rows is followed by another save of a call that was plain: the answer has it once all the same."""
    store = opening()
    readings = [reading(number, number) for number in range(1, 9)]
    store.save(readings)
    store.settle(rest_s=0.0)
    ask, looks = store.connector.query, list[str]()

    def and_then(text: str, values: dict[str, object] | None = None) -> object:
        if "quantilesExact" in text or "groupArray(number)" in text:
            looks.append(text)
            store.save([reading(len(looks), len(looks))])
        return ask(text, values)

    store.connector.query = and_then  # type: ignore[method-assign, assignment]
    found = store.percentiles("one", "latency_ms", [0.0, 0.5, 1.0])
    store.connector.query = ask  # type: ignore[method-assign]
    assert reference.percentiles(readings, "latency_ms", [0.0, 0.5, 1.0]) == found
    assert 2 == len(looks)


def test_when_an_hour_was_noted_last_outlives_a_merge(opening: Callable[[], ClickHouseStore]) -> None:
    """In whatever order notes are merged."""
    connector = opening().connector
    for latest_us in (7, 9, 8):
        row: dict[str, list[object]] = {"organisation_id": ["one"], "hour": [1], "times": [1], "latest_us": [latest_us]}
        connector.insert("hour_changes", row)
    connector.command("OPTIMIZE TABLE hour_changes FINAL")
    assert [(3, 9)] == connector.query("SELECT times, latest_us FROM hour_changes")
