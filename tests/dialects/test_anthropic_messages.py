"""Anthropic's Messages API: the law of the lens, edits, answers and streams."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reenact.dialects.anthropic_messages import AnthropicMessages
from reenact.dialects.framing import read_events
from reenact.domain.digesting import canonical
from reenact.domain.message import (
    Answer,
    Media,
    Message,
    Opaque,
    Prompt,
    Reasoning,
    Role,
    Text,
    Tool,
    ToolResult,
    ToolUse,
    Usage,
)
from reenact.errors import InvalidInput
from tests.dialects.shapes import json_values, objects_of, short, strictly
from tests.fakes.recorded import recorded

dialect = AnthropicMessages()
CACHED = {"cache_control": {"type": "ephemeral"}}

blocks = objects_of(
    type=st.sampled_from(["text", "image", "document", "tool_use", "tool_result", "thinking", "server_tool_use"]),
    text=short,
    id=short,
    name=short,
    input=json_values,
    tool_use_id=short,
    content=short | st.lists(objects_of(type=st.just("text"), text=short), max_size=2),
    thinking=short,
    signature=short,
    source=objects_of(type=st.sampled_from(["base64", "url"]), media_type=short, data=short, url=short),
)
bodies = strictly(
    objects_of(
        model=short,
        system=short | st.lists(blocks, max_size=2),
        stream=st.booleans(),
        tools=st.lists(objects_of(name=short, description=short, input_schema=json_values), max_size=2),
        max_tokens=json_values,
    ),
    messages=st.lists(
        objects_of(role=st.sampled_from(["user", "assistant", "system"]), content=short | st.lists(blocks, max_size=3)),
        max_size=3,
    ),
)


@given(bodies)
def test_writing_what_was_read_gives_the_same_json(body: dict[str, Any]) -> None:
    """Known and unknown fields, odd shapes, key order: all come back."""
    text = msgspec.json.encode(body)
    assert msgspec.json.encode(dialect.write_prompt(dialect.read_prompt(msgspec.json.decode(text)))) == text


@given(bodies, st.data())
def test_an_edit_changes_its_message_alone(body: dict[str, Any], data: st.DataObject) -> None:
    """A changed text is read back, and everything beside its message is as it was."""
    prompt = dialect.read_prompt(body)
    places = [at for at, one in enumerate(prompt.messages) if one.text]
    if not places:
        return
    at = data.draw(st.sampled_from(places))
    old = prompt.messages[at]
    parts = tuple(Text(part.text + " more") if isinstance(part, Text) else part for part in old.parts)
    edited = (*prompt.messages[:at], replace(old, parts=parts), *prompt.messages[at + 1 :])
    wire = dialect.write_prompt(replace(prompt, messages=edited))
    assert [one.parts for one in dialect.read_prompt(wire).messages] == [one.parts for one in edited]
    touched = "system" if at == 0 and isinstance(old.origin, str | list) else "messages"
    assert canonical({**wire, touched: 0}) == canonical({**body, touched: 0})


def test_a_prompt_is_read() -> None:
    """System first, blocks as parts, a user's message of tool results alone is a tool's."""
    tool = {"name": "find", "description": "Finds.", "input_schema": {"type": "object"}}
    body = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 100,
        "system": [{"type": "text", "text": "Be brief.", **CACHED}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
                    {"type": "document", "source": {"type": "url", "url": "https://a/b.pdf"}},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
                    {"type": "tool_use", "id": "t1", "name": "find", "input": {"b": 1, "a": 2}},
                    {"type": "redacted_thinking", "data": "x"},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "is_error": True,
                        "content": [{"type": "text", "text": "3"}],
                    }
                ],
            },
            {"role": "user", "content": "And?"},
        ],
        "tools": [tool],
        "stream": True,
    }
    assert dialect.read_prompt(body) == Prompt(
        dialect="anthropic_messages",
        model="claude-sonnet-4-5",
        messages=(
            Message(role=Role.SYSTEM, parts=(Text("Be brief."),)),
            Message(
                role=Role.USER,
                parts=(
                    Text("Look"),
                    Media(kind="image", media_type="image/png", data_base64="QUJD"),
                    Media(kind="file", url="https://a/b.pdf"),
                ),
            ),
            Message(
                role=Role.ASSISTANT,
                parts=(
                    Reasoning("Hm.", "sig"),
                    ToolUse("t1", "find", '{"b":1,"a":2}'),
                    Opaque('{"data":"x","type":"redacted_thinking"}'),
                ),
            ),
            Message(role=Role.TOOL, parts=(ToolResult("t1", "3", is_error=True),)),
            Message(role=Role.USER, parts=(Text("And?"),)),
        ),
        tools=(Tool(name="find", description="Finds.", schema={"type": "object"}, origin=tool),),
        stream=True,
        parameters={"max_tokens": 100},
        origin=body,
    )


def test_edits_keep_what_stands_beside_them() -> None:
    """`cache_control`, signatures, and fields that are not known."""
    body: dict[str, Any] = {
        "system": [{"type": "text", "text": "Old", **CACHED}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hi", **CACHED}], "x": 1},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}, **CACHED}],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "3"}], **CACHED}
                ],
            },
        ],
    }
    prompt = dialect.read_prompt(body)
    system, user, assistant, tool = prompt.messages
    edited = replace(
        prompt,
        messages=(
            replace(system, parts=(Text("New"),)),
            user,
            replace(assistant, parts=(ToolUse("t2", "f", '{"a":1}'),)),
            replace(tool, parts=(ToolResult("t2", "3"),)),
        ),
    )
    assert dialect.write_prompt(edited) == {
        "system": [{"type": "text", "text": "New", **CACHED}],
        "messages": [
            body["messages"][0],
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t2", "name": "f", "input": {"a": 1}, **CACHED}],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t2", "content": [{"type": "text", "text": "3"}], **CACHED}
                ],
            },
        ],
    }


@pytest.mark.parametrize(
    ("content", "form"),
    [
        ("3", "4"),
        ([{"type": "text", "text": "3"}], [{"type": "text", "text": "4"}]),
        ([{"type": "text", "text": "3", **CACHED}], "4"),
        ([{"type": "text", "text": "3"}, {"type": "text", "text": "and"}], "4"),
    ],
)
def test_new_results_of_tools_are_written_as_the_agent_writes_them(content: Any, form: Any) -> None:
    """In a block where each recorded one is a plain block; one more than were recorded, too."""
    wire = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": content}]}
    prompt = dialect.read_prompt({"messages": [wire]})
    results = (ToolResult("t1", "4"), ToolResult("t2", "4"))
    written = dialect.write_prompt(replace(prompt, messages=(replace(prompt.messages[0], parts=results),)))
    assert [form, form] == [block["content"] for block in written["messages"][0]["content"]]


def test_a_system_prompt_comes_and_goes() -> None:
    """It is its own field, wherever its message stands."""
    prompt = dialect.read_prompt({"model": "m", "messages": [{"role": "user", "content": "Hi"}]})
    system = Message(role=Role.SYSTEM, parts=(Text("Be brief."),))
    body = dialect.write_prompt(replace(prompt, messages=(system, *prompt.messages)))
    assert body == {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "system": "Be brief."}
    again = dialect.read_prompt(body)
    assert dialect.write_prompt(replace(again, messages=again.messages[1:])) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
    }


def test_a_prompt_made_anew_is_written_in_the_normal_form() -> None:
    """Every part has a place, and is read back."""
    messages = (
        Message(role=Role.USER, parts=(Text("Look"), Media(kind="image", media_type="image/png", data_base64="QUJD"))),
        Message(role=Role.ASSISTANT, parts=(Reasoning("Hm.", "s"), ToolUse("t1", "find", '{"a":1}'))),
        Message(role=Role.TOOL, parts=(ToolResult("t1", "3"), ToolResult("t2", "no", is_error=True))),
    )
    tool = Tool(name="find", schema={"type": "object"})
    body = dialect.write_prompt(Prompt(dialect="anthropic_messages", model="m", messages=messages, tools=(tool,)))
    assert body["tools"] == [{"name": "find", "input_schema": {"type": "object"}}]
    assert dialect.read_prompt(body).messages == messages


def test_what_cannot_be_a_prompt_is_refused() -> None:
    """The error names the place."""
    with pytest.raises(InvalidInput) as caught:
        dialect.read_prompt({"messages": [3]})
    assert caught.value.field == "messages.0"


EVENTS: list[Any] = [
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "content": [],
            "model": "claude-sonnet-4-5",
            "stop_reason": None,
            "usage": {
                "input_tokens": 5,
                "cache_read_input_tokens": 7,
                "cache_creation_input_tokens": 3,
                "output_tokens": 1,
            },
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "sig"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Let me "}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "look."}},
    {"type": "content_block_stop", "index": 1},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    },
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"a":'}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "1}"}},
    {"type": "content_block_stop", "index": 2},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 20}},
    {"type": "message_stop"},
]


def test_a_stream_adds_up_to_the_unstreamed_answer() -> None:
    """Blocks by index, input joined and parsed, usage of both ends; cached tokens count as input."""
    body = dialect.merge(EVENTS)
    assert body == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
            {"type": "text", "text": "Let me look."},
            {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
        ],
        "model": "claude-sonnet-4-5",
        "stop_reason": "tool_use",
        "usage": {
            "input_tokens": 5,
            "cache_read_input_tokens": 7,
            "cache_creation_input_tokens": 3,
            "output_tokens": 20,
        },
    }
    assert dialect.read_answer(body) == Answer(
        model="claude-sonnet-4-5",
        message=Message(
            role=Role.ASSISTANT,
            parts=(Reasoning("Hm.", "sig"), Text("Let me look."), ToolUse("t", "f", '{"a":1}')),
        ),
        stop_reason="tool_use",
        usage=Usage(input_tokens=15, output_tokens=20, cache_read_tokens=7, cache_write_tokens=3),
        response_id="msg_1",
        origin=body,
    )


def test_a_broken_stream_gives_what_came() -> None:
    """A torn input stays as text; an error within the stream is the answer's error."""
    answer = dialect.read_answer(dialect.merge(EVENTS[:12]))
    assert answer.message is not None
    assert answer.message.tool_uses == (ToolUse("t", "f", '{"a":'),)
    failed = dialect.merge(
        [*EVENTS[:9], {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}]
    )
    assert dialect.read_answer(failed).error == "Overloaded"
    assert dialect.merge([]) == {}


