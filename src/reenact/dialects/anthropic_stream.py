"""Adding up the events of Anthropic's streams to the message that an unstreamed answer is.

Source: docs.anthropic.com/en/docs/build-with-claude/streaming (2026-11). `message_start` has the input's usage, `message_delta`
the final one of the output.
"""

from collections.abc import Sequence

import msgspec

from reenact.dialects.wire import Object, inner, text, whole
from reenact.domain.message import Json

_TEXTS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
_UNFINISHED = "partial_json"


def merge_messages(events: Sequence[Json]) -> Object:
    """Return one message body; broken streams give what came, an error sent within stands under `error`."""
    body: Object = {}
    blocks: dict[int, Object] = {}
    for event in events:
        kind = text(event, "type")
        if kind == "message_start":
            body = dict(inner(event, "message"))
        elif kind == "message_delta":
            body |= inner(event, "delta")
            body["usage"] = inner(body, "usage") | _said(inner(event, "usage"))
        elif kind == "error":
            body |= {"type": "error", "error": event.get("error")}
        else:
            _add_to_block(blocks, event)
    if body or blocks:
        body["content"] = [_closed(blocks[at]) for at in sorted(blocks)]
    return body


def _said(usage: Object) -> Object:
    return {key: value for key, value in usage.items() if value is not None}


def _add_to_block(blocks: dict[int, Object], event: Json) -> None:
    index = whole(event, "index") or 0
    if text(event, "type") == "content_block_start":
        blocks[index] = dict(inner(event, "content_block"))
    elif text(event, "type") == "content_block_delta":
        delta = inner(event, "delta")
        block = blocks.setdefault(index, {"type": text(delta, "type").removesuffix("_delta")})
        _add_delta(block, delta)


def _add_delta(block: Object, delta: Object) -> None:
    kind = text(delta, "type")
    if kind in _TEXTS:
        field = _TEXTS[kind]
        block[field] = text(block, field) + text(delta, field)
    elif kind == "input_json_delta":
        block[_UNFINISHED] = text(block, _UNFINISHED) + text(delta, "partial_json")
    elif kind == "citations_delta":
        block["citations"] = [*(block.get("citations") or []), delta.get("citation")]


def _closed(block: Object) -> Object:
    """Return a block whose input is JSON; the text of one that broke off."""
    written = block.pop(_UNFINISHED, "")
    if written:
        try:
            block["input"] = msgspec.json.decode(written)
        except msgspec.DecodeError:
            block["input"] = written
    return block
