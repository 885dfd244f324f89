"""Every store sums, counts and ranks as the plain Python reference does."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reenact.domain.call import Reading
from reenact.domain.filter import EVERYTHING, Filter
from reenact.domain.grouping import GROUPABLE
from reenact.domain.total import Grouping, Rank, Step, Total
from reenact.errors import InvalidFilter
from reenact.store.calls import CallStore
from tests.store import reference
from tests.store.filters import FILTERS, KEYS, TEXTS, examples, readings, settled
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
ORDERS = st.builds(Rank, by=st.sampled_from(sorted(Total.__struct_fields__)), ascending=st.booleans())
SPREAD_US = st.sampled_from([0, 59_999_999, 3_600_000_000, 86_400_000_000 * 4, 86_400_000_000 * 400])


@st.composite
def spread(draw: st.DrawFn) -> list[Reading]:
    """Calls that lie in different minutes, hours, days, weeks, months and years."""
    return [
        msgspec.structs.replace(one, call=msgspec.structs.replace(one.call, created_us=CREATED_US + draw(SPREAD_US)))
        for one in draw(readings())
    ]


def test_totals_are_what_the_reference_sums(shared_store: CallStore) -> None:
    """Whatever is asked, grouped and ordered."""

    @settings(deadline=None, max_examples=examples(shared_store, 100))
    @given(spread(), FILTERS, GROUPINGS, ORDERS)
    def check(saved: list[Reading], where: Filter, grouping: Grouping, rank: Rank) -> None:
        organisation_id, saved = settled(saved)
        shared_store.save(saved)
        expected = reference.totals(saved, where, grouping, rank)
        assert shared_store.totals(organisation_id, where, grouping, rank=rank) == expected
        page = shared_store.totals(organisation_id, where, grouping, rank=rank, offset=1, limit=2)
        assert page == expected[1:3]

    check()


def test_percentiles_and_scores_are_what_the_reference_finds(shared_store: CallStore) -> None:
    """A percentile is a value that occurs; a score is summed under its name."""

    @settings(deadline=None, max_examples=examples(shared_store, 100))
    @given(spread(), FILTERS, st.sampled_from(sorted(reference.NUMBERS)), RANKS, STEPS, OFFSETS)
    def check(
        saved: list[Reading], where: Filter, column: str, ranks: list[float], step: Step | None, offset: int
    ) -> None:
        organisation_id, saved = settled(saved)
        shared_store.save(saved)
        found = shared_store.percentiles(organisation_id, column, ranks, where, step=step, offset_minutes=offset)
        assert found == reference.percentiles(saved, column, ranks, where, step, offset)
        scores = shared_store.score_totals(organisation_id, where, step=step, offset_minutes=offset)
        assert scores == reference.score_totals(saved, where, step, offset)

    check()


def test_properties_are_listed(shared_store: CallStore) -> None:
    """Names and values, each once, labels by their names, those set since among them."""

    @settings(deadline=None, max_examples=examples(shared_store, 40))
    @given(readings(), KEYS, TEXTS, TEXTS)
    def check(saved: list[Reading], key: str, search: str, value: str) -> None:
        organisation_id, saved = settled(saved)
        shared_store.save(saved)
        if saved:
            shared_store.set_property(organisation_id, saved[0].call.id, key, value)
            now = shared_store.get(organisation_id, [saved[0].call.id])
            saved = [msgspec.structs.replace(saved[0], call=now[0]), *saved[1:]]
        assert [name.lower() for name in shared_store.property_keys(organisation_id)] == reference.property_keys(saved)
        expected = reference.property_values(saved, key, search)
        assert shared_store.property_values(organisation_id, key, search=search) == expected
        assert shared_store.property_values(organisation_id, key, search=search, offset=1, limit=1) == expected[1:2]
        assert (shared_store.property_keys("none"), shared_store.property_values("none", key)) == ([], [])

    check()


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
def test_what_cannot_be_summed_is_refused(store: CallStore, grouping: Grouping, rank: Rank) -> None:
    """An unknown column or field is an error, never another sum."""
    with pytest.raises(InvalidFilter):
        store.totals("one", EVERYTHING, grouping, rank=rank)
    for column, ranks in (("model", [0.5]), ("unknown", [0.5]), ("latency_ms", []), ("latency_ms", [75.0])):
        with pytest.raises(InvalidFilter):
            store.percentiles("one", column, ranks)


def test_totals_of_nothing_are_one_row_of_zeros(store: CallStore) -> None:
    """A sum over no calls is a zero, and no group stands for it."""
    store.save([given_reading(exchange={"organisation_id": "two"})])
    assert store.totals("one") == [Total()]
    assert store.totals("one", EVERYTHING, Grouping(step=Step.DAY)) == []
