"""Write a new answer into a request as the agent wrote the recorded one: what it kept, dropped, trimmed and spaced anew."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from reenact.dialects.gemini_content import link_id
from reenact.domain.message import Json, Message, Part, Reasoning, Text, ToolUse
from reenact.replay.carrying.matching import canonical_arguments
from reenact.replay.differing import same as is_same

Shape = tuple[str, str, bool, bool]
"""A dialect, the family of the call that answered, whether a turn says something, and whether it asks for tools."""


class Echo(msgspec.Struct, frozen=True, eq=False):
    """An answer, and how the agent wrote it into a later request."""

    answer: Message
    written: tuple[Message, ...]


Echoes = Mapping[Shape, Echo]
"""An example of each shape that the session has."""


def is_copied_whole(example: Echo) -> bool:
    """Return whether the agent wrote the answer's own object back: it has more in it than agents write themselves."""
    wires = [message.origin for message in example.written]
    return (
        len(wires) != 1
        or not isinstance(wires[0], dict)
        or bool(set(wires[0]) - _WRITTEN_BY_HAND)
        or not isinstance(wires[0].get("content"), str)
    )


_WRITTEN_BY_HAND = frozenset({"role", "content", "tool_calls", "name"})


def shape_of(dialect: str, family: str, message: Message) -> Shape:
    """Return the shape of a turn."""
    return dialect, family, bool(message.text.strip()), bool(message.tool_uses)


def example_for(shape: Shape, echoes: Echoes) -> Echo | None:
    """Return how the session writes a turn of this shape: of the same family, else another shape of it, else of any family."""
    dialect, family, *kind = shape
    others = [
        (
            (one[1] == family, list(one[2:]) == kind),
            example,
        )
        for one, example in echoes.items()
        if one[0] == dialect
    ]
    return max(others, key=lambda one: one[0], default=(None, None))[1]


def echo(shape: Shape, example: Echo, new: Message, echoes: Echoes) -> tuple[Message, ...]:
    """Return *new*, an answer, as the agent would write it: like *example*, or like the session's own turn of its shape."""
    if new.parts == example.answer.parts:
        return example.written
    if shape_of(*shape[:2], example.answer) != shape:
        same_kind = echoes.get(shape)
        example = same_kind or example
    rewired = _rewired(example, new)
    if rewired is not None:
        return rewired
    parts = tuple(_parts(example, new))
    if len(example.written) == 1:
        return (msgspec.structs.replace(example.written[0], parts=parts),)
    return tuple(_spread(example.written, parts))


def _parts(example: Echo, new: Message) -> Iterator[Part]:
    written = [part for message in example.written for part in message.parts]
    text = _text_rule(example.answer.text, "".join(part.text for part in written if isinstance(part, Text)))
    arguments = _arguments_rule(example.answer.tool_uses, [part for part in written if isinstance(part, ToolUse)])
    link = _link_rule(example.answer.tool_uses, [part for part in written if isinstance(part, ToolUse)])
    keeps_reasoning = any(isinstance(part, Reasoning) for part in written)
    had_reasoning = any(isinstance(part, Reasoning) for part in example.answer.parts)
    for part in new.parts:
        if isinstance(part, Text):
            yield msgspec.structs.replace(part, text=text(part.text))
        elif isinstance(part, ToolUse):
            yield msgspec.structs.replace(part, id=link(part), arguments=arguments(part.arguments))
        elif not isinstance(part, Reasoning) or keeps_reasoning or (part.signature and not had_reasoning):
            yield part


def _spread(written: Sequence[Message], parts: Sequence[Part]) -> Iterator[Message]:
    """Yield one message for each part, each put into the message that a part of its kind was written in."""
    for part in parts:
        form = next((m for m in written if any(type(one) is type(part) for one in m.parts)), None)
        yield (
            msgspec.structs.replace(form, parts=(part,))
            if form is not None
            else msgspec.structs.replace(written[0], parts=(part,), origin=None)
        )


def _text_rule(answered: str, written: str) -> Callable[[str], str]:
    if written == answered:
        return lambda text: text
    if written == answered.strip() + "\n":
        return lambda text: text.strip() + "\n"
    if written == answered.strip():
        return str.strip
    return str.rstrip if written == answered.rstrip() else lambda text: text


def _arguments_rule(answered: Sequence[ToolUse], written: Sequence[ToolUse]) -> Callable[[str], str]:
    """Return how the agent spaces arguments, told by the first call whose arguments it wrote in another way."""
    for before, after in zip(answered, written, strict=False):
        if before.arguments == after.arguments or canonical_arguments(before.arguments) != canonical_arguments(
            after.arguments
        ):
            continue
        for write in _WRITERS:
            if write(before.arguments) == after.arguments:
                return write
    return lambda arguments: arguments


def _link_rule(answered: Sequence[ToolUse], written: Sequence[ToolUse]) -> Callable[[ToolUse], str]:
    """Return which link ids an agent writes: the answer's, or none where the format can do without and it leaves them out."""
    seen: Counter[str] = Counter()

    def made(use: ToolUse) -> str:
        seen[use.name] += 1
        return link_id(use.name, seen[use.name])

    ids = [use.id for use in written]
    leaves_out = bool(ids) and ids != [use.id for use in answered] and ids == [made(use) for use in answered]
    seen.clear()
    return made if leaves_out else lambda use: use.id


def _writer(**how: object) -> Callable[[str], str]:
    def write(arguments: str) -> str:
        try:
            return json.dumps(json.loads(arguments or "{}"), **how)  # type: ignore[arg-type]
        except ValueError:
            return arguments

    return write


_WRITERS = (
    _writer(),
    _writer(ensure_ascii=False),
    _writer(separators=(",", ":")),
    _writer(separators=(",", ":"), ensure_ascii=False),
    _writer(sort_keys=True),
    _writer(sort_keys=True, separators=(",", ":")),
    _writer(indent=2),
)


# --- whole wire objects ------------------------------------------------------------------------------------------------


def _rewired(example: Echo, new: Message) -> tuple[Message, ...] | None:
    """Return *new* in the agent's wire form where that can be told key by key; None where it cannot.

    An agent that writes answers back whole, or without some fields (such as `refusal: null`), does so with the next one too.
    """
    answered = example.answer.origin
    written = [message.origin for message in example.written]
    if written in (answered, [answered]):
        return (new,)
    fresh = new.origin
    if len(written) != 1 or not all(isinstance(one, dict) for one in (answered, written[0], fresh)):
        return None
    wire = written[0]
    if any(key in answered and not is_same(answered[key], value) for key, value in wire.items()):
        return None
    added = {key: value for key, value in wire.items() if key not in answered}
    if any(key in fresh for key in added):
        return None
    kept = {key: value for key, value in fresh.items() if _is_kept(key, value, answered, wire)}
    order = [*(key for key in wire if key in kept or key in added), *(key for key in kept if key not in wire)]
    return (
        msgspec.structs.replace(new, origin={key: (kept | added)[key] for key in order}, name=example.written[0].name),
    )


def _is_kept(key: str, value: Json, answered: Mapping[str, Json], wire: Mapping[str, Json]) -> bool:
    """Return whether an agent that wrote *answered* as *wire* keeps a field; a new one is kept when it says something."""
    if key in answered:
        if key in wire or not _says_nothing(answered[key]):
            return key in wire
        return not _says_nothing(value)
    return value is not None


def _says_nothing(value: Json) -> bool:
    return value is None or value in ("", [], {})
