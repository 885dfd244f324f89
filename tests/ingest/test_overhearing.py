"""Realtime conversations read out of frames, whole or cut off."""

import base64
import json
from typing import Any

from reenact.domain.exchange import Frame
from reenact.domain.message import Role, ToolUse, Usage
from reenact.ingest.overhearing import Talk, cached_audio_tokens, overhear
from reenact.ingest.pricing import price

TEXT, GOES_ON, BINARY, PING = 1, 0, 2, 9
Said = tuple[bool, int, bytes]


def event(by_agent: bool, **fields: Any) -> Said:
    """Return a message of one frame."""
    return by_agent, TEXT, json.dumps(fields).encode()


def heard(*said: Said) -> Talk | None:
    """Return what is read out of frames."""
    frames = [Frame(by_agent, opcode, len(content), at) for at, (by_agent, opcode, content) in enumerate(said)]
    sides = [b"".join(content for by_agent, _, content in said if by_agent is side) for side in (True, False)]
    return overhear(frames, *sides)


def test_a_cut_answer_is_put_together_from_its_pieces() -> None:
    """Under the names of the preview, too; a message in several frames is one, whatever comes between."""
    created = json.dumps({"type": "session.created", "session": {"model": "gpt-4o-realtime-preview"}}).encode()
    tool = {"type": "function", "name": "look"}
    message = {"id": "i1", "type": "message", "role": "assistant", "content": []}
    call = {"id": "i2", "type": "function_call", "call_id": "c1", "name": "look", "arguments": ""}
    talk = heard(
        (False, TEXT, created[:9]),
        event(True, type="session.update", session={"instructions": "Be brief.", "tools": [tool]}),
        (False, PING, b"?"),
        (False, GOES_ON, created[9:]),
        event(False, type="response.output_item.added", item=message),
        event(False, type="response.audio_transcript.delta", item_id="i1", delta="Hel"),
        event(False, type="response.audio.delta", item_id="i1", delta=base64.b64encode(bytes(10)).decode()),
        event(False, type="response.audio_transcript.delta", item_id="i1", delta="lo"),
        event(False, type="response.output_item.added", item=call),
        event(False, type="response.function_call_arguments.delta", item_id="i2", delta='{"a":'),
        event(False, type="response.function_call_arguments.delta", item_id="i2", delta="1}"),
        (False, TEXT, b'{"type":"response.done","resp'),
    )  # fmt: skip

    assert talk is not None
    assert talk.answer.message is not None
    assert "Hello" == talk.answer.message.text
    assert (ToolUse("c1", "look", '{"a":1}'),) == talk.answer.message.tool_uses
    assert ("gpt-4o-realtime-preview", None, 10) == (
        talk.answer.model,
        talk.answer.stop_reason,
        talk.answered["output_audio_bytes"],
    )
    assert [(Role.SYSTEM, "Be brief.")] == [(message.role, message.text) for message in talk.prompt.messages]
    assert ["look"] == [tool.name for tool in talk.prompt.tools]


def test_usage_is_added_up_over_the_answers_and_priced() -> None:
    """Tokens that are both audio and from the cache have a price of their own."""
    usage = {
        "input_tokens": 100,
        "output_tokens": 50,
        "input_token_details": {"audio_tokens": 60, "cached_tokens": 10, "cached_tokens_details": {"audio_tokens": 5}},
        "output_token_details": {"audio_tokens": 40},
    }
    done = [
        event(False, type="response.done", response={"id": f"r{n}", "status": "completed", "usage": usage})
        for n in (1, 2)
    ]
    talk = heard(event(False, type="session.created", session={"model": "gpt-realtime"}), *done)

    assert talk is not None
    expected = Usage(
        input_tokens=200, output_tokens=100, cache_read_tokens=20, input_audio_tokens=120, output_audio_tokens=80
    )
    assert (expected, "r2", 10) == (talk.answer.usage, talk.answer.response_id, cached_audio_tokens(talk.answered))
    cost = price("openai", ["gpt-realtime"], expected, 1_790_000_000_000_000, cached_audio_tokens=10)
    assert 9_248_000 == cost


def test_errors_are_told() -> None:
    """The protocol's own, and why a response failed."""
    failed = {"status": "failed", "status_details": {"error": {"message": "No more."}}}
    one = heard(event(False, type="error", error={"message": "Invalid event."}))
    other = heard(event(False, type="response.done", response=failed))

    assert one is not None
    assert other is not None
    assert ("Invalid event.", "No more.") == (one.answer.error, other.answer.error)


def test_what_is_no_such_conversation_is_left_alone() -> None:
    """Other protocols, bytes, and nothing at all."""
    assert heard() is None
    assert (
        heard((True, TEXT, b"hello"), (False, TEXT, b"[1]"), (False, BINARY, b"\x00"), event(True, type="ping")) is None
    )
