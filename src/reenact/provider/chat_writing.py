"""Writing a reply as OpenAI's chat completion, whole or as the chunks of a stream.

Wire facts: platform.openai.com/docs/api-reference/chat (2026-11).
"""

from collections.abc import Iterator

from reenact.dialects.openai_tool_call import write_tool_call
from reenact.dialects.wire import Object
from reenact.domain.message import Json
from reenact.provider.counting import pieces
from reenact.provider.reply import Choice, Reply, Stop

_FINISH = {Stop.END: "stop", Stop.LENGTH: "length", Stop.TOOLS: "tool_calls"}
_PIECES_PER_CHUNK = 3


def write_chat(reply: Reply) -> Json:
    """Return the body of an unstreamed answer."""
    return {
        **_head(reply, "chat.completion"),
        "choices": [
            {"index": at, "message": _message(choice), "logprobs": None, "finish_reason": _FINISH[choice.stop]}
            for at, choice in enumerate(reply.choices)
        ],
        "usage": write_usage(reply),
    }


def stream_chat(reply: Reply, *, with_usage: bool) -> Iterator[Json]:
    """Yield the chunks of a stream; the usage comes last, in a chunk without choices, when it is asked for."""
    head: Object = _head(reply, "chat.completion.chunk")
    if with_usage:
        head["usage"] = None
    for at, choice in enumerate(reply.choices):
        for delta in _deltas(choice):
            yield {**head, "choices": [{"index": at, "delta": delta, "logprobs": None, "finish_reason": None}]}
        end = {"index": at, "delta": {}, "logprobs": None, "finish_reason": _FINISH[choice.stop]}
        yield {**head, "choices": [end]}
    if with_usage:
        yield {**head, "choices": [], "usage": write_usage(reply)}


def in_groups(text: str) -> list[str]:
    """Return *text* cut into what one chunk of a stream carries."""
    cut = pieces(text)
    return ["".join(cut[at : at + _PIECES_PER_CHUNK]) for at in range(0, len(cut), _PIECES_PER_CHUNK)]


def write_usage(reply: Reply) -> Object:
    """Return the usage of chat and text completions."""
    return {
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": reply.total_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _head(reply: Reply, kind: str) -> Object:
    return {
        "id": f"chatcmpl-{reply.id}",
        "object": kind,
        "created": reply.created_seconds,
        "model": reply.model,
        "system_fingerprint": "fp_scripted",
    }


def _message(choice: Choice) -> Object:
    message: Object = {"role": "assistant", "content": choice.text or None if choice.tool_uses else choice.text}
    message["refusal"] = None
    if choice.tool_uses:
        message["tool_calls"] = [write_tool_call(use) for use in choice.tool_uses]
    return message


def _deltas(choice: Choice) -> Iterator[Object]:
    """Yield the message in pieces: role, text, then each tool call's head and the pieces of its arguments."""
    yield {"role": "assistant", "content": None if choice.tool_uses and not choice.text else "", "refusal": None}
    for piece in in_groups(choice.text):
        yield {"content": piece}
    for at, use in enumerate(choice.tool_uses):
        head = {"id": use.id, "type": "function", "function": {"name": use.name, "arguments": ""}}
        yield {"tool_calls": [{"index": at, **head}]}
        for piece in in_groups(use.arguments):
            yield {"tool_calls": [{"index": at, "function": {"arguments": piece}}]}
