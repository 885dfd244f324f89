"""OpenAI's Responses API: the law of the lens, edits, answers and streams."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reenact.dialects.framing import read_events
from reenact.dialects.openai_responses import OpenAIResponses
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

dialect = OpenAIResponses()

parts = objects_of(
    type=st.sampled_from(["input_text", "output_text", "refusal", "input_image", "input_file", "odd"]),
    text=short,
    refusal=short,
    image_url=short,
    file_id=short,
)
wire_items = objects_of(
    type=st.sampled_from(
        ["message", "function_call", "function_call_output", "custom_tool_call", "reasoning", "item_reference"]
    ),
    role=st.sampled_from(["user", "assistant", "system", "developer"]),
    content=short | st.lists(parts, max_size=2),
    call_id=short,
    name=short,
    arguments=short,
    input=short,
    output=short | st.lists(parts, max_size=2),
    summary=st.lists(objects_of(type=st.just("summary_text"), text=short), max_size=2),
)
bodies = strictly(
    objects_of(
        model=short,
        instructions=short,
        stream=st.booleans(),
        tools=st.lists(objects_of(type=short, name=short, parameters=json_values), max_size=2),
        reasoning=json_values,
    ),
    input=short | st.lists(wire_items, max_size=3),
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
    changed = tuple(Text(part.text + " more") if isinstance(part, Text) else part for part in old.parts)
    edited = (*prompt.messages[:at], replace(old, parts=changed), *prompt.messages[at + 1 :])
    wire = dialect.write_prompt(replace(prompt, messages=edited))
    assert [one.parts for one in dialect.read_prompt(wire).messages] == [one.parts for one in edited]
    touched = "instructions" if old.role is Role.SYSTEM and isinstance(old.origin, str) else "input"
    assert canonical({**wire, touched: 0}) == canonical({**body, touched: 0})


CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "c1",
    "name": "find",
    "arguments": '{"a":1}',
    "status": "completed",
}
RESULT = {"type": "function_call_output", "call_id": "c1", "output": "3"}
THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "Hm."}],
    "encrypted_content": "x",
}


def test_a_prompt_is_read() -> None:
    """Instructions first, one message for each item."""
    tool = {
        "type": "function",
        "name": "find",
        "description": "Finds.",
        "parameters": {"type": "object"},
        "strict": True,
    }
    body = {
        "model": "gpt-5",
        "instructions": "Be brief.",
        "input": [
            {"role": "developer", "content": "Be kind."},
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Look"},
                    {"type": "input_image", "image_url": "data:image/png;base64,QUJD", "detail": "low"},
                ],
            },
            THOUGHT,
            CALL,
            RESULT,
            {"type": "item_reference", "id": "i1"},
        ],
        "tools": [tool, {"type": "web_search"}],
        "store": False,
    }
    assert dialect.read_prompt(body) == Prompt(
        dialect="openai_responses",
        model="gpt-5",
        messages=(
            Message(role=Role.SYSTEM, parts=(Text("Be brief."),)),
            Message(role=Role.SYSTEM, parts=(Text("Be kind."),)),
            Message(
                role=Role.USER, parts=(Text("Look"), Media(kind="image", media_type="image/png", data_base64="QUJD"))
            ),
            Message(role=Role.ASSISTANT, parts=(Reasoning("Hm.", "x"),)),
            Message(role=Role.ASSISTANT, parts=(ToolUse("c1", "find", '{"a":1}'),)),
            Message(role=Role.TOOL, parts=(ToolResult("c1", "3"),)),
            Message(role=Role.ASSISTANT, parts=(Opaque('{"id":"i1","type":"item_reference"}'),)),
        ),
        tools=(
            Tool(name="find", description="Finds.", schema={"type": "object"}, origin=tool),
            Tool(name="web_search", origin={"type": "web_search"}),
        ),
        parameters={"store": False},
        origin=body,
    )


def test_edits_keep_what_stands_beside_them() -> None:
    """Item ids, statuses and details stay; instructions and a system item are told apart."""
    picture = {"type": "input_image", "image_url": "https://a/b.png", "detail": "low"}
    body = {
        "instructions": "Be brief.",
        "input": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": [{"type": "input_text", "text": "Old"}, picture], "x": 1},
            CALL,
            RESULT,
        ],
    }
    prompt = dialect.read_prompt(body)
    instructions, system, user, call, result = prompt.messages
    edited = (
        replace(instructions, parts=(Text("Be long."),)),
        system,
        replace(user, parts=(Text("New"), user.parts[1])),
        replace(call, parts=(ToolUse("c2", "find", '{"a":1}'),)),
        replace(result, parts=(ToolResult("c2", "4"),)),
    )
    assert dialect.write_prompt(replace(prompt, messages=edited)) == {
        "instructions": "Be long.",
        "input": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": [{"type": "input_text", "text": "New"}, picture], "x": 1},
            {**CALL, "call_id": "c2"},
            {**RESULT, "call_id": "c2", "output": "4"},
        ],
    }


def test_a_text_input_becomes_items_when_it_must() -> None:
    """A changed text stays a text; more messages make a list."""
    prompt = dialect.read_prompt({"input": "Hi"})
    hello = replace(prompt.messages[0], parts=(Text("Hello"),))
    assert dialect.write_prompt(replace(prompt, messages=(hello,))) == {"input": "Hello"}
    said = Message(role=Role.ASSISTANT, parts=(Reasoning("Hm.", "x"), Text("Yes."), ToolUse("c1", "f", "{}")))
    given_back = Message(role=Role.TOOL, parts=(ToolResult("c1", "3"),))
    body = dialect.write_prompt(replace(prompt, messages=(*prompt.messages, said, given_back)))
    assert body == {
        "input": [
            {"role": "user", "content": "Hi"},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "x"},
            {"role": "assistant", "content": "Yes."},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "3"},
        ]
    }


def test_an_answer_goes_into_the_next_prompt_as_it_is() -> None:
    """All its items, in their order, ids and all."""
    output = [
        THOUGHT,
        {"type": "message", "role": "assistant", "id": "m", "content": [{"type": "output_text", "text": "A"}]},
        CALL,
    ]
    answer = dialect.read_answer({"output": output})
    assert answer.message is not None
    prompt = dialect.read_prompt({"input": [{"role": "user", "content": "Hi"}]})
    body = dialect.write_prompt(replace(prompt, messages=(*prompt.messages, answer.message)))
    assert body == {"input": [{"role": "user", "content": "Hi"}, *output]}


def test_instructions_come_and_go() -> None:
    """They are their own field."""
    prompt = dialect.read_prompt({"model": "m", "input": "Hi"})
    system = Message(role=Role.SYSTEM, parts=(Text("Be brief."),))
    body = dialect.write_prompt(replace(prompt, messages=(system, *prompt.messages)))
    assert body == {"model": "m", "input": "Hi", "instructions": "Be brief."}
    again = dialect.read_prompt(body)
    assert dialect.write_prompt(replace(again, messages=again.messages[1:])) == {"model": "m", "input": "Hi"}


def test_tools_are_flat() -> None:
    """A changed one keeps `strict`; a new one says its type."""
    prompt = dialect.read_prompt({"tools": [{"type": "function", "name": "f", "strict": True}]})
    tools = (replace(prompt.tools[0], description="New"), Tool(name="g", schema={"type": "object"}))
    assert dialect.write_prompt(replace(prompt, tools=tools))["tools"] == [
        {"type": "function", "name": "f", "strict": True, "description": "New"},
        {"type": "function", "name": "g", "parameters": {"type": "object"}},
    ]


@pytest.mark.parametrize(("body", "field"), [([], ""), ({"input": 3}, "input"), ({"input": ["Hi"]}, "input.0")])
def test_what_cannot_be_a_prompt_is_refused(body: Any, field: str) -> None:
    """The error names the place."""
    with pytest.raises(InvalidInput) as caught:
        dialect.read_prompt(body)
    assert caught.value.field == field


def test_an_answer_is_read() -> None:
    """All items are one message; usage with its details."""
    body = {
        "id": "resp_1",
        "model": "gpt-5",
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
        "error": None,
        "output": [
            THOUGHT,
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A"}]},
            CALL,
        ],
        "usage": {
            "input_tokens": 5,
            "input_tokens_details": {"cached_tokens": 2},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 3},
        },
    }
    assert dialect.read_answer(body) == Answer(
        model="gpt-5",
        message=Message(
            role=Role.ASSISTANT, parts=(Reasoning("Hm.", "x"), Text("A"), ToolUse("c1", "find", '{"a":1}'))
        ),
        stop_reason="max_output_tokens",
        usage=Usage(input_tokens=5, output_tokens=7, cache_read_tokens=2, reasoning_tokens=3),
        response_id="resp_1",
        origin=body,
    )


def test_a_broken_stream_gives_what_came() -> None:
    """Items are put together of their deltas; an error within the stream is the answer's error."""
    events: list[Any] = [
        {"type": "response.created", "response": {"id": "resp_1", "model": "m", "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "role": "assistant"}},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hel"},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "lo"},
        {"type": "response.output_item.added", "output_index": 1, "item": {**CALL, "arguments": ""}},
        {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": '{"a"'},
    ]
    answer = dialect.read_answer(dialect.merge(events))
    assert answer.message == Message(role=Role.ASSISTANT, parts=(Text("Hello"), ToolUse("c1", "find", '{"a"')))
    failed = dialect.merge([*events, {"type": "error", "code": "server_error", "message": "Broken"}])
    assert dialect.read_answer(failed).error == "Broken"


def test_recorded_streams_add_up_from_their_deltas_alone() -> None:
    """Without its last event a stream still gives the texts and tool calls of the whole response."""
    for one in recorded("responses"):
        if not one.is_streamed:
            continue
        events = read_events(one.response_body.encode())
        deltas = [event for event in events if event["type"] not in ("response.output_item.done", "response.completed")]
        whole, torn = (dialect.read_answer(dialect.merge(some)).message for some in (events, deltas))
        assert whole is not None
        assert whole == torn


@given(st.dictionaries(st.sampled_from(["output", "usage", "error", "model", "id", "status"]), json_values))
def test_reading_an_odd_answer_never_raises(body: dict[str, Any]) -> None:
    """Whatever stands under the fields."""
    assert dialect.read_answer(body).origin == body


events_of_a_stream = objects_of(
    type=st.sampled_from(
        ["response.output_item.added", "response.output_text.delta", "response.function_call_arguments.delta", "error"]
    ),
    output_index=st.integers(0, 2),
    content_index=st.integers(0, 2),
    item=wire_items,
    delta=short,
)


@given(st.lists(events_of_a_stream | json_values, max_size=8))
def test_merging_odd_events_never_raises(odd: list[Any]) -> None:
    """And gives a body that can be read."""
    dialect.read_answer(dialect.merge(odd))


def test_recorded_exchanges_are_read() -> None:
    """Requests come back as they were; usage equals the body's or the stream's."""
    for one in recorded("responses"):
        assert dialect.reads("openai", one.method, one.path)
        assert canonical(dialect.write_prompt(dialect.read_prompt(one.request))) == canonical(one.request)
        if one.is_streamed:
            body = dialect.merge(read_events(one.response_body.encode()))
        else:
            body = msgspec.json.decode(one.response_body)
        answer = dialect.read_answer(body)
        assert (answer.error is not None) == (one.status >= 400)
        if answer.error:
            continue
        assert answer.message is not None
        assert (answer.usage.input_tokens, answer.usage.output_tokens) == (
            body["usage"]["input_tokens"],
            body["usage"]["output_tokens"],
        )
        assert answer.stop_reason == "completed"


def test_its_paths_are_known() -> None:
    """Asking for a response, not for a kept one."""
    assert dialect.reads("openai", "POST", "/v1/responses")
    assert dialect.reads("azure", "POST", "/openai/v1/responses")
    assert not dialect.reads("openai", "GET", "/v1/responses")
    assert not dialect.reads("openai", "POST", "/v1/responses/resp_1/cancel")
