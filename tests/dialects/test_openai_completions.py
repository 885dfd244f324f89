"""Text completions: the law of the lens, answers and streams."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reenact.dialects.framing import read_events
from reenact.dialects.openai_completions import OpenAICompletions
from reenact.domain.digesting import canonical
from reenact.domain.message import Answer, Message, Role, Text, Usage
from tests.dialects.shapes import json_values, objects_of, short
from tests.fakes.recorded import recorded

dialect = OpenAICompletions()


@given(objects_of(model=short, prompt=short | st.lists(short, max_size=3), stream=st.booleans(), suffix=short))
def test_writing_what_was_read_gives_the_same_json(body: dict[str, Any]) -> None:
    """Whatever stands under `prompt`."""
    text = msgspec.json.encode(body)
    assert msgspec.json.encode(dialect.write_prompt(dialect.read_prompt(msgspec.json.decode(text)))) == text


def test_a_changed_prompt_is_written() -> None:
    """Everything beside it stays."""
    prompt = dialect.read_prompt({"prompt": "Once", "stream": True, "x": 1})
    message = replace(prompt.messages[0], parts=(Text("Twice"),))
    assert dialect.write_prompt(replace(prompt, messages=(message,))) == {"prompt": "Twice", "stream": True, "x": 1}


def test_a_stream_adds_up_to_the_unstreamed_answer() -> None:
    """Text, logprobs of several lists, choices by index, usage last."""
    top = {"id": "cmpl-1", "object": "text_completion", "created": 5, "model": "m"}
    events = [
        top | {"choices": [{"text": "On", "index": 0, "logprobs": {"tokens": ["On"]}, "finish_reason": None}]},
        top | {"choices": [{"text": "a", "index": 1, "logprobs": None, "finish_reason": "stop"}]},
        top | {"choices": [{"text": "ce", "index": 0, "logprobs": {"tokens": ["ce"]}, "finish_reason": "length"}]},
        top | {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
    ]
    body = dialect.merge(events)
    assert body == top | {
        "choices": [
            {"text": "Once", "index": 0, "logprobs": {"tokens": ["On", "ce"]}, "finish_reason": "length"},
            {"text": "a", "index": 1, "logprobs": None, "finish_reason": "stop"},
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    }
    assert dialect.read_answer(body) == Answer(
        model="m",
        message=Message(role=Role.ASSISTANT, parts=(Text("Once"),)),
        alternatives=(Message(role=Role.ASSISTANT, parts=(Text("a"),)),),
        stop_reason="length",
        usage=Usage(input_tokens=1, output_tokens=2),
        response_id="cmpl-1",
        origin=body,
    )


@given(
    st.lists(objects_of(choices=st.lists(objects_of(index=st.integers(0, 2), text=short), max_size=2)) | json_values)
)
def test_odd_events_never_raise(events: list[Any]) -> None:
    """And give a body that can be read."""
    dialect.read_answer(dialect.merge(events))


@pytest.mark.parametrize(("path", "is_its"), [("/v1/completions", True), ("/v1/chat/completions", False)])
def test_chat_is_not_its(path: str, is_its: bool) -> None:
    """Though the paths end alike."""
    assert dialect.reads("any", "POST", path) is is_its


def test_recorded_exchanges_are_read() -> None:
    """Requests come back as they were; usage equals the body's or the usage event's."""
    for one in recorded("completions"):
        assert dialect.reads("any", one.method, one.path)
        assert canonical(dialect.write_prompt(dialect.read_prompt(one.request))) == canonical(one.request)
        if one.is_streamed:
            events = read_events(one.response_body.encode())
            body = dialect.merge(events)
            assert body.get("usage") == next((event["usage"] for event in events if event.get("usage")), None)
        else:
            body = msgspec.json.decode(one.response_body)
        answer = dialect.read_answer(body)
        assert (answer.error is not None) == (one.status >= 400)
        usage = body.get("usage") or {}
        assert (answer.usage.input_tokens, answer.usage.output_tokens) == (
            usage.get("prompt_tokens"),
            usage.get("completion_tokens"),
        )
