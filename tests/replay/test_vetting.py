"""A patch that makes a request which its provider would refuse is refused when the replay is planned."""

import pytest

from reenact.client import append_system, patch, set_model
from reenact.domain.message import Json
from reenact.domain.patch import (
    DropMessage,
    DropParameter,
    DropTool,
    Edit,
    InsertMessage,
    PatchJson,
    ReplaceMessage,
    SetAt,
    SetModel,
    SetParameter,
    SetTool,
    SetToolResult,
)
from reenact.domain.replay import Mode, Plan
from reenact.errors import InvalidPatch
from reenact.replay.planning import plan
from reenact.replay.recording import Recording
from tests.replay.recordings import a_call, a_recording
from tests.replay.test_planning import price

FUNCTION = {"name": "weather", "description": "Looks out.", "parameters": {"type": "object"}}
OTHER = {"type": "function", "function": {"name": "news", "parameters": {"type": "object"}}}
CHOICE = {"type": "function", "function": {"name": "weather"}}


def chat(**fields: Json) -> Recording:
    """Return a session of one call of OpenAI's chat that gives back a tool's result."""
    use = {"id": "link", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    messages = [
        {"role": "system", "content": "You travel."},
        {"role": "user", "content": "How is the weather?"},
        {"role": "assistant", "content": None, "tool_calls": [use]},
        {"role": "tool", "tool_call_id": "link", "content": "rain"},
    ]
    tools = [{"type": "function", "function": FUNCTION}, OTHER]
    return a_recording({"model": "gpt-4o", "messages": messages, "tools": tools, **fields})


def claude(**fields: Json) -> Recording:
    """Return the same of Anthropic's."""
    messages = [
        {"role": "user", "content": "How is the weather?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "link", "name": "weather", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "link", "content": "rain"}]},
    ]
    tools = [{"name": "weather", "input_schema": {"type": "object"}}]
    body = {"model": "claude-x", "max_tokens": 9, "system": "You travel.", "messages": messages, "tools": tools}
    call = a_call("call-1", provider="anthropic", dialect="anthropic_messages", model="claude-x")
    return a_recording((call, body | fields))


def responses(**fields: Json) -> Recording:
    """Return a call of OpenAI's Responses."""
    body = {"model": "gpt-4o", "input": "How is the weather?", "tools": [{"type": "function", **FUNCTION}]}
    return a_recording((a_call("call-1", dialect="openai_responses"), body | fields))


def gemini(**fields: Json) -> Recording:
    """Return a call of Gemini's."""
    body = {
        "contents": [{"role": "user", "parts": [{"text": "How is the weather?"}]}],
        "tools": [{"functionDeclarations": [{"name": "weather"}]}],
    }
    return a_recording((a_call("call-1", provider="google", dialect="gemini"), body | fields))


def planned(recording: Recording, *edits: Edit) -> Plan:
    """Return the plan of making *edits* in every call."""
    return plan(recording, patch(*edits), Mode.ANCHORED, 1, price)


ALLOWED = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}}
REFUSED: list[tuple[str, Recording, Edit, str]] = [
    ("negative limit", chat(), SetParameter("max_tokens", -1), "/max_tokens is -1, not a whole number from 1 on"),
    ("limit in words", chat(), SetParameter("max_tokens", "9"), '/max_tokens is "9"'),
    ("no answers", chat(), SetParameter("n", 0), "/n is 0"),
    ("too hot", chat(), SetParameter("temperature", 2.5), "/temperature is 2.5, not a number from 0 to 2"),
    ("hot in words", chat(), SetParameter("temperature", "hot"), '/temperature is "hot"'),
    ("too hot for Claude", claude(), SetParameter("temperature", 1.5), "/temperature is 1.5, not a number from 0 to 1"),
    ("top_p", chat(), SetParameter("top_p", 1.5), "/top_p is 1.5"),
    ("penalty", chat(), SetParameter("presence_penalty", True), "/presence_penalty is true"),
    (
        "Gemini's limit",
        gemini(generationConfig={"maxOutputTokens": 5}),
        SetAt("$.generationConfig.maxOutputTokens", 0),
        "/generationConfig/maxOutputTokens is 0",
    ),
    (
        "chosen tool",
        chat(tool_choice=CHOICE),
        DropTool("weather"),
        "/tool_choice/function/name names the tool 'weather'",
    ),
    (
        "last tools",
        responses(tool_choice={"type": "function", "name": "weather"}),
        DropTool("weather"),
        "/tool_choice/name",
    ),
    ("Gemini's tool", gemini(toolConfig=ALLOWED), DropTool("weather"), "allowedFunctionNames/0 names the tool"),
    ("Claude's tools", claude(), DropTool("weather"), "/tools is missing, though the history asks for tools"),
    ("choice without tools", chat(tool_choice="auto"), SetAt("$.tools", []), "/tool_choice is only for requests"),
    ("tool result", chat(), DropMessage(-1), "the tool call 'weather' (link) is not answered"),
    ("tool call", chat(), DropMessage(3), "gives back a result for 'link', which nothing before it asks for"),
    ("Claude's tool result", claude(), DropMessage(-1), "the tool call 'weather' (link) is not answered"),
    ("no messages", chat(), PatchJson(({"op": "remove", "path": "/messages"},)), "/messages holds no message"),
    ("content", chat(), SetAt("$.messages[0].content", 3), "/messages/0/content is neither a text nor a list"),
    ("Claude's content", claude(), SetAt("$.messages[0].content", None), "/messages/0/content is neither"),
    ("Claude's empty text", claude(), ReplaceMessage(2, ""), "/messages/0/content holds an empty text"),
    (
        "Claude's role",
        claude(),
        SetAt("$.messages[0].role", "system"),
        "/messages/0/role is neither user nor assistant",
    ),
    ("Claude's limit", claude(), DropParameter("max_tokens"), "/max_tokens is missing"),
    ("Claude's second system", claude(), InsertMessage("system", "Be brief.", 2), "has no place for a new message"),
]


