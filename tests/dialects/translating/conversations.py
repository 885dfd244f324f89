"""Prompts for tests of translating: conversations that every format can hold, and what they mean."""

from typing import Any

import hypothesis.strategies as st
import msgspec

from reenact.dialects.registry import dialect_named
from reenact.dialects.translating.reading import read_settings
from reenact.dialects.translating.translation import translated
from reenact.dialects.translating.turning import linked, turns, unwrapped
from reenact.domain.message import Json, Message, Prompt, ToolResult, ToolUse

FORMATS = ("openai_chat", "openai_responses", "anthropic_messages", "gemini")

words = st.text("abc é\n{}\"'", min_size=1, max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | words, lambda inner: st.dictionaries(words, inner, max_size=2)
)
PIXEL = "iVBORw0KGgo="


@st.composite
def rounds(draw: st.DrawFn) -> list[Json]:
    """Return an answer that asks for tools, and their results."""
    names = draw(st.lists(st.sampled_from(["find", "read"]), min_size=1, max_size=3))
    calls = [
        {
            "id": f"{draw(st.sampled_from(['call_', 'toolu-', 'x']))}{number}{draw(st.integers(0, 10**6))}",
            "type": "function",
            "function": {"name": name, "arguments": draw(arguments)},
        }
        for number, name in enumerate(names)
    ]
    said = draw(st.none() | words)
    results = [{"role": "tool", "tool_call_id": call["id"], "content": draw(results_of_tools)} for call in calls]
    return [{"role": "assistant", "content": said, "tool_calls": calls}, *results]


arguments = st.dictionaries(words, values, max_size=2).map(lambda value: msgspec.json.encode(value).decode())
results_of_tools = words | values.map(lambda value: msgspec.json.encode(value).decode())
images = st.sampled_from(
    [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
)
asked = words | st.lists(words.map(lambda text: {"type": "text", "text": text}) | images, min_size=1, max_size=3)
turns_of_chat = st.lists(
    rounds()
    | words.map(lambda text: [{"role": "assistant", "content": text}])
    | asked.map(lambda content: [{"role": "user", "content": content}])
    | words.map(lambda text: [{"role": "system", "content": text}]),
    max_size=5,
)
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": "Look.",
            "parameters": {"type": "object", "properties": {"type": {"type": "string", "enum": ["A"]}}},
        },
    }
    for name in ("find", "read")
]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "it", "schema": {"type": "object"}, "strict": True}}
parameters = st.fixed_dictionaries(
    {},
    optional={
        "max_tokens": st.integers(1, 99),
        "temperature": st.floats(0, 2, width=16),
        "top_p": st.floats(0, 1, width=16),
        "stop": words | st.lists(words, min_size=1, max_size=4),
        "seed": st.integers(0, 9),
        "presence_penalty": st.floats(-2, 2, width=16),
        "n": st.just(1),
        "tool_choice": st.sampled_from(
            ["auto", "none", "required", {"type": "function", "function": {"name": "find"}}]
        ),
        "parallel_tool_calls": st.booleans(),
        "response_format": st.sampled_from([{"type": "text"}, {"type": "json_object"}, SCHEMA]),
        "reasoning_effort": st.sampled_from(["low", "high"]),
        "user": words,
        "logprobs": st.just(True),
        "metadata": st.just({"a": "b"}),
    },
)


@st.composite
def chat_bodies(draw: st.DrawFn) -> Json:
    """Return a chat request that is well formed."""
    messages = [{"role": "user", "content": draw(asked)}, *(one for turn in draw(turns_of_chat) for one in turn)]
    system = draw(st.none() | words)
    if system is not None:
        messages.insert(0, {"role": draw(st.sampled_from(["system", "developer"])), "content": system})
    streamed = {"stream": True} if draw(st.booleans()) else {}
    return {"model": "gpt-4o", "messages": messages, "tools": TOOLS, **draw(parameters), **streamed}


def again(prompt: Prompt) -> Prompt:
    """Return *prompt* written as a body and read again; what was lost is kept with it."""
    dialect = dialect_named(prompt.dialect)
    assert dialect is not None
    body = msgspec.json.decode(msgspec.json.encode(dialect.write_prompt(prompt)))
    return msgspec.structs.replace(dialect.read_prompt(body), lost=prompt.lost)


def in_format(prompt: Prompt, dialect: str, *, stream: bool | None = None) -> Prompt:
    """Return *prompt* in another format, as it would be read from its body."""
    if prompt.dialect == dialect:
        return prompt
    return again(translated(prompt, dialect, "another", provider="openai", stream=stream))


def meaning(prompt: Prompt) -> tuple[list[Any], list[Any], dict[str, Any]]:
    """Return what a prompt says in no format's words: its turns, its tools, its settings."""
    messages = [
        msgspec.structs.replace(
            message, parts=tuple(unwrapped(part) if isinstance(part, ToolResult) else part for part in message.parts)
        )
        for message in prompt.messages
    ]
    said = linked(turns(messages if prompt.dialect == "gemini" else prompt.messages), by_name=False, keep=False)
    tools = [
        (tool.name, tool.description, tool.schema or {"type": "object", "properties": {}}) for tool in prompt.tools
    ]
    return [_said(message) for message in said], tools, read_settings(prompt).settings.said


def _said(message: Message) -> tuple[str, list[Any]]:
    parts = [
        ("use", part.id, part.name, msgspec.json.decode(part.arguments or "{}")) if isinstance(part, ToolUse) else part
        for part in message.parts
    ]
    return message.role.value, parts
