"""Prompts are cut to a share of their letters, the longest texts first."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.gateway.controls import Overflow
from reenact.gateway.shrinking import kept_share, shrink


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"maximum context length is 8192 tokens. However, your messages resulted in 10240 tokens.", 0.76),
        (b"prompt is too long: 200,000 tokens > 100,000 maximum", 0.475),
        (b"context_length_exceeded", 0.7),
        (b"too long by 500", 0.7),
        (b"code 400 and 400", 0.7),
    ],
)
def test_how_much_may_stay_is_what_the_provider_tells(said: bytes, expected: float) -> None:
    """The limit over what there was, and a little less; a guess where it tells nothing."""
    assert expected == pytest.approx(kept_share(said))


def test_the_longest_texts_are_cut_to_one_length() -> None:
    """In contents, parts and results; short ones stay whole, and so does all that is no text."""
    body: dict[str, Any] = {
        "model": "m",
        "n": 1,
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": [{"type": "text", "text": "a" * 100}, {"image_url": {"url": "u" * 900}}]},
            {"role": "tool", "tool_call_id": "c", "content": "b" * 192},
        ],
    }  # fmt: skip
    shrunk = shrink(json.dumps(body).encode(), 0.5, Overflow.TRUNCATE)

    assert shrunk is not None
    body["messages"][1]["content"][0]["text"] = "a" * 71
    body["messages"][2]["content"] = "b" * 71
    assert body == json.loads(shrunk)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"messages":[]}', b'{"messages":7,"input":[3,{}]}', b'{"messages":[{"content":""}]}']
)
def test_what_holds_no_text_cannot_be_cut(body: bytes) -> None:
    """The provider's answer is passed on then."""
    assert shrink(body, 0.5, Overflow.TRUNCATE) is None


@given(
    st.lists(st.text(max_size=60), max_size=8),
    st.floats(0.05, 0.95),
    st.sampled_from([Overflow.TRUNCATE, Overflow.MIDDLE_OUT]),
)
def test_no_more_is_left_than_the_share(texts: list[str], share: float, overflow: Overflow) -> None:
    """But for the marks of a cut; beginnings stay, and with middle-out ends."""
    total = sum(map(len, texts))
    shrunk = shrink(json.dumps({"input": [{"content": text} for text in texts]}).encode(), share, overflow)
    left = texts if shrunk is None else [item["content"] for item in json.loads(shrunk)["input"]]

    marks = sum(len(" [...] ") for text in left if " [...] " in text)
    assert sum(map(len, left)) <= total * share + marks or left == texts
    assert all(text.startswith(cut.partition(" [...] ")[0]) for text, cut in zip(texts, left, strict=True))
