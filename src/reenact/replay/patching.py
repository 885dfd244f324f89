"""Read patches, and apply their edits to prompts and request bodies so that nothing but the patch changes."""

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import reduce
from typing import Any

import msgspec

from reenact.dialects.dialect import Dialect
from reenact.domain.call import Call
from reenact.domain.message import Json, Message, Part, Prompt, Role, Text, ToolResult
from reenact.domain.patch import (
    AppendSystem,
    DropParameter,
    Edit,
    Patch,
    ReplaceText,
    Selector,
    SetModel,
    SetParameter,
    SetSystem,
)
from reenact.errors import InvalidInput, InvalidPatch
from reenact.replay.differing import same

_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")

_NOT_PARAMETERS = {
    "model": "use the edit set_model",
    **dict.fromkeys(("messages", "input", "contents", "prompt"), "it is the conversation; use an edit of messages"),
    **dict.fromkeys(
        ("system", "instructions", "system_instruction", "systemInstruction"),
        "use the edits set_system or append_system",
    ),
    **dict.fromkeys(("tools", "functions"), "it is the list of tools"),
}


def read_patch(value: Json) -> Patch:
    """Return the patch that *value*, decoded JSON, says.

    Raises:
        InvalidPatch: an unknown key or edit, or a value of the wrong type; `field` is its exact place.
    """
    try:
        patch = msgspec.convert(value, Patch)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        field = place["path"] if place else ""
        raise InvalidPatch(f"The patch is not valid: {str(error).replace('`$.', '`')}.", field) from error
    if patch.version != 1:
        raise InvalidPatch(f"The patch is of version {patch.version}; this server reads version 1.", "version")
    return patch


def selects(selector: Selector, position: int, call: Call, prompt: Callable[[], Prompt | None]) -> bool:
    """Return whether *selector* means the call at *position*, counted from 1; *prompt* is asked for only when needed."""
    return (
        _matches(selector.path, call.labels.path)
        and (selector.prompt_id is None or selector.prompt_id == call.labels.prompt_id)
        and (selector.calls is None or position in selector.calls)
        and (selector.first is None or position >= selector.first)
        and (selector.last is None or position <= selector.last)
        and _matches(selector.model, call.model)
        and (selector.provider is None or selector.provider == call.provider)
        and _matches(selector.dialect, call.dialect)
        and (selector.contains is None or _says(prompt(), selector.contains))
    )


def edited(prompt: Prompt, edit: Edit) -> Prompt:
    """Return *prompt* after *edit*.

    Raises:
        InvalidPatch: the edit does not fit; `field` is the part of it that does not.
    """
    return _EDITORS[type(edit)](prompt, edit)


def patched_body(dialect: Dialect, body: bytes, edits: Sequence[Edit]) -> bytes:
    """Return the request *body* after *edits*; the very bytes of *body* when they change nothing in it.

    Raises:
        InvalidInput: the body cannot be read as its format.
        InvalidPatch: an edit does not fit this format.
    """
    if not edits:
        return body
    before = decoded(body)
    prompt = dialect.read_prompt(before)
    after = reduce(edited, edits, prompt)
    return body if is_unchanged(prompt, after) else msgspec.json.encode(written(dialect, after))


def is_unchanged(before: Prompt, after: Prompt) -> bool:
    """Return whether two prompts say the same, where a parameter of `1` is not one of `true` though Python says so."""
    return before == after and same(before.parameters, after.parameters)


