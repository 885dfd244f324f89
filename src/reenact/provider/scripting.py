"""Reading a script, and finding the rule for a request."""

from fnmatch import fnmatchcase

import msgspec

from reenact.domain.message import Message, Prompt, Role, ToolResult
from reenact.errors import InvalidInput
from reenact.provider.faulting import read_fault
from reenact.provider.script import Match, Rule, Script


def read_script(content: bytes) -> Script:
    """Return the script in *content*, YAML or JSON (which is YAML too).

    Raises:
        InvalidInput: it does not parse, or names an unknown field or fault; the message says where.
    """
    try:
        script = msgspec.yaml.decode(content, type=Script)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"The script cannot be read: {error}", "script") from error
    for rule in script.rules:
        read_fault(rule.fault or "")
    return script


def find_rule(script: Script, prompt: Prompt) -> Rule | None:
    """Return the first rule that matches."""
    return next((rule for rule in script.rules if _matches(rule.match, prompt)), None)


def system_text(prompt: Prompt) -> str:
    """Return the system messages, one a line."""
    return "\n".join(message.text for message in prompt.messages if message.role is Role.SYSTEM)


def user_text(prompt: Prompt) -> str:
    """Return the newest user message that says something; empty when there is none."""
    spoken = (message.text for message in reversed(prompt.messages) if message.role is Role.USER)
    return next((text for text in spoken if text), "")


def new_results(prompt: Prompt) -> tuple[ToolResult, ...]:
    """Return the tool results of the newest turn: those after the last thing the assistant said, when nothing follows them."""
    results: list[ToolResult] = []
    for message in reversed(prompt.messages):
        if not _gives_results(message):
            break
        results = [*(part for part in message.parts if isinstance(part, ToolResult)), *results]
    return tuple(results)


def _gives_results(message: Message) -> bool:
    return any(isinstance(part, ToolResult) for part in message.parts)


def _matches(match: Match, prompt: Prompt) -> bool:
    return (
        fnmatchcase(prompt.model or "", match.model)
        and (match.system is None or match.system.lower() in system_text(prompt).lower())
        and (match.user is None or match.user.lower() in user_text(prompt).lower())
        and (match.after_tool is None or match.after_tool == bool(new_results(prompt)))
    )
