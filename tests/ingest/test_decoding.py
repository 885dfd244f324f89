"""Tests of `ingest.decoding`."""

import gzip
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.domain.call import Call, Kind, Reading
from reenact.domain.exchange import Ending, Exchange, Handling, Metrics
from reenact.domain.labels import Labels
from reenact.domain.message import Usage
from reenact.ingest.decoding import decode, leave_unread
from tests.store.given import given_exchange

ASKED = {
    "model": "gpt-4o",
    "user": "u7",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Where to?"},
        {"role": "assistant", "content": "Anywhere."},
        {"role": "user", "content": "In spring?"},
    ],
}
ANSWERED = {
    "id": "r1",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Lisbon."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
}
STREAM = b"".join(
    b"data: " + json.dumps(event).encode() + b"\n\n"
    for event in (
        {"id": "r1", "model": "gpt-4o-2024-08-06", "choices": [{"index": 0, "delta": {"role": "assistant"}}]},
        {"id": "r1", "choices": [{"index": 0, "delta": {"content": "Lis"}}]},
        {"id": "r1", "choices": [{"index": 0, "delta": {"content": "bon."}}]},
        {"id": "r1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    )
)
SSE = ((b"content-type", b"text/event-stream; charset=utf-8"),)


def chat(asked: Any = ASKED, answered: Any = ANSWERED, **changes: Any) -> Exchange:
    """A chat exchange with *changes*."""
    bodies = {"request_body": json.dumps(asked).encode(), "response_body": json.dumps(answered).encode()}
    return given_exchange(**{**bodies, **changes})


def call_of(exchange: Exchange) -> Call:
    """The call that *exchange* is read as."""
    return decode(exchange).call


def test_a_chat_is_read_whole() -> None:
    """Every field of the reading, from an ordinary call."""
    exchange = chat()
    assert decode(exchange) == Reading(
        call=Call(
            id=exchange.id,
            organisation_id="one",
            created_us=exchange.started_us,
            duration_us=exchange.duration_us,
            first_token_us=None,
            kind=Kind.MODEL,
            dialect="openai_chat",
            provider="openai",
            model="gpt-4o",
            request_model="gpt-4o",
            response_model="gpt-4o-2024-08-06",
            response_id="r1",
            status=200,
            ending=Ending.ANSWERED,
            detail="",
            streamed=False,
            stop_reason="stop",
            error=None,
            labels=msgspec.structs.replace(exchange.labels, user_id="u7"),
            usage=Usage(input_tokens=1000, output_tokens=100),
            cost_nanodollars=3_500_000,
            url=exchange.url,
            target_url=exchange.target_url,
            method="POST",
            request_body_bytes=len(exchange.request_body),
            response_body_bytes=len(exchange.response_body),
        ),
        exchange=exchange,
        answer=ANSWERED,
        search_text="In spring?",
        answer_text="Lisbon.",
    )


def test_a_stream_is_merged() -> None:
    """The answer is one, the first token has its time, absent usage stays absent and unpriced."""
    reading = decode(chat({**ASKED, "stream": True}, response_body=STREAM + b"data: [DONE]\n\n", response_headers=SSE))
    call = reading.call
    assert (call.streamed, call.first_token_us, call.stop_reason) == (True, 700_000, "stop")
    assert (call.usage, call.cost_nanodollars, call.unreadable) == (Usage(), None, None)
    assert reading.answer["choices"][0]["message"]["content"] == reading.answer_text == "Lisbon."


def test_of_a_stream_whose_reader_left_what_came_is_kept() -> None:
    """Status -3 (surface 1.8) and the text until then, torn event or not."""
    torn = STREAM[: STREAM.index(b'"bon."')]
    exchange = chat({**ASKED, "stream": True}, response_body=torn, response_headers=SSE, ending=Ending.CLIENT_LEFT)
    reading = decode(exchange)
    assert (reading.call.status, reading.answer_text, reading.call.unreadable) == (-3, "Lis", None)


@pytest.mark.parametrize(
    ("changes", "status", "cost"),
    [
        ({"ending": Ending.TIMED_OUT, "status": 504}, -2, None),
        ({"ending": Ending.PROVIDER_CUT, "status": 200}, 200, None),
        ({"ending": Ending.PROVIDER_CUT, "status": 0}, -100, None),
        ({"ending": Ending.UNREACHED, "status": 502}, 502, 0),
        ({"ending": Ending.REFUSED, "status": 401}, 401, 0),
    ],
)
def test_calls_that_ended_otherwise(changes: dict[str, Any], status: int, cost: int | None) -> None:
    """The status says how; what no provider worked on is free, what it may have worked on is unknown."""
    call = call_of(chat(response_body=b"", detail="told", **changes))
    assert (call.status, call.cost_nanodollars, call.detail) == (status, cost, "told")


def test_a_refusal_of_the_provider_is_told() -> None:
    """Its error is the call's, and it costs nothing."""
    refusal = {"error": {"message": "You are too fast", "type": "rate_limit", "code": None}}
    reading = decode(chat(answered=refusal, status=429))
    call = reading.call
    assert (call.status, call.error, call.cost_nanodollars, reading.answer) == (429, "You are too fast", 0, refusal)
    assert reading.answer_text == "You are too fast"


@pytest.mark.parametrize(
    ("exchange", "model"),
    [
        (chat(labels=Labels(model_override="priced-as")), "priced-as"),
        (chat({**ASKED, "model": None}), "gpt-4o-2024-08-06"),
        (chat({"a": 1}, {"b": 1}, target_url="https://h/openai/deployments/my%20gpt/chat/completions?v=1"), "my gpt"),
        (chat({"a": 1}, {"b": 1}, target_url="https://h/v1/engines/ada/search"), "ada"),
        (chat({"a": 1}, {"b": 1}, target_url="https://h/v1beta/models/gemini-9:embed"), "gemini-9"),
        (chat({"model": "m"}, {"b": 1}, target_url="https://h/v1/other"), "m"),
        (chat({"model": 5}, {"model": "r"}, target_url="https://h/v1/other"), "r"),
        (chat({"a": 1}, {"b": 1}), "unknown"),
    ],
)
def test_the_model_is_the_override_the_requests_the_responses_or_the_urls(exchange: Exchange, model: str) -> None:
    """In this order (surface 2.2)."""
    assert call_of(exchange).model == model


def test_the_override_is_priced() -> None:
    """A deployment under its own name costs what it is said to be."""
    exchange = chat({**ASKED, "model": "ours"}, {**ANSWERED, "model": "ours"}, labels=Labels(model_override="gpt-4o"))
    assert call_of(exchange).cost_nanodollars == 3_500_000


def test_a_header_names_the_user_before_the_body() -> None:
    """The body's user counts only when no header named one, and only when it is text."""
    assert call_of(chat(labels=Labels(user_id="header"))).labels.user_id == "header"
    assert call_of(chat({**ASKED, "user": {"odd": 1}}, labels=Labels())).labels.user_id is None


def test_compressed_bodies_are_read() -> None:
    """As the provider sent them; the answer is what they mean."""
    packed = gzip.compress(json.dumps(ANSWERED).encode())
    reading = decode(chat(response_body=packed, response_headers=((b"content-encoding", b"gzip"),)))
    assert (reading.answer, reading.call.usage.input_tokens, reading.call.unreadable) == (ANSWERED, 1000, None)


def test_an_encoding_that_is_not_read_is_told() -> None:
    """The request is still understood."""
    reading = decode(chat(response_headers=((b"content-encoding", b"compress"),)))
    assert reading.call.unreadable == "response: The body is encoded as 'compress', which is not read"
    assert (reading.call.model, reading.search_text, reading.answer) == ("gpt-4o", "In spring?", None)


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b'{"messages": 5}', b'{"messages": [5]}'])
def test_a_request_that_is_not_its_dialects_is_told(body: bytes) -> None:
    """The answer is still understood."""
    call = call_of(chat(request_body=body))
    assert (call.unreadable or "").startswith("request: ")
    assert (call.dialect, call.model, call.cost_nanodollars) == ("openai_chat", "gpt-4o-2024-08-06", 3_500_000)


