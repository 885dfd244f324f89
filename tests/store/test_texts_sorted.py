"""Calls of every store are sorted by what was said in them: by texts that are read, exactly, up to a bound that is told."""

import uuid
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reenact.api.textsorter import Page, find_sorted
from reenact.domain.call import Reading
from reenact.domain.filter import EVERYTHING, Condition, Operator, Sort
from reenact.domain.labels import Labels
from reenact.errors import InvalidFilter
from reenact.ingest.decoding import decode
from reenact.store.calls import CallStore
from tests.store.filters import examples
from tests.store.given import CREATED_US, given_exchange

WORDS = st.sampled_from(["", "a", "B", "ab", "zebra", "Ä", "日本", "\U0001f600", "a" * 90])
SAID = st.lists(
    st.tuples(st.none() | WORDS, st.none() | WORDS, st.sampled_from(["s1", "s2", None]), st.integers(0, 2)), max_size=5
)


def read(
    organisation_id: str, number: int, asked: str | None, answered: str | None, session_id: str | None, at: int
) -> Reading:
    """A call whose user said *asked* last, if anything, and whose model said *answered*."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": "zzz"}, {"role": "user", "content": "first"}]
    messages = messages[:1] if asked is None else [*messages, {"role": "user", "content": asked}]
    messages.append({"role": "assistant", "content": "!"})
    choices = [] if answered is None else [{"index": 0, "message": {"role": "assistant", "content": answered}}]
    exchange = given_exchange(
        id=f"{number:08d}-1111-4111-8111-111111111111",
        organisation_id=organisation_id,
        started_us=CREATED_US + at,
        labels=Labels(session_id=session_id),
        request_body=msgspec.json.encode({"model": "gpt-4o", "messages": messages}),
        response_body=msgspec.json.encode({"id": "r", "object": "chat.completion", "choices": choices}),
    )
    return decode(exchange)


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize(("column", "place"), [("asked_text", 0), ("answered_text", 1)])
def test_pages_are_cut_from_one_order_of_texts(
    shared_store: CallStore, column: str, place: int, ascending: bool
) -> None:
    """By code points, absent ones as the empty text, ties by time and id; of those alone that match."""

    @settings(deadline=None, max_examples=examples(shared_store, 20))
    @given(SAID)
    def check(said: list[tuple[str | None, str | None, str | None, int]]) -> None:
        organisation_id = uuid.uuid4().hex
        saved = [read(organisation_id, number, *one) for number, one in enumerate(said)]
        shared_store.save(saved)
        texts = [
            (one[place] or "", reading.call.created_us, reading.call.id)
            for one, reading in zip(said, saved, strict=True)
        ]
        expected = [call_id for _, _, call_id in sorted(texts, reverse=not ascending)]
        sort = Sort(column=column, ascending=ascending)
        for offset, limit in ((0, 9), (1, 2), (9, 9)):
            found = find_sorted(shared_store, organisation_id, Page(EVERYTHING, sort, offset, limit))
            assert [call.id for call in found] == expected[offset : offset + limit]
        first = Condition(column="request_id", operator=Operator.LIKE, value="0000000_-%")
        narrowed = Condition(column="session_id", operator=Operator.EQUALS, value="s1")
        assert [call.id for call in find_sorted(shared_store, organisation_id, Page(first, sort, 0, 9))] == expected
        of_one = {reading.call.id for one, reading in zip(said, saved, strict=True) if one[2] == "s1"}
        found = find_sorted(shared_store, organisation_id, Page(narrowed, sort, 0, 9))
        assert [call.id for call in found] == [call_id for call_id in expected if call_id in of_one]

    check()


def test_too_many_are_refused_with_their_number(store: CallStore) -> None:
    """Too many calls, or too many bytes; another order takes as many as there are."""
    store.save([read("one", number, "a", "b", "s1", number) for number in range(3)])
    page = Page(EVERYTHING, Sort(column="asked_text"), 0, 10)
    for bound, told in (({"most_calls": 2}, "3 calls match; at most 2"), ({"most_bytes": 300}, "at most 300 bytes")):
        with pytest.raises(InvalidFilter, match=told) as raised:
            find_sorted(store, "one", page, **bound)
        assert raised.value.field == "sort"
    assert 3 == len(find_sorted(store, "one", page, most_calls=3))
    assert 3 == len(find_sorted(store, "one", Page(EVERYTHING, Sort(column="model"), 0, 10), most_calls=2))
