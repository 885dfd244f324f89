"""Patches in words: what a replay changed, one line for each edit."""

from collections.abc import Iterator

import msgspec

from reenact.domain.message import Json
from reenact.domain.patch import (
    AppendSystem,
    Change,
    DropParameter,
    Edit,
    Patch,
    ReplaceText,
    Selector,
    SetModel,
    SetParameter,
    SetSystem,
    UsePrompt,
)


class Line(msgspec.Struct, frozen=True):
    """One edit in words."""

    words: str
    """What is done."""
    value: str
    """The new model, text or value; empty when there is none."""
    scope: str
    """Which calls it is for."""


def patch_lines(patch: Patch) -> tuple[Line, ...]:
    """Return what *patch* changes, in order; empty for the control."""
    return tuple(line for change in patch.changes for line in _lines(change))


def _lines(change: Change) -> Iterator[Line]:
    scope = _scope(change.select)
    for edit in change.edits:
        words, value = _edit(edit)
        yield Line(words, value, scope)


def _edit(edit: Edit) -> tuple[str, str]:
    match edit:
        case SetModel():
            where = " as ".join(name for name in (edit.provider, edit.dialect) if name)
            return "Ask the model", f"{edit.model} at {where}" if where else edit.model
        case SetParameter():
            return f"Set {edit.name} to", _json(edit.value)
        case DropParameter():
            return "Leave out", edit.name
        case SetSystem():
            return "Replace the system prompt by", edit.text
        case AppendSystem():
            return "Append to the system prompt", edit.text
        case ReplaceText():
            where = f" in {edit.role} messages" if edit.role else ""
            return f"Replace {edit.find!r}{where} by", edit.replace
        case UsePrompt():
            which = edit.version or edit.environment
            words = "Use the messages of the prompt" if edit.messages_only else "Use the prompt"
            return words, f"{edit.prompt} {which}" if which else edit.prompt
        case _:
            given = msgspec.to_builtins(edit)
            told = [f"{name.replace('_', ' ')} {_json(value)}" for name, value in given.items() if name != "edit"]
            return given["edit"].replace("_", " ").capitalize(), ", ".join(told)


def _scope(select: Selector) -> str:
    given = msgspec.to_builtins(select)
    chosen = [f"{name.replace('_', ' ')} {_json(value)}" for name, value in given.items() if value is not None]
    return "all calls" if not chosen else "calls with " + ", ".join(chosen)


def _json(value: Json) -> str:
    return msgspec.json.encode(value).decode()
