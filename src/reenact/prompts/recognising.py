"""Recognise messages that were made from a template, and find what stands in place of its variables.

By looking for the literal texts alone, first from the front and then from the back: where both come to the same places there is
one way to explain the text, and where they do not, that is told. Linear in the texts.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from reenact.domain.message import Message, Part, Role, Text
from reenact.prompts.rendering import Inputs, as_text, is_of_kind, put_together
from reenact.prompts.wording import Wording


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a template."""

    role: Role
    parts: tuple[Wording | Part, ...]
    """A Wording for each text; anything else has to stand as it is."""


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that a prompt may have been made with, in order; others may stand between them."""

    shapes: tuple[Shape, ...]
    places: tuple[int, ...] = ()
    """Where they stood in a prompt of `length` messages when it was recorded; empty where no record tells."""
    length: int = 0

    @property
    def weight(self) -> tuple[int, int]:
        """How much of a prompt it explains where it fits: characters and messages."""
        wordings = [part for shape in self.shapes for part in shape.parts if isinstance(part, Wording)]
        return sum(one.literal_length for one in wordings), len(self.shapes)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a text says in place of the variables of its template."""

    values: dict[str, str] = {}
    unsure: frozenset[str] = frozenset()
    """The variables that could stand for several texts."""


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """Where the messages of a template stand in a prompt."""

    places: tuple[int, ...]
    found: tuple[Found, ...]
    """What each of them says."""

    @property
    def said(self) -> Found:
        """What all of them say."""
        told = together(self.found)
        assert told is not None, "they say one thing of each variable"
        return told


class Ambiguous(msgspec.Struct, frozen=True, kw_only=True):
    """A template that fits in several ways: the first places where it does, and the last."""

    first: tuple[int, ...]
    last: tuple[int, ...]

    @property
    def unsure(self) -> frozenset[int]:
        """Which of its messages may stand at several places."""
        pairs = zip(self.first, self.last, strict=True)
        return frozenset(number for number, (first, last) in enumerate(pairs) if first != last)


def located(template: Template, messages: Sequence[Message], inputs: Inputs) -> Located | Ambiguous | None:
    """Return where *template* stands in *messages*; None where it does not.

    Args:
        template: of one message at least.
        messages: of a prompt.
        inputs: values that are known beforehand: of several places those are meant where they stand.
    """
    fits = _fits(template.shapes, messages)
    places = _recorded_places(template, fits) or _places(fits)
    if isinstance(places, Ambiguous) and inputs:
        exact = _places(_fits([_with(shape, inputs) for shape in template.shapes], messages))
        places = places if exact is None else exact
    if not isinstance(places, tuple):
        return places
    found = tuple(one for row, place in zip(fits, places, strict=True) if (one := row[place]) is not None)
    return None if together(found) is None else Located(places=places, found=found)


def is_alike(one: Shape, other: Shape) -> bool:
    """Return whether two messages of templates say the same and leave the same open, however that is marked."""
    if one.role is not other.role or len(one.parts) != len(other.parts):
        return False
    return all(
        (part.literals, _names(part)) == (same.literals, _names(same))
        if isinstance(part, Wording) and isinstance(same, Wording)
        else part == same
        for part, same in zip(one.parts, other.parts, strict=True)
    )


def names_in(shape: Shape) -> frozenset[str]:
    """Return the names of the variables of a message."""
    return frozenset(name for part in shape.parts if isinstance(part, Wording) for name in _names(part))


def _names(wording: Wording) -> list[str]:
    return [variable.name for variable in wording.variables]


def _fits(shapes: Sequence[Shape], messages: Sequence[Message]) -> list[list[Found | None]]:
    """Return what each message says in place of the variables of each shape; nothing at all once one fits none."""
    rows: list[list[Found | None]] = []
    for shape in shapes:
        row = [recognised(shape, message) for message in messages]
        rows.append(row)
        if not any(row):
            break
    return rows


def recognised(shape: Shape, message: Message) -> Found | None:
    """Return what *message* says in place of the variables of *shape*; None when it was not made from it."""
    if shape.role is not message.role or len(shape.parts) != len(message.parts):
        return None
    found: list[Found] = []
    for part, said in zip(shape.parts, message.parts, strict=True):
        if isinstance(part, Wording):
            one = read_back(part, said.text) if isinstance(said, Text) else None
            if one is None:
                return None
            found.append(one)
        elif part != said:
            return None
    return together(found)


