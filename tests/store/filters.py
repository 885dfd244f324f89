"""Generated filters over generated calls, from so few values that they often meet."""

import uuid
from typing import Any

import msgspec
from hypothesis import strategies as st

from reenact.domain.call import Reading
from reenact.domain.exchange import Handling
from reenact.domain.filter import COLUMNS, OPERATORS, All, AnyOf, Condition, Everything, Filter, Kind, OneOf, Operator
from reenact.domain.labels import Labels
from reenact.domain.message import Usage
from reenact.store.calls import CallStore
from reenact.store.sqlite.store import SqliteStore
from tests.store.given import CREATED_US, given_reading

TEXTS = st.sampled_from(
    ["", "a", "A", "ab", "aB%", "a_b", "a*b", "[a]", "?", "\\", "a\\%", "ä", "Ä", "%", "_", "aab", "\n", "日本"]
)
NUMBERS = st.sampled_from([0, 1, 2, 999, 1000, 1500])
KEYS = st.sampled_from(["k", "K", "Ключ", "helicone-session-id", "Helicone-Prompt-Id", "other"])
SPOKEN = st.sampled_from(["", "one", "One two", "two ONE three", "naïve one_two", "日本語", "STRASSE straße", "!?"])


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def readings(draw: st.DrawFn) -> list[Reading]:
    """Up to five calls with distinct ids."""
    return [_reading(draw, number) for number in range(draw(st.integers(0, 5)))]


def _reading(draw: st.DrawFn, number: int) -> Reading:
    labels = Labels(
        session_id=draw(_maybe(TEXTS)),
        session_name=draw(_maybe(TEXTS)),
        session_path=draw(_maybe(TEXTS)),
        prompt_id=draw(_maybe(TEXTS)),
        user_id=draw(_maybe(TEXTS)),
        model_override=draw(_maybe(TEXTS)),
        properties=draw(st.dictionaries(st.sampled_from(["k", "Ключ", "other"]), TEXTS)),
    )
    reading = given_reading(
        number,
        {"labels": labels},
        created_us=CREATED_US + draw(NUMBERS),
        duration_us=draw(NUMBERS) * 500,
        first_token_us=draw(_maybe(NUMBERS)),
        model=draw(TEXTS),
        response_id=draw(_maybe(TEXTS)),
        status=draw(st.sampled_from([200, 500, -2])),
        usage=Usage(input_tokens=draw(_maybe(NUMBERS)), output_tokens=draw(_maybe(NUMBERS))),
        cost_nanodollars=draw(_maybe(st.sampled_from([0, 1_200_000, 10**9]))),
        scores=draw(st.dictionaries(st.sampled_from(["k", "other"]), st.sampled_from([0.0, 0.5, 1.0]))),
        feedback=draw(_maybe(st.booleans())),
        handling=Handling(
            attempts=draw(st.sampled_from([1, 2])),
            cache_reference_id=draw(_maybe(st.just("c"))),
            is_threat=draw(st.booleans()),
            body_mapping=draw(_maybe(st.just("OPENAI"))),
        ),
    )
    return msgspec.structs.replace(reading, search_text=draw(SPOKEN), answer_text=draw(SPOKEN))


VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.TEXT: TEXTS | st.sampled_from(["openai", "gpt", "ai-gateway", "Helicone-Session-Id", "k", "KЛЮЧ"]),
    Kind.NUMBER: st.sampled_from([0, 1, 0.5, 1.5, 200, 500, -2, 0.0012, 1e300, float("inf")]),
    Kind.TIME: st.sampled_from([CREATED_US, CREATED_US + 1, CREATED_US + 1000.5, 0]),
    Kind.BOOLEAN: st.booleans(),
    Kind.MAP: TEXTS,
    Kind.NUMBER_MAP: st.sampled_from([0, 0.5, 1]),
    Kind.SEARCH: st.sampled_from(["", "one", "ONE two", "onet", "one_two", "日", "strasse", "two%", "AND", 'o"ne']),
}


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    """A condition that a store takes."""
    column = draw(st.sampled_from(sorted(COLUMNS)))
    kind = COLUMNS[column]
    operator = draw(st.sampled_from(sorted(OPERATORS[kind], key=lambda operator: operator.value)))
    is_null = operator in {Operator.EQUALS, Operator.NOT_EQUALS} and kind not in {Kind.SEARCH, Kind.TIME}
    value = draw(_maybe(VALUES[kind]) if is_null else VALUES[kind])
    key = draw(KEYS) if kind in {Kind.MAP, Kind.NUMBER_MAP} else None
    return Condition(column=column, operator=operator, value=value, key=key)


ONE_OF = st.builds(
    OneOf,
    column=st.sampled_from(
        sorted(name for name, kind in COLUMNS.items() if kind is Kind.TEXT and name != "property_key")
    ),
    values=st.lists(TEXTS, max_size=3).map(tuple),
    are_excluded=st.booleans(),
)
FILTERS: st.SearchStrategy[Filter] = st.recursive(
    st.just(Everything()) | conditions() | ONE_OF,
    lambda inner: (
        st.builds(All, st.lists(inner, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple))
    ),
    max_leaves=5,
)


def settled(saved: list[Reading]) -> tuple[str, list[Reading]]:
    """The same calls in an organisation of their own, and its id."""
    organisation_id = uuid.uuid4().hex
    calls = [msgspec.structs.replace(one.call, organisation_id=organisation_id) for one in saved]
    exchanges = [msgspec.structs.replace(one.exchange, organisation_id=organisation_id) for one in saved]
    return organisation_id, [
        msgspec.structs.replace(one, call=call, exchange=exchange)
        for one, call, exchange in zip(saved, calls, exchanges, strict=True)
    ]


def examples(store: CallStore, most: int) -> int:
    """How many examples a store is given: a column store answers each question ten times as slowly."""
    return most if isinstance(store, SqliteStore) else max(4, most // 12)
