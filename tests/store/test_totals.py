"""Every store sums, counts and ranks as the plain Python reference does."""

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reenact.domain.call import Reading
from reenact.domain.filter import EVERYTHING, Filter
from reenact.domain.grouping import GROUPABLE
from reenact.domain.total import Grouping, Rank, Step, Total
from reenact.errors import InvalidFilter
from reenact.store.sqlite.store import SqliteStore
from tests.store import reference
from tests.store.filters import FILTERS, KEYS, TEXTS, readings
from tests.store.given import CREATED_US, given_reading

STEPS = st.none() | st.sampled_from(Step)
OFFSETS = st.sampled_from([0, 60, -330, 1440])
RANKS = st.lists(st.sampled_from([0.0, 0.5, 0.75, 0.95, 1.0]), min_size=1, max_size=4)
GROUPINGS = st.builds(
    Grouping,
    step=STEPS,
    offset_minutes=OFFSETS,
    column=st.none() | st.sampled_from(sorted(GROUPABLE)),
    count_distinct=st.booleans(),
) | st.builds(Grouping, step=STEPS, column=st.just("properties"), key=KEYS)
SPREAD_US = st.sampled_from([0, 59_999_999, 3_600_000_000, 86_400_000_000 * 4, 86_400_000_000 * 400])


@st.composite
def spread(draw: st.DrawFn) -> list[Reading]:
    """Calls that lie in different minutes, hours, days, weeks, months and years."""
    return [
        msgspec.structs.replace(one, call=msgspec.structs.replace(one.call, created_us=CREATED_US + draw(SPREAD_US)))
        for one in draw(readings())
    ]


@settings(deadline=None)
@given(
    spread(),
    FILTERS,
    GROUPINGS,
    st.builds(Rank, by=st.sampled_from(sorted(Total.__struct_fields__)), ascending=st.booleans()),
)
def test_totals_are_what_the_reference_sums(
    saved: list[Reading], where: Filter, grouping: Grouping, rank: Rank
) -> None:
    """Whatever is asked, grouped and ordered."""
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "calls.sqlite3")
        store.save(saved)
        expected = reference.totals(saved, where, grouping, rank)
        assert store.totals("one", where, grouping, rank=rank) == expected
        assert store.totals("one", where, grouping, rank=rank, offset=1, limit=2) == expected[1:3]
        store.close()


@settings(deadline=None)
@given(spread(), FILTERS, st.sampled_from(sorted(reference.NUMBERS)), RANKS, STEPS, OFFSETS)
def test_percentiles_and_scores_are_what_the_reference_finds(
    saved: list[Reading], where: Filter, column: str, ranks: list[float], step: Step | None, offset: int
) -> None:
    """A percentile is a value that occurs; a score is summed under its name."""
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "calls.sqlite3")
        store.save(saved)
        expected = reference.percentiles(saved, column, ranks, where, step, offset)
        assert store.percentiles("one", column, ranks, where, step=step, offset_minutes=offset) == expected
        scores = reference.score_totals(saved, where, step, offset)
        assert store.score_totals("one", where, step=step, offset_minutes=offset) == scores
        store.close()


@settings(deadline=None, max_examples=40)
@given(readings(), KEYS, TEXTS)
def test_properties_are_listed(saved: list[Reading], key: str, search: str) -> None:
    """Names and values, each once, labels by their names."""
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "calls.sqlite3")
        store.save(saved)
        assert store.property_keys("one") == reference.property_keys(saved)
        expected = reference.property_values(saved, key, search)
        assert store.property_values("one", key, search=search) == expected
        assert store.property_values("one", key, search=search, offset=1, limit=1) == expected[1:2]
        assert (store.property_keys("two"), store.property_values("two", key)) == ([], [])
        store.close()


@pytest.mark.parametrize(
    ("grouping", "rank"),
    [
        (Grouping(column="unknown"), Rank()),
        (Grouping(column="properties"), Rank()),
        (Grouping(column="model", key="k"), Rank()),
        (Grouping(key="k"), Rank()),
        (Grouping(column="request_body"), Rank()),
        (Grouping(offset_minutes=5000), Rank()),
        (Grouping(), Rank(by="unknown")),
    ],
)
def test_what_cannot_be_summed_is_refused(tmp_path: Path, grouping: Grouping, rank: Rank) -> None:
    """An unknown column or field is an error, never another sum."""
    store = SqliteStore(tmp_path / "calls.sqlite3")
    with pytest.raises(InvalidFilter):
        store.totals("one", EVERYTHING, grouping, rank=rank)
    for column, ranks in (("model", [0.5]), ("unknown", [0.5]), ("latency_ms", []), ("latency_ms", [75.0])):
        with pytest.raises(InvalidFilter):
            store.percentiles("one", column, ranks)
    store.close()


def test_totals_of_nothing_are_one_row_of_zeros(tmp_path: Path) -> None:
    """A sum over no calls is a zero, and no group stands for it."""
    store = SqliteStore(tmp_path / "calls.sqlite3")
    store.save([given_reading(exchange={"organisation_id": "two"})])
    assert store.totals("one") == [Total()]
    assert store.totals("one", EVERYTHING, Grouping(step=Step.DAY)) == []
    store.close()
