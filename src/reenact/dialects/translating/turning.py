"""Turns: the messages of a prompt in one form, whichever format they come from, and in the form that another one wants.

In a turn of the assistant thoughts come first, then words, then tool calls; results of tools stand in turns of their own, all
that answer one turn together; system texts that follow one another are one turn.
"""

import itertools
import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from reenact.dialects.gemini_content import link_id
from reenact.domain.digesting import canonical
from reenact.domain.message import Message, Part, Reasoning, Role, Text, ToolResult, ToolUse

_LINK = re.compile(r"[A-Za-z0-9_-]{1,40}\Z")
"""Link ids that every format takes that has some (OpenAI's chat: 40 characters at most; Anthropic: these letters)."""
_TOGETHER = frozenset({Role.SYSTEM, Role.ASSISTANT, Role.TOOL})
_ORDER: dict[type, int] = {Reasoning: 0, ToolUse: 2}


def turns(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Return *messages* as turns, none of which has a wire object."""
    found: list[Message] = []
    for role, said in _pieces(messages):
        is_more = bool(found) and role in _TOGETHER and found[-1].role is role
        parts = (*found.pop().parts, *said) if is_more else said
        if role is Role.ASSISTANT:
            parts = tuple(sorted(parts, key=lambda part: _ORDER.get(type(part), 1)))
        found.append(Message(role=role, parts=parts))
    return tuple(found)


def _pieces(messages: Iterable[Message]) -> Iterator[tuple[Role, tuple[Part, ...]]]:
    """Yield what is said, tool results apart, empty texts left out."""
    for message in messages:
        parts = [part for part in message.parts if not (isinstance(part, Text) and not part.text)]
        results = tuple(part for part in parts if isinstance(part, ToolResult))
        others = tuple(part for part in parts if not isinstance(part, ToolResult))
        if results:
            yield Role.TOOL, results
        if others:
            yield (Role.USER if message.role is Role.TOOL else message.role), others


def linked(messages: Sequence[Message], *, by_name: bool, keep: bool = True) -> tuple[Message, ...]:
    """Return turns whose tool calls have link ids that the format takes, each once, and whose results name them.

    Args:
        messages: turns.
        by_name: whether the format links by the function's name and the order, as Gemini's.
        keep: whether the ids were given by the provider, and not made up of names.
    """
    taken = {use.id for message in messages for use in message.tool_uses if keep}
    given: set[str] = set()
    waiting: dict[str, deque[str]] = defaultdict(deque)
    fresh = (link for number in itertools.count(1) if (link := f"call_{number}") not in taken)
    return tuple(_relinked(message, by_name, keep, given, waiting, fresh) for message in messages)


def _relinked(
    message: Message, by_name: bool, keep: bool, given: set[str], waiting: dict[str, deque[str]], fresh: Iterator[str]
) -> Message:
    names: Counter[str] = Counter()
    parts: list[Part] = []
    for part in message.parts:
        if isinstance(part, ToolUse):
            names[part.name] += 1
            is_good = keep and _LINK.match(part.id) is not None and part.id not in given
            new = link_id(part.name, names[part.name]) if by_name else part.id if is_good else next(fresh)
            given.add(new)
            waiting[part.id].append(new)
            parts.append(msgspec.structs.replace(part, id=new))
        elif isinstance(part, ToolResult):
            known = waiting.get(part.id)
            parts.append(msgspec.structs.replace(part, id=known.popleft()) if known else part)
        else:
            parts.append(part)
    return msgspec.structs.replace(message, parts=tuple(parts))


def wrapped(result: ToolResult) -> ToolResult:
    """Return a result as Gemini takes it, an object: the one that its text is, else one around its text."""
    if result.is_error:
        return msgspec.structs.replace(result, text=canonical({"error": result.text}).decode(), is_error=False)
    value = _object_in(result.text)
    is_plain = value is not None and _unwrapped(value) is None and canonical(value).decode() == result.text
    return result if is_plain else msgspec.structs.replace(result, text=canonical({"result": result.text}).decode())


def unwrapped(result: ToolResult) -> ToolResult:
    """Return what a result of Gemini says: the text in an object of nothing else (ai.google.dev, FunctionResponse, 2026-11)."""
    value = _object_in(result.text)
    found = _unwrapped(value) if value is not None else None
    return result if found is None else ToolResult(result.id, found[1], is_error=found[0] == "error")


def _object_in(text: str) -> dict[str, object] | None:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return value if isinstance(value, dict) else None


def _unwrapped(value: dict[str, object]) -> tuple[str, str] | None:
    if len(value) != 1:
        return None
    ((key, said),) = value.items()
    return (key, said) if key in ("result", "output", "error") and isinstance(said, str) else None
