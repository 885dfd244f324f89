"""Tool calls written in words: `Action: weather[Oslo]`, `<tool_call>...</tool_call>`, a JSON object that names a tool.

Frameworks without tool calls of the format's own have the model write what it wants done, cut that out, and give the result
back in a user message. Only whether two turns ask for the same thing is told here, not what it means.
"""

import re

from reenact.replay.carrying.valuing import MISSING, document_in

_LINES = re.compile(
    r"^[ \t*_#]*Action(?: \d+)?[*_]*:[ \t*_]*(.+(?:\n[ \t*_]*Action Input(?: \d+)?[*_]*:.*(?:\n(?!\s*\w+:).*)*)?)",
    re.MULTILINE,
)
_TAGS = re.compile(
    r"<(tool_call|tool_use|function_call|function_calls|invoke|action|execute|execute_\w+|run|command|bash|python)\b[^>]*>.*?</\1>",
    re.DOTALL,
)
_NAMES = ("tool", "tool_name", "action", "function", "function_call", "command")


def prose_action(text: str) -> str | None:
    """Return what a turn asks for in words, spacing made even; None when it asks for nothing."""
    tagged = _TAGS.search(text)
    lined = _LINES.search(text)
    if tagged or lined:
        found = tagged.group(0) if tagged else lined.group(1) if lined else ""
        return " ".join(found.split())
    document = document_in(text) if text.strip()[:1] in "{`" else MISSING
    if isinstance(document, dict) and any(isinstance(document.get(name), str | dict) for name in _NAMES):
        return " ".join(str(sorted(document.items(), key=str)).split())
    return None
