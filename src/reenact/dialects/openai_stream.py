"""Adding up the chunks of a streamed chat answer to the body that an unstreamed one has.

Source: platform.openai.com/docs/api-reference/chat-streaming (2026-11). Compatible providers differ in small ways: no
`index` on tool calls, the same name sent twice, whole messages instead of deltas, usage in the last chunk that has choices.
"""

from collections.abc import Iterable, Sequence

from reenact.dialects.wire import Object, objects, text, whole
from reenact.domain.message import Json

_JOINED = frozenset({"content", "refusal", "reasoning_content", "reasoning", "arguments", "data", "transcript", "text"})
"""String fields whose pieces follow one another; the last value of any other string stands."""


def merge_chat(events: Sequence[Json]) -> Object:
    """Return one `chat.completion`; what never came is not there."""
    body = merge_tops(events)
    if "object" in body:
        body["object"] = "chat.completion"
    if "choices" in body:
        choices = _added(events)
        body["choices"] = [_closed(index, choices[index]) for index in sorted(choices)]
    return body


def merge_text(events: Sequence[Json]) -> Object:
    """Return one `text_completion`; what never came is not there."""
    body = merge_tops(events)
    if "choices" in body:
        choices = _added(events)
        body["choices"] = [{"text": "", "index": index, **choices[index]} for index in sorted(choices)]
    return body


def _added(events: Sequence[Json]) -> dict[int, Object]:
    """Return each choice's chunks added up, by its index; a choice without one has its place in the chunk."""
    choices: dict[int, Object] = {}
    for chunk in events:
        for place, choice in enumerate(objects(chunk, "choices")):
            index = whole(choice, "index")
            _add_choice(choices.setdefault(place if index is None else index, {}), choice)
    return choices


def merge_tops(events: Iterable[Json]) -> Object:
    """Return the top-level fields of all chunks in the order they came; the last value that says something stands."""
    body: Object = {}
    for chunk in events:
        for key, value in (chunk if isinstance(chunk, dict) else {}).items():
            if key not in body or value not in (None, "", 0, [], {}):
                body[key] = value
    return body


def _closed(index: int, choice: Object) -> Object:
    """Return a choice in the order of fields that unstreamed answers have."""
    message = {"role": "assistant", "content": None} | choice.pop("message", {})
    return {"index": index, "message": message, "finish_reason": None} | choice


def _add_choice(choice: Object, chunk: Object) -> None:
    for key, value in chunk.items():
        if key in ("delta", "message"):
            _add_message(choice.setdefault("message", {}), value if isinstance(value, dict) else {})
        elif key == "logprobs":
            choice["logprobs"] = _joined_lists(choice.get("logprobs"), value)
        elif key == "text":
            choice["text"] = choice.get("text", "") + (value if isinstance(value, str) else "")
        elif key != "index" and (key not in choice or value is not None):
            choice[key] = value


def _add_message(message: Object, delta: Object) -> None:
    for key, value in delta.items():
        if key == "tool_calls":
            for call in value if isinstance(value, list) else ():
                _add_tool_call(message.setdefault("tool_calls", []), call if isinstance(call, dict) else {})
        elif key in ("function_call", "audio") and isinstance(value, dict):
            _add_fields(_opened(message, key), value)
        else:
            _add_field(message, key, value)


def _add_field(target: Object, key: str, value: Json) -> None:
    """Add one field: pieces of text and lists follow one another, anything else is replaced by what says something."""
    old = target.get(key)
    if isinstance(value, str) and isinstance(old, str) and key in _JOINED:
        target[key] = old + value
    elif isinstance(value, list) and isinstance(old, list):
        target[key] = [*old, *value]
    elif key == "content" and isinstance(value, str) and isinstance(old, list):
        target[key] = [*old, {"type": "text", "text": value}] if value else old
    elif key == "content" and isinstance(value, list) and isinstance(old, str):
        target[key] = [{"type": "text", "text": old}, *value] if old else value
    elif old is None or value not in (None, ""):
        target[key] = value


def _opened(target: Object, key: str) -> Object:
    """Return the object under *key*, put there where nothing or something else was said before, such as null."""
    if not isinstance(target.get(key), dict):
        target[key] = {}
    found: Object = target[key]
    return found


def _add_fields(target: Object, piece: Object) -> None:
    for key, value in piece.items():
        if key == "name" and isinstance(value, str):
            old = text(target, "name")
            target["name"] = old if value == old else old + value
        else:
            _add_field(target, key, value)


def _add_tool_call(calls: list[Object], piece: Object) -> None:
    """Add a piece to the call that it continues: same index and no other id, else same id; otherwise it opens a new one."""
    call = _continued(calls, piece)
    if call is None:
        call = {}
        calls.append(call)
    for key, value in piece.items():
        if key in ("function", "custom") and isinstance(value, dict):
            _add_fields(_opened(call, key), value)
        elif key != "index":
            _add_field(call, key, value)
        else:
            call["index"] = value


def _continued(calls: list[Object], piece: Object) -> Object | None:
    index, link = piece.get("index"), text(piece, "id")
    for call in reversed(calls):
        if link and text(call, "id"):
            if text(call, "id") == link:
                return call
        elif index is None or call.get("index") == index:
            return call
    return None


def _joined_lists(old: Json, new: Json) -> Json:
    """Return logprobs with their lists joined; text completions keep several lists side by side."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new if old is None else old
    joined = dict(old)
    for key, value in new.items():
        _add_field(joined, key, value)
    return joined
