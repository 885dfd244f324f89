"""The words of Python say the same as the data."""

from reenact.client import (
    append_system,
    change,
    drop_parameter,
    patch,
    replace_text,
    set_model,
    set_parameter,
    set_system,
)
from reenact.domain.patch import Patch, Selector
from reenact.replay.patching import read_patch


def test_patches_in_python_are_the_patches_of_json() -> None:
    """Each edit by its word; edits that stand by themselves select every call."""
    expected = read_patch(
        {
            "changes": [
                {"edits": [{"edit": "set_model", "model": "gpt-4o"}]},
                {"edits": [{"edit": "set_parameter", "name": "temperature", "value": 0}]},
                {"edits": [{"edit": "drop_parameter", "name": "seed"}]},
                {
                    "select": {"prompt_id": "judge"},
                    "edits": [
                        {"edit": "set_system", "text": "Judge."},
                        {"edit": "append_system", "text": " Fairly."},
                        {"edit": "replace_text", "find": "a", "replace": "b", "role": "user"},
                    ],
                },
            ]
        }
    )

    judged = change(
        set_system("Judge."),
        append_system(" Fairly."),
        replace_text("a", "b", role="user"),
        select=Selector(prompt_id="judge"),
    )
    assert expected == patch(set_model("gpt-4o"), set_parameter("temperature", 0), drop_parameter("seed"), judged)


def test_no_change_is_the_control() -> None:
    """The empty patch."""
    assert Patch() == patch()
