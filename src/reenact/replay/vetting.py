"""Say what every provider of a format would refuse a request for, so that a patch that makes one is refused before it is sent.

Bounds: the API references of OpenAI, Anthropic and Gemini (2026-11). A bound that only one of them has is held to that one.
"""

from collections.abc import Iterator

import msgspec

from reenact.dialects.translating.offering import demanded
from reenact.dialects.wire import Object, inner, is_object, objects, text
from reenact.domain.message import Json, Prompt
from reenact.replay.carrying.checking import faults

_COUNTS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "n", "maxOutputTokens", "candidateCount")
_CONFIG = "generationConfig"
_MOST_TEMPERATURE = {"openai": 2, "azure": 2, "google": 2, "anthropic": 1}
_HISTORIES = {"openai_chat": "messages", "anthropic_messages": "messages", "gemini": "contents"}


class Objection(msgspec.Struct, frozen=True):
    """Why a request would be refused."""

    path: str
    """The field, as a JSON Pointer into the body; empty when *why* names the place itself."""
    why: str

    def __str__(self) -> str:
        return f"{self.path} {self.why}".strip()


def objections(prompt: Prompt, body: Json, provider: str) -> list[Objection]:
    """Return what *provider* would refuse a request for; *body* is how *prompt* is written."""
    if not isinstance(body, dict):
        return []
    is_held = prompt.parameters.get("previous_response_id") is not None
    return [
        *_of_history(prompt.dialect, body),
        *(Objection("", fault) for fault in faults(prompt, state_held=is_held)),
        *_of_tools(prompt, body),
        *_of_numbers("", body, provider),
        *_of_numbers(f"/{_CONFIG}", inner(body, _CONFIG), provider),
    ]


def _of_history(dialect: str, body: Object) -> Iterator[Objection]:
    field = _HISTORIES.get(dialect)
    if field is None:
        return
    messages = objects(body, field)
    if not messages:
        yield Objection(f"/{field}", "holds no message")
    if dialect == "openai_chat":
        for at, message in enumerate(messages):
            yield from _of_chat_content(f"/{field}/{at}", message)
    if dialect == "anthropic_messages":
        yield from _of_anthropic(body, messages)


def _of_chat_content(place: str, message: Object) -> Iterator[Objection]:
    content = message.get("content")
    if content is None and text(message, "role") not in ("assistant", "function"):
        yield Objection(f"{place}/content", "is missing")
    elif content is not None and not isinstance(content, str | list):
        yield Objection(f"{place}/content", "is neither a text nor a list of parts")


def _of_anthropic(body: Object, messages: list[Object]) -> Iterator[Objection]:
    if body.get("max_tokens") is None:
        yield Objection("/max_tokens", "is missing, which this format demands")
    for at, message in enumerate(messages):
        place, content = f"/messages/{at}", message.get("content")
        if text(message, "role") not in ("user", "assistant"):
            yield Objection(f"{place}/role", "is neither user nor assistant; system texts have their own field")
        if not isinstance(content, str | list):
            yield Objection(f"{place}/content", "is neither a text nor a list of blocks")
        blocks = objects(message, "content")
        is_empty = content == "" or any(text(one, "type") == "text" and one.get("text") == "" for one in blocks)
        if is_empty:
            yield Objection(f"{place}/content", "holds an empty text")


def _of_tools(prompt: Prompt, body: Object) -> Iterator[Objection]:
    if not prompt.tools and not body.get("tools") and prompt.dialect in ("openai_chat", "anthropic_messages"):
        for field in ("tool_choice", "parallel_tool_calls"):
            if body.get(field) is not None:
                yield Objection(f"/{field}", "is only for requests that offer tools, and none is left")
    if prompt.dialect == "anthropic_messages" and not body.get("tools") and any(demanded(prompt.messages)):
        yield Objection("/tools", "is missing, though the history asks for tools")
    offered = {tool.name for tool in prompt.tools}
    for place, name in _chosen(body):
        if name not in offered:
            yield Objection(place, f"names the tool {name!r}, which the request does not offer")


def _chosen(body: Object) -> Iterator[tuple[str, str]]:
    """Yield the tools that a request wants to have called, each with its place."""
    choice = body.get("tool_choice")
    if is_object(choice):
        if text(choice, "type") in ("function", "tool", "custom"):
            kind = text(choice, "type")
            within = inner(choice, kind)
            place = f"/tool_choice/{kind}/name" if within else "/tool_choice/name"
            yield place, text(within or choice, "name")
        for allowed in (choice, inner(choice, "allowed_tools")):
            for tool in objects(allowed, "tools"):
                if text(tool, "type") == "function":
                    yield "/tool_choice/tools", text(inner(tool, "function"), "name") or text(tool, "name")
    if is_object(body.get("function_call")):
        yield "/function_call/name", text(body["function_call"], "name")
    names = inner(inner(body, "toolConfig"), "functionCallingConfig").get("allowedFunctionNames")
    for at, name in enumerate(names if isinstance(names, list) else ()):
        yield f"/toolConfig/functionCallingConfig/allowedFunctionNames/{at}", str(name)


def _of_numbers(place: str, body: Object, provider: str) -> Iterator[Objection]:
    for name in _COUNTS:
        value = body.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            yield Objection(f"{place}/{name}", f"is {_shown(value)}, not a whole number from 1 on")
    hottest = _MOST_TEMPERATURE.get(provider)
    for name, least, most in (
        ("temperature", 0, hottest),
        ("top_p", 0, 1),
        ("topP", 0, 1),
        ("presence_penalty", -2, 2),
        ("frequency_penalty", -2, 2),
    ):
        value = body.get(name)
        if value is not None and not _is_within(value, least, most):
            to = "on" if most is None else f"to {most}"
            yield Objection(f"{place}/{name}", f"is {_shown(value)}, not a number from {least} {to}")


def _is_within(value: Json, least: float, most: float | None) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and least <= value and (most is None or value <= most)


def _shown(value: Json) -> str:
    return msgspec.json.encode(value).decode()[:50]
