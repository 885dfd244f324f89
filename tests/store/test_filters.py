"""Every store finds the calls that the plain Python filter says it should."""

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reenact.domain.call import Reading
from reenact.domain.filter import COLUMNS, EVERYTHING, RANDOM, All, AnyOf, Condition, Filter, Kind, Operator, Sort
from reenact.domain.filtering import Texts, matches
from reenact.errors import InvalidFilter
from reenact.store.calls import CallStore
from tests.store.filters import FILTERS, KEYS, TEXTS, conditions, examples, readings, settled
from tests.store.given import given_reading

SORTABLE = sorted(name for name, kind in COLUMNS.items() if kind is not Kind.SEARCH and name != "property_key")


def test_a_store_finds_what_the_filter_means(shared_store: CallStore) -> None:
    """The same calls, and as many, for any filter."""

    @settings(deadline=None, max_examples=examples(shared_store, 100))
    @given(readings(), st.lists(FILTERS | conditions(), min_size=1, max_size=20))
    def check(saved: list[Reading], filters: list[Filter]) -> None:
        organisation_id, saved = settled(saved)
        shared_store.save(saved)
        for where in filters:
            expected = {
                reading.call.id
                for reading in saved
                if matches(where, reading.call, Texts(reading.search_text, reading.answer_text))
            }
            found = shared_store.find(organisation_id, where, Sort(), offset=0, limit=100)
            assert ({call.id for call in found}, len(found)) == (expected, len(expected))
            assert shared_store.count(organisation_id, where) == len(expected)

    check()


def test_a_store_finds_what_was_set_since(shared_store: CallStore) -> None:
    """Properties, labels, scores and feedback count as they are now, before and after saving the calls again."""

    @settings(deadline=None, max_examples=examples(shared_store, 60))
    @given(
        readings(),
        st.lists(st.tuples(st.integers(0, 4), KEYS, TEXTS), max_size=4),
        st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.0, 0.5, 1.0])), max_size=3),
        st.lists(FILTERS | conditions(), min_size=1, max_size=8),
    )
    def check(
        saved: list[Reading],
        said: list[tuple[int, str, str]],
        scored: list[tuple[int, float]],
        filters: list[Filter],
    ) -> None:
        organisation_id, saved = settled(saved)
        shared_store.save(saved)
        for number, key, value in said:
            if number < len(saved):
                shared_store.set_property(organisation_id, saved[number].call.id, key, value)
        for number, score in scored:
            if number < len(saved):
                shared_store.set_scores(organisation_id, saved[number].call.id, {"K": score})
                shared_store.set_feedback(organisation_id, saved[number].call.id, score > 0)
        if len(said) % 2:
            shared_store.save([msgspec.structs.replace(one, call=one.call) for one in saved])
        now = shared_store.find(organisation_id, EVERYTHING, Sort(), offset=0, limit=100)
        texts = {one.call.id: Texts(one.search_text, one.answer_text) for one in saved}
        for where in filters:
            expected = [call for call in now if matches(where, call, texts[call.id])]
            assert shared_store.find(organisation_id, where, Sort(), offset=0, limit=100) == expected
            assert shared_store.count(organisation_id, where) == len(expected)

    check()


def test_every_order_is_total(shared_store: CallStore) -> None:
    """Any column sorts any filter's calls, and pages are cut from the same order."""

    @settings(deadline=None, max_examples=examples(shared_store, 30))
    @given(readings(), st.sampled_from(SORTABLE), KEYS, st.booleans(), conditions())
    @example(
        [given_reading(1), given_reading(2)],
        "created_us",
        "k",
        True,
        Condition(column="properties", operator=Operator.EQUALS, value="demo", key="App"),
    )
    def check(saved: list[Reading], column: str, key: str, ascending: bool, where: Condition) -> None:
        asked = Sort(
            column=column, ascending=ascending, key=key if COLUMNS[column] in {Kind.MAP, Kind.NUMBER_MAP} else None
        )
        organisation_id, saved = settled(saved)
        shared_store.save(saved)
        if saved:
            shared_store.set_property(organisation_id, saved[0].call.id, "k", "set")
        whole = shared_store.find(organisation_id, where, asked, offset=0, limit=100)
        assert [
            call
            for offset in range(6)
            for call in shared_store.find(organisation_id, where, asked, offset=offset, limit=1)
        ] == whole

    check()


