"""Writing a reply as Anthropic's message, whole or as the events of a stream.

Wire facts: docs.anthropic.com/en/api/messages and .../streaming (2026-11).
"""

from collections.abc import Iterator

from reenact.dialects.anthropic_block import write_block
from reenact.dialects.wire import Object
from reenact.domain.message import Text, ToolUse
from reenact.provider.chat_writing import in_groups
from reenact.provider.reply import Choice, Reply, Stop

_REASONS = {Stop.END: "end_turn", Stop.LENGTH: "max_tokens", Stop.TOOLS: "tool_use"}


def write_message(reply: Reply) -> Object:
    """Return the body of an unstreamed answer."""
    choice = reply.choices[0]
    return {
        **_head(reply),
        "content": [write_block(part) for part in _parts(choice)],
        "stop_reason": _REASONS[choice.stop],
        "stop_sequence": None,
        "usage": _usage(reply, reply.output_tokens),
    }


def stream_message(reply: Reply) -> Iterator[Object]:
    """Yield the events of a stream; each one's `type` is its name."""
    choice = reply.choices[0]
    start = {**_head(reply), "content": [], "stop_reason": None, "stop_sequence": None, "usage": _usage(reply, 1)}
    yield {"type": "message_start", "message": start}
    yield {"type": "ping"}
    for index, part in enumerate(_parts(choice)):
        yield from _stream_block(index, part)
    delta = {"stop_reason": _REASONS[choice.stop], "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": reply.output_tokens}}
    yield {"type": "message_stop"}


def write_count(input_tokens: int) -> Object:
    """Return the answer of `count_tokens`."""
    return {"input_tokens": input_tokens}


def _stream_block(index: int, part: Text | ToolUse) -> Iterator[Object]:
    if isinstance(part, Text):
        yield {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}
        deltas = [{"type": "text_delta", "text": piece} for piece in in_groups(part.text)]
    else:
        block = write_block(part) | {"input": {}}
        yield {"type": "content_block_start", "index": index, "content_block": block}
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in in_groups(part.arguments)]
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _parts(choice: Choice) -> list[Text | ToolUse]:
    return [*([Text(choice.text)] if choice.text or not choice.tool_uses else []), *choice.tool_uses]


def _head(reply: Reply) -> Object:
    return {"id": f"msg_{reply.id[:24]}", "type": "message", "role": "assistant", "model": reply.model}


def _usage(reply: Reply, output_tokens: int) -> Object:
    return {
        "input_tokens": reply.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output_tokens,
    }
