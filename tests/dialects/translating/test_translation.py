"""What a prompt says in one format it says in every other, or it is told that it does not."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reenact.dialects.registry import dialect_named
from reenact.dialects.translating.reading import read_settings
from reenact.dialects.translating.translation import retold, translated
from reenact.domain.message import Answer, Json, Lost, Message, Prompt, Role, Text, ToolUse
from reenact.errors import InvalidInput
from tests.dialects.translating.conversations import FORMATS, chat_bodies, in_format, meaning

PAIRS = [(one, other) for one in FORMATS for other in FORMATS if one != other]


def read(dialect: str, body: Json) -> Prompt:
    """Return a body as a prompt."""
    found = dialect_named(dialect)
    assert found is not None
    return found.read_prompt(body)


def write(prompt: Prompt) -> Json:
    """Return a prompt as its body."""
    found = dialect_named(prompt.dialect)
    assert found is not None
    return found.write_prompt(prompt)


@pytest.mark.parametrize(("one", "other"), PAIRS)
@given(chat=chat_bodies(), data=st.data())
@settings(max_examples=40)
def test_there_and_back_keeps_what_is_not_told_as_lost(one: str, other: str, chat: Json, data: st.DataObject) -> None:
    """Messages, images, tools, results with their links, and settings."""
    stream = chat.get("stream", False)
    first = in_format(read("openai_chat", chat), one)
    before = Prompt(
        dialect=one, model=first.model, messages=first.messages, tools=first.tools, parameters=first.parameters,
        stream=first.stream, origin=first.origin,
    )  # fmt: skip
    there = in_format(before, other, stream=stream)
    back = in_format(there, one, stream=stream)

    said, tools, given_settings = meaning(before)
    said_again, tools_again, settings_again = meaning(back)
    gone = {lost.path for lost in back.lost}
    places = read_settings(before).places
    between = read_settings(there).places
    kept = {
        name: value
        for name, value in given_settings.items()
        if places[name] not in gone and between.get(name, "") not in gone
    }
    moved = any("its place" in lost.why for lost in back.lost)
    assert _ordered(said, moved) == _ordered(said_again, moved)
    assert tools == tools_again
    assert kept == {name: settings_again.get(name) for name in kept} | _unsaid(kept, settings_again)


def _ordered(said: list[Any], moved: bool) -> list[Any]:
    """Return turns with those of the system at the front, when it is told that they were moved there."""
    if not moved:
        return said
    system = [part for role, parts in said if role == "system" for part in parts]
    others: list[Any] = []
    for role, parts in said:
        if role == "assistant" and others and others[-1][0] == role:
            others[-1] = (role, others[-1][1] + parts)
        elif role != "system":
            others.append((role, parts))
    return [system, *others]


def _unsaid(kept: dict[str, Any], again: dict[str, Any]) -> dict[str, Any]:
    """Return those that say what holds without being said: one answer, tools in parallel, plain text."""
    return {
        name: value
        for name, value in kept.items()
        if name not in again
        and (
            (name == "candidates" and value == 1)
            or (name == "parallel_tools" and value is True)
            or (name == "form" and value.kind == "text")
        )
    }


RICH = {
    "model": "claude-sonnet-4-0",
    "max_tokens": 100,
    "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
    "top_k": 5,
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
    "tools": [{"name": "find", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": "Find it."},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "find", "input": {"q": "it"}}]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": True, "content": "gone"},
                {"type": "text", "text": "Again."},
            ],
        },
    ],
}


def test_what_is_lost_is_told_with_its_place() -> None:
    """Every field that the other format has no word for, wherever it stands."""
    there = translated(read("anthropic_messages", RICH), "openai_chat", "gpt-4o", provider="openai")

    no_word = "the other format has no word for it"
    assert (
        Lost("/system/0/cache_control", no_word),
        Lost("/messages/2", "that the result is an error; its words stay"),
        Lost("/tools/0/cache_control", no_word),
        Lost("/thinking", no_word),
        Lost("/top_k", no_word),
    ) == there.lost
    assert {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Find it."},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "toolu_1", "type": "function", "function": {"name": "find", "arguments": '{"q":"it"}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "toolu_1", "content": "gone"},
            {"role": "user", "content": "Again."},
        ],
        "tools": [{"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}],
        "max_completion_tokens": 100,
        "parallel_tool_calls": False,
        "tool_choice": "required",
    } == {key: value for key, value in write(there).items() if key != "stream"}


def test_gemini_is_told_apart_by_names_and_its_own_words() -> None:
    """Calls without ids, results as objects, schemas in upper case, fields in either spelling."""
    body = {
        "system_instruction": {"parts": [{"text": "Be kind."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Find both."}, {"inlineData": {"mimeType": "image/png", "data": "aA=="}}]},
            {
                "role": "model",
                "parts": [{"functionCall": {"name": "find", "args": {"q": 1}}}, {"functionCall": {"name": "find", "args": {}}}],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"name": "find", "response": {"result": "one"}}},
                    {"functionResponse": {"name": "find", "response": {"error": "none"}}},
                ],
            },
        ],
        "tools": [
            {
                "function_declarations": [
                    {
                        "name": "find",
                        "parameters": {"type": "OBJECT", "properties": {"q": {"type": "INTEGER", "nullable": True}}},
                    }
                ]
            }
        ],
        "generation_config": {
            "max_output_tokens": 9,
            "responseMimeType": "application/json",
            "responseSchema": {"type": "STRING", "enum": ["A"]},
        },
        "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["find"]}},
        "safetySettings": [{"category": "x"}],
    }  # fmt: skip
    there = translated(read("gemini", body), "anthropic_messages", "claude", provider="anthropic", stream=True)

    assert (Lost("/safetySettings", "the other format has no word for it"),) == there.lost
    assert {
        "model": "claude",
        "stream": True,
        "max_tokens": 9,
        "system": "Be kind.",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Find both."},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aA=="}},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "tool_use", "id": "call_1", "name": "find", "input": {"q": 1}},
                    {"type": "tool_use", "id": "call_2", "name": "find", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": "one"},
                    {"type": "tool_result", "tool_use_id": "call_2", "content": "none", "is_error": True},
                ],
            },
        ],
        "tools": [
            {
                "name": "find",
                "input_schema": {"type": "object", "properties": {"q": {"type": ["integer", "null"]}}},
            }
        ],
        "tool_choice": {"type": "tool", "name": "find"},
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "string", "enum": ["A"]}}},
    } == write(there)


ASK = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi."}]}


def user(*parts: Json) -> Json:
    """Return a chat request whose user says *parts*."""
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": list(parts)}]}


@pytest.mark.parametrize(
    ("dialect", "body", "target", "place"),
    [
        (
            "openai_chat",
            user({"type": "input_audio", "input_audio": {"data": "aA==", "format": "wav"}}),
            "anthropic_messages",
            "/messages/0 (part 1)",
        ),
        ("openai_chat", user({"type": "file", "file": {"file_id": "file-1"}}), "gemini", "/messages/0 (part 1)"),
        ("openai_chat", user({"type": "novelty"}), "gemini", "/messages/0 (part 1)"),
        ("openai_chat", ASK | {"n": 2}, "anthropic_messages", "/n"),
        ("openai_chat", ASK | {"n": 2}, "openai_responses", "/n"),
        ("openai_responses", {"input": "Hi.", "previous_response_id": "r"}, "openai_chat", "/previous_response_id"),
        ("openai_responses", {"input": "Hi.", "tools": [{"type": "web_search"}]}, "gemini", "/tools/0"),
        ("anthropic_messages", {"messages": [], "system": "Hi."}, "gemini", "/messages"),
        ("gemini", {"contents": [], "cachedContent": "c"}, "openai_chat", "/cachedContent"),
    ],
)
def test_what_cannot_be_said_is_refused_with_its_place(dialect: str, body: Json, target: str, place: str) -> None:
    """Without it the request would be another one."""
    with pytest.raises(InvalidInput) as refused:
        translated(read(dialect, body), target, "m", provider="p")

    assert place == refused.value.field
    assert place in refused.value.message


def test_a_history_with_tools_that_are_no_longer_offered_is_taken_by_anthropic() -> None:
    """It has to name them, and they are not to be chosen."""
    call = {"id": "c", "type": "function", "function": {"name": "find", "arguments": "{}"}}
    body = {
        "model": "gpt-4o",
        "messages": [
            {"role": "user", "content": "Hi."},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": "it"},
        ],
    }
    there = translated(read("openai_chat", body), "anthropic_messages", "claude", provider="anthropic")

    assert ["find"] == [tool["name"] for tool in write(there)["tools"]]
    assert {"type": "none"} == write(there)["tool_choice"]
    assert ["/max_tokens", "/tools"] == [lost.path for lost in there.lost]


@pytest.mark.parametrize(
    ("reason", "dialect", "expected"),
    [
        ("end_turn", "openai_chat", "stop"),
        ("STOP", "anthropic_messages", "end_turn"),
        ("max_tokens", "gemini", "MAX_TOKENS"),
        ("length", "openai_responses", "max_output_tokens"),
        ("oddity", "openai_chat", "oddity"),
    ],
)
def test_answers_end_in_the_words_of_the_recorded_format(reason: str, dialect: str, expected: str) -> None:
    """A word that nobody knows stays."""
    message = Message(role=Role.ASSISTANT, parts=(Text("Hi."),), origin={"text": "Hi."})
    told = retold(Answer(message=message, stop_reason=reason), dialect)

    assert expected == told.stop_reason
    assert told.message == message
    assert told.message is not None
    assert told.message.origin is None


def test_an_answer_with_tool_calls_ended_for_them() -> None:
    """Gemini says `STOP` for these, too."""
    message = Message(role=Role.ASSISTANT, parts=(ToolUse("i", "find", "{}"),))

    assert "tool_calls" == retold(Answer(message=message, stop_reason="STOP"), "openai_chat").stop_reason
