"""A provider whose model asks one tool, a tool server that counts who comes, and an agent that runs both once."""

import threading
from typing import Any

import httpx2
import msgspec

from reenact.provider.app import Receive, Scope, Send

TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
CHANGED = {"city": "Lima"}


class Model:
    """Asks for the weather of Lima when its instructions name it, else of Oslo; then says what came back."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.holds_results = False
        """Whether it does not answer what holds a tool's result, until whoever asked is gone."""
        self.held = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as OpenAI does."""
        body = await read(receive)
        self.asked.append(body)
        messages = msgspec.json.decode(body)["messages"]
        if self.holds_results and messages[-1]["role"] == "tool":
            self.held.set()
            await left(receive)
            return
        await answer(send, 200, msgspec.json.encode(self._said(messages)))

    def _said(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        message: dict[str, Any]
        system, last = messages[0]["content"], messages[-1]
        if last["role"] == "tool":
            message, reason = {"role": "assistant", "content": f"It is: {last['content']}"}, "stop"
        elif "play the tool" in system.lower() or "tool" in str(last["content"]).lower():
            message, reason = {"role": "assistant", "content": "simulated rain"}, "stop"
        else:
            city = "Lima" if "Lima" in system else "Oslo"
            function = {"name": "weather", "arguments": msgspec.json.encode({"city": city}).decode()}
            use = {"id": f"call_{city}", "type": "function", "function": function}
            message, reason = {"role": "assistant", "content": None, "tool_calls": [use]}, "tool_calls"
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return {"id": "c", "object": "chat.completion", "model": "gpt-4o-mini", "choices": [choice], "usage": usage}


class ToolServer:
    """Counts every request that reaches it, of whatever kind, and answers as it is told."""

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, str], bytes]] = []
        """Headers and body of each."""
        self.status = 200
        self.body = b"sun over Lima"
        self.is_silent = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note who came, and answer unless it is to be silent."""
        body = await read(receive)
        self.asked.append(({name.decode(): value.decode() for name, value in scope["headers"]}, body))
        if self.is_silent:
            await left(receive)
            return
        await answer(send, self.status, self.body)


async def read(receive: Receive) -> bytes:
    """Return a request's body."""
    pieces, more = [], True
    while more:
        message = await receive()
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)


async def left(receive: Receive) -> None:
    """Return when whoever asked is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def answer(send: Send, status: int, body: bytes) -> None:
    """Send an answer."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def run_agent(url: str, session_id: str) -> None:
    """Ask the model, answer its tool call with rain, and ask again; recorded as a session."""
    headers = {"authorization": "Bearer sk", "helicone-session-id": session_id, "helicone-session-name": "Trip"}
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "You plan a trip."},
        {"role": "user", "content": "What is the weather?"},
    ]
    with httpx2.Client(trust_env=False, timeout=30, headers=headers) as http:
        for _ in range(2):
            body = {"model": "gpt-4o-mini", "messages": messages, "tools": TOOLS}
            said = http.post(f"{url}/v1/gateway/oai/v1/chat/completions", json=body).raise_for_status().json()
            message = said["choices"][0]["message"]
            messages.append(message)
            uses = message.get("tool_calls") or ()
            messages += [{"role": "tool", "tool_call_id": use["id"], "content": "rain over Oslo"} for use in uses]
