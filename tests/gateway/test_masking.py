"""Masking keeps every length, and lets nothing through that the patterns match, however it is written down."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reenact.gateway.masking import Mask
from reenact.server.patterns import read_mask

SECRET = 'sk-Zürich/42\n"é日𝕏'


def masking(*patterns: str) -> Mask:
    """Return what masks these patterns."""
    mask = read_mask(patterns)
    assert mask is not None
    return mask


MASK = masking(r"sk-[^\s*]+\s\"é日𝕏", r"\d{4}-\d{4}", r"tok_\w{8}")


def stars(text: str) -> str:
    """Return what stands for *text* where nothing in it is escaped."""
    return "*" * len(text.encode())


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_string_is_found_however_it_is_escaped(ascii_only: bool, indent: int | None) -> None:
    """What is written for one letter with another number of bytes is all masked; the JSON around it is what it was."""
    value = {"model": "m", "messages": [{"content": f"a {SECRET} b\\", "tool_call_id": "tok_12345678"}], "n": 1.50}
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    masked = MASK.body(body)

    written = json.dumps(SECRET, ensure_ascii=ascii_only)[1:-1].encode()
    assert body.replace(written, b"*" * len(written)) == masked
    assert json.loads(masked)["n"] == 1.5


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", b""),
        (b"plain tok_12345678 text", b"plain ************ text"),
        (b'{"a":"tok_1234","b":"5678"}', b'{"a":"tok_1234","b":"5678"}'),
        (b'{"tok_12345678":"x"}', b'{"************":"x"}'),
        (b'{"id":"tok_12345678","call_id":"tok_12345678"}', b'{"id":"tok_12345678","call_id":"tok_12345678"}'),
        (b'{"type":"redacted_thinking","data":"tok_12345678"}', b'{"type":"redacted_thinking","data":"tok_12345678"}'),
        (b'{"type":"image","data":"tok_12345678"}', b'{"type":"image","data":"************"}'),
        (
            b'{"signature":"tok_12345678","thinking":"tok_12345678"}',
            b'{"signature":"tok_12345678","thinking":"************"}',
        ),
        (b'{"open": "tok_12345678', b'{"open": "************'),
        (b'--x\r\nname="tok_12345678"\r\n', b'--x\r\nname="************"\r\n'),
        (b"\xff tok_12345678 \xfe", b"\xff ************ \xfe"),
        (b'{"a":"\\ud800 tok_12345678"}', b'{"a":"\\ud800 ************"}'),
    ],
)
def test_what_is_masked(body: bytes, expected: bytes) -> None:
    """Texts and keys, in JSON and out of it; not what links calls, nor what only a provider can read."""
    assert expected == MASK.body(body)


def test_a_number_stays_one() -> None:
    """Its digits become ones."""
    masked = masking(r"\b4\d{15}\b").body(b'{"card":4111111111111119,"index":4111111111111119,"x":[-1.5e3,4]}')

    assert b'{"card":1111111111111111,"index":4111111111111119,"x":[-1.5e3,4]}' == masked


def sse(*events: Any) -> bytes:
    """Return a stream of events."""
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"


def said(body: bytes) -> str:
    """Return what the first choice says in a stream of OpenAI's."""
    lines = [json.loads(line[6:]) for line in body.splitlines() if line.startswith(b"data: {")]
    return "".join(c["delta"].get("content", "") for line in lines for c in line["choices"] if c["index"] == 0)


@given(st.data())
def test_a_secret_is_found_whatever_pieces_a_stream_has_it_in(data: st.DataObject) -> None:
    """Between pieces of another choice, too; ids and lengths stay."""
    text = data.draw(st.text(alphabet='ab "\\\n日')) + "tok_12345678" + data.draw(st.text(alphabet=' "\\\n日'))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    events = []
    for piece in pieces:
        events.append({"id": "tok_87654321", "choices": [{"index": 0, "delta": {"content": piece}}]})
        events.append({"id": "tok_87654321", "choices": [{"index": 1, "delta": {"content": "z"}}]})
    body = sse(*events)
    masked = MASK.body(body)

    assert text.replace("tok_12345678", "*" * 12) == said(masked)
    assert len(body) == len(masked)
    assert body.count(b"tok_87654321") == masked.count(b"tok_87654321")


PIECES = ("tok_1234", "5678")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "?"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "?"}},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "?"},
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "?"}}]}}]},
        {"candidates": [{"content": {"parts": [{"text": "?"}]}, "index": 0}]},
    ],
)
def test_streams_of_every_format(event: Any) -> None:
    """As Anthropic, OpenAI's two and Gemini write them; Gemini as an array, too."""
    events = [json.loads(json.dumps(event).replace("?", piece)) for piece in PIECES]
    for body in (sse(*events), json.dumps(events).encode()):
        assert body.replace(b"tok_1234", b"*" * 8).replace(b"5678", b"*" * 4) == MASK.body(body)


@given(st.lists(st.text(alphabet='ab_tok12345678-0 \\"\n')), st.booleans())
@example(["tok_12345678tok_12345678", "1234-1234", "", "tok_12345678"], False)
def test_texts_looked_through_together_are_masked_as_one_by_one(texts: list[str], is_anchored: bool) -> None:
    """Whatever stands beside them."""
    mask = masking(r"tok_\w{8}", r"\d{4}-\d{4}", *([r"\Aab"] if is_anchored else []))
    masked = json.loads(mask.body(json.dumps(texts).encode()))

    assert [mask.text(text.encode()).decode() for text in texts] == masked


def test_messages_of_a_websocket_are_events() -> None:
    """One after the other, with nothing between them."""
    messages = [b'{"type":"response.text.delta","delta":"%b"}' % piece.encode() for piece in PIECES]
    body = b"".join(messages)
    spans = [(0, len(messages[0])), (len(messages[0]), len(body))]

    assert body.replace(b"tok_1234", b"*" * 8).replace(b"5678", b"*" * 4) == MASK.body(body, spans)
