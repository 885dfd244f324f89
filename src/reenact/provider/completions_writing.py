"""Writing a reply as OpenAI's text completion, whole or streamed.

Wire facts: platform.openai.com/docs/api-reference/completions (2026-11).
"""

from collections.abc import Iterator

from reenact.dialects.wire import Object
from reenact.domain.message import Json
from reenact.provider.chat_writing import in_groups, write_usage
from reenact.provider.reply import Reply, Stop


def write_completion(reply: Reply) -> Json:
    """Return the body of an unstreamed answer."""
    choices = [_choice(at, choice.text, choice.stop) for at, choice in enumerate(reply.choices)]
    return {**_head(reply), "choices": choices, "usage": write_usage(reply)}


def stream_completion(reply: Reply, *, with_usage: bool) -> Iterator[Json]:
    """Yield the chunks of a stream; the usage comes last when it is asked for."""
    for at, choice in enumerate(reply.choices):
        for piece in in_groups(choice.text):
            yield {**_head(reply), "choices": [_choice(at, piece, None)]}
        yield {**_head(reply), "choices": [_choice(at, "", choice.stop)]}
    if with_usage:
        yield {**_head(reply), "choices": [], "usage": write_usage(reply)}


def _head(reply: Reply) -> Object:
    return {
        "id": f"cmpl-{reply.id}",
        "object": "text_completion",
        "created": reply.created_seconds,
        "model": reply.model,
    }


def _choice(at: int, text: str, stop: Stop | None) -> Object:
    finish = None if stop is None else "length" if stop is Stop.LENGTH else "stop"
    return {"text": text, "index": at, "logprobs": None, "finish_reason": finish}
