"""The words of Python say the same as the data."""

import msgspec

from reenact.client import (
    append_system,
    change,
    drop_message,
    drop_parameter,
    drop_tool,
    insert_message,
    patch,
    patch_json,
    replace_message,
    replace_text,
    set_at,
    set_model,
    set_parameter,
    set_system,
    set_tool,
    set_tool_result,
    use_prompt,
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
                        {"edit": "insert_message", "role": "user", "text": "x", "before": -1},
                        {"edit": "replace_message", "message": 1, "text": "y"},
                        {"edit": "drop_message", "message": 2},
                        {"edit": "set_tool_result", "tool": "find", "text": "none", "is_error": True},
                        {"edit": "set_tool", "name": "find", "description": "New.", "schema": {"type": "object"}},
                        {"edit": "drop_tool", "name": "book"},
                        {"edit": "patch_json", "operations": [{"op": "remove", "path": "/seed"}]},
                        {"edit": "set_at", "path": "$.n", "value": 1},
                    ],
                },
            ]
        }
    )

    judged = change(
        set_system("Judge."),
        append_system(" Fairly."),
        replace_text("a", "b", role="user"),
        insert_message("user", "x", before=-1),
        replace_message(1, "y"),
        drop_message(2),
        set_tool_result("find", "none", is_error=True),
        set_tool("find", description="New.", schema={"type": "object"}),
        drop_tool("book"),
        patch_json({"op": "remove", "path": "/seed"}),
        set_at("$.n", 1),
        select=Selector(prompt_id="judge"),
    )
    assert expected == patch(set_model("gpt-4o"), set_parameter("temperature", 0), drop_parameter("seed"), judged)


def test_no_change_is_the_control() -> None:
    """The empty patch."""
    assert Patch() == patch()


def test_using_a_prompt_says_no_more_than_was_said() -> None:
    """What the server looks up is not there yet."""
    said = {"edit": "use_prompt", "prompt": "planner", "environment": "staging", "inputs": {"days": 3}}
    more = {"edit": "use_prompt", "prompt": "planner", "version": "2.1", "messages_only": True}

    made = patch(
        use_prompt("planner", environment="staging", inputs={"days": 3}),
        use_prompt("planner", version="2.1", messages_only=True),
    )

    assert made == read_patch({"changes": [{"edits": [said]}, {"edits": [more]}]})
    assert [said, more] == [msgspec.to_builtins(change.edits[0]) for change in made.changes]
