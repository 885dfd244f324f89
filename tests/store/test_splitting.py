"""Tests of `store.splitting`."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.store.splitting import Split, join, split, split_like

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
LONG = "x" * 64


@given(st.binary())
def test_any_bytes_come_back(body: bytes) -> None:
    """Whatever a body is, its pieces joined are the body."""
    cut = split(body)
    assert join(cut.literals, cut.parts) == body


@given(
    st.dictionaries(st.text(), JSON | st.lists(st.text(min_size=60))),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: ")]),
    st.booleans(),
    st.sampled_from([None, 1, "\r\n "]),
)
def test_json_comes_back_however_it_is_spaced(
    value: Any, separators: tuple[str, str], is_ascii: bool, indent: int | str | None
) -> None:
    """Spacing, escapes and order are those that came."""
    body = json.dumps(value, separators=separators, ensure_ascii=is_ascii, indent=indent).encode(errors="replace")
    cut = split(body)
    assert join(cut.literals, cut.parts) == body


@given(st.lists(st.tuples(st.sampled_from(["messages", "a", "tools"]), st.lists(st.text(min_size=60)))))
def test_json_with_repeated_keys_comes_back(fields: list[tuple[str, list[str]]]) -> None:
    """A key that comes twice, which readers of JSON take differently, is kept twice."""
    body = ("{" + ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in fields) + "}").encode()
    cut = split(body)
    assert join(cut.literals, cut.parts) == body


def test_messages_become_parts_and_the_rest_stays() -> None:
    """Each large element is a part of its own, tools are one, what is short stays in the literals."""
    user, reply = f'{{"role":"user","content":"{LONG}"}}', f'{{"role":"assistant","content":"{LONG}"}}'
    tools = f'[{{"name":"{LONG}"}},{{"name":"{LONG}"}}]'
    body = f'{{"model":"m","messages":[{{"role":"user"}},{user},\n {reply}],"tools":{tools}}}'.encode()
    assert split(body) == Split(
        literals=(b'{"model":"m","messages":[{"role":"user"},', b",\n ", b'],"tools":', b"}"),
        parts=(user.encode(), reply.encode(), tools.encode()),
    )


def test_a_longer_turn_repeats_the_parts_of_the_one_before() -> None:
    """What a session says again is cut at the same edges, so that it is kept once."""
    messages = [{"role": "user", "content": f"{LONG}{number}"} for number in range(5)]
    before = split(json.dumps({"model": "m", "messages": messages[:3]}).encode())
    after = split(json.dumps({"messages": messages, "temperature": 0}).encode())
    assert after.parts[:3] == before.parts


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' + b"[" * 100_000, b'{"\xff": 1}' * 20, b'{"a": "\xff"}' * 20, b"x" * 100],
)
def test_what_is_no_json_object_is_one_part(body: bytes) -> None:
    """Damaged, hostile and other bodies are kept whole."""
    assert split(body) == Split(literals=(b"", b""), parts=(body,))


@given(
    st.lists(st.tuples(st.sampled_from(["messages", "a", LONG]), JSON | st.lists(st.text(min_size=60)))),
    st.lists(st.tuples(st.sampled_from(["messages", "a", LONG]), JSON | st.lists(st.text(min_size=60)))),
    st.integers(0, 200),
)
def test_a_body_is_cut_like_the_one_before(
    fields: list[tuple[str, Any]], others: list[tuple[str, Any]], kept: int
) -> None:
    """Whatever the two share: the pieces joined are the body, and the parts they share are the first of both."""
    before, other = (
        ("{" + ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in some) + "}").encode()
        for some in (fields, [*fields[: kept % 4], *others])
    )
    cut = split(before)
    for body in (before, other, before[:kept], before[:kept] + other):
        again, shared = split_like(body, before, cut)
        assert join(again.literals, again.parts) == body
        assert again.parts[:shared] == cut.parts[:shared]


@pytest.mark.parametrize("order", [("tools", "messages"), ("messages", "tools")])
def test_of_a_longer_turn_only_what_is_new_is_read(order: tuple[str, str]) -> None:
    """Cut as if there had been no other before it, wherever the messages stand."""
    messages = [{"role": "user", "content": f"{LONG} {turn}"} for turn in range(6)]
    before, body = (
        json.dumps({name: messages[:turns] if name == "messages" else [LONG] for name in order}).encode()
        for turns in (4, 6)
    )
    cut = split(before)
    assert split_like(body, before, cut) == (split(body), 5 if order[0] == "tools" else 4)
    assert split_like(before, before, cut) == (cut, 5)
    assert split_like(b"other", before, cut) == (split(b"other"), 0)
