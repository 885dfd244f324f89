"""Write Settings as the parameters of each format. Sources: the formats' API references (2026-11)."""

from collections.abc import Callable
from typing import Any

import msgspec

from reenact.dialects.translating.settings import Choice, Form, Settings
from reenact.dialects.wire import Object
from reenact.domain.message import Json
from reenact.errors import InvalidInput

USUAL_LIMIT_TOKENS = 4096
"""What Anthropic's format, which demands a limit, is asked for where none was set: what its smallest models allow."""
_FORM_NAME = "answer"
"""OpenAI's formats demand a name for a schema."""
_MOST_STOPS = {"openai_chat": 4, "gemini": 5}
_WARMEST = 1.0
"""The highest temperature of Anthropic's format; the others go to 2."""

Written = tuple[Object, dict[str, str]]
"""The fields that say something, and why not, where all or a part of it is lost."""


def write_settings(settings: Settings, dialect: str, *, is_openai: bool = True) -> Written:
    """Return *settings* as parameters of *dialect*, and why each field that is not wholly among them is not.

    Args:
        settings: what to say.
        dialect: the format.
        is_openai: whether the provider is OpenAI itself, whose newer models know `max_completion_tokens` alone.

    Raises:
        InvalidInput: the format has no word for something without which the agent would get something else; `field` is that
            field of *settings*.
    """
    return _WRITERS[dialect](settings, is_openai)


def _chat(settings: Settings, is_openai: bool) -> Written:
    limit = "max_completion_tokens" if is_openai else "max_tokens"
    names = {"max_output_tokens": limit, "candidates": "n", "parallel_tools": "parallel_tool_calls"}
    names |= {"effort": "reasoning_effort", "user": "user"} | {name: name for name in _SAMPLED + _PENALTIES}
    fields, lost = _plain(settings, names)
    if settings.stop is not None:
        fields["stop"] = _few(settings.stop, "openai_chat", lost)
    if settings.choice is not None:
        choice = settings.choice
        fields["tool_choice"] = choice.mode
        if choice.name is not None:
            fields["tool_choice"] = {"type": "function", "function": {"name": choice.name}}
    if settings.form is not None:
        kind, said = _openai_form(settings.form)
        fields["response_format"] = kind | ({"json_schema": said} if said else {})
    return fields, lost


def _responses(settings: Settings, _: bool) -> Written:
    names = {"max_output_tokens": "max_output_tokens", "parallel_tools": "parallel_tool_calls", "user": "user"}
    fields, lost = _plain(settings, names | {name: name for name in _SAMPLED})
    _must_be_one(settings, "openai_responses", lost)
    if settings.stop is not None:
        lost["stop"] = _NO_WORD
    if settings.effort is not None:
        fields["reasoning"] = {"effort": settings.effort}
        lost.pop("effort")
    if settings.choice is not None:
        choice = settings.choice
        fields["tool_choice"] = choice.mode if choice.name is None else {"type": "function", "name": choice.name}
    if settings.form is not None:
        kind, said = _openai_form(settings.form)
        fields["text"] = {"format": kind | said}
    return fields, lost


def _anthropic(settings: Settings, _: bool) -> Written:
    fields, lost = _plain(
        settings, {"max_output_tokens": "max_tokens", "top_k": "top_k"} | {name: name for name in _SAMPLED}
    )
    _must_be_one(settings, "anthropic_messages", lost)
    if settings.max_output_tokens is None:
        fields["max_tokens"] = USUAL_LIMIT_TOKENS
        lost["max_output_tokens"] = f"no limit was set and this format demands one: {USUAL_LIMIT_TOKENS} tokens"
    if settings.temperature is not None and settings.temperature > _WARMEST:
        fields["temperature"] = _WARMEST
        lost["temperature"] = f"this format goes up to {_WARMEST:g} only, which is asked for"
    if settings.stop is not None:
        fields["stop_sequences"] = list(settings.stop)
    if settings.user is not None:
        fields["metadata"] = {"user_id": settings.user}
        lost.pop("user")
    _anthropic_tools(settings, fields, lost)
    if settings.form is not None:
        _anthropic_form(settings.form, fields, lost)
    return fields, lost


