"""Writing a reply as Gemini's answer, whole or as the events of a stream.

Wire facts: ai.google.dev/api/generate-content (2026-11).
"""

from collections.abc import Iterator

from reenact.dialects.gemini_content import write_part
from reenact.dialects.wire import Object
from reenact.domain.message import Json, Text, ToolUse
from reenact.provider.chat_writing import in_groups
from reenact.provider.reply import Choice, Reply, Stop


def write_generated(reply: Reply) -> Object:
    """Return the body of an unstreamed answer."""
    candidates = [_candidate(at, _parts(choice), choice.stop) for at, choice in enumerate(reply.choices)]
    return {"candidates": candidates, "usageMetadata": _usage(reply), **_foot(reply)}


def stream_generated(reply: Reply) -> Iterator[Object]:
    """Yield the events of a stream: pieces of the text, then the tool calls, with the reason and the usage last."""
    choice = reply.choices[0]
    for piece in in_groups(choice.text):
        yield {"candidates": [_candidate(0, [write_part(Text(piece))], None)], **_foot(reply)}
    last = [_call(use) for use in choice.tool_uses] or [write_part(Text(""))]
    yield {"candidates": [_candidate(0, last, choice.stop)], "usageMetadata": _usage(reply), **_foot(reply)}


def _candidate(at: int, parts: list[Json], stop: Stop | None) -> Object:
    candidate: Object = {"content": {"parts": parts, "role": "model"}, "index": at}
    if stop is not None:
        candidate["finishReason"] = "MAX_TOKENS" if stop is Stop.LENGTH else "STOP"
    return candidate


def _parts(choice: Choice) -> list[Json]:
    said = [write_part(Text(choice.text))] if choice.text or not choice.tool_uses else []
    return [*said, *(_call(use) for use in choice.tool_uses)]


def _call(use: ToolUse) -> Json:
    return write_part(use)


def _usage(reply: Reply) -> Object:
    return {
        "promptTokenCount": reply.input_tokens,
        "candidatesTokenCount": reply.output_tokens,
        "totalTokenCount": reply.total_tokens,
    }


def _foot(reply: Reply) -> Object:
    return {"modelVersion": reply.model, "responseId": reply.id}