def decoded(body: bytes) -> Json:
    """Return *body* as JSON.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The request body is not JSON: {error}") from error


def written(dialect: Dialect, prompt: Prompt) -> Json:
    """Return *prompt* as a request body of its dialect.

    Raises:
        InvalidPatch: the format has no place for what the prompt says, such as a system message for embeddings.
    """
    try:
        body = dialect.write_prompt(prompt)
        is_kept = (
            all(message.origin for message in prompt.messages) or dialect.read_prompt(body).messages == prompt.messages
        )
    except InvalidInput as error:
        raise InvalidPatch(f"The format {dialect.name} cannot say this: {error.message}") from error
    if not is_kept:
        raise InvalidPatch(f"The format {dialect.name} has no place for a new message.")
    return body


def _matches(pattern: str | None, text: str) -> bool:
    return pattern is None or fnmatchcase(text, pattern)


def _says(prompt: Prompt | None, text: str) -> bool:
    """Return whether *text* stands in some message, tool results included."""
    return prompt is not None and any(
        text in part.text
        for message in prompt.messages
        for part in message.parts
        if isinstance(part, Text | ToolResult)
    )


def _set_model(prompt: Prompt, edit: SetModel) -> Prompt:
    return msgspec.structs.replace(prompt, model=edit.model)


def _set_parameter(prompt: Prompt, edit: SetParameter) -> Prompt:
    _must_be_parameter(edit.name)
    if edit.name != "stream":
        return msgspec.structs.replace(prompt, parameters={**prompt.parameters, edit.name: edit.value})
    if not isinstance(edit.value, bool):
        raise InvalidPatch("The field stream takes true or false.", "value")
    return msgspec.structs.replace(prompt, stream=edit.value)


def _drop_parameter(prompt: Prompt, edit: DropParameter) -> Prompt:
    _must_be_parameter(edit.name)
    if edit.name == "stream":
        return msgspec.structs.replace(prompt, stream=False)
    return msgspec.structs.replace(prompt, parameters={k: v for k, v in prompt.parameters.items() if k != edit.name})


def _must_be_parameter(name: str) -> None:
    if reason := _NOT_PARAMETERS.get(name):
        raise InvalidPatch(f"The field {name} cannot be set or dropped as a parameter: {reason}.", "name")


def _set_system(prompt: Prompt, edit: SetSystem) -> Prompt:
    """Put one message in place of the first run of system messages."""
    start = _first_system(prompt)
    if start is None:
        return _with_new_system(prompt, edit.text)
    end = start
    while end < len(prompt.messages) and prompt.messages[end].role is Role.SYSTEM:
        end += 1
    message = msgspec.structs.replace(prompt.messages[start], parts=(Text(edit.text),))
    return msgspec.structs.replace(prompt, messages=(*prompt.messages[:start], message, *prompt.messages[end:]))


def _append_system(prompt: Prompt, edit: AppendSystem) -> Prompt:
    start = _first_system(prompt)
    if start is None:
        return _with_new_system(prompt, edit.text.lstrip())
    message = prompt.messages[start]
    parts = list(message.parts)
    last = max((i for i, part in enumerate(parts) if isinstance(part, Text)), default=None)
    if last is None:
        parts.append(Text(edit.text))
    else:
        parts[last] = Text(_text(parts[last]) + edit.text)
    return _with_message(prompt, start, msgspec.structs.replace(message, parts=tuple(parts)))


def _replace_text(prompt: Prompt, edit: ReplaceText) -> Prompt:
    """Replace in texts and tool results; what the model thought or asked of tools is signed or structured and stays."""
    role = None if edit.role is None else _role(edit.role)

    def replaced(part: Part) -> Part:
        if not isinstance(part, Text | ToolResult) or edit.find not in part.text:
            return part
        return msgspec.structs.replace(part, text=part.text.replace(edit.find, edit.replace))

    messages = tuple(
        msgspec.structs.replace(message, parts=tuple(replaced(part) for part in message.parts))
        if role in {None, message.role}
        else message
        for message in prompt.messages
    )
    return msgspec.structs.replace(prompt, messages=messages)


def _role(name: str) -> Role:
    try:
        return Role("system" if name == "developer" else name)
    except ValueError:
        known = ", ".join(role.value for role in Role)
        raise InvalidPatch(f"The role {name!r} is not one of {known}.", "role") from None


def _first_system(prompt: Prompt) -> int | None:
    return next((i for i, message in enumerate(prompt.messages) if message.role is Role.SYSTEM), None)


def _with_new_system(prompt: Prompt, text: str) -> Prompt:
    return msgspec.structs.replace(prompt, messages=(Message(role=Role.SYSTEM, parts=(Text(text),)), *prompt.messages))


def _with_message(prompt: Prompt, position: int, message: Message) -> Prompt:
    messages = (*prompt.messages[:position], message, *prompt.messages[position + 1 :])
    return msgspec.structs.replace(prompt, messages=messages)


def _text(part: Part) -> str:
    assert isinstance(part, Text)
    return part.text


_EDITORS: dict[type, Callable[[Prompt, Any], Prompt]] = {
    SetModel: _set_model,
    SetParameter: _set_parameter,
    DropParameter: _drop_parameter,
    SetSystem: _set_system,
    AppendSystem: _append_system,
    ReplaceText: _replace_text,
}