def _anthropic_tools(settings: Settings, fields: Object, lost: dict[str, str]) -> None:
    kinds = {"auto": "auto", "none": "none", "required": "any"}
    choice = settings.choice or Choice("auto")
    said: Object = {"type": kinds[choice.mode]}
    if choice.name is not None:
        said = {"type": "tool", "name": choice.name}
    if settings.parallel_tools is False and choice.mode != "none":
        said["disable_parallel_tool_use"] = True
    if settings.choice is not None or "disable_parallel_tool_use" in said:
        fields["tool_choice"] = said
    if settings.parallel_tools or "disable_parallel_tool_use" in said:
        lost.pop("parallel_tools", None)


def _anthropic_form(form: Form, fields: Object, lost: dict[str, str]) -> None:
    if form.kind == "json":
        lost["form"] = "this format knows JSON by a schema only"
    elif form.kind == "schema":
        fields["output_config"] = {"format": {"type": "json_schema", "schema": form.schema}}
        _tell_named(form, lost)


def _gemini(settings: Settings, _: bool) -> Written:
    names = {
        "max_output_tokens": "maxOutputTokens",
        "temperature": "temperature",
        "top_p": "topP",
        "top_k": "topK",
        "seed": "seed",
        "frequency_penalty": "frequencyPenalty",
        "presence_penalty": "presencePenalty",
        "candidates": "candidateCount",
    }
    config, lost = _plain(settings, names)
    if settings.stop is not None:
        config["stopSequences"] = _few(settings.stop, "gemini", lost)
    if settings.parallel_tools is True:
        lost.pop("parallel_tools")
    if settings.form is not None:
        config["responseMimeType"] = "text/plain" if settings.form.kind == "text" else "application/json"
        if settings.form.kind == "schema":
            config["responseJsonSchema"] = settings.form.schema
            _tell_named(settings.form, lost)
    fields: Object = {"generationConfig": config} if config else {}
    if settings.choice is not None:
        modes = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
        allowed = {} if settings.choice.name is None else {"allowedFunctionNames": [settings.choice.name]}
        fields["toolConfig"] = {"functionCallingConfig": {"mode": modes[settings.choice.mode], **allowed}}
    return fields, lost


_WRITERS: dict[str, Callable[[Settings, bool], Written]] = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic_messages": _anthropic,
    "gemini": _gemini,
}


# --- parts of them -----------------------------------------------------------------------------------------------------

_SAMPLED = ("temperature", "top_p")
_PENALTIES = ("seed", "frequency_penalty", "presence_penalty")
_NO_WORD = "the other format has no word for it"
_WRITTEN_APART = frozenset({"choice", "form", "stop"})


def _plain(settings: Settings, names: dict[str, str]) -> Written:
    """Return the fields that the format has a name for, and those that it has none for."""
    said = {name: value for name, value in settings.said.items() if name not in _WRITTEN_APART}
    fields: dict[str, Any] = {names[name]: value for name, value in said.items() if name in names}
    lost = dict.fromkeys((name for name in said if name not in names), _NO_WORD)
    return fields, lost


def _must_be_one(settings: Settings, dialect: str, lost: dict[str, str]) -> None:
    lost.pop("candidates", None)
    if settings.candidates not in (None, 1):
        raise InvalidInput(f"several answers to one request are no part of the format {dialect}", "candidates")


def _few(stop: tuple[str, ...], dialect: str, lost: dict[str, str]) -> Json:
    most = _MOST_STOPS[dialect]
    if len(stop) > most:
        lost["stop"] = f"this format takes {most}; the first {most} are kept"
    return list(stop[:most])


def _openai_form(form: Form) -> tuple[Object, Object]:
    """Return the kind and, for a schema, what else is said of it."""
    if form.kind != "schema":
        return {"type": "text" if form.kind == "text" else "json_object"}, {}
    said = {"description": form.description, "strict": form.is_strict}
    named: Object = {"name": form.name or _FORM_NAME, "schema": form.schema}
    return {"type": "json_schema"}, named | {key: value for key, value in said.items() if value is not None}


def _tell_named(form: Form, lost: dict[str, str]) -> None:
    """Say what of a schema only OpenAI's formats have a place for."""
    said = msgspec.structs.asdict(form)
    gone = [name for name in ("name", "description", "is_strict") if said[name] is not None]
    if gone:
        lost["form"] = f"this format has no place for the schema's {', '.join(gone).replace('is_strict', 'strictness')}"
