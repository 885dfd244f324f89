"""Sessions of every format are replayed at every other provider over a whole server, anchored and chained, streamed or not."""

from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest

from reenact.client import Client, patch, set_model
from reenact.client.rows import Request
from reenact.dialects.registry import dialect_named
from reenact.domain.message import Json, Prompt, ToolResult
from reenact.domain.replay import Mode, State
from reenact.provider.script import Match, Rule, Script, ScriptedCall
from tests.fakes.house import House, a_house

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ASKED = "How is the weather in Oslo?"
SYSTEM = "You travel."
ARGUMENTS = {"city": "Oslo"}
SCRIPT = Script(
    rules=(
        Rule(match=Match(after_tool=True, model="*-new"), text="Wear a coat."),
        Rule(match=Match(after_tool=True), text="Stay at home."),
        Rule(
            match=Match(),
            tool_calls=(
                ScriptedCall(name="weather", arguments=ARGUMENTS),
                ScriptedCall(name="weather", arguments={"city": "Lima"}),
            ),
        ),
    )
)
RESULTS = ("rain", '{"sky": "clear", "degrees": 21}')


def chat(streamed: bool, answer: Json = None) -> Json:
    """Return the agent's request in OpenAI's chat format; the second one when *answer* is the first one's message."""
    messages: list[Json] = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": ASKED}]
    if answer is not None:
        messages.append(answer)
        messages += (
            {"role": "tool", "tool_call_id": call["id"], "content": text}
            for call, text in zip(answer["tool_calls"], RESULTS, strict=True)
        )
    tool = {"type": "function", "function": {"name": "weather", "description": "Looks out.", "parameters": SCHEMA}}
    fields = {"model": "gpt-4o", "temperature": 0.5, "max_tokens": 99, "messages": messages, "tools": [tool]}
    return fields | ({"stream": True} if streamed else {})


def responses(streamed: bool, answer: Json = None) -> Json:
    """Return the same in the Responses format; *answer* is the list of items."""
    items: list[Json] = [{"role": "user", "content": ASKED}]
    if answer is not None:
        calls = [item for item in answer if item["type"] == "function_call"]
        items += answer
        items += (
            {"type": "function_call_output", "call_id": call["call_id"], "output": text}
            for call, text in zip(calls, RESULTS, strict=True)
        )
    tool = {"type": "function", "name": "weather", "description": "Looks out.", "parameters": SCHEMA, "strict": False}
    fields = {"model": "gpt-4o", "temperature": 0.5, "max_output_tokens": 99, "instructions": SYSTEM, "input": items}
    return fields | {"tools": [tool]} | ({"stream": True} if streamed else {})


def messages(streamed: bool, answer: Json = None) -> Json:
    """Return the same in Anthropic's format; *answer* is the list of blocks."""
    said: list[Json] = [{"role": "user", "content": ASKED}]
    if answer is not None:
        uses = [block for block in answer if block["type"] == "tool_use"]
        results = [
            {"type": "tool_result", "tool_use_id": use["id"], "content": text}
            for use, text in zip(uses, RESULTS, strict=True)
        ]
        said += ({"role": "assistant", "content": answer}, {"role": "user", "content": results})
    tool = {"name": "weather", "description": "Looks out.", "input_schema": SCHEMA}
    fields = {"model": "claude-sonnet-4-0", "max_tokens": 99, "temperature": 0.5, "system": SYSTEM, "messages": said}
    return fields | {"tools": [tool]} | ({"stream": True} if streamed else {})


def gemini(streamed: bool, answer: Json = None) -> Json:
    """Return the same in Gemini's format; *answer* is the content. Its calls of one function have no ids."""
    contents: list[Json] = [{"role": "user", "parts": [{"text": ASKED}]}]
    if answer is not None:
        calls = [part["functionCall"] for part in answer["parts"] if "functionCall" in part]
        results = [
            {"functionResponse": {"name": call["name"], "response": {"result": text}}}
            for call, text in zip(calls, RESULTS, strict=True)
        ]
        contents += (answer, {"role": "user", "parts": results})
    tool = {"name": "weather", "description": "Looks out.", "parameters": SCHEMA}
    return {
        "systemInstruction": {"parts": [{"text": SYSTEM}]},
        "contents": contents,
        "tools": [{"functionDeclarations": [tool]}],
        "generationConfig": {"temperature": 0.5, "maxOutputTokens": 99},
    }


def without_ids(content: Json) -> Json:
    """Return a content of Gemini as older models give it."""
    return content | {
        "parts": [
            part | {"functionCall": {key: value for key, value in part["functionCall"].items() if key != "id"}}
            if "functionCall" in part
            else part
            for part in content["parts"]
        ]
    }


