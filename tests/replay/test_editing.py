"""Each edit does what it says, in every format, and nothing else."""

from typing import Any

import msgspec
import pytest

from reenact.dialects.dialect import Dialect
from reenact.dialects.registry import dialect_named
from reenact.domain.message import Json
from reenact.domain.patch import (
    AppendSystem,
    DropMessage,
    DropTool,
    Edit,
    InsertMessage,
    PatchJson,
    ReplaceMessage,
    SetModel,
    SetSystem,
    SetTool,
    SetToolResult,
)
from reenact.errors import InvalidPatch
from reenact.replay.patching import patched_body
from tests.replay.recordings import chat


def named(name: str) -> Dialect:
    """Return a format that there is."""
    dialect = dialect_named(name)
    assert dialect is not None
    return dialect


def patched(body: Json, *edits: Edit, dialect: str = "openai_chat") -> Any:
    """Return the body after the edits, as JSON."""
    return msgspec.json.decode(patched_body(named(dialect), msgspec.json.encode(body), edits))


def texts(body: Any) -> list[tuple[str, str]]:
    """Return who says what in a chat body."""
    return [(message["role"], message["content"]) for message in body["messages"]]


CHAT = chat("hi", "hello", system="Be kind.")


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (InsertMessage("user", "new"), [0, 1, 2, ("user", "new")]),
        (InsertMessage("developer", "new", before=1), [("system", "new"), 0, 1, 2]),
        (InsertMessage("assistant", "new", before=-1), [0, 1, ("assistant", "new"), 2]),
        (ReplaceMessage(2, "new"), [0, ("user", "new"), 2]),
        (ReplaceMessage(-1, "new"), [0, 1, ("assistant", "new")]),
        (DropMessage(1), [1, 2]),
        (DropMessage(-2), [0, 2]),
    ],
)
def test_messages_are_counted_from_1_or_from_the_end(edit: Edit, expected: list[Any]) -> None:
    """The others stay as they were."""
    before = texts(CHAT)

    assert [before[one] if isinstance(one, int) else one for one in expected] == texts(patched(CHAT, edit))


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (InsertMessage("narrator", "x"), "role"),
        (InsertMessage("user", "x", before=4), "before"),
        (ReplaceMessage(0, "x"), "message"),
        (DropMessage(-4), "message"),
        (PatchJson(({"op": "test", "path": "/model", "value": "another"},)), "operations"),
        (PatchJson(({"op": "replace", "path": "/no/such/place", "value": 1},)), "operations"),
        (PatchJson(({"op": "jump", "path": "/model"},)), "operations"),
        (PatchJson(({"path": "/model"},)), "operations"),
        (PatchJson(({"op": "replace", "path": "/messages", "value": "text"},)), "operations"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(edit: Edit, field: str) -> None:
    """Never made halfway."""
    with pytest.raises(InvalidPatch) as caught:
        patched(CHAT, edit)

    assert field == caught.value.field


def with_tools() -> Any:
    """Return a chat in which two tools were used, one of them twice."""
    uses = [("1", "find", '{"a":1}'), ("2", "book", "{}"), ("3", "find", '{"a":2}')]
    calls = [{"id": link, "type": "function", "function": {"name": n, "arguments": a}} for link, n, a in uses]
    results = [{"role": "tool", "tool_call_id": link, "content": f"result {link}"} for link, _, _ in uses]
    tools = [
        {
            "type": "function",
            "function": {"name": name, "description": "Old.", "parameters": {"type": "object"}, "strict": True},
        }
        for name in ("find", "book")
    ]
    body = chat("hi", tools=tools)
    body["messages"] += [{"role": "assistant", "content": None, "tool_calls": calls}, *results]
    return body


def test_a_tools_results_say_something_else() -> None:
    """All of that tool, none of another; link ids stay."""
    after = patched(with_tools(), SetToolResult("find", "nothing found"))

    expected = with_tools()
    expected["messages"][-3]["content"] = expected["messages"][-1]["content"] = "nothing found"
    assert expected == after


def test_a_tools_result_is_not_replaced_as_a_message() -> None:
    """Its link to the call would be lost."""
    with pytest.raises(InvalidPatch, match="set_tool_result"):
        patched(with_tools(), ReplaceMessage(-1, "x"))


def test_a_tool_is_described_otherwise() -> None:
    """What is left out stays, unknown fields among it; a tool that is not offered changes nothing."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}

    after = patched(
        with_tools(), SetTool("find", description="New."), SetTool("book", schema=schema), SetTool("none", "x")
    )

    expected = with_tools()
    expected["tools"][0]["function"]["description"] = "New."
    expected["tools"][1]["function"]["parameters"] = schema
    assert expected == after


def test_a_tool_is_offered_no_more() -> None:
    """The others stay; the last one takes the list with it."""
    body = with_tools()

    assert body["tools"][1:] == patched(body, DropTool("find"))["tools"]
    assert "tools" not in patched(body, DropTool("find"), DropTool("book"))
    assert body == patched(body, DropTool("none"))


def test_json_patch_says_what_no_other_edit_does() -> None:
    """Between other edits, each seeing what those before it did."""
    operations = (
        {"op": "add", "path": "/messages/1/x", "value": {"y": 1}},
        {"op": "copy", "from": "/model", "path": "/seen"},
        {"op": "remove", "path": "/messages/2"},
    )

    after = patched(CHAT, SetModel("a"), PatchJson(operations), SetModel("b"), AppendSystem("!"))

    assert {
        "model": "b",
        "messages": [
            {"role": "system", "content": "Be kind.!"},
            {"role": "user", "content": "hi", "x": {"y": 1}},
        ],
        "seen": "a",
    } == after


def test_json_patch_that_changes_nothing_gives_back_the_bytes() -> None:
    """As every edit that changes nothing."""
    raw = b'{ "model": "m", "messages": [] }'

    edit = PatchJson(({"op": "replace", "path": "/model", "value": "m"},))
    assert raw == patched_body(named("openai_chat"), raw, [edit])


ANTHROPIC = {
    "model": "claude",
    "system": [{"type": "text", "text": "A", "cache_control": {"type": "ephemeral"}}],
    "messages": [{"role": "user", "content": "hi"}],
    "max_tokens": 5,
}
GEMINI = {
    "systemInstruction": {"parts": [{"text": "A"}]},
    "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
    "generationConfig": {"temperature": 1},
}
RESPONSES = {"model": "gpt-4o", "instructions": "A", "input": [{"role": "user", "content": "hi"}], "store": False}


@pytest.mark.parametrize(
    ("dialect", "body", "place"),
    [
        ("anthropic_messages", ANTHROPIC, ["system", 0, "text"]),
        ("gemini", GEMINI, ["systemInstruction", "parts", 0, "text"]),
        ("openai_responses", RESPONSES, ["instructions"]),
    ],
)
def test_system_edits_write_each_formats_own_field(dialect: str, body: Json, place: list[str | int]) -> None:
    """And leave what stands around it, such as marks for the provider's cache."""

    def said(value: Any, text: str) -> Json:
        value = msgspec.json.decode(msgspec.json.encode(value))
        at = value
        for step in place[:-1]:
            at = at[step]
        at[place[-1]] = text
        return value

    assert said(body, "A B") == patched(body, AppendSystem(" B"), dialect=dialect)
    assert said(body, "C") == patched(body, SetSystem("C"), dialect=dialect)


@pytest.mark.parametrize("edit", [AppendSystem("x"), SetSystem("x"), InsertMessage("system", "x")])
def test_a_format_without_system_messages_is_given_none(edit: Edit) -> None:
    """Texts to embed are no conversation."""
    with pytest.raises(InvalidPatch, match="openai_embeddings has no place"):
        patched({"model": "m", "input": ["a", "b"]}, edit, dialect="openai_embeddings")
