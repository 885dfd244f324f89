"""Sessions in every format that is spoken, streamed or not, are replayed over a whole server as they were recorded."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from reenact.client import Client, append_system, patch, set_model
from reenact.domain.replay import State
from tests.fakes.house import House, a_house

SAID = [{"role": "user", "content": "Is it so?"}]
ANTHROPIC = {"model": "claude-sonnet-4-0", "max_tokens": 50, "system": "You debate.", "messages": SAID}
GEMINI = {
    "systemInstruction": {"parts": [{"text": "You debate."}]},
    "contents": [{"role": "user", "parts": [{"text": "Is it so?"}]}],
}
CHAT = {"model": "gpt-4o", "messages": [{"role": "system", "content": "You debate."}, *SAID]}
RESPONSES = {"model": "gpt-4o", "instructions": "You debate.", "input": SAID}

FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("oai/v1/chat/completions", CHAT),
    "chat streamed": ("oai/v1/chat/completions", {**CHAT, "stream": True}),
    "responses": ("oai/v1/responses", RESPONSES),
    "responses streamed": ("oai/v1/responses", {**RESPONSES, "stream": True}),
    "anthropic": ("anthropic/v1/messages", ANTHROPIC),
    "anthropic streamed": ("anthropic/v1/messages", {**ANTHROPIC, "stream": True}),
    "gemini": ("google/v1beta/models/gemini-2.0-flash:generateContent", GEMINI),
    "gemini streamed": ("google/v1beta/models/gemini-2.0-flash:streamGenerateContent?alt=sse", GEMINI),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server with one recorded session for each format, of one call."""
    with a_house(tmp_path_factory.mktemp("house") / "data") as running, httpx2.Client(trust_env=False) as agent:
        for name, (path, body) in FORMATS.items():
            headers = {
                "authorization": "Bearer sk-agent",
                "anthropic-version": "2023-06-01",
                "helicone-session-id": name,
            }
            agent.post(f"{running.url}/v1/gateway/{path}", json=body, headers=headers).raise_for_status()
        yield running


@pytest.mark.parametrize("name", FORMATS)
def test_the_control_asks_and_is_answered_as_the_source(house: House, name: str) -> None:
    """The same body to the same address, a stream as a stream; the scripted provider answers equal requests equally."""
    with Client(house.url) as client:
        replay = client.replay(name)
        (before,), (after,) = client.session(name), client.session(replay.takes[0].session_id)
        comparison = client.compare(name, replay.takes[0].session_id)

    assert (State.DONE, 0, 0) == (replay.state, replay.progress.failed, comparison.different)
    assert (before.body, before.request_path) == (after.body, after.request_path)
    assert before.response_body == after.response_body


@pytest.mark.parametrize("name", FORMATS)
def test_model_and_system_prompt_change_wherever_the_format_keeps_them(house: House, name: str) -> None:
    """In the body or in the address; the answer is another."""
    with Client(house.url) as client:
        replay = client.replay(name, patch(set_model("another-model"), append_system(" Be brief.")))
        (call,) = replay.plan.calls
        (after,) = client.session(replay.takes[0].session_id)
        comparison = client.compare(name, replay.takes[0].session_id)

    assert (0, 1) == (replay.progress.failed, comparison.different)
    assert "another-model" == call.model == after.model
    assert "You debate. Be brief." in str(after.body)
    assert ("/models/another-model:" in after.request_path) == name.startswith("gemini")
    assert [name.startswith("gemini")] == [change.path == "url" for change in call.changes[:1]]
