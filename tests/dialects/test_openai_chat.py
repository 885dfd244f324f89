"""OpenAI's chat format: the law of the lens, edits that touch one field, answers and streams."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reenact.dialects.framing import read_events
from reenact.dialects.openai_chat import OpenAIChat
from reenact.dialects.registry import find_dialect
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

dialect = OpenAIChat()


def body_with(*messages: Any, **fields: Any) -> dict[str, Any]:
    """Return a request body."""
    return {"model": "gpt-4o", "messages": list(messages), **fields}


def read_one(message: dict[str, Any]) -> Message:
    """Return *message* as it is read."""
    return dialect.read_prompt(body_with(message)).messages[0]


def written(message: Message) -> Any:
    """Return *message* as it is written."""
    return dialect.write_prompt(Prompt(dialect="openai_chat", model="m", messages=(message,)))["messages"][0]


# --- the law -----------------------------------------------------------------------------------------------------------

words = st.sampled_from(["text", "image_url", "input_audio", "file", "refusal", "function", "custom", "odd"])


functions = objects_of(name=short, arguments=short, description=short, parameters=json_values)
content_parts = objects_of(
    type=words,
    text=short,
    refusal=short,
    image_url=objects_of(url=st.sampled_from(["http://a/b.png", "data:image/png;base64,QUJD", ""])),
    input_audio=objects_of(data=short, format=short),
    file=objects_of(file_data=short, file_id=short),
)
tool_calls = objects_of(id=short, type=words, function=functions, custom=objects_of(name=short, input=short))
messages = objects_of(
    role=st.sampled_from(["system", "developer", "user", "assistant", "tool", "function", "odd"]),
    content=short | st.lists(content_parts | short, max_size=3),
    name=short,
    refusal=short,
    reasoning_content=short,
    reasoning=short,
    tool_call_id=short,
    audio=objects_of(data=short, transcript=short),
    function_call=functions,
    tool_calls=st.lists(
        objects_of(id=short, type=words, function=functions, custom=objects_of(name=short, input=short)), max_size=3
    ),
)
bodies = strictly(
    objects_of(
        model=short,
        stream=st.booleans(),
        tools=st.lists(objects_of(type=words, function=functions), max_size=2),
        functions=st.lists(functions, max_size=2),
        tool_choice=json_values,
        temperature=json_values,
    ),
    messages=st.lists(messages, max_size=3),
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
    places = [at for at, one in enumerate(prompt.messages) if any(isinstance(part, Text) for part in one.parts)]
    if not places:
        return
    at = data.draw(st.sampled_from(places))
    old = prompt.messages[at]
    parts = tuple(Text(part.text + " more") if isinstance(part, Text) else part for part in old.parts)
    changed = replace(old, parts=parts)
    edited = replace(prompt, messages=(*prompt.messages[:at], changed, *prompt.messages[at + 1 :]))
    wire = dialect.write_prompt(edited)
    again = dialect.read_prompt(wire)
    assert again.messages[at].text == changed.text
    assert again.messages[at].tool_uses == changed.tool_uses
    assert {**wire, "messages": 0} == {**body, "messages": 0}
    assert canonical([one for place, one in enumerate(wire["messages"]) if place != at]) == canonical(
        [one for place, one in enumerate(body["messages"]) if place != at]
    )


def test_recorded_requests_come_back_as_they_were() -> None:
    """Every recorded chat request, byte for byte once decoded and encoded."""
    for one in recorded("chat"):
        assert canonical(dialect.write_prompt(dialect.read_prompt(one.request))) == canonical(one.request)


# --- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ({"role": "developer", "content": "Be brief."}, Message(role=Role.SYSTEM, parts=(Text("Be brief."),))),
        ({"role": "user", "content": "Hi", "name": "ann"}, Message(role=Role.USER, parts=(Text("Hi"),), name="ann")),
        ({"role": "user", "content": ""}, Message(role=Role.USER, parts=())),
        ({"role": "user"}, Message(role=Role.USER, parts=())),
        ({"role": "narrator", "content": None}, Message(role=Role.USER, parts=())),
        (
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
                    {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
                    {"type": "file", "file": {"file_id": "file-1"}},
                    {"type": "odd", "b": 1, "a": 2},
                ],
            },
            Message(
                role=Role.USER,
                parts=(
                    Text("Look"),
                    Media(kind="image", url="https://a/b.png"),
                    Media(kind="image", media_type="image/png", data_base64="QUJD"),
                    Media(kind="audio", media_type="audio/mp3", data_base64="QUJD"),
                    Media(kind="file", url="file-1"),
                    Opaque('{"a":2,"b":1,"type":"odd"}'),
                ),
            ),
        ),
        (
            {
                "role": "assistant",
                "content": None,
                "reasoning_content": "Hm.",
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"a":1}'}},
                    {"id": "c2", "type": "function", "function": {"name": "find", "arguments": {"a": 1}}},
                    {"id": "c3", "type": "custom", "custom": {"name": "shell", "input": "ls"}},
                ],
            },
            Message(
                role=Role.ASSISTANT,
                parts=(
                    Reasoning("Hm."),
                    ToolUse("c1", "find", '{"a":1}'),
                    ToolUse("c2", "find", '{"a":1}'),
                    ToolUse("c3", "shell", "ls"),
                ),
            ),
        ),
        (
            {"role": "assistant", "content": None, "function_call": {"name": "find", "arguments": "{}"}},
            Message(role=Role.ASSISTANT, parts=(ToolUse("find", "find", "{}"),)),
        ),
        (
            {"role": "function", "name": "find", "content": "3"},
            Message(role=Role.TOOL, parts=(ToolResult("find", "3"),), name="find"),
        ),
        (
            {
                "role": "tool",
                "tool_call_id": "c1",
                "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            },
            Message(role=Role.TOOL, parts=(ToolResult("c1", "ab"),)),
        ),
        (
            {"role": "assistant", "content": None, "refusal": "I will not."},
            Message(role=Role.ASSISTANT, parts=(Text("I will not."),)),
        ),
        (
            {"role": "assistant", "content": None, "audio": {"id": "a", "data": "QUJD", "transcript": "Hello"}},
            Message(role=Role.ASSISTANT, parts=(Media(kind="audio", data_base64="QUJD"), Text("Hello"))),
        ),
    ],
)
def test_messages_are_read(wire: dict[str, Any], expected: Message) -> None:
    """Each shape a message can have."""
    assert read_one(wire) == expected


def test_a_prompt_is_read() -> None:
    """Model, messages, tools and stream are typed, all else is a parameter."""
    tool = {"type": "function", "function": {"name": "find", "description": "Finds.", "parameters": {"type": "object"}}}
    body = body_with({"role": "user", "content": "Hi"}, tools=[tool], stream=True, seed=7)
    assert dialect.read_prompt(body) == Prompt(
        dialect="openai_chat",
        model="gpt-4o",
        messages=(Message(role=Role.USER, parts=(Text("Hi"),)),),
        tools=(Tool(name="find", description="Finds.", schema={"type": "object"}, origin=tool),),
        stream=True,
        parameters={"seed": 7},
        origin=body,
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [([], ""), (None, ""), ({"messages": "Hi"}, "messages"), ({"messages": [{}, 3]}, "messages.1")],
)
def test_what_cannot_be_a_prompt_is_refused(body: Any, field: str) -> None:
    """The error names the place."""
    with pytest.raises(InvalidInput) as caught:
        dialect.read_prompt(body)
    assert caught.value.field == field


# --- editing -----------------------------------------------------------------------------------------------------------


def test_a_changed_text_keeps_its_parts_other_fields() -> None:
    """`cache_control` and the picture beside it stay."""
    wire = {
        "role": "system",
        "content": [
            {"type": "text", "text": "Old", "cache_control": {"type": "ephemeral"}},
            {"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "low"}},
        ],
        "unknown": 1,
    }
    old = read_one(wire)
    assert written(replace(old, parts=(Text("New"), old.parts[1]))) == {
        "role": "system",
        "content": [
            {"type": "text", "text": "New", "cache_control": {"type": "ephemeral"}},
            {"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "low"}},
        ],
        "unknown": 1,
    }


def test_an_added_part_leaves_the_others_alone() -> None:
    """Parts are found again by what they say, wherever they stand now."""
    wire = {
        "role": "user",
        "content": [{"type": "text", "text": "One", "x": 1}, {"type": "text", "text": "Two", "x": 2}],
    }
    old = read_one(wire)
    assert written(replace(old, parts=(Text("Zero"), *old.parts)))["content"] == [
        {"type": "text", "text": "Zero"},
        {"type": "text", "text": "One", "x": 1},
        {"type": "text", "text": "Two", "x": 2},
    ]


def test_a_changed_string_stays_a_string() -> None:
    """The other fields of the message stay."""
    old = read_one({"content": "Old", "role": "assistant", "refusal": None, "annotations": []})
    assert written(replace(old, parts=(Text("New"),))) == {
        "content": "New",
        "role": "assistant",
        "refusal": None,
        "annotations": [],
    }


def test_another_answer_takes_the_place_of_a_recorded_one() -> None:
    """Tool calls come and go with the parts; a refusal that is no longer said is removed."""
    old = read_one({"role": "assistant", "content": None, "refusal": "No."})
    use = ToolUse("c9", "find", "{}")
    assert written(replace(old, parts=(Text("Yes."), use))) == {
        "role": "assistant",
        "content": "Yes.",
        "refusal": None,
        "tool_calls": [{"id": "c9", "type": "function", "function": {"name": "find", "arguments": "{}"}}],
    }
    called = read_one(written(replace(old, parts=(use,))))
    assert written(replace(called, parts=(Text("Done."),))) == {
        "role": "assistant",
        "content": "Done.",
        "refusal": None,
    }


def test_a_renamed_link_changes_the_id_alone() -> None:
    """On the call and on its result."""
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"a": 1}'}, "index": 0}
    old = read_one({"role": "assistant", "content": "", "tool_calls": [call]})
    assert written(replace(old, parts=(ToolUse("c2", "find", '{"a": 1}'),))) == {
        "role": "assistant",
        "content": "",
        "tool_calls": [call | {"id": "c2"}],
    }
    result = read_one({"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "3", "x": 1}]})
    assert written(replace(result, parts=(ToolResult("c2", "3"),))) == {
        "role": "tool",
        "tool_call_id": "c2",
        "content": [{"type": "text", "text": "3", "x": 1}],
    }


def test_fields_of_the_body_change_alone() -> None:
    """Model, stream and parameters; removed ones go, new ones come last; the order stays."""
    body = {"temperature": 1, "stream": True, "messages": [], "model": "old", "stop": None, "x": {"b": 1, "a": 2}}
    prompt = dialect.read_prompt(body)
    edited = replace(
        prompt, model="new", stream=False, parameters={"temperature": 0.5, "x": {"b": 1, "a": 2}, "seed": 7}
    )
    assert list(dialect.write_prompt(edited).items()) == [
        ("temperature", 0.5),
        ("stream", False),
        ("messages", []),
        ("model", "new"),
        ("x", {"b": 1, "a": 2}),
        ("seed", 7),
    ]


def test_a_prompt_made_anew_is_written_in_the_normal_form() -> None:
    """Every part has a place."""
    prompt = Prompt(
        dialect="openai_chat",
        model="gpt-4o",
        messages=(
            Message(role=Role.SYSTEM, parts=(Text("Be brief."),)),
            Message(
                role=Role.USER, parts=(Text("Look"), Media(kind="image", media_type="image/png", data_base64="QUJD"))
            ),
            Message(role=Role.ASSISTANT, parts=(ToolUse("c1", "find", "{}"),)),
            Message(role=Role.TOOL, parts=(ToolResult("c1", "3"),)),
        ),
        tools=(Tool(name="find", schema={"type": "object"}),),
        parameters={"temperature": 0},
    )
    body = dialect.write_prompt(prompt)
    assert body == {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "find", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "3"},
        ],
        "tools": [{"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}],
        "temperature": 0,
    }
    assert dialect.read_prompt(body).messages == prompt.messages


def test_a_changed_tool_keeps_its_other_fields() -> None:
    """`strict` stays; tools of the format's first version stay where they were."""
    body = body_with(
        tools=[
            {"type": "function", "function": {"name": "find", "description": "Old", "strict": True}, "x": 1},
            {"type": "web_search"},
        ]
    )
    prompt = dialect.read_prompt(body)
    edited = replace(prompt, tools=(replace(prompt.tools[0], description="New"), prompt.tools[1]))
    assert dialect.write_prompt(edited)["tools"] == [
        {"type": "function", "function": {"name": "find", "description": "New", "strict": True}, "x": 1},
        {"type": "web_search"},
    ]
    legacy = dialect.read_prompt(body_with(functions=[{"name": "find"}]))
    assert dialect.write_prompt(replace(legacy, tools=(*legacy.tools, Tool(name="more"))))["functions"] == [
        {"name": "find"},
        {"name": "more"},
    ]


