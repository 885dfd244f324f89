"""The scripted provider in the formats of Anthropic, OpenAI's Responses and Gemini: real clients where there are any."""

from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import msgspec
import openai
import pytest

from reenact.dialects.anthropic_messages import AnthropicMessages
from reenact.dialects.dialect import Dialect
from reenact.dialects.framing import read_stream
from reenact.dialects.gemini import Gemini
from reenact.dialects.openai_responses import OpenAIResponses

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "get_weather", "description": "Get the weather in a city."}
ASK = "What is the weather in Paris?"
GEMINI = "/v1beta/models/gemini-2.5-flash"


@pytest.fixture
def claude(origin: str) -> Iterator[anthropic.Anthropic]:
    """Anthropic's own client, without retries."""
    with anthropic.Anthropic(base_url=origin, api_key="sk-none", max_retries=0) as client:
        yield client


# --- Anthropic ---------------------------------------------------------------------------------------------------------


def test_anthropic_is_answered(claude: anthropic.Anthropic) -> None:
    """Text, usage and counted tokens agree; the system prompt is followed."""
    asked: dict[str, Any] = {
        "model": "claude-sonnet-5-5",
        "messages": [{"role": "user", "content": "Tell me of Paris"}],
    }
    message = claude.messages.create(max_tokens=500, system="Answer in at most 9 words.", **asked)
    assert message.stop_reason == "end_turn"
    assert message.content[0].type == "text"
    assert "Paris" in message.content[0].text
    assert len(message.content[0].text.split()) <= 9
    counted = claude.messages.count_tokens(system="Answer in at most 9 words.", **asked)
    assert message.usage.input_tokens == counted.input_tokens
    assert claude.messages.create(max_tokens=3, **asked).stop_reason == "max_tokens"


def test_anthropic_streams_tool_calls(claude: anthropic.Anthropic) -> None:
    """The SDK's own accumulator understands them, and the loop goes on after the result."""
    tools: Any = [{**WEATHER, "input_schema": SCHEMA}]
    messages: list[Any] = [{"role": "user", "content": ASK}]
    with claude.messages.stream(model="m", max_tokens=500, messages=messages, tools=tools) as stream:
        message = stream.get_final_message()
    call = message.content[0]
    assert call.type == "tool_use"
    assert (message.stop_reason, call.name, call.input) == ("tool_use", "get_weather", {"city": "Paris"})
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "18 degrees"}
    messages += [{"role": "assistant", "content": message.content}, {"role": "user", "content": [result]}]
    last = claude.messages.create(model="m", max_tokens=500, messages=messages, tools=tools)
    assert last.content[0].type == "text"
    assert "18 degrees" in last.content[0].text
    forced = claude.messages.create(
        model="m", max_tokens=9, messages=[{"role": "user", "content": "Hi"}], tools=tools, tool_choice={"type": "any"}
    )
    assert forced.stop_reason == "tool_use"


def test_anthropic_raises_its_own_errors(claude: anthropic.Anthropic) -> None:
    """In the shape that its SDK knows."""
    with pytest.raises(anthropic.RateLimitError, match="Rate limit reached"):
        claude.messages.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "Hi [[fault:status=429]]"}]
        )
    with pytest.raises(anthropic.BadRequestError, match="messages"):
        claude.messages.create(model="m", max_tokens=9, messages=[])


# --- Responses ---------------------------------------------------------------------------------------------------------


def test_responses_are_answered(sdk: openai.OpenAI) -> None:
    """Text and usage; the instructions are followed; a limit leaves it incomplete."""
    response = sdk.responses.create(model="gpt-5", instructions="Reply in one sentence.", input="Tell me of Paris")
    assert response.status == "completed"
    assert "Paris" in response.output_text
    assert response.output_text.count(".") == 1
    assert response.usage is not None
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens
    cut = sdk.responses.create(model="gpt-5", input="Tell me of Paris", max_output_tokens=3)
    assert (cut.status, cut.incomplete_details and cut.incomplete_details.reason) == ("incomplete", "max_output_tokens")


def test_responses_stream_tool_calls(sdk: openai.OpenAI) -> None:
    """The SDK's own accumulator understands them, and the loop goes on after the result."""
    tools: Any = [{"type": "function", **WEATHER, "parameters": SCHEMA, "strict": True}]
    with sdk.responses.stream(model="gpt-5", input=ASK, tools=tools) as stream:
        response = stream.get_final_response()
    call = response.output[0]
    assert call.type == "function_call"
    assert (call.name, msgspec.json.decode(call.arguments)) == ("get_weather", {"city": "Paris"})
    items: Any = [
        {"role": "user", "content": ASK},
        {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments},
        {"type": "function_call_output", "call_id": call.call_id, "output": "18 degrees"},
    ]
    assert "18 degrees" in sdk.responses.create(model="gpt-5", input=items, tools=tools).output_text


