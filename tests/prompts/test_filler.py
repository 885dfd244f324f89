"""A patch is given the versions that it uses, so that it says all by itself."""

from typing import Any

import pytest

from reenact.domain.patch import Change, Patch, SetModel, UsePrompt
from reenact.domain.version import Version
from reenact.errors import InvalidPatch
from reenact.prompts.filler import Filler
from reenact.prompts.keeper import PromptKeeper


def body(text: str) -> dict[str, Any]:
    """Return a chat request of one text."""
    return {"messages": [{"role": "system", "content": text}]}


def made(keeper: PromptKeeper) -> Version:
    """Keep a prompt and return its first version."""
    return keeper.create("org", "planner", (), body("a"))[1]


def after(keeper: PromptKeeper, version: Version, text: str, use: str | None = None) -> Version:
    """Keep another version and return it."""
    return keeper.update(
        "org", version.prompt_id, version.id, body(text), commit_message="", is_major=False, environment=use
    )


def test_a_patch_is_given_what_it_uses(keeper: PromptKeeper) -> None:
    """The version that is meant, and the others, newest first; other edits, and what has a template, stay as they are."""
    first = made(keeper)
    second, third = after(keeper, first, "b", use="staging"), after(keeper, first, "c")
    template = {"messages": [{"role": "user", "content": "own"}]}
    has_own = UsePrompt(prompt="gone", template=template)
    edits = (SetModel("m"), UsePrompt(prompt="planner", environment="staging"), has_own)

    [change] = Filler(keeper).filled("org", Patch(changes=(Change(edits=edits),))).changes

    assert (edits[0], has_own) == (change.edits[0], change.edits[2])
    assert change.edits[1] == UsePrompt(
        prompt="planner", version=second.number, template=second.body, known=(third.body, first.body)
    )


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (UsePrompt(prompt="gone"), "prompt"),
        (UsePrompt(prompt="planner", version="7.0"), "version"),
        (UsePrompt(prompt="planner", environment="moon"), "environment"),
        (UsePrompt(prompt="planner", version="0.0", environment="production"), "environment"),
    ],
)
def test_what_is_not_there_is_told_with_its_place(keeper: PromptKeeper, edit: UsePrompt, field: str) -> None:
    """In the patch."""
    made(keeper)
    with pytest.raises(InvalidPatch) as told:
        Filler(keeper).filled("org", Patch(changes=(Change(), Change(edits=(edit,)))))

    assert f"changes[1].edits[0].{field}" == told.value.field


def test_a_prompt_of_another_organisation_is_not_there(keeper: PromptKeeper) -> None:
    """Neither by its name nor by its id, nor by a version's id with a prompt of one's own; nor is what it says included."""
    theirs = made(keeper)
    keeper.create("other", "own", (), body(f"{{{{hcp:{theirs.prompt_id}:0}}}}"))
    for edit in (
        UsePrompt(prompt="planner"),
        UsePrompt(prompt=theirs.prompt_id),
        UsePrompt(prompt="own", version=theirs.id),
        UsePrompt(prompt="own"),
    ):
        with pytest.raises(InvalidPatch):
            Filler(keeper).filled("other", Patch(changes=(Change(edits=(edit,)),)))
