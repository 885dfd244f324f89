"""Gemini's generateContent, of Google AI and of Vertex AI.

Wire facts: ai.google.dev/api/generate-content (2026-11). The model and whether the answer is streamed stand in the path, not in
the body; a stream is server-sent events with `alt=sse`, else one JSON array.
"""

import re
from collections.abc import Sequence

from msgspec import UNSET

from reenact.dialects.gemini_content import joined_parts, read_content, write_content
from reenact.dialects.openai_answer import read_error
from reenact.dialects.openai_stream import merge_tops
from reenact.dialects.wire import (
    Object,
    compose,
    inner,
    is_objects,
    is_same,
    items,
    kept,
    need_object,
    need_objects,
    objects,
    optional_text,
    text,
    whole,
)
from reenact.domain.message import Answer, Json, Message, Prompt, Role, Tool, Usage

_PATH = re.compile(r"(^|/)(models|tunedModels|endpoints)/[^/]+:(generateContent|streamGenerateContent)$")
_SYSTEM = ("systemInstruction", "system_instruction")
_DECLARATIONS = ("functionDeclarations", "function_declarations")
_SCHEMAS = ("parameters", "parametersJsonSchema", "parameters_json_schema")
"""The last is what the google-genai package sends for a declaration that was given as a dict (3.4, 2026-11)."""


class Gemini:
    """`POST .../models/<model>:generateContent` and `:streamGenerateContent`."""

    name = "gemini"

    def reads(self, provider: str, method: str, path: str) -> bool:
        """Return whether *path* ends as the format's does, whatever version or project stands before it."""
        return method.upper() == "POST" and _PATH.search(path) is not None

    def read_prompt(self, body: Json) -> Prompt:
        """Return what a request body says, the system instruction as the first message.

        Raises:
            InvalidInput: the body is not an object, or `contents` is not a list of objects.
        """
        wire = need_object(body)
        typed = {"model", "contents", "tools", _system_key(wire)}
        contents = tuple(read_content(content) for content in need_objects(wire, "contents"))
        return Prompt(
            dialect=self.name,
            model=optional_text(wire, "model"),
            messages=(*_read_system(wire), *contents),
            tools=_read_tools(wire),
            parameters={key: value for key, value in wire.items() if key not in typed},
            origin=wire,
        )

    def write_prompt(self, prompt: Prompt) -> Json:
        """Return *prompt* as a request body; what was not changed since reading comes back as it was."""
        origin: Object = prompt.origin if isinstance(prompt.origin, dict) else {}
        system = tuple(message for message in prompt.messages if message.role is Role.SYSTEM)
        contents = [write_content(message) for message in prompt.messages if message.role is not Role.SYSTEM]
        fields: dict[str, Json] = {
            "model": kept(origin, "model", prompt.model, optional_text(origin, "model")),
            _system_key(origin): _write_system(system, origin),
            "contents": contents if contents or "contents" in origin else UNSET,
            "tools": _write_tools(prompt.tools, origin),
        }
        return compose(origin, fields | prompt.parameters)

    def read_answer(self, body: Json) -> Answer:
        """Return what a response body says, errors included; a streamed JSON array is merged.

        Raises:
            InvalidInput: the body is neither an object nor a list of events.
        """
        wire = need_object(self.merge(body) if isinstance(body, list) else body)
        candidates = objects(wire, "candidates")
        messages = [read_content(inner(candidate, "content"), Role.ASSISTANT) for candidate in candidates]
        reason = optional_text(candidates[0], "finishReason") if candidates else None
        return Answer(
            model=optional_text(wire, "modelVersion") or None,
            message=messages[0] if messages else None,
            alternatives=tuple(messages[1:]),
            stop_reason=reason or optional_text(inner(wire, "promptFeedback"), "blockReason"),
            usage=_read_usage(inner(wire, "usageMetadata")),
            error=read_error(wire) if "error" in wire else None,
            response_id=optional_text(wire, "responseId") or None,
            origin=wire,
        )

    def merge(self, events: Sequence[Json]) -> Json:
        """Return the answer that the events add up to; broken streams give what came."""
        body = merge_tops(events)
        if "candidates" in body:
            found: dict[int, Object] = {}
            for event in events:
                for candidate in objects(event, "candidates"):
                    _add(found.setdefault(whole(candidate, "index") or 0, {}), candidate)
            body["candidates"] = [found[at] for at in sorted(found)]
        return body