def test_what_has_no_dialect_is_opaque() -> None:
    """It is kept, with what any JSON tells."""
    reading = decode(chat({"model": "m"}, {"data": []}, target_url="https://api.openai.com/v1/files", method="GET"))
    call = reading.call
    assert (call.kind, call.dialect, call.model, call.cost_nanodollars) == (Kind.OPAQUE, "opaque", "m", None)
    assert (call.unreadable, reading.answer, reading.search_text) == (None, {"data": []}, "")


def test_counts_that_nobody_means_are_absent() -> None:
    """No database takes them, and no price is made of them."""
    usage = {"prompt_tokens": 10**30, "completion_tokens": -5}
    call = call_of(chat(answered={**ANSWERED, "usage": usage}))
    assert (call.usage, call.cost_nanodollars) == (Usage(), None)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["model", "messages", "content", "role", "choices", "message", "usage", "error", "delta", "tool_calls"]
            ),
            inner,
        )
    ),
)
BODIES = (
    st.binary()
    | JSON.map(lambda value: json.dumps(value).encode())
    | JSON.map(lambda value: b"data: " + json.dumps(value).encode() + b"\n\n")
)


@given(
    BODIES,
    BODIES,
    st.sampled_from(["application/json", "text/event-stream"]),
    st.sampled_from(
        [
            "/v1/chat/completions",
            "/v1/messages",
            "/v1/responses",
            "/v1/embeddings",
            "/v1beta/models/m:streamGenerateContent",
        ]
    ),
)
def test_nothing_is_refused(asked: bytes, answered: bytes, media_type: str, path: str) -> None:
    """Whatever crosses, the exchange is kept in a reading."""
    headers = ((b"content-type", media_type.encode()),)
    exchange = chat(request_body=asked, response_body=answered, response_headers=headers, target_url=f"https://h{path}")
    reading = decode(exchange)
    assert (reading.exchange, reading.call.id) == (exchange, exchange.id)