@pytest.mark.parametrize(
    ("column", "ascending", "expected"),
    [
        ("cost_dollars", True, [2, 1, 3]),
        ("cost_dollars", False, [1, 2, 3]),
        ("model", True, [3, 1, 2]),
        ("created_us", True, [1, 2, 3]),
    ],
)
def test_absent_numbers_sort_last(store: CallStore, column: str, ascending: bool, expected: list[int]) -> None:
    """Unknown is neither small nor large."""
    costs = {1: 20, 2: 10, 3: None}
    models = {1: "b", 2: "c", 3: "a"}
    saved = {
        number: given_reading(number, cost_nanodollars=cost, model=models[number]) for number, cost in costs.items()
    }
    store.save(list(saved.values()))
    found = store.find("one", All(()), Sort(column=column, ascending=ascending), offset=0, limit=9)
    assert found == [saved[number].call for number in expected]


@pytest.mark.parametrize(
    "where",
    [
        Condition(column="unknown", operator=Operator.EQUALS, value="x"),
        Condition(column="model", operator=Operator.GT, value="x"),
        Condition(column="model", operator=Operator.EQUALS, value=1),
        Condition(column="model", operator=Operator.EQUALS, value="x", key="k"),
        Condition(column="properties", operator=Operator.EQUALS, value="x"),
        Condition(column="status", operator=Operator.EQUALS, value="200"),
        Condition(column="status", operator=Operator.EQUALS, value=float("nan")),
        Condition(column="status", operator=Operator.GT, value=None),
        Condition(column="feedback", operator=Operator.EQUALS, value=1),
        Condition(column="scores", operator=Operator.GT, value=True, key="k"),
        Condition(column="request_body", operator=Operator.CONTAINS, value="!?"),
        Condition(column="model", operator=Operator.LIKE, value="x" * 50_001),
    ],
)
def test_what_cannot_be_asked_is_refused(store: CallStore, where: Condition) -> None:
    """Alone or inside others, by the stores and by the reference alike; never taken for everything."""
    for nested in (where, All((where,)), AnyOf((All(()), where))):
        with pytest.raises(InvalidFilter):
            matches(nested, given_reading().call)
        with pytest.raises(InvalidFilter):
            store.find("one", nested, Sort(), offset=0, limit=1)
        with pytest.raises(InvalidFilter):
            store.count("one", nested)


def test_many_conditions_are_taken_and_too_many_refused(store: CallStore) -> None:
    """A list of ids and a chain of branches fit; what a database could not parse is refused with a reason."""
    store.save([given_reading()])
    one = Condition(column="request_id", operator=Operator.EQUALS, value=given_reading().call.id)
    other = Condition(column="status", operator=Operator.EQUALS, value=1)
    chain: Filter = one
    deep: Filter = one
    for _ in range(300):
        chain = AnyOf((other, AnyOf((chain,))))
    for _ in range(10):
        deep = All((one, AnyOf((other, deep))))
    assert store.count("one", AnyOf((one,) * 500)) == 1
    assert store.count("one", chain) == 1
    assert store.count("one", deep) == 1
    with pytest.raises(InvalidFilter, match="500 conditions"):
        store.count("one", AnyOf((one,) * 501))
    with pytest.raises(InvalidFilter, match="20 levels"):
        store.count("one", All((one, AnyOf((other, deep)))))


def test_a_random_order_is_another_each_time(store: CallStore) -> None:
    """All calls that match, each once; among so many tries not every order is the same."""
    saved = [given_reading(number, model="b" if number % 2 else "a") for number in range(1, 13)]
    store.save(saved)
    where = Condition(column="model", operator=Operator.EQUALS, value="b")
    orders = [
        tuple(call.id for call in store.find("one", where, Sort(column=RANDOM), offset=0, limit=9)) for _ in range(20)
    ]
    wanted = sorted(one.call.id for one in saved if one.call.model == "b")
    assert [wanted] * 20 == [sorted(ids) for ids in orders]
    assert len(set(orders)) > 1


@pytest.mark.parametrize(
    "sort",
    [
        Sort(column="random", key="k"),
        Sort(column="unknown"),
        Sort(column="properties"),
        Sort(column="model", key="k"),
        Sort(column="request_body"),
    ],
)
def test_what_has_no_order_is_refused(store: CallStore, sort: Sort) -> None:
    """A sort by an unknown column is an error, not another order."""
    with pytest.raises(InvalidFilter):
        store.find("one", All(()), sort, offset=0, limit=1)
