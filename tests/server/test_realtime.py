"""Realtime conversations by real clients, through a gateway's workers: passed on, recorded, and read as calls."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
import websockets.sync.client

from reenact.provider.app import create_provider
from tests.fakes.serving import serving
from tests.server.test_crew import Server, server

TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture(name="running", scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two workers before the scripted provider."""
    data: Path = tmp_path_factory.mktemp("realtime") / "data"
    with serving(create_provider()) as origin, server(data, origin) as running:
        yield running


def row(running: Server, session_id: str) -> dict[str, Any]:
    """Return the one row of a session, with its bodies."""
    query = {"filter": {"properties": {"Helicone-Session-Id": {"equals": session_id}}}}
    with httpx2.Client(trust_env=False, timeout=30) as http:
        (found,) = http.post(f"{running.url}/v1/request/query", json=query).json()["data"]
    result: dict[str, Any] = found
    return result


def heard(socket: websockets.sync.client.ClientConnection, last: str) -> list[dict[str, Any]]:
    """Return the events up to the first one of type *last*."""
    events: list[dict[str, Any]] = []
    while not events or events[-1]["type"] != last:
        events.append(json.loads(socket.recv(timeout=20)))
    return events


def test_a_spoken_conversation_is_a_call_with_usage_and_cost(running: Server) -> None:
    """Told by `websockets`: text, sound, a second answer; sound is kept as its length."""
    url = running.url.replace("http", "ws") + "/v1/gateway/oai/v1/realtime?model=gpt-realtime"
    headers = {"authorization": "Bearer sk-provider", "helicone-session-id": "spoken", "helicone-cache-enabled": "true"}
    with websockets.sync.client.connect(url, additional_headers=headers, subprotocols=["realtime"]) as socket:  # type: ignore[list-item] # a NewType of str
        assert "realtime" == socket.subprotocol
        heard(socket, "session.created")
        said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Who are you?"}]}
        say: list[dict[str, Any]] = [
            {"type": "session.update", "session": {"instructions": "Be brief."}},
            {"type": "conversation.item.create", "item": said},
            {"type": "response.create"},
        ]
        for event in say:
            socket.send(json.dumps(event))
        first = heard(socket, "response.done")[-1]["response"]
        socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(bytes(3200)).decode()}))
        socket.send(json.dumps({"type": "input_audio_buffer.commit"}))
        socket.send(json.dumps({"type": "response.create"}))
        second = heard(socket, "response.done")[-1]["response"]
    found = row(running, "spoken")

    spoken = [response["output"][0]["content"][0]["transcript"] for response in (first, second)]
    assert {"instructions": "Be brief.", "model": "gpt-realtime"}.items() <= found["request_body"]["session"].items()
    given = [item["content"][0] for item in found["request_body"]["input"]]
    sound = {"type": "input_audio", "audio_bytes": 3200, "transcript": "Hello?"}
    assert [{"type": "input_text", "text": "Who are you?"}, sound] == given
    told = found["response_body"]
    assert spoken == [item["content"][0]["transcript"] for item in told["output"]]
    assert (3200, 480 * sum(map(len, spoken))) == (told["input_audio_bytes"], told["output_audio_bytes"])
    usages = [response["usage"] for response in (first, second)]
    tokens = [sum(usage[name] for usage in usages) for name in ("input_tokens", "output_tokens")]
    assert tokens == [found["prompt_tokens"], found["completion_tokens"]]
    assert (0, tokens[1]) == (found["prompt_audio_tokens"], found["completion_audio_tokens"])
    assert ("gpt-realtime", "OPENAI", 101, "answered") == (
        found["model"],
        found["provider"],
        found["response_status"],
        found["ending"],
    )
    assert found["cost"] == pytest.approx(tokens[0] * 4e-6 + tokens[1] * 64e-6)
    assert ["A WebSocket is passed on as it is"] == [note.partition(":")[0] for note in found["handling"]["notes"]]


async def test_openais_own_client_calls_tools(running: Server) -> None:
    """In text, with a tool that is called and answered."""
    client = openai.AsyncOpenAI(
        api_key="sk-provider",
        base_url=f"{running.url}/v1/gateway/oai/v1",
        default_headers={"helicone-session-id": "tools"},
    )
    async with client.realtime.connect(
        model="gpt-realtime", extra_headers={"helicone-session-id": "tools"}
    ) as connection:
        await connection.session.update(
            session={"type": "realtime", "output_modalities": ["text"], "tools": [TOOL], "tool_choice": "required"}  # type: ignore[list-item] # a plain dict
        )
        await connection.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "The weather in Rome?"}],
            }
        )
        await connection.response.create()
        call = None
        async for event in connection:
            if event.type == "response.done":
                (call,) = [item for item in event.response.output or [] if item.type == "function_call"]
                break
        assert call is not None
        output = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
        await connection.conversation.item.create(item=output)  # type: ignore[arg-type] # a plain dict
        await connection.response.create()
        said = ""
        async for event in connection:
            if event.type == "response.output_text.delta":
                said += event.delta
            if event.type == "response.done":
                break
    await client.close()
    found = row(running, "tools")

    first, second = found["response_body"]["output"]
    assert ("function_call", "get_weather", call.arguments) == (first["type"], first["name"], first["arguments"])
    assert ("message", said) == (second["type"], second["content"][0]["text"])
    assert ["get_weather"] == [tool["name"] for tool in found["request_body"]["session"]["tools"]]
    assert ["message", "function_call_output"] == [item["type"] for item in found["request_body"]["input"]]
    assert (0, "completed") == (found["completion_audio_tokens"], found["response_body"]["status"])
