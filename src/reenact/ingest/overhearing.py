"""A realtime conversation of OpenAI's, read out of the frames of its WebSocket: what was said, called and used.

Wire facts: platform.openai.com/docs/api-reference/realtime (2026-11), and the names that its preview used. Of audio its length
is kept. Nothing is refused: what is no event of the protocol is left out, and what a cut connection left unfinished is put
together from its pieces.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

import msgspec

from reenact.dialects.openai_tool_call import read_tool
from reenact.dialects.responses_item import read_item, read_output
from reenact.dialects.wire import Object, inner, objects, optional_text, text, whole
from reenact.domain.exchange import Frame
from reenact.domain.message import Answer, Json, Message, Prompt, Role, Text, Usage

OPENAI_REALTIME = "openai_realtime"
_TEXT, _GOES_ON = 1, 0
_CONTROL = 8
"""Frames from here on are of the connection and no part of a message."""
_SPOKEN_PARTS = frozenset({"audio", "input_audio", "output_audio"})


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """One connection, understood."""

    asked: Json
    """What the agent said, as one object: model, session, input."""
    answered: Json
    """What the provider said, in the shape of an answer of the Responses API: model, status, output, usage."""
    prompt: Prompt
    answer: Answer


def overhear(frames: Sequence[Frame], request: bytes, response: bytes) -> Talk | None:
    """Return what was said on a WebSocket whose payloads are *request* and *response*; None when it was something else."""
    heard = _Heard()
    for by_agent, event in _events(frames, request, response):
        heard.take(event, by_agent=by_agent)
    return heard.talk() if heard.is_realtime else None


class _Heard:
    """What has been heard so far."""

    def __init__(self) -> None:
        self.is_realtime = False
        self._wished: Object = {}
        self._session: Object = {}
        self._input: list[Object] = []
        self._spoken: dict[str, Object] = {}
        """Of the input, by id."""
        self._output: dict[str, Object] = {}
        self._pieces: dict[str, list[str]] = {}
        """By the item of the output that they belong to."""
        self._responses: list[Object] = []
        self._usage: Object = {}
        self._error: str | None = None
        self._buffered_bytes = self._input_bytes = self._output_bytes = 0

    def take(self, event: Object, *, by_agent: bool) -> None:
        """Take one event."""
        act = (self._BY_AGENT if by_agent else self._BY_PROVIDER).get(text(event, "type"))
        if act is not None:
            self.is_realtime = True
            act(self, event)

    def talk(self) -> Talk:
        """Return all of it."""
        self._finish()
        model = optional_text(self._session, "model") or optional_text(self._wished, "model")
        session = self._session | self._wished
        messages = [read_item(_worded(item)) for item in self._input]
        instructions = text(session, "instructions")
        system = [Message(role=Role.SYSTEM, parts=(Text(instructions),))] if instructions else []
        last = self._responses[-1] if self._responses else {}
        answered = {
            "object": "realtime.conversation",
            "id": optional_text(last, "id"),
            "model": model,
            "status": optional_text(last, "status"),
            "output": list(self._output.values()),
            "usage": self._usage or None,
            "error": self._error,
            "responses": len(self._responses),
            "input_audio_bytes": self._input_bytes,
            "output_audio_bytes": self._output_bytes,
        }
        return Talk(
            asked={"model": model, "session": session, "input": self._input},
            answered=answered,
            prompt=Prompt(
                dialect=OPENAI_REALTIME,
                model=model,
                messages=(*system, *messages),
                tools=tuple(read_tool(tool) for tool in objects(session, "tools")),
            ),
            answer=Answer(
                model=model,
                message=read_output([_worded(item) for item in self._output.values()]) if self._output else None,
                stop_reason=optional_text(last, "status"),
                usage=_counted(self._usage),
                error=self._error,
                response_id=optional_text(last, "id"),
                origin=answered,
            ),
        )

    def _wish(self, event: Object) -> None:
        self._wished = self._wished | inner(event, "session")

    def _begin(self, event: Object) -> None:
        self._session = self._session | inner(event, "session")

    def _give(self, event: Object) -> None:
        self._input.append(_slim(inner(event, "item")))

    def _speak(self, event: Object) -> None:
        self._buffered_bytes += (spoken := _audio_bytes(text(event, "audio")))
        self._input_bytes += spoken

    def _commit(self, event: Object) -> None:
        """Take that what was spoken is a message; who tells it is the provider, which may have heard that by itself."""
        part = {"type": "input_audio", "audio_bytes": self._buffered_bytes}
        self._buffered_bytes = 0
        item = {"id": text(event, "item_id"), "type": "message", "role": "user", "content": [part]}
        self._spoken[text(event, "item_id")] = item
        self._input.append(item)

    def _understand(self, event: Object) -> None:
        """Take what was understood of something spoken."""
        parts = objects(self._spoken.get(text(event, "item_id"), {}), "content")
        if parts:
            parts[0]["transcript"] = text(event, "transcript")

    def _add(self, event: Object) -> None:
        """Take an item of an answer, as far as it is."""
        item = _slim(inner(event, "item"))
        self._output[text(item, "id")] = item
        if text(event, "type").endswith("done"):
            self._pieces.pop(text(item, "id"), None)

    def _go_on(self, event: Object) -> None:
        """Take a piece of an item; the whole comes later, unless the connection is cut."""
        self._pieces.setdefault(text(event, "item_id"), []).append(text(event, "delta"))

    def _finish(self) -> None:
        """Put together what nobody ended."""
        for item_id, pieces in self._pieces.items():
            item = self._output.setdefault(item_id, {"id": item_id, "type": "message", "role": "assistant"})
            said = "".join(pieces)
            if text(item, "type") == "function_call":
                item["arguments"] = said
            else:
                item["content"] = [{"type": "output_text", "text": said}]

    def _hear(self, event: Object) -> None:
        self._output_bytes += _audio_bytes(text(event, "delta"))

    def _end(self, event: Object) -> None:
        response = inner(event, "response")
        self._responses.append(response)
        self._usage = _summed(self._usage, inner(response, "usage"))
        for item in objects(response, "output"):
            self._output[text(item, "id")] = _slim(item)
            self._pieces.pop(text(item, "id"), None)
        self._error = optional_text(inner(inner(response, "status_details"), "error"), "message") or self._error

    def _fail(self, event: Object) -> None:
        self._error = optional_text(inner(event, "error"), "message") or "error"

    _BY_AGENT: ClassVar[dict[str, Callable[["_Heard", Object], None]]] = {
        "session.update": _wish,
        "conversation.item.create": _give,
        "input_audio_buffer.append": _speak,
        "response.create": lambda _, __: None,
    }
    _BY_PROVIDER: ClassVar[dict[str, Callable[["_Heard", Object], None]]] = {
        "session.created": _begin,
        "session.updated": _begin,
        "input_audio_buffer.committed": _commit,
        "conversation.item.input_audio_transcription.completed": _understand,
        "response.output_item.added": _add,
        "response.output_item.done": _add,
        **dict.fromkeys(("response.output_text.delta", "response.text.delta"), _go_on),
        **dict.fromkeys(("response.output_audio_transcript.delta", "response.audio_transcript.delta"), _go_on),
        "response.function_call_arguments.delta": _go_on,
        **dict.fromkeys(("response.output_audio.delta", "response.audio.delta"), _hear),
        "response.done": _end,
        "error": _fail,
    }


def _events(frames: Sequence[Frame], request: bytes, response: bytes) -> Iterator[tuple[bool, Object]]:
    """Yield whoever said it and what, in the order in which it began to come."""
    for by_agent, spans in _messages(frames):
        body = request if by_agent else response
        event = _event(b"".join(body[start:end] for start, end in spans))
        if event is not None:
            yield by_agent, event


def _messages(frames: Sequence[Frame]) -> list[tuple[bool, list[tuple[int, int]]]]:
    """Return whose each message of text is, and where its pieces are in that side's payloads."""
    messages: list[tuple[bool, list[tuple[int, int]]]] = []
    ends = {True: 0, False: 0}
    begun: dict[bool, list[tuple[int, int]] | None] = {True: None, False: None}
    for frame in frames:
        side = frame.by_agent
        span = (ends[side], ends[side] + frame.body_bytes)
        ends[side] = span[1]
        if frame.opcode == _TEXT:
            messages.append((side, pieces := [span]))
            begun[side] = pieces
        elif frame.opcode == _GOES_ON and (going := begun[side]) is not None:
            going.append(span)
        elif frame.opcode < _CONTROL:
            begun[side] = None
    return messages


