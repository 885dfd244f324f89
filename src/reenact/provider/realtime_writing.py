"""Writing a reply as the events of OpenAI's realtime API, in words or as sound with its transcript.

Wire facts: platform.openai.com/docs/api-reference/realtime-server-events (2026-11). The sound is silence, as long as its words.
"""

import base64
from collections.abc import Iterator

from reenact.dialects.wire import Object
from reenact.provider.chat_writing import in_groups
from reenact.provider.reply import Reply

_BYTES_A_LETTER = 480
"""A hundredth of a second of 24 kHz, 16 bit."""


def write_events(reply: Reply, *, speaks: bool) -> Iterator[Object]:
    """Yield what a response tells, from its beginning to its end."""
    items = list(_items(reply, speaks=speaks))
    response: Object = {"object": "realtime.response", "id": f"resp_{reply.id}", "status_details": None}
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    for index, item in enumerate(items):
        place: Object = {"response_id": response["id"], "output_index": index}
        empty: Object = {"content": []} if item["type"] == "message" else {"arguments": ""}
        yield {"type": "response.output_item.added", **place, "item": {**item, "status": "in_progress", **empty}}
        yield from _pieces({**place, "item_id": item["id"]}, item)
        yield {"type": "response.output_item.done", **place, "item": item}
    yield {
        "type": "response.done",
        "response": {**response, "status": "completed", "output": items, "usage": _usage(reply, speaks=speaks)},
    }


def _pieces(place: Object, item: Object) -> Iterator[Object]:
    if item["type"] == "function_call":
        for piece in in_groups(item["arguments"]):
            yield {"type": "response.function_call_arguments.delta", **place, "delta": piece}
        done = {"call_id": item["call_id"], "name": item["name"], "arguments": item["arguments"]}
        yield {"type": "response.function_call_arguments.done", **place, **done}
        return
    part = item["content"][0]
    place = {**place, "content_index": 0}
    if part["type"] == "output_text":
        for piece in in_groups(part["text"]):
            yield {"type": "response.output_text.delta", **place, "delta": piece}
        yield {"type": "response.output_text.done", **place, "text": part["text"]}
        return
    for piece in in_groups(part["transcript"]):
        sound = base64.b64encode(bytes(_BYTES_A_LETTER * len(piece))).decode()
        yield {"type": "response.output_audio_transcript.delta", **place, "delta": piece}
        yield {"type": "response.output_audio.delta", **place, "delta": sound}
    yield {"type": "response.output_audio.done", **place}
    yield {"type": "response.output_audio_transcript.done", **place, "transcript": part["transcript"]}


def _items(reply: Reply, *, speaks: bool) -> Iterator[Object]:
    choice = reply.choices[0]
    done: Object = {"object": "realtime.item", "status": "completed"}
    if choice.text or not choice.tool_uses:
        part = (
            {"type": "output_audio", "transcript": choice.text}
            if speaks
            else {"type": "output_text", "text": choice.text}
        )
        yield {"id": f"item_{reply.id}", **done, "type": "message", "role": "assistant", "content": [part]}
    for at, use in enumerate(choice.tool_uses):
        call = {"type": "function_call", "call_id": use.id, "name": use.name, "arguments": use.arguments}
        yield {"id": f"item_{reply.id}{at}", **done, **call}


def _usage(reply: Reply, *, speaks: bool) -> Object:
    spoken = reply.output_tokens if speaks else 0
    return {
        "total_tokens": reply.total_tokens,
        "input_tokens": reply.input_tokens,
        "output_tokens": reply.output_tokens,
        "input_token_details": {"text_tokens": reply.input_tokens, "audio_tokens": 0, "cached_tokens": 0},
        "output_token_details": {"text_tokens": reply.output_tokens - spoken, "audio_tokens": spoken},
    }
