"""Gemini's generateContent: the law of the lens, edits, answers and streams."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reenact.dialects.gemini import Gemini
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

dialect = Gemini()

calls = objects_of(id=short, name=short, args=json_values, response=json_values)
blobs = objects_of(mimeType=st.sampled_from(["image/png", "audio/mp3"]), data=short, fileUri=short)
wire_parts = objects_of(
    text=short,
    thought=st.booleans(),
    thoughtSignature=short,
    functionCall=calls,
    function_call=calls,
    functionResponse=calls,
    inlineData=blobs,
    fileData=blobs,
)
contents = objects_of(
    role=st.sampled_from(["user", "model", "function", "system"]), parts=st.lists(wire_parts, max_size=3)
)
bodies = strictly(
    objects_of(
        systemInstruction=contents,
        system_instruction=contents,
        generationConfig=json_values,
        tools=st.lists(
            objects_of(
                functionDeclarations=st.lists(objects_of(name=short, parameters=json_values), max_size=2),
                googleSearch=json_values,
            ),
            max_size=2,
        ),
    ),
    contents=st.lists(contents, max_size=3),
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
    touched = ["systemInstruction", "system_instruction"] if old.role is Role.SYSTEM else ["contents"]
    assert canonical({**wire, **dict.fromkeys(touched)}) == canonical({**body, **dict.fromkeys(touched)})


def test_a_prompt_is_read() -> None:
    """The system instruction first; calls and responses without ids are linked by their names."""
    declaration = {"name": "find", "description": "Finds.", "parameters": {"type": "OBJECT"}}
    body = {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "Look"},
                    {"inlineData": {"mimeType": "image/png", "data": "QUJD"}},
                    {"file_data": {"mime_type": "application/pdf", "file_uri": "gs://a/b.pdf"}},
                ],
            },
            {
                "role": "model",
                "parts": [
                    {"text": "Hm.", "thought": True, "thoughtSignature": "s"},
                    {"functionCall": {"name": "find", "args": {"b": 1, "a": 2}}},
                    {"executableCode": {"code": "1"}},
                ],
            },
            {"role": "user", "parts": [{"functionResponse": {"name": "find", "response": {"result": 3}}}]},
        ],
        "tools": [{"functionDeclarations": [declaration]}, {"googleSearch": {}}],
        "generationConfig": {"temperature": 0},
    }
    assert dialect.read_prompt(body) == Prompt(
        dialect="gemini",
        model=None,
        messages=(
            Message(role=Role.SYSTEM, parts=(Text("Be brief."),)),
            Message(
                role=Role.USER,
                parts=(
                    Text("Look"),
                    Media(kind="image", media_type="image/png", data_base64="QUJD"),
                    Media(kind="file", media_type="application/pdf", url="gs://a/b.pdf"),
                ),
            ),
            Message(
                role=Role.ASSISTANT,
                parts=(
                    Reasoning("Hm.", "s"),
                    ToolUse("find", "find", '{"b":1,"a":2}'),
                    Opaque('{"executableCode":{"code":"1"}}'),
                ),
            ),
            Message(role=Role.TOOL, parts=(ToolResult("find", '{"result":3}'),)),
        ),
        tools=(
            Tool(name="find", description="Finds.", schema={"type": "OBJECT"}, origin=declaration),
            Tool(name="googleSearch", origin={"googleSearch": {}}),
        ),
        parameters={"generationConfig": {"temperature": 0}},
        origin=body,
    )


def test_edits_keep_what_stands_beside_them() -> None:
    """Signatures, spellings and the order of arguments stay."""
    body: dict[str, Any] = {
        "system_instruction": {"role": "user", "parts": [{"text": "Old"}]},
        "contents": [
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "s"}]},
            {"role": "user", "parts": [{"function_response": {"name": "f", "response": {"result": 3}}, "x": 1}]},
        ],
    }
    prompt = dialect.read_prompt(body)
    system, call, result = prompt.messages
    edited = (
        replace(system, parts=(Text("New"),)),
        replace(call, parts=(ToolUse("f", "f", '{"a":2}', "s"),)),
        replace(result, parts=(ToolResult("f", '{"result":4}'),)),
    )
    assert dialect.write_prompt(replace(prompt, messages=edited)) == {
        "system_instruction": {"role": "user", "parts": [{"text": "New"}]},
        "contents": [
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 2}}, "thoughtSignature": "s"}]},
            {"role": "user", "parts": [{"function_response": {"name": "f", "response": {"result": 4}}, "x": 1}]},
        ],
    }


def test_a_prompt_made_anew_is_written_in_the_normal_form() -> None:
    """Every part has a place, and is read back."""
    messages = (
        Message(role=Role.SYSTEM, parts=(Text("Be brief."),)),
        Message(role=Role.USER, parts=(Text("Look"), Media(kind="image", media_type="image/png", data_base64="QUJD"))),
        Message(role=Role.ASSISTANT, parts=(Reasoning("Hm.", "s"), ToolUse("c1", "find", '{"a":1}'))),
        Message(role=Role.TOOL, parts=(ToolResult("c1", '{"result":3}'),)),
    )
    tool = Tool(name="find", schema={"type": "OBJECT"})
    body = dialect.write_prompt(Prompt(dialect="gemini", model=None, messages=messages, tools=(tool,)))
    assert body["tools"] == [{"functionDeclarations": [{"name": "find", "parameters": {"type": "OBJECT"}}]}]
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert dialect.read_prompt(body).messages == messages


def test_a_changed_tool_keeps_the_others() -> None:
    """Functions stand in one group, the provider's own tools after it."""
    prompt = dialect.read_prompt({"tools": [{"functionDeclarations": [{"name": "f", "x": 1}]}, {"googleSearch": {}}]})
    tools = (replace(prompt.tools[0], description="New"), prompt.tools[1])
    assert dialect.write_prompt(replace(prompt, tools=tools))["tools"] == [
        {"functionDeclarations": [{"name": "f", "x": 1, "description": "New"}]},
        {"googleSearch": {}},
    ]


