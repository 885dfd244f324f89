"""Talker: one realtime conversation on a WebSocket, answered as any other request is; needs `websockets` below the server."""

import itertools
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import msgspec

from reenact.dialects.openai_responses import OpenAIResponses
from reenact.dialects.wire import Object, inner, items, objects, text
from reenact.errors import InvalidInput
from reenact.provider.answering import answer
from reenact.provider.realtime_writing import write_events
from reenact.provider.script import Script
from reenact.provider.scripting import find_rule

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PROTOCOL = "realtime"
_HEARD = {"type": "input_text", "text": "Hello?"}
"""What a scripted provider makes of sound, whatever it is."""


class Talker:
    """What was agreed and said on one connection."""

    def __init__(self, model: str, script: Script) -> None:
        self._session: Object = {
            "type": "realtime",
            "object": "realtime.session",
            "id": "sess_scripted",
            "model": model,
            "output_modalities": ["audio"],
        }
        self._script = script
        self._items: list[Object] = []
        self._numbers = itertools.count(1)
        self._has_sound = False

    async def talk(self, protocols: list[str], receive: Receive, send: Send) -> None:
        """Answer whatever comes until the other side leaves."""
        await receive()
        await send({"type": "websocket.accept", "subprotocol": _PROTOCOL if _PROTOCOL in protocols else None})
        await self._say(send, {"type": "session.created", "session": self._session})
        while (message := await receive())["type"] == "websocket.receive":
            for event in self._answers(message.get("text") or ""):
                await self._say(send, event)

    async def _say(self, send: Send, event: Object) -> None:
        named = {"event_id": f"event_{next(self._numbers)}", **event}
        await send({"type": "websocket.send", "text": msgspec.json.encode(named).decode()})

    def _answers(self, message: str) -> Iterator[Object]:
        """Yield what is said to an event."""
        try:
            event = msgspec.json.decode(message)
        except msgspec.DecodeError:
            event = None
        match text(event, "type"):
            case "session.update":
                self._session = self._session | inner(event, "session")
                yield {"type": "session.updated", "session": self._session}
            case "conversation.item.create":
                yield from self._add({"id": f"item_{next(self._numbers)}", **inner(event, "item")})
            case "input_audio_buffer.append":
                self._has_sound = True
            case "input_audio_buffer.commit" if self._has_sound:
                self._has_sound = False
                yield from self._hear({"id": f"item_{next(self._numbers)}", "type": "message", "role": "user"})
            case "response.create":
                yield from self._respond(inner(event, "response"))
            case kind:
                problem = {
                    "type": "invalid_request_error",
                    "code": "invalid_event",
                    "message": f"Invalid event: {kind!r}.",
                }
                yield {"type": "error", "error": problem}

    def _add(self, item: Object) -> Iterator[Object]:
        self._items.append(item)
        for ending in ("added", "done"):
            yield {"type": f"conversation.item.{ending}", "previous_item_id": None, "item": item}

    def _hear(self, item: Object) -> Iterator[Object]:
        yield {"type": "input_audio_buffer.committed", "previous_item_id": None, "item_id": item["id"]}
        yield from self._add({**item, "content": [_HEARD]})
        done = "conversation.item.input_audio_transcription.completed"
        yield {"type": done, "item_id": item["id"], "content_index": 0, "transcript": _HEARD["text"]}

    def _respond(self, wishes: Object) -> Iterator[Object]:
        """Yield the events of an answer to all that was said."""
        agreed = self._session | wishes
        body = {
            "model": agreed["model"],
            "instructions": agreed.get("instructions"),
            "tools": objects(agreed, "tools"),
            "input": self._items,
        }
        try:
            prompt = OpenAIResponses().read_prompt(body)
        except InvalidInput as error:
            yield {"type": "error", "error": {"type": "invalid_request_error", "message": error.message}}
            return
        reply = answer(prompt, find_rule(self._script, prompt))
        for event in write_events(reply, speaks="audio" in items(agreed, "output_modalities")):
            if event["type"] == "response.output_item.done":
                self._items.append(_said(event["item"]))
            yield event


def _said(item: Object) -> Object:
    """Return an item of an answer as it stands in the prompt of the next one."""
    parts = [
        {"type": "output_text", "text": part.get("transcript", part.get("text", ""))}
        for part in objects(item, "content")
    ]
    return item | ({"content": parts} if parts else {})