def test_counted_tokens_are_usage() -> None:
    """`count_tokens` answers a number alone."""
    assert dialect.read_answer({"input_tokens": 12}).usage == Usage(input_tokens=12)


@given(st.dictionaries(st.sampled_from(["content", "usage", "error", "model", "id", "stop_reason"]), json_values))
def test_reading_an_odd_answer_never_raises(body: dict[str, Any]) -> None:
    """Whatever stands under the fields."""
    assert dialect.read_answer(body).origin == body


events = objects_of(
    type=st.sampled_from(["message_start", "content_block_start", "content_block_delta", "message_delta", "error"]),
    index=st.integers(0, 2),
    message=objects_of(usage=json_values),
    content_block=blocks,
    delta=objects_of(
        type=st.sampled_from(["text_delta", "input_json_delta", "citations_delta"]), text=short, partial_json=short
    ),
    usage=objects_of(output_tokens=json_values),
)


@given(st.lists(events | json_values, max_size=8))
def test_merging_odd_events_never_raises(odd: list[Any]) -> None:
    """And gives a body that can be read."""
    dialect.read_answer(dialect.merge(odd))


def test_recorded_exchanges_are_read() -> None:
    """Requests come back as they were; usage equals the body's or the stream's."""
    for one in recorded("messages"):
        assert dialect.reads("anthropic", one.method, one.path)
        assert canonical(dialect.write_prompt(dialect.read_prompt(one.request))) == canonical(one.request)
        if one.is_streamed:
            body = dialect.merge(read_events(one.response_body.encode()))
        else:
            body = msgspec.json.decode(one.response_body)
        answer = dialect.read_answer(body)
        assert (answer.error is not None) == (one.status >= 400)
        if answer.error:
            continue
        usage = body["usage"]
        cached = (usage.get("cache_read_input_tokens") or 0) + (usage.get("cache_creation_input_tokens") or 0)
        assert answer.usage.input_tokens == usage["input_tokens"] + cached
        assert answer.usage.output_tokens == usage["output_tokens"]
        assert answer.message is not None
        assert answer.stop_reason
        assert all(isinstance(msgspec.json.decode(use.arguments), dict) for use in answer.message.tool_uses)


def test_its_paths_are_known() -> None:
    """Also counting and Vertex AI; messages of threads are OpenAI's."""
    assert dialect.reads("anthropic", "POST", "/v1/messages")
    assert dialect.reads("anthropic", "POST", "/v1/messages/count_tokens")
    assert dialect.reads(
        "google", "POST", "/v1/projects/p/locations/l/publishers/anthropic/models/claude@1:streamRawPredict"
    )
    assert not dialect.reads("openai", "POST", "/v1/threads/t/messages")
    assert not dialect.reads("anthropic", "POST", "/v1/messages/batches")