def _event(message: bytes) -> Object | None:
    """Return an event; None for what is none."""
    try:
        event = msgspec.json.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def _slim(item: Object) -> Object:
    """Return an item with the lengths of what was spoken in its place."""
    parts = [
        {key: value for key, value in part.items() if key != "audio"} | {"audio_bytes": _audio_bytes(part["audio"])}
        if isinstance(part.get("audio"), str)
        else dict(part)
        for part in objects(item, "content")
    ]
    return item | {"content": parts} if parts else dict(item)


def _worded(item: Object) -> Object:
    """Return an item with what was understood of it in the place of what was spoken."""
    parts = [
        {"type": "input_text", "text": part["transcript"]}
        if text(part, "type") in _SPOKEN_PARTS and isinstance(part.get("transcript"), str)
        else part
        for part in objects(item, "content")
    ]
    return item | {"content": parts} if parts else item


def _audio_bytes(base64: str) -> int:
    return len(base64) * 3 // 4 - base64[-2:].count("=")


def _summed(left: Object, right: Object) -> Object:
    """Return two usages added up, details and all."""
    added = dict(left)
    for name, count in right.items():
        if isinstance(count, dict):
            added[name] = _summed(inner(left, name), count)
        elif isinstance(count, int):
            before = left.get(name)
            added[name] = count + (before if isinstance(before, int) else 0)
    return added


def _counted(usage: Object) -> Usage:
    return Usage(
        input_tokens=whole(usage, "input_tokens"),
        output_tokens=whole(usage, "output_tokens"),
        cache_read_tokens=whole(usage, "input_token_details", "cached_tokens"),
        input_audio_tokens=whole(usage, "input_token_details", "audio_tokens"),
        output_audio_tokens=whole(usage, "output_token_details", "audio_tokens"),
    )


def cached_audio_tokens(answered: Json) -> int | None:
    """Return how many of the tokens read from the provider's cache were audio, by the usage of an answer."""
    return whole(inner(answered, "usage"), "input_token_details", "cached_tokens_details", "audio_tokens")
