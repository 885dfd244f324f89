"""Set the fields of a request as a version of a prompt says them: parameters, tools, and what it says of the answer.

What an older version had set and the new one does not is left out, since the agent would not send it. Whether an answer is
streamed is for whoever reads it to say, and stays.
"""

from collections.abc import Mapping

import msgspec

from reenact.dialects.translating.translation import translated
from reenact.domain.message import Json, Lost, Message, Prompt, Role, Text, Tool
from reenact.errors import InvalidInput, InvalidPatch

Path = tuple[str, ...]

_STREAMING = frozenset({"stream_options"})
_LIMITS = frozenset({"max_tokens", "max_completion_tokens"})
"""Two words of OpenAI's chat format for one thing; a request may have one of them."""
_ASKER = (Message(role=Role.USER, parts=(Text("?"),)),)


class _Fields(msgspec.Struct, frozen=True, kw_only=True):
    """What a version says beside its messages, in the words of some format."""

    parameters: Mapping[Path, Json] = {}
    tools: tuple[Tool, ...] = ()
    lost: tuple[Lost, ...] = ()


def fitted(prompt: Prompt, version: Prompt, older: Prompt | None, provider: str) -> Prompt:
    """Return *prompt* with the fields of *version* set and those taken away that only *older* had set.

    Args:
        prompt: of any format.
        version: filled in, of OpenAI's chat format.
        older: the version that *prompt* was made with; None where that is not known.
        provider: whom it will be asked of.

    Raises:
        InvalidPatch: the format has no word for something without which the answer would be another; `field` is `prompt`.
    """
    new = _fields(version, prompt.dialect, provider)
    old = _Fields() if older is None else _fields(older, prompt.dialect, provider)
    parameters = dict(prompt.parameters)
    for path, value in old.parameters.items():
        if path not in new.parameters and _at(parameters, path) == value:
            _drop(parameters, path)
    for path, value in new.parameters.items():
        if path[-1] in _LIMITS and prompt.dialect == "openai_chat":
            parameters = {name: one for name, one in parameters.items() if name not in _LIMITS}
        _set(parameters, path, value)
    said = version.parameters.keys() | (_LIMITS if _LIMITS & version.parameters.keys() else set())
    lost = tuple(one for one in prompt.lost if one.path.removeprefix("/") not in said)  # the version says it now
    tools = _tools(prompt.tools, old.tools, new.tools)
    return msgspec.structs.replace(prompt, parameters=parameters, tools=tools, lost=(*lost, *new.lost))


def _fields(version: Prompt, dialect: str, provider: str) -> _Fields:
    said = {name: value for name, value in version.parameters.items() if name not in _STREAMING}
    if dialect == version.dialect:
        return _Fields(parameters={(name,): value for name, value in said.items()}, tools=version.tools)
    whole = msgspec.structs.replace(version, messages=_ASKER, parameters=said, stream=False)
    try:
        new = translated(whole, dialect, "", provider=provider)
        plain = translated(msgspec.structs.replace(whole, parameters={}, tools=()), dialect, "", provider=provider)
    except InvalidInput as error:
        message = f"{error.message.rstrip('.')}; with messages_only the fields of the version are left out."
        raise InvalidPatch(message, "prompt") from error
    usual = {} if _LIMITS & said.keys() else _paths(plain.parameters)
    parameters = {path: value for path, value in _paths(new.parameters).items() if usual.get(path) != value}
    lost = (Lost(one.path, f"of the version: {one.why}") for one in new.lost if one not in plain.lost)
    return _Fields(parameters=parameters, tools=new.tools, lost=tuple(lost))


def _tools(had: tuple[Tool, ...], old: tuple[Tool, ...], new: tuple[Tool, ...]) -> tuple[Tool, ...]:
    """Return the tools of a call: its own, those of the new version in place of those of their names and of the older one's."""
    named = {tool.name: tool for tool in new}
    gone = {tool.name for tool in old} - named.keys()
    kept = [named.get(tool.name, tool) for tool in had if tool.name not in gone]
    there = {tool.name for tool in kept}
    return (*kept, *(tool for tool in new if tool.name not in there))


def _paths(parameters: Mapping[str, Json]) -> dict[Path, Json]:
    """Return parameters by path; formats group some of them in objects."""
    found: dict[Path, Json] = {}
    for name, value in parameters.items():
        if isinstance(value, dict):
            found |= {(name, key): one for key, one in value.items()}
        else:
            found[name,] = value
    return found


def _at(parameters: Mapping[str, Json], path: Path) -> Json:
    value: Json = parameters
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _set(parameters: dict[str, Json], path: Path, value: Json) -> None:
    name, *rest = path
    if rest:
        group = parameters.get(name)
        value = {**(group if isinstance(group, dict) else {}), rest[0]: value}
    parameters[name] = value


def _drop(parameters: dict[str, Json], path: Path) -> None:
    name, *rest = path
    if rest:
        parameters[name] = {key: value for key, value in parameters[name].items() if key != rest[0]}
    if not rest or not parameters[name]:
        del parameters[name]
