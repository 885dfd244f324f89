"""Options and files say patches; what they say wrong is told with its option or place."""

from pathlib import Path

import pytest

from reenact.cli.patch_options import PatchOptions, read_options
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
    UsePrompt,
)
from reenact.errors import InvalidInput, InvalidPatch


def test_no_options_are_the_control() -> None:
    """Nothing to change."""
    assert Patch() == read_options(PatchOptions())


def test_every_option_is_an_edit_of_one_change() -> None:
    """In a fixed order: set, drop, system, append, replace."""
    options = PatchOptions(
        sets=[
            "model=gpt-4o",
            "temperature=0",
            "stop=null",
            "user=ann",
            'response_format={"type":"json_object"}',
            "a=b=c",
        ],
        drops=["seed"],
        system="Be kind.",
        append_system=" Be brief.",
        replaces=["cat=>dog", "a=>b=>c", "gone=>"],
        path="/debate/*",
        prompt_id="assistant-response",
    )

    edits = (
        SetModel("gpt-4o"),
        SetParameter("temperature", 0),
        SetParameter("stop", None),
        SetParameter("user", "ann"),
        SetParameter("response_format", {"type": "json_object"}),
        SetParameter("a", "b=c"),
        DropParameter("seed"),
        SetSystem("Be kind."),
        AppendSystem(" Be brief."),
        ReplaceText("cat", "dog"),
        ReplaceText("a", "b=>c"),
        ReplaceText("gone", ""),
    )
    select = Selector(path="/debate/*", prompt_id="assistant-response")
    assert Patch(changes=(Change(select=select, edits=edits),)) == read_options(options)


def test_a_model_is_a_name_even_when_it_looks_like_a_number() -> None:
    """It is never read as JSON."""
    assert Patch(changes=(Change(edits=(SetModel("4"),)),)) == read_options(PatchOptions(sets=["model=4"]))


YAML = """
changes:
  - select: {prompt_id: judge}
    edits:
      - {edit: append_system, text: " Be brief."}
"""
JSON = '{"changes": [{"select": {"prompt_id": "judge"}, "edits": [{"edit": "append_system", "text": " Be brief."}]}]}'


@pytest.mark.parametrize(
    ("name", "content"), [("p.yaml", YAML), ("p.yml", YAML), ("p.json", JSON), ("patch", JSON), ("any", YAML)]
)
def test_a_patch_is_read_from_a_file_and_options_come_after_it(tmp_path: Path, name: str, content: str) -> None:
    """By its ending; without one that tells, as JSON where it is some and as YAML where it is not."""
    (tmp_path / name).write_text(content)

    read = read_options(PatchOptions(file=tmp_path / name, sets=["n=2"]))

    judged = Change(select=Selector(prompt_id="judge"), edits=(AppendSystem(" Be brief."),))
    assert Patch(changes=(judged, Change(edits=(SetParameter("n", 2),)))) == read


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (PatchOptions(sets=["temperature"]), "NAME=VALUE"),
        (PatchOptions(sets=["=1"]), "NAME=VALUE"),
        (PatchOptions(replaces=["cat dog"]), "OLD=>NEW"),
        (PatchOptions(replaces=["=>dog"]), "OLD=>NEW"),
        (PatchOptions(prompt_id="judge"), "no edit is given"),
        (PatchOptions(file=Path("no-such-file.json")), "No such file"),
    ],
)
def test_what_is_not_of_its_form_is_refused(options: PatchOptions, message: str) -> None:
    """In a sentence that shows the form."""
    with pytest.raises(InvalidInput, match=message):
        read_options(options)


@pytest.mark.parametrize(
    ("content", "message", "field"),
    [
        ("{", "neither JSON nor YAML", "--patch"),
        ('{"changes": [{"edits": [{"edit": "set_modle"}]}]}', "set_modle", "changes[0].edits[0].edit"),
    ],
)
def test_a_file_that_is_no_patch_is_refused_with_its_place(
    tmp_path: Path, content: str, message: str, field: str
) -> None:
    """The file and the place in it."""
    (tmp_path / "p.json").write_text(content)

    with pytest.raises(InvalidInput, match=message) as caught:
        read_options(PatchOptions(file=tmp_path / "p.json"))

    assert field == caught.value.field
    assert str(tmp_path / "p.json") in caught.value.message
    assert isinstance(caught.value, InvalidPatch) == (field != "--patch")


@pytest.mark.parametrize(
    ("said", "edit"),
    [
        ("planner", UsePrompt(prompt="planner")),
        ("trip planner@2.1", UsePrompt(prompt="trip planner", version="2.1")),
        ("planner@staging", UsePrompt(prompt="planner", environment="staging")),
        ("a@b@1.0", UsePrompt(prompt="a@b", version="1.0")),
        (
            "planner@123e4567-e89b-12d3-a456-426614174000",
            UsePrompt(prompt="planner", version="123e4567-e89b-12d3-a456-426614174000"),
        ),
    ],
)
def test_a_prompt_is_named_with_its_version_or_its_environment(said: str, edit: UsePrompt) -> None:
    """It is the first edit, so that the others change what it says."""
    found = read_options(PatchOptions(prompts=[said], sets=["model=gpt-4o"], prompt_id="plan"))

    assert Patch(changes=(Change(select=Selector(prompt_id="plan"), edits=(edit, SetModel("gpt-4o"))),)) == found


@pytest.mark.parametrize("said", ["", "@2.1", "planner@"])
def test_a_prompt_without_its_name_is_refused(said: str) -> None:
    """As is a version that is not named."""
    with pytest.raises(InvalidInput) as told:
        read_options(PatchOptions(prompts=[said]))

    assert "--use-prompt" == told.value.field
