"""Change prompts: what each edit does. Pure, and the same for every format."""

from collections.abc import Callable
from typing import Any

import jsonpatch
import msgspec

from reenact.dialects.registry import dialect_named
from reenact.domain.message import Json, Message, Part, Prompt, Role, Text, ToolResult
from reenact.domain.patch import (
    AppendSystem,
    DropMessage,
    DropParameter,
    DropTool,
    Fault,
    InsertMessage,
    PatchJson,
    ReplaceMessage,
    ReplacePattern,
    ReplaceText,
    SetAt,
    SetModel,
    SetParameter,
    SetSystem,
    SetTool,
    SetToolResult,
)
from reenact.errors import InvalidInput, InvalidPatch
from reenact.replay.patterning import must_fit, with_matches_replaced
from reenact.replay.placing import places
from reenact.replay.recasting import recast
from reenact.replay.step import Recast, Step, Swap
from reenact.replay.swapping import swapped

_NOT_PARAMETERS = {
    "model": "use the edit set_model",
    **dict.fromkeys(("messages", "input", "contents", "prompt"), "it is the conversation; use an edit of messages"),
    **dict.fromkeys(
        ("system", "instructions", "system_instruction", "systemInstruction"),
        "use the edits set_system or append_system",
    ),
    **dict.fromkeys(("tools", "functions"), "it is the list of tools"),
}


def edited(prompt: Prompt, edit: Step) -> Prompt:
    """Return *prompt* after *edit*.

    Raises:
        InvalidPatch: the edit does not fit; `field` is the part of it that does not.
    """
    return _EDITORS[type(edit)](prompt, edit)


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
    def replaced(text: str) -> str:
        must_fit(text.count(edit.find) * len(edit.replace))
        return text.replace(edit.find, edit.replace)

    return _with_texts(prompt, edit.role, replaced)


def _replace_pattern(prompt: Prompt, edit: ReplacePattern) -> Prompt:
    return _with_texts(prompt, edit.role, lambda text: with_matches_replaced(text, edit.find, edit.replace))


def _with_texts(prompt: Prompt, role_name: str | None, change: Callable[[str], str]) -> Prompt:
    """Change texts and tool results; what the model thought or asked of tools is signed or structured and stays."""
    role = None if role_name is None else _role(role_name)

    def replaced(part: Part) -> Part:
        if not isinstance(part, Text | ToolResult) or (text := change(part.text)) == part.text:
            return part
        return msgspec.structs.replace(part, text=text)

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
    return _with_messages(prompt, *prompt.messages[:position], message, *prompt.messages[position + 1 :])


def _with_messages(prompt: Prompt, *messages: Message) -> Prompt:
    return msgspec.structs.replace(prompt, messages=messages)


def _text(part: Part) -> str:
    assert isinstance(part, Text)
    return part.text


def _insert_message(prompt: Prompt, edit: InsertMessage) -> Prompt:
    place = len(prompt.messages) if edit.before is None else _place(prompt, edit.before, "before")
    message = Message(role=_role(edit.role), parts=(Text(edit.text),))
    return _with_messages(prompt, *prompt.messages[:place], message, *prompt.messages[place:])


def _replace_message(prompt: Prompt, edit: ReplaceMessage) -> Prompt:
    place = _place(prompt, edit.message, "message")
    message = prompt.messages[place]
    if any(isinstance(part, ToolResult) for part in message.parts):
        raise InvalidPatch("The message is a tool's result; use the edit set_tool_result.", "message")
    return _with_message(prompt, place, msgspec.structs.replace(message, parts=(Text(edit.text),)))


def _drop_message(prompt: Prompt, edit: DropMessage) -> Prompt:
    place = _place(prompt, edit.message, "message")
    return _with_messages(prompt, *prompt.messages[:place], *prompt.messages[place + 1 :])


def _place(prompt: Prompt, number: int, field: str) -> int:
    """Return the index of a message that is counted from 1, or from the end when negative."""
    count = len(prompt.messages)
    if number == 0 or abs(number) > count:
        raise InvalidPatch(f"There is no message {number}: the call has {count}, counted from 1.", field)
    return number - 1 if number > 0 else count + number


def _set_tool_result(prompt: Prompt, edit: SetToolResult) -> Prompt:
    links = {use.id for message in prompt.messages for use in message.tool_uses if use.name == edit.tool}

    def said(part: Part) -> Part:
        if not isinstance(part, ToolResult) or part.id not in links:
            return part
        return msgspec.structs.replace(part, text=edit.text, is_error=edit.is_error)

    return _with_messages(
        prompt,
        *(
            msgspec.structs.replace(message, parts=tuple(said(part) for part in message.parts))
            for message in prompt.messages
        ),
    )


def _set_tool(prompt: Prompt, edit: SetTool) -> Prompt:
    given = {"description": edit.description, "schema": edit.schema}
    fields = {name: value for name, value in given.items() if value is not None}
    tools = tuple(msgspec.structs.replace(tool, **fields) if tool.name == edit.name else tool for tool in prompt.tools)
    return msgspec.structs.replace(prompt, tools=tools)


def _drop_tool(prompt: Prompt, edit: DropTool) -> Prompt:
    return msgspec.structs.replace(prompt, tools=tuple(tool for tool in prompt.tools if tool.name != edit.name))


def _patch_json(prompt: Prompt, edit: PatchJson) -> Prompt:
    return _rewritten(prompt, lambda body: jsonpatch.apply_patch(body, list(edit.operations)), "operations")


def _set_at(prompt: Prompt, edit: SetAt) -> Prompt:
    def changed(body: Json) -> Json:
        found = [{"op": "replace", "path": place, "value": edit.value} for place in places(body, edit.path)]
        return jsonpatch.apply_patch(body, found)

    return _rewritten(prompt, changed, "value")


def _rewritten(prompt: Prompt, change: Callable[[Json], Json], field: str) -> Prompt:
    """Write the prompt as its body, change that, and read it again."""
    dialect = dialect_named(prompt.dialect)
    assert dialect is not None
    try:
        return dialect.read_prompt(change(dialect.write_prompt(prompt)))
    except InvalidPatch:
        raise  # it says its field itself
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise InvalidPatch(f"The JSON Patch does not fit: {error}", field) from error
    except InvalidInput as error:
        raise InvalidPatch(f"The patched body is none of the format {dialect.name}: {error.message}", field) from error


_EDITORS: dict[type, Callable[[Prompt, Any], Prompt]] = {
    SetModel: _set_model,
    SetParameter: _set_parameter,
    DropParameter: _drop_parameter,
    SetSystem: _set_system,
    AppendSystem: _append_system,
    ReplaceText: _replace_text,
    ReplacePattern: _replace_pattern,
    InsertMessage: _insert_message,
    ReplaceMessage: _replace_message,
    DropMessage: _drop_message,
    SetToolResult: _set_tool_result,
    SetTool: _set_tool,
    DropTool: _drop_tool,
    PatchJson: _patch_json,
    SetAt: _set_at,
    Fault: lambda prompt, _: prompt,
    Swap: swapped,
    Recast: recast,
}
