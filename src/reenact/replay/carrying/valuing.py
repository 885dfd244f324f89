"""The values of an answer: its text, the fields of its JSON, the arguments of its tool calls, its lines and blocks.

Each value is known by its Place, and reading the same place of another answer gives the value that takes the first one's part.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from reenact.domain.message import Answer, Json, Message

MISSING = msgspec.UNSET
"""There is no such place in an answer."""

_FENCE = re.compile(r"```[\w+-]*[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)
_LABEL = re.compile(r"^\W{0,4}(?P<label>[A-Za-z][\w /-]{0,30}?)\W{0,2}[:=]\W{0,2}[ \t]*(?P<value>\S.*?)[ \t]*$")
_BULLET = re.compile(r"^[ \t]*(?:[-*•]|\d{1,3}[.):])[ \t]+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])")
_MOST_NODES = 400
_MOST_LINES = 200
_CHOICE = re.compile(r"[A-Za-z][\w-]{0,23}(?: [\w-]{1,20})?")


class Place(msgspec.Struct, frozen=True, order=True):
    """Where in an answer a value is."""

    kind: str
    """`text`, `json` (a field of a JSON answer), `tool_use` (a field of arguments), `response_id`, or how a piece is cut:
    `line`, `block`, `label`, `item`, `sentence`, `paragraph`, with `beginning` for a text that was cut at a length."""
    number: int = 0
    """Which of them, counted from 0; the tool call for `tool_use`; characters for `beginning`."""
    steps: tuple[str | int, ...] = ()
    """The way into a JSON value; the label for `label`."""

    def __str__(self) -> str:
        way = "".join(f"/{step}" for step in self.steps)
        return f"{self.kind} {self.number + 1}{way}" if self.kind not in {"text", "json"} else f"{self.kind}{way}"


WHOLE = Place("text")


class Value(msgspec.Struct, frozen=True, eq=False):
    """A value and where it is."""

    place: Place
    value: Json


def values_of(answer: Answer) -> list[Value]:
    """Return the values of *answer* that may stand elsewhere, whole ones before their parts; without pieces of text."""
    found = [Value(Place("response_id"), answer.response_id)] if answer.response_id else []
    if answer.message is None:
        return found
    text = answer.message.text
    if text.strip():
        found.append(Value(WHOLE, text))
        document = document_in(text)
        if document is not MISSING:
            found += [Value(Place("json", 0, steps), value) for steps, value in _nodes(document)]
    for number, use in enumerate(answer.message.tool_uses):
        if use.arguments.strip() not in {"", "{}"}:
            nodes = [((), use.arguments), *_nodes(_read(use.arguments))]
            found += [Value(Place("tool_use", number, steps), value) for steps, value in nodes[:_MOST_NODES]]
    return found


def pieces_of(message: Message) -> list[Value]:
    """Return lines, blocks, list items, labelled values, paragraphs and sentences of what *message* says."""
    text = message.text
    found: list[Value] = []
    for kind, cut in _CUTTERS.items():
        pieces = cut(text)
        if kind == "block" or len(pieces) > 1:
            found += [Value(Place(kind, number), piece) for number, piece in enumerate(pieces[:_MOST_LINES])]
    found += [Value(Place("label", 0, (label,)), value) for label, value in _labelled(text).items()]
    whole = text.strip()
    return [piece for piece in found if piece.value.strip() != whole]


def value_at(answer: Answer, place: Place) -> Json:
    """Return the value at *place* of another answer; MISSING when it has none."""
    if place.kind == "response_id":
        return answer.response_id or MISSING
    message = answer.message
    if message is None:
        return MISSING
    if place.kind == "tool_use":
        uses = message.tool_uses
        return argument_at(uses[place.number].arguments, place.steps) if place.number < len(uses) else MISSING
    text = message.text
    if place.kind == "text":
        return text if text.strip() else MISSING
    if place.kind == "json":
        document = document_in(text)
        return MISSING if document is MISSING else _walk(document, place.steps)
    if place.kind == "label":
        return _labelled(text).get(str(place.steps[0]), MISSING)
    if place.kind == "beginning":
        return text[: place.number]
    pieces = _CUTTERS[place.kind](text)
    return pieces[place.number] if place.number < len(pieces) else MISSING


def argument_at(arguments: str, steps: tuple[str | int, ...]) -> Json:
    """Return the value at *steps* of a tool call's arguments; the text itself for no steps."""
    return _walk(_read(arguments), steps) if steps else arguments


