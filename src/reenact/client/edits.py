"""Patches in the words of Python.

patch(set_model("gpt-4o"), set_parameter("temperature", 0))                 # in every call
patch(change(append_system(" Be brief."), select=Selector(prompt_id="assistant-response")))
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reenact.client.rows import Request
from reenact.domain.message import Json
from reenact.domain.patch import (
    AppendSystem,
    Change,
    DropMessage,
    DropParameter,
    DropTool,
    Edit,
    Fault,
    InsertMessage,
    Patch,
    PatchJson,
    ReplaceMessage,
    ReplacePattern,
    ReplaceText,
    Selector,
    SetAt,
    SetModel,
    SetParameter,
    SetSystem,
    SetTool,
    SetToolResult,
    UsePrompt,
)


def patch(*changes: Change | Edit) -> Patch:
    """Return a patch of *changes* in order; edits that stand by themselves are made in every call."""
    return Patch(changes=tuple(one if isinstance(one, Change) else change(one) for one in changes))


def change(*edits: Edit, select: Selector | None = None) -> Change:
    """Return *edits* for the calls that *select* selects; all when it is left out."""
    return Change(select=select or Selector(), edits=edits)


def set_model(model: str, *, provider: str | None = None, dialect: str | None = None) -> SetModel:
    """Ask another model."""
    return SetModel(model, provider, dialect)


def set_parameter(name: str, value: Json) -> SetParameter:
    """Set a top-level field of the body, such as `temperature`."""
    return SetParameter(name, value)


def drop_parameter(name: str) -> DropParameter:
    """Remove a top-level field of the body."""
    return DropParameter(name)


def set_system(text: str) -> SetSystem:
    """Replace the whole system prompt."""
    return SetSystem(text)


def append_system(text: str) -> AppendSystem:
    """Add text to the end of the first system message."""
    return AppendSystem(text)


def replace_text(find: str, replace: str, role: str | None = None) -> ReplaceText:
    """Replace every occurrence of a text in the messages of a role; in all when no role is named."""
    return ReplaceText(find, replace, role)


def replace_pattern(find: str, replace: str, role: str | None = None) -> ReplacePattern:
    r"""Replace whatever matches a pattern of RE2's; `\1` in *replace* is what the first group matched."""
    return ReplacePattern(find, replace, role)


def insert_message(role: str, text: str, before: int | None = None) -> InsertMessage:
    """Put a message before another, counted from 1 or from the end when negative; at the end when no place is named."""
    return InsertMessage(role, text, before)


def replace_message(message: int, text: str) -> ReplaceMessage:
    """Replace what a message says, counted from 1 or from the end when negative."""
    return ReplaceMessage(message, text)


def drop_message(message: int) -> DropMessage:
    """Leave a message out, counted from 1 or from the end when negative."""
    return DropMessage(message)


def set_tool_result(tool: str, text: str, *, is_error: bool = False) -> SetToolResult:
    """Have every recorded result of a tool say something else."""
    return SetToolResult(tool, text, is_error)


def set_tool(name: str, *, description: str | None = None, schema: Json = None) -> SetTool:
    """Describe a tool otherwise; what is left out stays."""
    return SetTool(name, description, schema)


def drop_tool(name: str) -> DropTool:
    """Offer a tool no more."""
    return DropTool(name)


def patch_json(*operations: dict[str, Json]) -> PatchJson:
    """Change the body as it stands on the wire, by JSON Patch (RFC 6902)."""
    return PatchJson(operations)


def set_at(path: str, value: Json) -> SetAt:
    """Set every value of the body that a JSONPath (RFC 9535, without filters) selects."""
    return SetAt(path, value)


def fault(
    *, status: int | None = None, retry_after_s: int | None = None, delay_ms: int = 0, cut_after: int | None = None
) -> Fault:
    """Have a call fail with a status, be answered late, or break off after so many events of the recorded answer."""
    return Fault(status=status, retry_after_s=retry_after_s, delay_ms=delay_ms, cut_after=cut_after)


def use_prompt(
    prompt: str,
    *,
    version: str | None = None,
    environment: str | None = None,
    inputs: Mapping[str, Json] | None = None,
    messages_only: bool = False,
) -> UsePrompt:
    """Say what a version of a named prompt says in place of what an older one of it says, with the same inputs.

    Args:
        prompt: its id or name.
        version: its id or its number, such as `2.1`.
        environment: or where it is in use; neither: production, else the newest.
        inputs: values of variables; those that are left out are found in each call.
        messages_only: leave the model and all other fields of the calls as they are.
    """
    return UsePrompt(
        prompt=prompt,
        version=version,
        environment=environment,
        inputs=dict(inputs or {}),
        messages_only=messages_only,
    )


def edit_bodies(calls: Sequence[Request], edit: Callable[[Any], Json]) -> Patch:
    """Return the patch that makes of each call's body what *edit* returns for it.

    *edit* runs here, once for each call, and is given a copy that it may change. Calls that it leaves as they are, or for which
    it returns None, are not in the patch. The patch holds whole bodies: it is data, and runs again without the function.

    Args:
        calls: all calls of a session in order, as `Client.session` returns them.
        edit: takes a request's body and returns the one to send.
    """
    changes = []
    for number, call in enumerate(calls, start=1):
        edited = edit(copy.deepcopy(call.body))
        if edited is not None and edited != call.body:
            whole = PatchJson(({"op": "replace", "path": "", "value": edited},))
            changes.append(Change(select=Selector(calls=(number,)), edits=(whole,)))
    return Patch(changes=tuple(changes))
