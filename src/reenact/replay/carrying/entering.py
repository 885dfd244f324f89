"""Entries of JSON and Python literals that stand for the items of a list: taken away from their end or put there."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from reenact.domain.message import Json
from reenact.replay.carrying.spelling import spell
from reenact.replay.carrying.strand import Packed, PackedPart, Span, flat
from reenact.replay.carrying.unpacking import Steps

ItemOf = Callable[[Span], int | None]
"""Returns the item that a copy is of; None when it is of none."""
Make = Callable[[Span], Span]
"""Returns a copy's place for a further item, given the last one's."""


def resized_documents(
    text: str, spans: Sequence[Span], item_of: ItemOf, resize: Callable[[Packed], Packed | None]
) -> tuple[str, tuple[Span, ...]] | None:
    """Return a text with the literals resized that have entries for items, and where its copies stand then.

    None when one of them cannot be resized. The others stand as they stood.
    """
    found: list[Span] = []
    shift = 0
    for span in sorted(spans, key=lambda span: span.start):
        start, stop = span.start + shift, span.stop + shift
        document = span.document
        if document is not None and any(item_of(one) is not None for one in flat([span])):
            document = resize(document)
            written = spell(document.spelling, document.value) if document is not None else None
            if written is None:
                return None
            text = text[:start] + written + text[stop:]
            shift += len(written) - (stop - start)
            stop = start + len(written)
        found.append(msgspec.structs.replace(span, start=start, stop=stop, document=document))
    return text, tuple(found)


def resized_packed(packed: Packed, item_of: ItemOf, recorded: int, kept: int, makes: Sequence[Make]) -> Packed | None:
    """Return a literal of which *kept* of the *recorded* entries are left, with one more for each of *makes*.

    None when its entries are not one for each item, in their order, one after the other.
    """
    items = {number: _items_in(part, item_of) for number, part in enumerate(packed.parts)}
    depth = _depth(packed.parts, items)
    if depth is None:
        return None
    ways = {item: _way(packed.parts, items, item, depth) for item in range(recorded)}
    outer = ways[0][:-1]
    container = _at(packed.value, outer)
    names = list(container if isinstance(container, dict) else range(len(container)))
    places = [names.index(way[-1]) for way in ways.values()]
    if places != list(range(places[0], places[0] + recorded)) or (
        isinstance(container, list) and places[-1] + 1 < len(names)
    ):
        return None
    last = ways[recorded - 1]
    has_names = any(part.is_key and part.steps == last for part in packed.parts)
    if makes and isinstance(container, dict) and not has_names:
        return None
    dropped = {way for item, way in ways.items() if item >= kept}
    parts = [part for part in packed.parts if part.steps[: depth + 1] not in dropped]
    fresh: dict[str | int, Json] = {}
    for extra, make in enumerate(makes, start=1):
        name = f"{last[-1]}\0{extra}" if isinstance(container, dict) else places[-1] + extra
        fresh[name] = container[last[-1]]
        parts += [_moved(part, (*outer, name), depth, make) for part in packed.parts if part.steps[: depth + 1] == last]
    value = _replaced(packed.value, outer, _entries(container, dropped, fresh))
    return msgspec.structs.replace(packed, value=value, parts=tuple(parts))


def _items_in(part: PackedPart, item_of: ItemOf) -> set[int]:
    spans = part.spans if part.copy is None else (part.copy,)
    return {item for span in flat(spans) if (item := item_of(span)) is not None}


def _depth(parts: Sequence[PackedPart], items: Mapping[int, set[int]]) -> int | None:
    """Return at which step of their ways the entries of a literal part: one for each item."""
    for depth in range(max(len(part.steps) for part in parts)):
        found: dict[Steps, set[int]] = {}
        for number, part in enumerate(parts):
            if items[number]:
                found.setdefault(part.steps[: depth + 1], set()).update(items[number])
        if all(len(one) == 1 for one in found.values()):
            entries = [next(iter(one)) for one in found.values()]
            is_one_level = len({way[:-1] for way in found}) == 1 and all(len(way) == depth + 1 for way in found)
            return depth if is_one_level and entries == list(range(len(entries))) else None
    return None


def _way(parts: Sequence[PackedPart], items: Mapping[int, set[int]], item: int, depth: int) -> Steps:
    return next((part.steps[: depth + 1] for number, part in enumerate(parts) if item in items[number]), ("",))


def _moved(part: PackedPart, way: Steps, depth: int, make: Make) -> PackedPart:
    return msgspec.structs.replace(
        part,
        steps=(*way, *part.steps[depth + 1 :]),
        spans=tuple(make(span) for span in part.spans),
        copy=None if part.copy is None else make(part.copy),
    )


def _entries(container: Json, dropped: set[Steps], fresh: Mapping[str | int, Json]) -> Json:
    gone = {way[-1] for way in dropped}
    if isinstance(container, dict):
        return {name: value for name, value in container.items() if name not in gone} | dict(fresh)
    return [*(value for number, value in enumerate(container) if number not in gone), *fresh.values()]


def _at(value: Json, way: Steps) -> Json:
    for step in way:
        value = value[step]
    return value


def _replaced(value: Json, way: Steps, new: Json) -> Json:
    if not way:
        return new
    if isinstance(value, dict):
        return {name: _replaced(child, way[1:], new) if name == way[0] else child for name, child in value.items()}
    return [_replaced(child, way[1:], new) if number == way[0] else child for number, child in enumerate(value)]