def _add(candidate: Object, piece: Object) -> None:
    parts = [*items(inner(candidate, "content"), "parts"), *items(inner(piece, "content"), "parts")]
    content = inner(candidate, "content") | inner(piece, "content")
    candidate.update(piece)
    if content:
        candidate["content"] = content | ({"parts": joined_parts(parts)} if parts else {})


def _system_key(wire: Object) -> str:
    return _SYSTEM[1] if _SYSTEM[1] in wire and _SYSTEM[0] not in wire else _SYSTEM[0]


def _read_system(wire: Object) -> tuple[Message, ...]:
    given = wire.get(_system_key(wire))
    return (read_content(given, Role.SYSTEM),) if isinstance(given, dict) else ()


def _write_system(messages: Sequence[Message], origin: Object) -> Json:
    if tuple(messages) == _read_system(origin):
        return origin.get(_system_key(origin), UNSET)
    if not messages:
        return UNSET
    written = write_content(messages[0])
    more = [part for message in messages[1:] for part in write_content(message)["parts"]]
    return written | {"parts": [*items(written, "parts"), *more]} if more else written


# --- tools -------------------------------------------------------------------------------------------------------------


def _read_tools(wire: Object) -> tuple[Tool, ...]:
    """Return each function declaration, and each tool of the provider's own under its field's name."""
    given = wire.get("tools")
    tools: list[Tool] = []
    for tool in given if is_objects(given) else ():
        declared = [one for key in _DECLARATIONS for one in objects(tool, key)]
        tools.extend(_read_declaration(one) for one in declared)
        if not declared:
            tools.append(Tool(name=next(iter(tool), ""), origin=tool))
    return tuple(tools)


def _read_declaration(wire: Object) -> Tool:
    schema = next((wire[key] for key in _SCHEMAS if key in wire), None)
    return Tool(name=text(wire, "name"), description=text(wire, "description"), schema=schema, origin=wire)


def _write_tools(tools: Sequence[Tool], origin: Object) -> Json:
    """Return the tools as they were while nothing changed, else one group of functions and the others after it."""
    if tuple(tools) == _read_tools(origin):
        return origin.get("tools", UNSET)
    functions = [_write_declaration(tool) for tool in tools if not _is_own(tool)]
    own = [tool.origin for tool in tools if _is_own(tool)]
    return [*([{_DECLARATIONS[0]: functions}] if functions else []), *own] or UNSET


def _is_own(tool: Tool) -> bool:
    """Return whether the provider itself runs *tool*."""
    return isinstance(tool.origin, dict) and "name" not in tool.origin


def _write_declaration(tool: Tool) -> Object:
    new: Object = {"name": tool.name, "description": tool.description, "parameters": tool.schema}
    if not isinstance(tool.origin, dict):
        return {key: value for key, value in new.items() if value not in (None, "")}
    before = _read_declaration(tool.origin)
    changes: Object = {}
    if tool.name != before.name:
        changes["name"] = tool.name
    if tool.description != before.description:
        changes["description"] = tool.description
    if not is_same(tool.schema, before.schema):
        changes[next((key for key in _SCHEMAS if key in tool.origin), _SCHEMAS[0])] = tool.schema
    return tool.origin | changes


def _read_usage(usage: Object) -> Usage:
    """Return the usage; thoughts are output that `candidatesTokenCount` leaves out."""
    said, thought = whole(usage, "candidatesTokenCount"), whole(usage, "thoughtsTokenCount")
    return Usage(
        input_tokens=whole(usage, "promptTokenCount"),
        output_tokens=None if said is None and thought is None else (said or 0) + (thought or 0),
        cache_read_tokens=whole(usage, "cachedContentTokenCount"),
        input_audio_tokens=_audio(usage, "promptTokensDetails"),
        output_audio_tokens=_audio(usage, "candidatesTokensDetails"),
        reasoning_tokens=thought,
    )


def _audio(usage: Object, field: str) -> int | None:
    counts = [whole(one, "tokenCount") for one in objects(usage, field) if text(one, "modality") == "AUDIO"]
    return counts[0] if counts else None
