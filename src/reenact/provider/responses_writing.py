"""Writing a reply as OpenAI's response, whole or as the events of a stream.

Wire facts: platform.openai.com/docs/api-reference/responses and .../responses-streaming (2026-11).
"""

from collections.abc import Iterator

from reenact.dialects.conversing import FIELD
from reenact.dialects.wire import Object, inner
from reenact.domain.message import Prompt
from reenact.provider.chat_writing import in_groups
from reenact.provider.reply import Reply, Stop


def write_response(prompt: Prompt, reply: Reply) -> Object:
    """Return the body of an unstreamed answer."""
    is_cut = reply.choices[0].stop is Stop.LENGTH
    return {
        **_head(prompt, reply),
        "status": "incomplete" if is_cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
        "output": written_output(reply),
        "usage": {
            "input_tokens": reply.input_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": reply.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": reply.total_tokens,
        },
    }


def stream_response(prompt: Prompt, reply: Reply) -> Iterator[Object]:
    """Yield the events of a stream, numbered; each one's `type` is its name."""
    whole = write_response(prompt, reply)
    begun = {**_head(prompt, reply), "status": "in_progress", "incomplete_details": None, "output": [], "usage": None}
    for number, event in enumerate(_events(begun, whole)):
        yield {**event, "sequence_number": number}


def _events(begun: Object, whole: Object) -> Iterator[Object]:
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(whole["output"]):
        yield from _stream_text(index, item) if item["type"] == "message" else _stream_call(index, item)
    ending = "response.incomplete" if whole["status"] == "incomplete" else "response.completed"
    yield {"type": ending, "response": whole}


def _stream_text(index: int, item: Object) -> Iterator[Object]:
    place: Object = {"item_id": item["id"], "output_index": index}
    part = item["content"][0]
    started = {**item, "status": "in_progress", "content": []}
    yield {"type": "response.output_item.added", "output_index": index, "item": started}
    place["content_index"] = 0
    yield {"type": "response.content_part.added", **place, "part": {**part, "text": ""}}
    for piece in in_groups(part["text"]):
        yield {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **place, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **place, "part": part}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _stream_call(index: int, item: Object) -> Iterator[Object]:
    place: Object = {"item_id": item["id"], "output_index": index}
    started = {**item, "status": "in_progress", "arguments": ""}
    yield {"type": "response.output_item.added", "output_index": index, "item": started}
    for piece in in_groups(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", **place, "delta": piece}
    done = {"name": item["name"], "arguments": item["arguments"]}
    yield {"type": "response.function_call_arguments.done", **place, **done}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def written_output(reply: Reply) -> list[Object]:
    """Return the items of an answer."""
    choice = reply.choices[0]
    items: list[Object] = []
    if choice.text or not choice.tool_uses:
        part = {"type": "output_text", "text": choice.text, "annotations": [], "logprobs": []}
        said = {"type": "message", "status": "completed", "role": "assistant", "content": [part]}
        items.append({"id": f"msg_{reply.id}", **said})
    for at, use in enumerate(choice.tool_uses):
        call = {"type": "function_call", "status": "completed", "call_id": use.id}
        items.append({"id": f"fc_{reply.id}{at}", **call, "name": use.name, "arguments": use.arguments})
    return items


def _head(prompt: Prompt, reply: Reply) -> Object:
    asked = prompt.parameters
    named = {FIELD: asked[FIELD]} if FIELD in asked else {}
    return {
        **named,
        "id": f"resp_{reply.id}",
        "object": "response",
        "created_at": reply.created_seconds,
        "model": reply.model,
        "error": None,
        "instructions": (prompt.origin or {}).get("instructions"),
        "metadata": inner(asked, "metadata"),
        "parallel_tool_calls": asked.get("parallel_tool_calls") is not False,
        "temperature": asked.get("temperature", 1.0),
        "top_p": asked.get("top_p", 1.0),
        "tool_choice": asked.get("tool_choice", "auto"),
        "tools": [tool.origin for tool in prompt.tools],
    }