def document_in(text: str) -> Json:
    """Return the JSON object or list that an answer is, in a fence or with words around it too; MISSING when there is none."""
    fence = _FENCE.search(text)
    inside = fence.group(1) if fence else text
    document = _read(inside) if inside.lstrip()[:1] in ("{", "[") else MISSING
    if isinstance(document, dict | list):
        return document
    start = min((at for at in (inside.find("{"), inside.find("[")) if at >= 0), default=-1)
    end = max(inside.rfind("}"), inside.rfind("]"))
    document = _read(inside[start : end + 1]) if 0 <= start < end else MISSING
    return document if isinstance(document, dict | list) else MISSING


def lists_on(answer: Answer, place: Place) -> Iterator[tuple[Place, int]]:
    """Yield the lists that *place* leads through, each with its length in *answer*."""
    if place.kind in _LISTS:
        before = Place(place.kind)
        yield before, length_at(answer, before) or 0
    for depth, step in enumerate(place.steps):
        if isinstance(step, int):
            before = msgspec.structs.replace(place, steps=place.steps[:depth])
            length = length_at(answer, before)
            if length is not None:
                yield before, length


def length_at(answer: Answer, place: Place) -> int | None:
    """Return how many items the list at *place* has; None when there is no list."""
    if place.kind in _LISTS:
        return len(_CUTTERS[place.kind](answer.message.text)) if answer.message else None
    value = value_at(answer, place)
    if not place.steps and place.kind == "tool_use" and isinstance(value, str):
        value = _read(value)
    return len(value) if isinstance(value, list) else None


def item_in(place: Place, listed: Place) -> int | None:
    """Return which item of a list *place* is of; None when it is of none."""
    if place.kind != listed.kind:
        return None
    if listed.kind in _LISTS:
        return place.number
    depth = len(listed.steps)
    if place.number != listed.number or place.steps[:depth] != listed.steps or len(place.steps) <= depth:
        return None
    step = place.steps[depth]
    return step if isinstance(step, int) else None


def with_item(listed: Place, number: int) -> Place:
    """Return the place of an item of a list."""
    if listed.kind in _LISTS:
        return msgspec.structs.replace(listed, number=number)
    return msgspec.structs.replace(listed, steps=(*listed.steps, number))


def is_label(value: Json) -> bool:
    """Return whether a value is a word or two, as the names of choices are."""
    return isinstance(value, str) and _CHOICE.fullmatch(value) is not None


def is_item(place: Place) -> bool:
    """Return whether a place is in some list."""
    return place.kind in _LISTS or any(isinstance(step, int) for step in place.steps)


def _read(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return MISSING


def _nodes(document: Json, steps: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Json]]:
    """Return every value of a JSON document with the way to it, outer ones first; a bounded number of them."""
    if document is MISSING:
        return []
    queue: list[tuple[tuple[str | int, ...], Json]] = [(steps, document)]
    for way, value in queue:
        if len(queue) >= _MOST_NODES:
            break
        children: Any = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        queue += [((*way, key), child) for key, child in children]
    return queue


def _walk(value: Json, steps: tuple[str | int, ...]) -> Json:
    for step in steps:
        fits = isinstance(value, list) if isinstance(step, int) else isinstance(value, dict)
        try:
            value = value[step] if fits else MISSING
        except LookupError:
            return MISSING
        if value is MISSING:
            return MISSING
    return value


def _labelled(text: str) -> dict[str, str]:
    """Return the values of lines such as `Topic: solar power`; labels that come twice are left out."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines()[:_MOST_LINES]:
        match = _LABEL.match(line)
        if match:
            found.setdefault(match["label"], []).append(match["value"])
    return {label: values[0] for label, values in found.items() if len(values) == 1}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _items(text: str) -> list[str]:
    return [_BULLET.sub("", line).strip() for line in text.splitlines() if _BULLET.match(line)]


_CUTTERS: dict[str, Callable[[str], list[str]]] = {
    "block": lambda text: [match.group(1) for match in _FENCE.finditer(text)],
    "item": _items,
    "line": _lines,
    "paragraph": lambda text: [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()],
    "sentence": lambda text: [part.strip() for part in _SENTENCE_END.split(text.strip()) if part.strip()],
}

PIECES = frozenset({*_CUTTERS, "label"})
"""The kinds of place that are cut out of a text."""

_LISTS = frozenset({"block", "item", "line", "paragraph"})
"""Those that an agent may go through one by one."""
