"""Adding up the events of a streamed response to the response itself.

Source: platform.openai.com/docs/api-reference/responses-streaming (2026-11). The last event of a whole stream holds the
response; the others are needed for a stream that broke off.
"""

from collections.abc import Sequence
from typing import Any

from reenact.dialects.wire import Object, inner, items, objects, text, whole
from reenact.domain.message import Json

_DELTAS = {
    "response.output_text.delta": ("content", "output_text", "text"),
    "response.refusal.delta": ("content", "refusal", "refusal"),
    "response.reasoning_text.delta": ("content", "reasoning_text", "text"),
    "response.reasoning_summary_text.delta": ("summary", "summary_text", "text"),
}
_ARGUMENTS = {"response.function_call_arguments.delta": "arguments", "response.custom_tool_call_input.delta": "input"}


def merge_responses(events: Sequence[Json]) -> Object:
    """Return one response body; broken streams give the items that came, an error sent within stands under `error`."""
    body: Object = {}
    output: dict[int, Object] = {}
    for event in events:
        response = inner(event, "response")
        if response:
            body = dict(response)
        elif text(event, "type") == "error":
            body["error"] = inner(event, "error") or {key: event[key] for key in ("code", "message") if key in event}
        else:
            _add(output, event)
    if output and not items(body, "output"):
        body["output"] = [output[at] for at in sorted(output)]
    return body


def _add(output: dict[int, Object], event: Json) -> None:
    kind = text(event, "type")
    at = whole(event, "output_index") or 0
    if kind in ("response.output_item.added", "response.output_item.done"):
        output[at] = dict(inner(event, "item"))
    elif kind in _ARGUMENTS:
        item = output.setdefault(at, {"type": "function_call"})
        item[_ARGUMENTS[kind]] = text(item, _ARGUMENTS[kind]) + text(event, "delta")
    elif kind in _DELTAS:
        field, part_kind, said = _DELTAS[kind]
        item = output.setdefault(at, {"type": "message", "role": "assistant"})
        parts = [dict(part) for part in objects(item, field)]
        place = whole(event, "content_index" if field == "content" else "summary_index") or 0
        part = _part_at(parts, place, part_kind)
        part[said] = text(part, said) + text(event, "delta")
        item[field] = parts


def _part_at(parts: list[dict[str, Any]], place: int, kind: str) -> dict[str, Any]:
    """Return the part at *place*, made when it has not come; a place that cannot be is the next one."""
    if not 0 <= place < len(parts):
        parts.append({"type": kind})
        return parts[-1]
    return parts[place]
