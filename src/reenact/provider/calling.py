"""Deciding which tools to call: what the request insists on, else what the user's words ask for."""

import re
from collections.abc import Sequence

import msgspec

from reenact.dialects.wire import inner, text
from reenact.domain.digesting import canonical
from reenact.domain.message import Json, Prompt, Tool, ToolUse
from reenact.provider.choosing import Chooser
from reenact.provider.filling import Filler
from reenact.provider.phrasing import telling_words
from reenact.provider.scripting import new_results, user_text

_PARALLEL = re.compile(r"\b(?:in parallel|both|at the same time|each of)\b", re.IGNORECASE)
_ALIKE = 2


class ToolChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says of calling tools, whatever its format calls it."""

    mode: str = "auto"
    """`auto`, `none` or `required`."""
    name: str | None = None
    """The one tool that must be called."""
    is_parallel: bool = True


def read_choice(prompt: Prompt) -> ToolChoice:
    """Return the choice in OpenAI's (chat, responses), Anthropic's or Gemini's words."""
    given = prompt.parameters.get("tool_choice")
    gemini = prompt.parameters.get("toolConfig") or prompt.parameters.get("tool_config")
    if gemini is not None:
        given = inner(gemini, "functionCallingConfig") or inner(gemini, "function_calling_config")
    parallel = prompt.parameters.get("parallel_tool_calls") is not False
    parallel = parallel and not inner(prompt.parameters, "tool_choice").get("disable_parallel_tool_use")
    name = text(inner(given, "function"), "name") or text(given, "name")
    if name:
        return ToolChoice(mode="required", name=name, is_parallel=parallel)
    word = given if isinstance(given, str) else text(given, "type") or text(given, "mode")
    modes = {"any": "required", "required": "required", "none": "none"}
    return ToolChoice(mode=modes.get(word.lower(), "auto"), is_parallel=parallel)


def choose_calls(prompt: Prompt, seed: str, chooser: Chooser) -> tuple[ToolUse, ...]:
    """Return the tool calls to answer with; none when the answer is a text. Link ids are made of *seed*."""
    choice = read_choice(prompt)
    callable_tools = [tool for tool in prompt.tools if _is_callable(tool)]
    if choice.mode == "none" or not callable_tools:
        return ()
    if choice.name is not None:
        wanted = [tool for tool in callable_tools if tool.name == choice.name]
    elif choice.mode == "required":
        wanted = _asked_for(callable_tools, user_text(prompt)) or [chooser.pick(callable_tools)]
    else:
        wanted = [] if new_results(prompt) else _asked_for(callable_tools, user_text(prompt))
    if not choice.is_parallel:
        wanted = wanted[:1]
    return tuple(
        ToolUse(call_id(seed, at), tool.name, fill_arguments(tool, prompt, chooser)) for at, tool in enumerate(wanted)
    )


def call_id(seed: str, at: int) -> str:
    """Return the link id of the call at place *at*."""
    return f"call_{seed[:20]}{at:04d}"


def fill_arguments(tool: Tool, prompt: Prompt, chooser: Chooser) -> str:
    """Return arguments that the tool's schema allows, as JSON text."""
    return canonical(Filler(_schema(tool), user_text(prompt), chooser).fill()).decode()


def _is_callable(tool: Tool) -> bool:
    """Return whether the agent runs *tool*; those that the provider runs itself are never asked for."""
    origin = tool.origin if isinstance(tool.origin, dict) else {}
    return origin.get("type", "function") in ("function", "custom") and ("function" in origin or "name" in origin)


def _schema(tool: Tool) -> Json:
    return tool.schema if isinstance(tool.schema, dict) and tool.schema else {"type": "object", "properties": {}}


def _asked_for(tools: Sequence[Tool], said: str) -> list[Tool]:
    """Return the tools that the user names, or the one whose words are most like what was said; with "both", all alike."""
    named = [tool for tool in tools if _is_named(tool, said)]
    if named:
        return named
    scored = [(_likeness(tool, telling_words(said)), tool) for tool in tools]
    if _PARALLEL.search(said):
        return [tool for score, tool in scored if score > 0]
    best, tool = max(scored, key=lambda pair: pair[0])
    return [tool] if best >= _ALIKE else []


def _likeness(tool: Tool, said: set[str]) -> int:
    """Return how well *tool* fits what was said: one for each shared word of its description, two for one of its name."""
    name = telling_words(tool.name)
    return 2 * len(said & name) + len(said & telling_words(tool.description) - name)


def _is_named(tool: Tool, said: str) -> bool:
    """Return whether *said* holds the tool's name, as it is or as words."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", tool.name).replace("_", " ").replace("-", " ")
    return any(
        re.search(rf"\b{re.escape(name)}\b", said, re.IGNORECASE) is not None for name in {tool.name, spaced} if name
    )