@pytest.mark.parametrize(
    ("recording", "edit", "why"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_a_provider_would_refuse_is_refused_when_planned(recording: Recording, edit: Edit, why: str) -> None:
    """The message names the call and the field, `field` the edit that made it so, not the good one before it."""
    with pytest.raises(InvalidPatch) as caught:
        planned(recording, append_system(" Now."), edit)

    assert caught.value.message.startswith("Call 1: ")
    assert why in caught.value.message
    assert "changes[1].edits[0]" == caught.value.field


def test_only_the_request_that_is_sent_counts() -> None:
    """What one edit breaks another may mend."""
    recording = chat(tool_choice=CHOICE)

    assert planned(recording, DropTool("weather"), DropParameter("tool_choice")).calls[0].changes


def test_what_the_provider_took_when_it_was_recorded_stays() -> None:
    """A patch of something else is no worse for it; another provider is not asked what its format forbids."""
    odd = chat(temperature=3, max_tokens=0)

    assert planned(odd, SetModel("gpt-5")).calls[0].changes
    with pytest.raises(InvalidPatch, match="/max_tokens is 0"):
        planned(odd, set_model("claude-sonnet-4-0"))


@pytest.mark.parametrize(
    ("edit", "place"),
    [(DropTool("wether"), "name"), (SetTool("wether", "Looks."), "name"), (SetToolResult("wether", "sun"), "tool")],
    ids=["drop", "set", "result"],
)
def test_a_tool_that_no_call_knows_is_refused(edit: Edit, place: str) -> None:
    """Most likely it is a slip of the pen: the message names those that are known."""
    with pytest.raises(InvalidPatch, match=r"knows a tool 'wether'; known there: news, weather\.") as caught:
        planned(chat(), edit)

    assert f"changes[0].edits[0].{place}" == caught.value.field


def test_a_tool_that_one_call_knows_will_do() -> None:
    """And one that the patch itself brings."""
    without: Json = {"model": "m", "messages": [{"role": "user", "content": "Hi."}]}
    two = a_recording(next(iter(chat().bodies.values())).request, without)
    maps = {"type": "function", "function": {"name": "maps"}}
    brought = PatchJson(({"op": "add", "path": "/tools/-", "value": maps},))

    assert [1, 0] == [len(call.changes) for call in planned(two, SetTool("weather", "Looks.")).calls]
    assert planned(chat(), brought, SetTool("maps", "Shows.")).calls[0].changes
