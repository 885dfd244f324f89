"""Make the prompt that has a model play a tool."""

from collections.abc import Sequence

from reenact.domain.message import Message, Prompt, Role, Text, ToolUse
from reenact.domain.policy import Simulate


def simulation(recorded: Prompt, history: Sequence[Message], use: ToolUse, policy: Simulate) -> Prompt:
    """Return the prompt that asks a model to play a tool."""
    tool = next((one for one in recorded.tools if one.name == use.name), None)
    about = f"\n\nWhat the tool does: {tool.description}" if tool and tool.description else ""
    instruction = f"\n\n{policy.instruction}" if policy.instruction else ""
    task = (
        f"You play the tool {use.name!r} of an agent. Answer with nothing but what the tool would give back."
        f"{about}{instruction}\n\nThe arguments of the call, as JSON: {use.arguments}"
    )
    context = [message for message in history if message.role is Role.USER][-1:]
    said = "".join(f"\n\nThe agent's user said: {message.text}" for message in context if message.text)
    return Prompt(
        dialect=recorded.dialect,
        model=policy.model or recorded.model,
        messages=(Message(role=Role.USER, parts=(Text(task + said),)),),
    )
