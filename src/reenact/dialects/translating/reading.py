"""Read the parameters of each format as Settings. Sources: the formats' API references (2026-11)."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from reenact.dialects.translating.schema import json_schema
from reenact.dialects.translating.settings import Choice, Form, Settings
from reenact.dialects.wire import Object, inner, is_object, optional_text, text
from reenact.domain.message import Json, Lost, Prompt
from reenact.errors import InvalidInput

Meaning = Mapping[str, Any] | None
"""Fields of Settings; None for a value that cannot be understood."""


class Understood(msgspec.Struct, frozen=True, kw_only=True):
    """What the parameters of a prompt say."""

    settings: Settings
    places: Mapping[str, str]
    """Where each field of the settings stands: a JSON Pointer into the body."""
    lost: tuple[Lost, ...]
    """What was not understood."""


def read_settings(prompt: Prompt) -> Understood:
    """Return what the parameters of *prompt* mean.

    Raises:
        InvalidInput: they name something that the provider holds, without which the request is not what it was.
    """
    plain, odd = _PLAIN[prompt.dialect], _ODD[prompt.dialect]
    found: dict[str, Any] = {}
    places: dict[str, str] = {}
    lost: list[Lost] = []
    for path, place, value in _fields(prompt):
        if path in _HELD:
            raise InvalidInput(f"{place} names what the provider of the recorded call holds.", place)
        if value is None or path in _SILENT:
            continue
        if path in plain:
            said: Meaning = _typed(plain[path], value)
        else:
            said = odd[path](value) if path in odd else None
        if said is None:
            lost.append(Lost(place, _why_not(path in plain or path in odd)))
            continue
        for field in said:
            if field not in found or (field == "form" and found[field].kind == "json"):  # Gemini says both
                found[field], places[field] = said[field], place
    return Understood(settings=Settings(**found), places=places, lost=tuple(lost))


def _why_not(is_known: bool) -> str:
    return "it has a value that is not understood" if is_known else "the other format has no word for it"


def _fields(prompt: Prompt) -> list[tuple[str, str, Json]]:
    """Return the parameters: the name they are known under, their place, their value; objects that group others taken apart."""
    groups = _GROUPS.get(prompt.dialect, ())
    known = _camel if prompt.dialect == "gemini" else str
    found: list[tuple[str, str, Json]] = []
    for name, value in prompt.parameters.items():
        if known(name) in groups and isinstance(value, dict):
            found += [(f"/{known(name)}/{known(key)}", f"/{name}/{key}", one) for key, one in value.items()]
        else:
            found.append((f"/{known(name)}", f"/{name}", value))
    return found


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _typed(field: str, value: Json) -> Meaning:
    kind = _TYPES[field]
    is_flag = isinstance(value, bool)
    return {field: value} if isinstance(value, kind) and is_flag == (kind is bool) else None


_TYPES: dict[str, Any] = {
    "max_output_tokens": int, "temperature": int | float, "top_p": int | float, "top_k": int, "seed": int,
    "frequency_penalty": int | float, "presence_penalty": int | float, "candidates": int, "parallel_tools": bool,
    "effort": str, "user": str,
}  # fmt: skip
_SAMPLING = {"/temperature": "temperature", "/top_p": "top_p"}
_PLAIN: dict[str, dict[str, str]] = {
    "openai_chat": {
        **_SAMPLING,
        "/max_completion_tokens": "max_output_tokens",
        "/max_tokens": "max_output_tokens",
        "/seed": "seed",
        "/frequency_penalty": "frequency_penalty",
        "/presence_penalty": "presence_penalty",
        "/n": "candidates",
        "/parallel_tool_calls": "parallel_tools",
        "/reasoning_effort": "effort",
        "/user": "user",
    },
    "openai_responses": {
        **_SAMPLING,
        "/max_output_tokens": "max_output_tokens",
        "/parallel_tool_calls": "parallel_tools",
        "/reasoning/effort": "effort",
        "/user": "user",
    },
    "anthropic_messages": {
        **_SAMPLING,
        "/max_tokens": "max_output_tokens",
        "/top_k": "top_k",
        "/metadata/user_id": "user",
    },
    "gemini": {
        "/generationConfig/maxOutputTokens": "max_output_tokens",
        "/generationConfig/temperature": "temperature",
        "/generationConfig/topP": "top_p",
        "/generationConfig/topK": "top_k",
        "/generationConfig/seed": "seed",
        "/generationConfig/frequencyPenalty": "frequency_penalty",
        "/generationConfig/presencePenalty": "presence_penalty",
        "/generationConfig/candidateCount": "candidates",
    },
}
_GROUPS = {
    "openai_responses": ("reasoning", "text"),
    "anthropic_messages": ("metadata", "output_config"),
    "gemini": ("generationConfig",),
}
_SILENT = frozenset({"/stream_options"})
"""What every other format does anyway: a stream's usage."""
_HELD = frozenset({"/previous_response_id", "/conversation", "/prompt", "/cachedContent"})


