"""What every client program starts from and ends with: where the gateway is, what to ask, and telling what came of it."""

import json
import os
import sys
from typing import Any

GATEWAY = os.environ["GATEWAY"]
"""The server's origin."""
HEADERS = {"Helicone-Session-Id": os.environ["SESSION_ID"], "Helicone-Session-Name": "client"}
KEY = "sk-client"
CHAT = "Say in one sentence what the sea is."
STREAM = "Say in two sentences what a river is."
TOOLS = "Call get_weather for Paris."
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = "It is 21 degrees and sunny."


def call(text: str, usage: tuple[int, int] | None, tools: list[tuple[str, Any]] | None = None) -> dict[str, Any]:
    """Return one HTTP call as its client saw it: what was said, tokens in and out, tools asked for with arguments."""
    return {"text": text, "usage": usage, "tools": tools or []}


def tell(*calls: dict[str, Any]) -> None:
    """Print the calls in the order they were made."""
    json.dump(calls, sys.stdout)
