"""The client library: domain values over HTTP. Imports nothing of the server.

with Client() as client:
    replay = client.replay(session_id, patch(append_system(" Be brief.")))
    comparison = client.compare(session_id, replay.takes[0].session_id)
"""

from reenact.client.client import Client, ReplayOptions
from reenact.client.edits import (
    append_system,
    change,
    drop_message,
    drop_parameter,
    drop_tool,
    edit_bodies,
    fault,
    insert_message,
    patch,
    patch_json,
    replace_message,
    replace_pattern,
    replace_text,
    set_at,
    set_model,
    set_parameter,
    set_system,
    set_tool,
    set_tool_result,
    use_prompt,
)
from reenact.client.rows import NamedPrompt, PromptVersion, Request, Session
from reenact.client.steering import variables_for
from reenact.domain.batch import Batch
from reenact.domain.patch import Patch, Selector
from reenact.domain.playback import Driver, Fork, Matching, OnMiss, Playback
from reenact.domain.replay import Budget, Mode, Rate

__all__ = [
    "Batch",
    "Budget",
    "Client",
    "Driver",
    "Fork",
    "Matching",
    "Mode",
    "NamedPrompt",
    "OnMiss",
    "Patch",
    "Playback",
    "PromptVersion",
    "Rate",
    "ReplayOptions",
    "Request",
    "Selector",
    "Session",
    "append_system",
    "change",
    "drop_message",
    "drop_parameter",
    "drop_tool",
    "edit_bodies",
    "fault",
    "insert_message",
    "patch",
    "patch_json",
    "replace_message",
    "replace_pattern",
    "replace_text",
    "set_at",
    "set_model",
    "set_parameter",
    "set_system",
    "set_tool",
    "set_tool_result",
    "use_prompt",
    "variables_for",
]
