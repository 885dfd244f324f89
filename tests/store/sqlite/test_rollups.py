"""The sums that stand ready are what the calls sum to, whatever was saved, saved again and removed."""

import sqlite3
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from reenact.domain.call import Reading
from reenact.domain.filter import EVERYTHING, All, Condition, Filter, Operator
from reenact.domain.total import BY_TIME, Grouping, Step
from reenact.store.rolling import DAY_US, HOUR_US, ROLLED, roll
from reenact.store.sqlite.store import SqliteStore
from reenact.store.upkeep import Removal, Scope
from tests.store import reference
from tests.store.filters import TEXTS, readings, settled
from tests.store.given import CREATED_US

TIMES_US = st.sampled_from([0, 1, HOUR_US - 1, HOUR_US, 3 * HOUR_US, DAY_US, 3 * DAY_US, 40 * DAY_US]).map(
    lambda after: CREATED_US // DAY_US * DAY_US + after
)
BOUNDS = st.builds(
    Condition,
    column=st.just("created_us"),
    operator=st.sampled_from([Operator.GTE, Operator.GT, Operator.LTE, Operator.LT]),
    value=TIMES_US,
)
NAMED = st.builds(
    Condition, column=st.sampled_from(["model", "provider"]), operator=st.just(Operator.NOT_EQUALS), value=TEXTS
) | st.builds(Condition, column=st.just("status"), operator=st.just(Operator.EQUALS), value=st.sampled_from([200, 500]))
WHERES: st.SearchStrategy[Filter] = st.lists(BOUNDS | NAMED, max_size=3).map(lambda of: All(tuple(of)))
GROUPINGS = st.builds(
    Grouping,
    step=st.none() | st.sampled_from(Step),
    offset_minutes=st.sampled_from([0, 60, -330, 1440]),
    column=st.none() | st.sampled_from(sorted(ROLLED)),
)


@st.composite
def batches(draw: st.DrawFn) -> list[list[Reading]]:
    """Batches of calls; ids occur in several, with other times, models and costs."""
    return [
        [
            msgspec.structs.replace(one, call=msgspec.structs.replace(one.call, created_us=draw(TIMES_US)))
            for one in draw(readings())
        ]
        for _ in range(draw(st.integers(1, 3)))
    ]


def test_sums_follow_the_calls(tmp_path: Path) -> None:
    """Through batches that write over each other, and through the removal of any call."""
    store = SqliteStore(tmp_path / "calls.sqlite3")

    @settings(deadline=None, max_examples=120)
    @given(batches(), st.sets(st.integers(0, 4)), WHERES, GROUPINGS)
    def check(saved: list[list[Reading]], removed: set[int], where: Filter, grouping: Grouping) -> None:
        organisation_id, every = settled([one for batch in saved for one in batch])
        left: dict[str, Reading] = {}
        for size in map(len, saved):
            batch, every = every[:size], every[size:]
            store.save(batch)
            left |= {one.call.id: one for one in batch}
        for call_id in [call_id for number, call_id in enumerate(list(left)) if number in removed]:
            store.remove(organisation_id, Removal(Scope.CALL, call_id))
            del left[call_id]

        calls = list(left.values())
        assert store.totals(organisation_id, where, grouping) == reference.totals(calls, where, grouping, BY_TIME)
        assert store.count(organisation_id, where) == len(reference.matching(calls, where))
        ranks = [0, 0.5, 0.95, 1]
        latencies = reference.percentiles(calls, "latency_ms", ranks, where)
        assert store.percentiles(organisation_id, "latency_ms", ranks, where) == latencies

    check()
    store.close()


def test_nothing_is_left_of_an_organisation(tmp_path: Path) -> None:
    """Its models and how much it used them are not known any more either."""
    path = tmp_path / "calls.sqlite3"
    store = SqliteStore(path)

    @settings(deadline=None, max_examples=30)
    @given(batches())
    def check(saved: list[list[Reading]]) -> None:
        organisation_id, every = settled([one for batch in saved for one in batch])
        store.save(every)
        store.remove(organisation_id, Removal(Scope.ORGANISATION))
        with sqlite3.connect(path) as connection:
            assert [] == connection.execute("SELECT * FROM rollups").fetchall()
        connection.close()

    check()
    assert roll(EVERYTHING, Grouping()) is not None
    store.close()
