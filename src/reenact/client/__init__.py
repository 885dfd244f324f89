"""The client library: domain values over HTTP. Imports nothing of the server.

with Client() as client:
    replay = client.replay(session_id, patch(append_system(" Be brief.")))
    comparison = client.compare(session_id, replay.takes[0].session_id)
"""

from reenact.client.client import Client, ReplayOptions
from reenact.client.edits import (
    append_system,
    change,
    drop_parameter,
    patch,
    replace_text,
    set_model,
    set_parameter,
    set_system,
)
from reenact.client.rows import Request, Session
from reenact.domain.patch import Patch, Selector

__all__ = [
    "Client",
    "Patch",
    "ReplayOptions",
    "Request",
    "Selector",
    "Session",
    "append_system",
    "change",
    "drop_parameter",
    "patch",
    "replace_text",
    "set_model",
    "set_parameter",
    "set_system",
]
