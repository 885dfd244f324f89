"""Patches in the words of Python.

patch(set_model("gpt-4o"), set_parameter("temperature", 0))                 # in every call
patch(change(append_system(" Be brief."), select=Selector(prompt_id="assistant-response")))
"""

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
)


def patch(*changes: Change | Edit) -> Patch:
    """Return a patch of *changes* in order; edits that stand by themselves are made in every call."""
    return Patch(changes=tuple(one if isinstance(one, Change) else change(one) for one in changes))


def change(*edits: Edit, select: Selector | None = None) -> Change:
    """Return *edits* for the calls that *select* selects; all when it is left out."""
    return Change(select=select or Selector(), edits=edits)


def set_model(model: str) -> SetModel:
    """Ask another model."""
    return SetModel(model)


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
