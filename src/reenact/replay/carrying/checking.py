"""Is a prompt one that a provider takes? Every tool result answers a tool call before it, and every tool call is answered."""

from collections.abc import Sequence

from reenact.domain.message import Message, Prompt, Reasoning, Role, ToolResult, ToolUse


def faults(prompt: Prompt, *, state_held: bool = False) -> list[str]:
    """Return what a provider would refuse *prompt* for, in words; nothing when it is well formed.

    Args:
        prompt: what is to be sent.
        state_held: whether the provider holds a history that tool results may answer.
    """
    found: list[str] = []
    open_ids: dict[str, str] = {}
    for place, message in enumerate(prompt.messages):
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        for result in results:
            if result.id in open_ids:
                del open_ids[result.id]
            elif not state_held:
                found.append(
                    f"messages/{place} gives back a result for {result.id!r}, which nothing before it asks for"
                )
        if open_ids and not results and message.role is not Role.ASSISTANT:
            found += [
                f"messages/{place} comes before the result of {name!r} ({link})" for link, name in open_ids.items()
            ]
            open_ids.clear()
        open_ids |= {part.id: part.name for part in message.parts if isinstance(part, ToolUse)}
    found += [f"the tool call {name!r} ({link}) is not answered" for link, name in open_ids.items()]
    return found


def is_empty(messages: Sequence[Message]) -> bool:
    """Return whether *messages* say nothing but what was thought."""
    return not any(part for message in messages for part in message.parts if not isinstance(part, Reasoning))