@pytest.mark.parametrize("field", ["parameters", "parametersJsonSchema", "parameters_json_schema"])
def test_a_schema_is_read_and_changed_where_it_stands(field: str) -> None:
    """In whichever field a client put it."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    body = {"contents": [], "tools": [{"functionDeclarations": [{"name": "get_weather", field: schema}]}]}
    prompt = Gemini().read_prompt(body)
    assert (schema,) == tuple(tool.schema for tool in prompt.tools)

    changed = replace(prompt, tools=(replace(prompt.tools[0], schema={"type": "object"}),))
    assert [{"functionDeclarations": [{"name": "get_weather", field: {"type": "object"}}]}] == Gemini().write_prompt(
        changed
    )["tools"]


def test_what_cannot_be_a_prompt_is_refused() -> None:
    """The error names the place."""
    with pytest.raises(InvalidInput) as caught:
        dialect.read_prompt({"contents": "Hi"})
    assert caught.value.field == "contents"


EVENTS: list[Any] = [
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hm.", "thought": True}]}, "index": 0}]},
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hel"}]}, "index": 0}], "responseId": "r"},
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "lo"}]}, "index": 0}], "modelVersion": "g"},
    {
        "candidates": [
            {"content": {"parts": [{"functionCall": {"name": "f", "args": {}}}]}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {
            "promptTokenCount": 5,
            "candidatesTokenCount": 7,
            "thoughtsTokenCount": 2,
            "cachedContentTokenCount": 3,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 4}, {"modality": "AUDIO", "tokenCount": 1}],
        },
    },
]


def test_a_stream_adds_up_to_the_unstreamed_answer() -> None:
    """Pieces of one text are joined, thoughts kept apart; thoughts count as output. An array of events is the same."""
    body = dialect.merge(EVENTS)
    assert body["candidates"] == [
        {
            "content": {
                "role": "model",
                "parts": [
                    {"text": "Hm.", "thought": True},
                    {"text": "Hello"},
                    {"functionCall": {"name": "f", "args": {}}},
                ],
            },
            "index": 0,
            "finishReason": "STOP",
        }
    ]
    answer = dialect.read_answer(body)
    assert answer == Answer(
        model="g",
        message=Message(role=Role.ASSISTANT, parts=(Reasoning("Hm."), Text("Hello"), ToolUse("f", "f", "{}"))),
        stop_reason="STOP",
        usage=Usage(input_tokens=5, output_tokens=9, cache_read_tokens=3, input_audio_tokens=1, reasoning_tokens=2),
        response_id="r",
        origin=body,
    )
    assert dialect.read_answer(EVENTS) == answer


def test_refusals_and_errors_are_read() -> None:
    """A blocked prompt has a reason and no candidate."""
    assert dialect.read_answer({"promptFeedback": {"blockReason": "SAFETY"}}).stop_reason == "SAFETY"
    assert dialect.read_answer({"error": {"code": 404, "message": "No such model"}}).error == "No such model"
    assert dialect.read_answer([{"error": {"code": 503, "message": "Overloaded"}}]).error == "Overloaded"


@given(st.dictionaries(st.sampled_from(["candidates", "usageMetadata", "error", "modelVersion"]), json_values))
def test_reading_an_odd_answer_never_raises(body: dict[str, Any]) -> None:
    """Whatever stands under the fields."""
    assert dialect.read_answer(body).origin == body


@given(
    st.lists(
        objects_of(candidates=st.lists(objects_of(content=contents, index=st.integers(0, 1)), max_size=2)) | json_values
    )
)
def test_merging_odd_events_never_raises(odd: list[Any]) -> None:
    """And gives a body that can be read."""
    dialect.read_answer(dialect.merge(odd))


def test_recorded_exchanges_are_read() -> None:
    """Requests come back as they were; usage equals the body's."""
    for one in recorded("gemini"):
        assert dialect.reads("google", one.method, one.path)
        assert canonical(dialect.write_prompt(dialect.read_prompt(one.request))) == canonical(one.request)
        body = msgspec.json.decode(one.response_body)
        answer = dialect.read_answer(body)
        assert (answer.error is not None) == (one.status >= 400)
        if answer.error:
            continue
        usage = body["usageMetadata"]
        assert answer.message is not None
        assert answer.usage.input_tokens == usage.get("promptTokenCount")
        if "totalTokenCount" in usage:
            tools = usage.get("toolUsePromptTokenCount", 0)
            assert (answer.usage.total_tokens or 0) + tools == usage["totalTokenCount"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1beta/models/gemini-2.5-flash:generateContent",
        "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
        "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:generateContent",
    ],
)
def test_its_paths_are_known(path: str) -> None:
    """On Google AI and on Vertex AI."""
    assert dialect.reads("google", "POST", path)
    assert not dialect.reads("google", "POST", path.split(":", maxsplit=1)[0] + ":countTokens")