# --- answers -----------------------------------------------------------------------------------------------------------


def test_an_answer_is_read() -> None:
    """Choices, the provider's own stop word and usage with its details."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-4o-2024-08-06",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "One"}, "finish_reason": "stop"},
            {"index": 1, "message": {"role": "assistant", "content": "Two"}, "finish_reason": "length"},
        ],
        "usage": {
            "prompt_tokens": 10,
            "completion_tokens": 20,
            "total_tokens": 30,
            "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 2},
        },
    }
    assert dialect.read_answer(body) == Answer(
        model="gpt-4o-2024-08-06",
        message=Message(role=Role.ASSISTANT, parts=(Text("One"),)),
        alternatives=(Message(role=Role.ASSISTANT, parts=(Text("Two"),)),),
        stop_reason="stop",
        usage=Usage(
            input_tokens=10,
            output_tokens=20,
            cache_read_tokens=4,
            input_audio_tokens=1,
            output_audio_tokens=2,
            reasoning_tokens=5,
        ),
        response_id="chatcmpl-1",
        origin=body,
    )


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": {"message": "Rate limited", "type": "requests"}}, "Rate limited"),
        ({"error": "Overloaded"}, "Overloaded"),
        ({"error": {"code": 500}}, "The provider answered an error."),
        ({"object": "error", "message": "No such model"}, "No such model"),
        ({"detail": "Unauthorized"}, "Unauthorized"),
        ({"choices": [], "error": None}, None),
        ({}, None),
    ],
)
def test_errors_are_read(body: dict[str, Any], error: str | None) -> None:
    """In the shapes that providers give them."""
    assert dialect.read_answer(body).error == error


@given(st.dictionaries(st.sampled_from(["choices", "usage", "error", "model", "id", "message"]), json_values))
def test_reading_an_odd_answer_never_raises(body: dict[str, Any]) -> None:
    """Whatever stands under the fields."""
    assert dialect.read_answer(body).origin == body


@given(
    st.lists(
        objects_of(choices=st.lists(objects_of(index=st.integers(0, 2), delta=messages), max_size=2)) | json_values
    )
)
def test_merging_odd_events_never_raises(events: list[Any]) -> None:
    """And gives a body that can be read."""
    dialect.read_answer(dialect.merge(events))


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ({"function_call": None}, {"function_call": {"name": "f", "arguments": "{}"}}),
        ({"tool_calls": [{"index": 0, "function": None}]}, {"tool_calls": [{"index": 0, "function": {"name": "f"}}]}),
    ],
)
def test_what_was_null_at_first_is_opened_when_it_comes(first: dict[str, Any], last: dict[str, Any]) -> None:
    """Some providers name every field in their first event, the ones that have nothing to say too."""
    events = [{"choices": [{"index": 0, "delta": delta}]} for delta in (first, last)]
    message = dialect.read_answer(dialect.merge(events)).message
    assert message is not None
    assert ["f"] == [use.name for use in message.tool_uses]


# --- streams -----------------------------------------------------------------------------------------------------------


def chunk(*choices: Any, **fields: Any) -> dict[str, Any]:
    """Return a stream's chunk."""
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 5,
        "model": "m",
        "choices": list(choices),
        **fields,
    }


