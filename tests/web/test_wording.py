"""Patches in words."""

from reenact.domain.patch import (
    AppendSystem,
    Change,
    DropParameter,
    Patch,
    ReplaceText,
    Selector,
    SetModel,
    SetParameter,
    SetSystem,
    SetToolResult,
    UsePrompt,
)  # fmt: skip
from reenact.web.wording import Line, patch_lines


def test_every_edit_has_words() -> None:
    """One line each, with its scope."""
    edits = (
        SetModel(model="gpt-4o"),
        SetParameter(name="temperature", value=0.2),
        DropParameter(name="seed"),
        SetSystem(text="You are."),
        AppendSystem(text=" Be brief."),
        ReplaceText(find="a", replace="b", role="user"),
        SetToolResult(tool="find", text="nothing"),
        UsePrompt(prompt="planner", version="2.1", template={"messages": []}),
        UsePrompt(prompt="planner", messages_only=True),
    )
    patch = Patch(
        changes=(Change(edits=edits), Change(select=Selector(path="/a/*", calls=(1, 2)), edits=(SetModel(model="x"),)))
    )

    assert patch_lines(patch) == (
        Line("Ask the model", "gpt-4o", "all calls"),
        Line("Set temperature to", "0.2", "all calls"),
        Line("Leave out", "seed", "all calls"),
        Line("Replace the system prompt by", "You are.", "all calls"),
        Line("Append to the system prompt", " Be brief.", "all calls"),
        Line("Replace 'a' in user messages by", "b", "all calls"),
        Line("Set tool result", 'tool "find", text "nothing", is error false', "all calls"),
        Line("Use the prompt", "planner 2.1", "all calls"),
        Line("Use the messages of the prompt", "planner", "all calls"),
        Line("Ask the model", "x", 'calls with path "/a/*", calls [1,2]'),
    )


def test_a_control_has_no_lines() -> None:
    """Nothing is changed."""
    assert patch_lines(Patch()) == ()