# --- what has another shape in each format -------------------------------------------------------------------------------


def _stop(value: Json) -> Meaning:
    words = [value] if isinstance(value, str) else value
    is_words = isinstance(words, list) and all(isinstance(word, str) for word in words)
    return {"stop": tuple(words)} if is_words else None


def _openai_choice(value: Json) -> Meaning:
    """Return `auto`, `none`, `required`, or the one function: nested in chat, flat in Responses."""
    if value in ("auto", "none", "required"):
        return {"choice": Choice(value)}
    name = text(inner(value, "function"), "name") or text(value, "name")
    is_one = text(value, "type") == "function" and name
    return {"choice": Choice("required", name)} if is_one else None


def _anthropic_choice(value: Json) -> Meaning:
    modes = {"auto": "auto", "any": "required", "tool": "required", "none": "none"}
    mode: Any = modes.get(text(value, "type"))
    if mode is None or (text(value, "type") == "tool" and not text(value, "name")):
        return None
    alone = is_object(value) and value.get("disable_parallel_tool_use")
    parallel = {"parallel_tools": not alone} if isinstance(alone, bool) and alone else {}
    return {"choice": Choice(mode, optional_text(value, "name") if mode == "required" else None), **parallel}


def _gemini_choice(value: Json) -> Meaning:
    config = inner(value, "functionCallingConfig") or inner(value, "function_calling_config")
    modes = {"AUTO": "auto", "ANY": "required", "NONE": "none"}
    mode: Any = modes.get(text(config, "mode").upper())
    names = config.get("allowedFunctionNames") or config.get("allowed_function_names") or []
    if mode is None or len(names) > 1 or (names and mode != "required"):
        return None
    return {"choice": Choice(mode, names[0] if names else None)}


def _chat_form(value: Json) -> Meaning:
    return _openai_form(value, inner(value, "json_schema"))


def _responses_form(value: Json) -> Meaning:
    return _openai_form(value, value if isinstance(value, dict) else {})


def _openai_form(value: Json, said: Object) -> Meaning:
    kind = text(value, "type")
    if kind in ("text", "json_object"):
        return {"form": Form(kind="text" if kind == "text" else "json")}
    if kind != "json_schema" or not isinstance(said.get("schema"), dict):
        return None
    strict = said.get("strict")
    return {
        "form": Form(
            kind="schema",
            schema=said["schema"],
            name=optional_text(said, "name"),
            description=optional_text(said, "description"),
            is_strict=strict if isinstance(strict, bool) else None,
        )
    }


def _anthropic_form(value: Json) -> Meaning:
    is_schema = text(value, "type") == "json_schema" and isinstance(inner(value, "schema"), dict)
    return {"form": Form(kind="schema", schema=inner(value, "schema"))} if is_schema else None


def _gemini_type(value: Json) -> Meaning:
    kinds: dict[Json, Any] = {"application/json": "json", "text/plain": "text"}
    return {"form": Form(kind=kinds[value])} if isinstance(value, str) and value in kinds else None


def _gemini_form(value: Json) -> Meaning:
    return {"form": Form(kind="schema", schema=json_schema(value))} if isinstance(value, dict) else None


_ODD: dict[str, dict[str, Callable[[Json], Meaning]]] = {
    "openai_chat": {"/stop": _stop, "/tool_choice": _openai_choice, "/response_format": _chat_form},
    "openai_responses": {"/tool_choice": _openai_choice, "/text/format": _responses_form},
    "anthropic_messages": {
        "/stop_sequences": _stop,
        "/tool_choice": _anthropic_choice,
        "/output_config/format": _anthropic_form,
    },
    "gemini": {
        "/generationConfig/stopSequences": _stop,
        "/generationConfig/responseMimeType": _gemini_type,
        "/generationConfig/responseSchema": _gemini_form,
        "/generationConfig/responseJsonSchema": _gemini_form,
        "/toolConfig": _gemini_choice,
    },
}