def test_an_unread_exchange_is_an_opaque_call() -> None:
    """With the reason, and all that the exchange itself says."""
    call = leave_unread(chat(), "odd").call
    assert (call.kind, call.unreadable, call.model, call.status) == (Kind.OPAQUE, "odd", "unknown", 200)


def test_an_answer_out_of_the_cache_used_nothing() -> None:
    """No tokens, no cost; the row says whose answer it was."""
    handling = Handling(attempts=0, cache_enabled=True, cache_reference_id="c0")
    call = call_of(chat(handling=handling))

    assert (Usage(input_tokens=0, output_tokens=0), 0, handling) == (call.usage, call.cost_nanodollars, call.handling)
    assert ("gpt-4o", "gpt-4o-2024-08-06", 200) == (call.model, call.response_model, call.status)


def test_bodies_that_were_left_out_are_not_missed() -> None:
    """What was taken from them before stands in the row, and is priced; nothing is unreadable."""
    whole = call_of(chat())
    metrics = Metrics(
        request_model=whole.request_model,
        response_model=whole.response_model,
        response_id=whole.response_id,
        stop_reason=whole.stop_reason,
        usage=whole.usage,
        request_body_bytes=whole.request_body_bytes,
        response_body_bytes=whole.response_body_bytes,
    )
    handling = Handling(omitted_request=True, omitted_response=True, metrics=metrics)
    reading = decode(chat(request_body=b"", response_body=b"", chunks=(), handling=handling))

    labels = msgspec.structs.replace(whole.labels, user_id=None)
    assert msgspec.structs.replace(whole, handling=handling, labels=labels) == reading.call
    assert ("", "") == (reading.search_text, reading.answer_text)


def test_an_attack_that_was_not_sent_has_its_own_status() -> None:
    """-4, as Helicone lists it."""
    assert -4 == call_of(chat(status=400, ending=Ending.REFUSED, handling=Handling(is_threat=True))).status