def delta(index: int = 0, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return a choice of a chunk."""
    return {"index": index, "delta": fields, "finish_reason": finish}


def test_a_stream_adds_up_to_the_unstreamed_answer() -> None:
    """Text, tool calls by index, logprobs, several choices, and the usage that comes last without choices."""
    events = [
        {"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": [1]},
        chunk(delta(role="assistant", content="", refusal=None)),
        chunk(delta(content="Hel") | {"logprobs": {"content": [{"token": "Hel"}], "refusal": None}}),
        chunk(delta(content="lo") | {"logprobs": {"content": [{"token": "lo"}], "refusal": None}}),
        chunk(delta(1, role="assistant", content=None, reasoning_content="Th"), delta(1, reasoning_content="ink")),
        chunk(
            delta(
                1, tool_calls=[{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]
            )
        ),
        chunk(
            delta(
                1, tool_calls=[{"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": ""}}]
            )
        ),
        chunk(delta(1, tool_calls=[{"index": 0, "function": {"arguments": '{"x":'}}])),
        chunk(
            delta(
                1,
                tool_calls=[
                    {"index": 1, "function": {"arguments": "{}"}},
                    {"index": 0, "function": {"arguments": "1}"}},
                ],
            )
        ),
        chunk(delta(finish="stop")),
        chunk(delta(1, finish="tool_calls")),
        chunk(usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}),
    ]
    assert dialect.merge(events) == {
        "id": "c",
        "object": "chat.completion",
        "created": 5,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None},
                "finish_reason": "stop",
                "logprobs": {"content": [{"token": "Hel"}, {"token": "lo"}], "refusal": None},
            },
            {
                "index": 1,
                "message": {
                    "role": "assistant",
                    "content": None,
                    "reasoning_content": "Think",
                    "tool_calls": [
                        {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
                        {"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
                    ],
                },
                "finish_reason": "tool_calls",
            },
        ],
        "prompt_filter_results": [1],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    }


@pytest.mark.parametrize(
    "pieces",
    [
        [
            {"id": "a", "function": {"name": "f", "arguments": "{}"}},
            {"id": "b", "function": {"name": "g", "arguments": "{}"}},
        ],
        [
            {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}},
            {"index": 0, "id": "b", "function": {"name": "g", "arguments": "{}"}},
        ],
        [
            {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}},
            {"index": 0, "id": "a", "function": {"name": "f", "arguments": "}"}},
            {"index": 1, "id": "b", "function": {"name": "g"}},
            {"index": 1, "id": "", "function": {"name": "", "arguments": "{}"}},
        ],
    ],
)
def test_tool_calls_are_told_apart_however_a_provider_numbers_them(pieces: list[Any]) -> None:
    """No index, the same index for all, ids and names repeated or emptied."""
    answer = dialect.read_answer(dialect.merge([chunk(delta(tool_calls=[piece])) for piece in pieces]))
    assert answer.message is not None
    assert answer.message.tool_uses == (ToolUse("a", "f", "{}"), ToolUse("b", "g", "{}"))


def test_a_broken_stream_gives_what_came() -> None:
    """No finish reason, no usage; an error sent within the stream is the answer's error."""
    answer = dialect.read_answer(dialect.merge([chunk(delta(role="assistant", content="Hel"))]))
    assert (answer.message, answer.stop_reason) == (Message(role=Role.ASSISTANT, parts=(Text("Hel"),)), None)
    assert dialect.read_answer(dialect.merge([])) == Answer(origin={})
    assert dialect.read_answer(dialect.merge([{"error": {"message": "Overloaded"}}])).error == "Overloaded"


def test_groq_streams_keep_their_usage_elsewhere() -> None:
    """Under `x_groq` of the last chunk."""
    events = [chunk(delta(content="a")), chunk(x_groq={"usage": {"prompt_tokens": 3, "completion_tokens": 4}})]
    assert dialect.read_answer(dialect.merge(events)).usage == Usage(input_tokens=3, output_tokens=4)


def test_recorded_answers_are_read() -> None:
    """Usage equals the body's or the usage event's; tool calls are JSON; finished answers have a message and a reason."""
    for one in recorded("chat"):
        if not one.response_body:
            continue
        if one.is_streamed:
            events = read_events(one.response_body.encode())
            body = dialect.merge(events)
            usages = [event["usage"] for event in events if event.get("usage")]
            assert body.get("usage") == (usages[-1] if usages else None)
        else:
            body = msgspec.json.decode(one.response_body)
        answer = dialect.read_answer(body)
        assert (answer.error is not None) == (one.status >= 400 or "error" in body), one.cassette
        if answer.error:
            continue
        assert answer.message is not None
        usage = body.get("usage") or body.get("x_groq", {}).get("usage") or {}
        assert (answer.usage.input_tokens, answer.usage.output_tokens) == (
            usage.get("prompt_tokens"),
            usage.get("completion_tokens"),
        )
        assert answer.stop_reason
        for use in answer.message.tool_uses:
            assert isinstance(msgspec.json.decode(use.arguments), dict)


# --- paths -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions",
        "/chat/completions",
        "/openai/v1/chat/completions",
        "/api/v1/chat/completions",
        "/openai/deployments/gpt-5/chat/completions?api-version=2024-10-21",
        "/beta/chat/completions",
    ],
)
def test_its_paths_are_known(path: str) -> None:
    """Whatever stands before them."""
    found = find_dialect("any", "POST", path)
    assert found is not None
    assert found.name == "openai_chat"


def test_other_paths_are_not_its() -> None:
    """Neither other methods nor stored completions."""
    assert not dialect.reads("openai", "GET", "/v1/chat/completions")
    assert not dialect.reads("openai", "POST", "/v1/chat/completions/abc")
    assert not dialect.reads("openai", "POST", "/v1/nochat/completionsx")
