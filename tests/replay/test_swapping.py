"""Setting another provider's model says whom to ask, in which format, where; what cannot be is refused at planning."""

from typing import Any

import msgspec
import pytest

from reenact.domain.message import Lost
from reenact.domain.patch import Change, DropTool, Edit, Patch, SetModel, SetParameter
from reenact.domain.playback import Fork, Playback
from reenact.domain.replay import Mode, Plan
from reenact.errors import InvalidPatch
from reenact.replay.planning import plan
from reenact.replay.playback.planning import plan_playback
from reenact.replay.recording import Recording
from tests.replay.recordings import a_call, a_recording, chat
from tests.replay.test_planning import price

GATEWAY = "http://127.0.0.1:8585/v1/gateway"
MODELS = "/v1beta/models"


def planned(recording: Recording, *edits: Edit) -> Plan:
    """Return the plan of *edits* in every call."""
    return plan(recording, Patch(changes=(Change(edits=edits),)), Mode.ANCHORED, 1, price)


@pytest.mark.parametrize(
    ("edit", "provider", "dialect", "url"),
    [
        (SetModel("gpt-4o"), "openai", "openai_chat", f"{GATEWAY}/oai/v1/chat/completions"),
        (SetModel("my-own"), "openai", "openai_chat", f"{GATEWAY}/oai/v1/chat/completions"),
        (SetModel("claude-x", provider="openai"), "openai", "openai_chat", f"{GATEWAY}/oai/v1/chat/completions"),
        (SetModel("claude-x"), "anthropic", "anthropic_messages", f"{GATEWAY}/anthropic/v1/messages"),
        (SetModel("gemini-x"), "google", "gemini", f"{GATEWAY}/google/v1beta/models/gemini-x:generateContent"),
        (SetModel("grok-4"), "x", "openai_chat", f"{GATEWAY}/x/v1/chat/completions"),
        (SetModel("llama", provider="groq"), "groq", "openai_chat", f"{GATEWAY}/groq/openai/v1/chat/completions"),
        (SetModel("gemini-x", provider="gemini"), "google", "gemini", f"{GATEWAY}/google{MODELS}/gemini-x:generateContent"),
        (SetModel("my-4o", provider="azure"), "azure", "openai_chat", f"{GATEWAY}/azure/openai/v1/chat/completions"),
        (SetModel("gpt-4o", dialect="openai_responses"), "openai", "openai_responses", f"{GATEWAY}/openai/v1/responses"),
    ],
)  # fmt: skip
def test_a_model_says_whom_to_ask(edit: SetModel, provider: str, dialect: str, url: str) -> None:
    """Its maker, where both offer only their own models; else as is said; else as recorded."""
    (call,) = planned(a_recording(chat("one")), edit).calls

    assert (provider, dialect, url, edit.model) == (call.provider, call.dialect, call.url, call.model)


def test_edits_before_are_made_in_the_recorded_format_and_those_after_in_the_new_one() -> None:
    """And what the request says less is in the plan."""
    recording = a_recording(chat("one", temperature=1.5, seed=7))
    (call,) = planned(recording, SetParameter("max_tokens", 7), SetModel("claude-x"), SetParameter("top_k", 3)).calls

    assert {
        "model": "claude-x",
        "system": "You're an AI debate assistant.",
        "messages": [{"role": "user", "content": "one"}],
        "max_tokens": 7,
        "temperature": 1.0,
        "top_k": 3,
    } == {key: value for key, value in msgspec.json.decode(call.body).items() if key != "stream"}
    assert (
        Lost("/seed", "the other format has no word for it"),
        Lost("/temperature", "this format goes up to 1 only, which is asked for"),
    ) == call.lost


@pytest.mark.parametrize(
    ("fields", "edits", "message", "place"),
    [
        ({"n": 3}, (SetModel("claude-x"),), "Call 1: /n: several answers", "edits[0].model"),
        (
            {},
            (SetModel("x", provider="vertex"),),
            "Call 1: It cannot be asked of vertex: its addresses",
            "edits[0].provider",
        ),
        (
            {},
            (SetModel("x", provider="Bedrock"),),
            "Call 1: It cannot be asked of bedrock: its requests are signed",
            "edits[0].provider",
        ),
        ({}, (SetModel("m", dialect="gemini"),), "Call 1: The provider openai does not speak", "edits[0].dialect"),
        (
            {"tools": [{"type": "custom", "custom": {"name": "f"}}]},
            (SetParameter("seed", 1), SetModel("gemini-x")),
            "Call 1: /tools/0 (f) is a tool of the provider's own",
            "edits[1].model",
        ),
    ],
)
def test_what_cannot_be_asked_there_is_refused(
    fields: dict[str, Any], edits: tuple[Edit, ...], message: str, place: str
) -> None:
    """With the call and the field of its request."""
    with pytest.raises(InvalidPatch) as refused:
        planned(a_recording(chat("one", **fields)), *edits)

    assert refused.value.message.startswith(message)
    assert f"changes[0].{place}" == refused.value.field


def test_what_hinders_can_be_left_out_before() -> None:
    """As its message says."""
    recording = a_recording(chat("one", tools=[{"type": "custom", "custom": {"name": "f"}}]))
    (call,) = planned(recording, DropTool("f"), SetModel("gemini-x")).calls

    assert "tools" not in msgspec.json.decode(call.body)


def test_thoughts_of_another_model_are_left_out_and_told() -> None:
    """In the same format, too; for the recorded model they stay."""
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    body = {
        "model": "claude-a",
        "max_tokens": 9,
        "messages": [
            {"role": "user", "content": "Hi."},
            {"role": "assistant", "content": [thought, {"type": "text", "text": "Yes."}]},
            {"role": "user", "content": "Why?"},
        ],
    }
    url = f"{GATEWAY}/anthropic/v1/messages"
    call = a_call("call-1", dialect="anthropic_messages", provider="anthropic", model="claude-a", url=url)
    recording = a_recording((call, body))
    (other,) = planned(recording, SetModel("claude-b")).calls
    (same,) = planned(recording, SetParameter("top_k", 3)).calls

    assert (Lost("/messages/1", "only the model that thought it can read it"),) == other.lost
    assert b"signature" not in other.body
    assert () == same.lost
    assert b"signature" in same.body


def test_the_agent_of_a_fork_reads_its_own_format_only() -> None:
    """Refused before it begins."""
    patch = Patch(changes=(Change(edits=(SetModel("claude-x"),)),))
    with pytest.raises(InvalidPatch, match="agent of a fork cannot read"):
        plan_playback(a_recording(chat("one")), patch, Mode.FORK, 1, Playback(fork=Fork(call=1)), price)