def read_back(wording: Wording, text: str) -> Found | None:
    """Return what *text* says in place of the variables of *wording*; None when it was not made from it."""
    literals = wording.literals
    if not wording.variables:
        return Found() if text == literals[0] else None
    begin, end = len(literals[0]), len(text) - len(literals[-1])
    if begin > end or not text.startswith(literals[0]) or not text.endswith(literals[-1]):
        return None
    first = _from_front(literals[1:-1], text, begin, end)
    if first is None:
        return None
    last = _from_back(literals[1:-1], text, begin, end)
    edges = [(0, True), *((place, place == late) for place, late in zip(first, last, strict=True)), (end, True)]
    found: list[Found] = []
    for variable, literal, ((left, is_left_sure), (right, is_right_sure)) in zip(
        wording.variables, literals[:-1], pairwise(edges), strict=True
    ):
        value = text[left + len(literal) : right]
        if not (is_left_sure and is_right_sure):
            found.append(Found(unsure=frozenset({variable.name})))
        elif not is_of_kind(value, variable.kind):
            return None
        else:
            found.append(Found(values={variable.name: value}))
    told = together(found)
    return None if told is None else _proven(told, wording, text)


def together(found: Sequence[Found]) -> Found | None:
    """Return what all of *found* say; None when two say different things of one variable."""
    values: dict[str, str] = {}
    for one in found:
        for name, value in one.values.items():
            if values.setdefault(name, value) != value:
                return None
    unsure = frozenset().union(*(one.unsure for one in found)) - values.keys()
    return Found(values=values, unsure=unsure)


def _proven(found: Found, wording: Wording, text: str) -> Found | None:
    """Return *found* when the text comes out of it again, as far as it is sure."""
    return found if found.unsure or put_together(wording, found.values) == text else None


def _from_front(literals: Sequence[str], text: str, begin: int, end: int) -> list[int] | None:
    places: list[int] = []
    for literal in literals:
        place = text.find(literal, begin, end)
        if place < 0:
            return None
        places.append(place)
        begin = place + len(literal)
    return places


def _from_back(literals: Sequence[str], text: str, begin: int, end: int) -> list[int]:
    places: list[int] = []
    for literal in reversed(literals):
        end = text.rfind(literal, begin, end)
        places.append(end)
    return places[::-1]


def _recorded_places(template: Template, fits: Sequence[Sequence[Found | None]]) -> tuple[int, ...] | None:
    """Return the places where it was recorded, when all of it fits there."""
    is_whole = len(fits) == len(template.places) and all(len(row) == template.length for row in fits)
    if not is_whole or any(row[place] is None for row, place in zip(fits, template.places, strict=True)):
        return None
    return template.places


def _places(fits: Sequence[Sequence[Found | None]]) -> tuple[int, ...] | Ambiguous | None:
    """Return the only places where all fit in order; None for none."""
    columns = [[place for place, one in enumerate(row) if one is not None] for row in fits]
    first: list[int] = []
    for column in columns:
        place = next((one for one in column if not first or one > first[-1]), None)
        if place is None:
            return None
        first.append(place)
    last: list[int] = []
    for column in reversed(columns):
        last.append(next(one for one in reversed(column) if not last or one < last[-1]))
    return tuple(first) if first == last[::-1] else Ambiguous(first=tuple(first), last=tuple(last[::-1]))


def _with(shape: Shape, inputs: Inputs) -> Shape:
    """Return *shape* with the variables filled in that are among *inputs*."""
    parts = tuple(_filled(part, inputs) if isinstance(part, Wording) else part for part in shape.parts)
    return msgspec.structs.replace(shape, parts=parts)


def _filled(wording: Wording, inputs: Mapping[str, object]) -> Wording:
    literals, variables = [wording.literals[0]], []
    for variable, literal in zip(wording.variables, wording.literals[1:], strict=True):
        if variable.name in inputs:
            literals[-1] += as_text(inputs[variable.name]) + literal
        else:
            variables.append(variable)
            literals.append(literal)
    return Wording(tuple(literals), tuple(variables))