# --- Gemini ------------------------------------------------------------------------------------------------------------


def test_gemini_is_answered(http: httpx2.Client) -> None:
    """The model stands in the path; tools are called and their results told."""
    contents: list[Any] = [{"role": "user", "parts": [{"text": ASK}]}]
    tools = [{"functionDeclarations": [{**WEATHER, "parameters": SCHEMA}]}]
    body = http.post(f"{GEMINI}:generateContent", json={"contents": contents, "tools": tools}).json()
    assert body["modelVersion"] == "gemini-2.5-flash"
    call = body["candidates"][0]["content"]["parts"][0]["functionCall"]
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Paris"})
    result = {"functionResponse": {"name": "get_weather", "response": {"degrees": 18}}}
    contents += [body["candidates"][0]["content"], {"role": "user", "parts": [result]}]
    body = http.post(f"{GEMINI}:generateContent", json={"contents": contents, "tools": tools}).json()
    assert '{"degrees":18}' in body["candidates"][0]["content"]["parts"][0]["text"]
    assert body["candidates"][0]["finishReason"] == "STOP"


def test_gemini_streams_events_or_an_array(http: httpx2.Client) -> None:
    """Both add up to the unstreamed answer."""
    asked = {"contents": [{"role": "user", "parts": [{"text": "Tell me of Paris"}]}]}
    whole = Gemini().read_answer(http.post(f"{GEMINI}:generateContent", json=asked).json())
    for query, kind in (("?alt=sse", "text/event-stream; charset=utf-8"), ("", "application/json")):
        answer = http.post(f"{GEMINI}:streamGenerateContent{query}", json=asked)
        stream = read_stream(answer.content)
        merged = Gemini().read_answer(Gemini().merge(stream.events))
        assert (answer.headers["content-type"], stream.finished, len(stream.events) > 3) == (kind, True, True)
        assert (merged.message, merged.usage, merged.stop_reason) == (whole.message, whole.usage, whole.stop_reason)


def test_gemini_errors_are_googles(http: httpx2.Client) -> None:
    """With their status words."""
    error = http.post(f"{GEMINI}:generateContent", json={}).json()["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")


# --- all ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "path", "body"),
    [
        (AnthropicMessages(), "/v1/messages", {"messages": [{"role": "user", "content": ASK}], "max_tokens": 500}),
        (OpenAIResponses(), "/v1/responses", {"input": ASK}),
    ],
    ids=["messages", "responses"],
)
@pytest.mark.parametrize("with_tool", [False, True])
def test_a_stream_adds_up_to_the_unstreamed_answer(
    http: httpx2.Client, dialect: Dialect, path: str, body: dict[str, Any], with_tool: bool
) -> None:
    """Whatever the format: how the answer is sent makes no difference to what it says."""
    schema_field = "input_schema" if path.endswith("messages") else "parameters"
    tools = {"tools": [{"type": "function", **WEATHER, schema_field: SCHEMA}]} if with_tool else {}
    asked = {"model": "m", **body, **tools}
    whole = http.post(path, json=asked).json()
    stream = read_stream(http.post(path, json={**asked, "stream": True}).content)
    assert (stream.finished, stream.broken) == (True, 0)
    assert dialect.merge(stream.events) == whole
    assert bool(dialect.read_answer(whole).message.tool_uses) is with_tool  # type: ignore[union-attr] # a message it has


def test_streams_are_cut_in_every_format(http: httpx2.Client) -> None:
    """A cut is seen by the client and by who reads what came."""
    for path, body in (
        (
            "/v1/messages",
            {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": ASK}], "stream": True},
        ),
        ("/v1/responses", {"model": "m", "input": ASK, "stream": True}),
        (f"{GEMINI}:streamGenerateContent?alt=sse", {"contents": [{"parts": [{"text": ASK}]}]}),
    ):
        came: list[bytes] = []
        stream = http.stream("POST", path, json=body, headers={"x-provider-fault": "cut=2"})
        with stream as answer, pytest.raises(httpx2.RemoteProtocolError):
            came.extend(answer.iter_raw())
        read = read_stream(b"".join(came))
        assert (len(read.events), read.finished) == (2, False)