AGENTS: dict[str, Any] = {
    "openai_chat": (chat, lambda body: body["choices"][0]["message"]),
    "openai_responses": (responses, lambda body: body["output"]),
    "anthropic_messages": (messages, lambda body: body["content"]),
    "gemini": (gemini, lambda body: without_ids(body["candidates"][0]["content"])),
}
MODELS = {
    "openai_chat": set_model("gpt-new", provider="openai", dialect="openai_chat"),
    "openai_responses": set_model("gpt-new", provider="openai", dialect="openai_responses"),
    "anthropic_messages": set_model("claude-new"),
    "gemini": set_model("gemini-new"),
}
PROVIDERS = {
    "openai_chat": "openai",
    "openai_responses": "openai",
    "anthropic_messages": "anthropic",
    "gemini": "google",
}


def path(dialect: str, streamed: bool, model: str) -> str:
    """Return where a format is spoken."""
    method = "streamGenerateContent" if streamed else "generateContent"
    return {
        "openai_chat": "/v1/chat/completions",
        "openai_responses": "/v1/responses",
        "anthropic_messages": "/v1/messages",
        "gemini": f"/v1beta/models/{model}:{method}",
    }[dialect]


def session(dialect: str, streamed: bool) -> str:
    """Return the id of a recorded session."""
    return f"{dialect} {'streamed' if streamed else 'whole'}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server with one recorded tool loop for each format, streamed and not."""
    with a_house(tmp_path_factory.mktemp("house") / "data", script=SCRIPT) as running:
        for dialect in AGENTS:
            for streamed in (False, True):
                record(running.url, dialect, streamed)
        yield running


def record(url: str, dialect: str, streamed: bool) -> None:
    """Have an agent of *dialect* ask, run its tool, and ask again."""
    body, said = AGENTS[dialect]
    headers = {
        "authorization": "Bearer sk-agent",
        "anthropic-version": "2023-06-01",
        "helicone-session-id": session(dialect, streamed),
    }
    address = f"{url}/v1/gateway/{PROVIDERS[dialect]}{path(dialect, streamed, 'gemini-2.0-flash')}"
    address += "?alt=sse" if streamed and dialect == "gemini" else ""
    with httpx2.Client(trust_env=False) as agent:
        whole = address.replace("streamGenerateContent?alt=sse", "generateContent")
        first = agent.post(whole, json=body(False)).raise_for_status().json()  # what the stream below says, too
        agent.post(address, json=body(streamed), headers=headers).raise_for_status()
        agent.post(address, json=body(streamed, said(first)), headers=headers).raise_for_status()


def read(row: Request, dialect: str) -> Prompt:
    """Return a recorded request, understood."""
    found = dialect_named(dialect)
    assert found is not None
    return found.read_prompt(row.body)


PAIRS = [(one, other) for one in AGENTS for other in AGENTS if one != other]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("mode", [Mode.ANCHORED, Mode.CHAINED], ids=lambda mode: mode.value)
def test_a_tool_loop_is_asked_of_another_provider(
    house: House, source: str, target: str, streamed: bool, mode: Mode
) -> None:
    """In its own format; new calls and their results are linked, and the answers are carried through."""
    with Client(house.url) as client:
        replay = client.replay(session(source, streamed), patch(MODELS[target]), mode=mode, control=False)
        rows = client.session(replay.takes[0].session_id)

    provider, model = PROVIDERS[target], MODELS[target].model
    assert (State.DONE, 0) == (replay.state, replay.progress.failed), replay.takes[0].results
    assert [(provider, target, model)] * 2 == [(call.provider, call.dialect, call.model) for call in replay.plan.calls]
    assert [f"{path(target, streamed, model)}"] * 2 == [
        row.request_path.partition("?")[0].partition(provider)[2] for row in rows
    ]
    first, second = (read(row, target) for row in rows)
    assert [part.text for message in first.messages for part in message.parts] == [SYSTEM, ASKED]  # type: ignore[union-attr]
    uses = [use for message in second.messages for use in message.tool_uses]
    results = [part for message in second.messages for part in message.parts if isinstance(part, ToolResult)]
    assert [{"city": "Oslo"}, {"city": "Lima"}] == [msgspec.json.decode(use.arguments) for use in uses]
    assert [use.id for use in uses] == [result.id for result in results]
    assert ["weather"] == [tool.name for tool in second.tools]
    assert [streamed or target == "gemini"] * 2 == [prompt.stream or target == "gemini" for prompt in (first, second)]
    assert "Wear a coat." in str(rows[1].response_body)
