"""Lists that an agent goes through: one call or more for each item, and requests that bring the items' answers together.

A list of another length means more calls or fewer, and longer or shorter texts; both by the rule that the record shows.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import msgspec

from reenact.domain.message import Answer, Part, ToolUse
from reenact.replay.carrying.cloning import Renaming, Swap, ancestors, copied_span
from reenact.replay.carrying.entering import resized_documents, resized_packed
from reenact.replay.carrying.strand import ListPlace, Packed, Span, Strand, Woven, flat
from reenact.replay.carrying.tracing import text_of
from reenact.replay.carrying.valuing import Place, is_label, item_in, length_at, lists_on, value_at, with_item

_NUMBER = re.compile(r"\d+")


class Items(msgspec.Struct, frozen=True, kw_only=True):
    """What depends on the items of a list."""

    calls: tuple[tuple[int, ...], ...]
    """For each item the calls that depend on it and on no other item, in their order."""
    gatherers: tuple[int, ...]
    """The calls that bring several together."""
    growing: frozenset[int] = frozenset()
    """Those of *calls* that hold what came of the items before theirs, too: what was done so far."""

    @property
    def are_alike(self) -> bool:
        """Whether each item has calls of its own, or none has."""
        return len(self.calls) > 1 and len({bool(calls) for calls in self.calls}) == 1


def items_of(strands: Mapping[int, Strand]) -> dict[ListPlace, Items]:
    """Return what depends on the items of each list in an answer, for lists of which items stand in requests."""
    touched: dict[ListPlace, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    lengths: dict[ListPlace, int] = {}
    for index, strand in strands.items():
        for call, place in item_origins(strand):
            answer = strands[call].recorded.answer
            for listed, length in lists_on(answer, place) if answer else ():
                item = item_in(place, listed)
                if item is not None:
                    lengths[call, listed] = length
                    touched[call, listed][index].add(item)
    return {listed: _items(strands, listed, own, lengths[listed]) for listed, own in touched.items()}


def picked(strands: Mapping[int, Strand]) -> dict[int, frozenset[ListPlace]]:
    """Return the lists of which each call holds items that something chose, or put in an order that the list has not.

    Whoever goes through a list uses its items from the first one on; the third one alone is a choice. One of a list that stands
    there already in its order is named again: the step that it is about.
    """
    used: dict[ListPlace, set[int]] = defaultdict(set)
    holders: dict[ListPlace, set[int]] = defaultdict(set)
    mixed: set[tuple[ListPlace, int]] = set()
    for index, strand in strands.items():
        latest: dict[ListPlace, int] = {}
        named: dict[ListPlace, set[int]] = defaultdict(set)
        for call, place in item_origins(strand):
            answer = strands[call].recorded.answer if place.kind in ("json", "tool_use") else None
            for listed, _ in lists_on(answer, place) if answer else ():
                item = item_in(place, listed)
                if item is not None:
                    used[call, listed].add(item)
                    holders[call, listed].add(index)
                    if item < latest.get((call, listed), 0) and item not in named[call, listed]:
                        mixed.add(((call, listed), index))
                    latest[call, listed] = item
                    named[call, listed].add(item)
    chosen = {one for one, items in used.items() if items != set(range(len(items)))}
    found: dict[int, set[ListPlace]] = defaultdict(set)
    for held, indexes in holders.items():
        for index in indexes:
            if held in chosen or (held, index) in mixed:
                found[index].add(held)
    return {index: frozenset(lists) for index, lists in found.items()}


def item_origins(strand: Strand) -> Iterator[tuple[int, Place]]:
    """Yield call and place of what surely stands in the new messages of a request."""
    for piece in strand.pieces:
        if isinstance(piece, Woven):
            for spans in piece.spans.values():
                yield from ((o.call, o.place) for span in flat(spans) if span.is_sure for o in span.origins[:1])


def headings(strand: Strand) -> set[tuple[int, Place]]:
    """Return the short fields that a request holds of the one item of a list that it is made for: what it may be named by."""
    held: dict[ListPlace, set[str | int]] = defaultdict(set)
    fields: dict[ListPlace, set[Place]] = defaultdict(set)
    for call, place in item_origins(strand):
        depth = max((at for at, step in enumerate(place.steps) if isinstance(step, int)), default=-1)
        if place.kind == "json" and 0 <= depth < len(place.steps) - 1:
            listed = (call, msgspec.structs.replace(place, steps=place.steps[:depth]))
            held[listed].add(place.steps[depth])
            fields[listed].add(place)
    alone = [listed for listed, items in held.items() if len(items) == 1 and len(fields[listed]) > 1]
    return {(listed[0], place) for listed in alone for place in fields[listed]}


def names_in(answer: Answer, place: Place) -> list[str]:
    """Return the labels that the items of a list have in the field at *place*."""
    depth = max(at for at, step in enumerate(place.steps) if isinstance(step, int))
    length = length_at(answer, msgspec.structs.replace(place, steps=place.steps[:depth])) or 0
    ways = ((*place.steps[:depth], number, *place.steps[depth + 1 :]) for number in range(length))
    values = (value_at(answer, msgspec.structs.replace(place, steps=way)) for way in ways)
    return [value for value in values if is_label(value)]


def _items(strands: Mapping[int, Strand], listed: ListPlace, own: Mapping[int, set[int]], length: int) -> Items:
    call = listed[0]
    given = ancestors(strands, [call])
    item_of: dict[int, int] = {}
    gatherers: list[int] = []
    growing: set[int] = set()
    for index in sorted(strands):
        touched = set(own.get(index, ()))
        sources = strands[index].copied_from
        touched |= {item_of[source] for source in sources if source in item_of}
        if len(touched) > 1:
            if own.get(index) == {max(touched)} and sources <= given | {call} | set(item_of):
                item_of[index] = max(touched)
                growing.add(index)
            else:
                gatherers.append(index)
        elif len(touched) == 1 and sources <= given | {call} | set(item_of):
            item_of[index] = touched.pop()
    calls = tuple(tuple(index for index in sorted(item_of) if item_of[index] == number) for number in range(length))
    return Items(calls=calls, gatherers=tuple(gatherers), growing=frozenset(growing))


class Resizing(msgspec.Struct, frozen=True, kw_only=True):
    """A list that is longer or shorter in a take."""

    listed: ListPlace
    items: Items
    count: int
    """How many items it has now."""
    copies: tuple[Renaming, ...] = ()
    """For each item that the record has not: the copies of the last recorded item's calls."""

    @property
    def recorded(self) -> int:
        """How many items the record has."""
        return len(self.items.calls)

    def resized_entries(self, packed: Packed) -> Packed | None:
        """Return a literal with as many entries as the list has items now; None where the record does not show how."""
        last = self.recorded - 1
        makes = tuple(
            partial(copied_span, names=names, swap=self.swap(last + extra))
            for extra, names in enumerate(self.copies, start=1)
        )
        return resized_packed(packed, self.item_of, self.recorded, min(self.count, self.recorded), makes)

    def swap(self, number: int) -> Swap:
        """Return the swap of the last recorded item for another."""
        call, place = self.listed
        return Swap(before=call, old=with_item(place, self.recorded - 1), after=call, new=with_item(place, number))

    def item_of(self, span: Span) -> int | None:
        """Return the item that a copy is of; None when it is of none."""
        call, place = self.listed
        origin = span.origins[0]
        for number, calls in enumerate(self.items.calls):
            if origin.call in calls:
                return number
        item = item_in(origin.place, place) if origin.call == call else None
        return item if item is not None and item < self.recorded else None

    def before(self, number: int) -> "Resizing":
        """Return what a copy for the item *number* has more of before it than the last recorded item's calls had."""
        calls = self.items.calls
        own = [calls[-1], *(tuple(names[call] for call in calls[-1]) for names in self.copies)]
        copies = tuple(dict(zip(calls[-2], there, strict=False)) for there in own[: number - self.recorded + 1])
        return Resizing(listed=self.listed, items=Items(calls=calls[:-1], gatherers=()), count=number, copies=copies)


def resized(woven: Woven, resizing: Resizing) -> Woven | None:
    """Return a gathering message with as many items as the list has now; None where the record does not show how.

    *woven* itself when it gathers nothing of the list.
    """
    parts = list(woven.message.parts)
    spans = dict(woven.spans)
    for number, found in woven.spans.items():
        new = _resized_part(text_of(parts[number]) or "", found, resizing)
        if new is None:
            return None
        parts[number] = _with_text(parts[number], new[0])
        spans[number] = new[1]
    message = msgspec.structs.replace(woven.message, parts=tuple(parts))
    return msgspec.structs.replace(woven, message=message, spans=spans)


def _resized_part(text: str, spans: Sequence[Span], resizing: Resizing) -> tuple[str, tuple[Span, ...]] | None:
    """Return a text with the entries of its literals, then the items in its own words, as many as the list has."""
    found = resized_documents(text, spans, resizing.item_of, resizing.resized_entries)
    if found is None or all(resizing.item_of(span) is None for span in found[1] if span.document is None):
        return found
    return _resized_text(*found, resizing)


def _with_text(part: Part, text: str) -> Part:
    return msgspec.structs.replace(part, **{"arguments" if isinstance(part, ToolUse) else "text": text})


def _resized_text(text: str, spans: Sequence[Span], resizing: Resizing) -> tuple[str, tuple[Span, ...]] | None:
    """Return a text with items taken away from its end or put there, and where its copies stand then."""
    groups: dict[int, list[Span]] = defaultdict(list)
    others: list[Span] = []
    for span in spans:
        item = resizing.item_of(span) if span.document is None and span.is_sure else None
        (others if item is None else groups[item]).append(span)
    if sorted(groups) != list(range(resizing.recorded)) or list(groups) != sorted(groups):
        return None
    bounds = [(group[0].start, group[-1].stop) for _, group in sorted(groups.items())]
    if any(bounds[0][0] < span.stop and span.start < bounds[-1][1] for span in others):
        return None
    between = [text[before[1] : after[0]] for before, after in itertools.pairwise(bounds)]
    step = _step(between, text[: bounds[0][0]])
    if step is None:
        return None
    return _joined(text, spans, groups, bounds, between[-1], step, resizing)


def _joined(
    text: str,
    spans: Sequence[Span],
    groups: Mapping[int, list[Span]],
    bounds: Sequence[tuple[int, int]],
    last_between: str,
    step: int,
    resizing: Resizing,
) -> tuple[str, tuple[Span, ...]]:
    kept = min(resizing.count, resizing.recorded)
    at = bounds[kept - 1][1] if kept else bounds[0][0]
    head, tail = text[:at], text[bounds[-1][1] :]
    found = [span for span in spans if span.stop <= at]
    last = resizing.recorded - 1
    start, stop = bounds[last]
    for extra, names in enumerate(resizing.copies, start=1):
        between = _counted_on(last_between, step * extra)
        shift = len(head) + len(between) - start
        swap = resizing.swap(last + extra)
        found += [_shifted(copied_span(span, names, swap), shift) for span in groups[last]]
        head += between + text[start:stop]
    shift = len(head) - bounds[-1][1]
    found += [_shifted(span, shift) for span in spans if span.start >= bounds[-1][1]]
    return head + tail, tuple(found)


def _counted_on(text: str, by: int) -> str:
    """Return *text* with its numbers raised."""
    return _NUMBER.sub(lambda number: str(int(number[0]) + by), text)


def _shifted(span: Span, by: int) -> Span:
    return msgspec.structs.replace(span, start=span.start + by, stop=span.stop + by)


def _step(between: Sequence[str], before: str) -> int | None:
    """Return by how much the numbers between items grow from item to item: 0 or 1; None when what stands between differs."""
    forms = {_NUMBER.sub("#", one) for one in between}
    if len(forms) != 1:
        return None
    rows = [[int(number) for number in _NUMBER.findall(one)] for one in between]
    if not rows[0]:
        return 0
    first = [int(number) for number in _NUMBER.findall(before)][-len(rows[0]) :]
    rows = [first, *rows] if len(first) == len(rows[0]) else rows
    steps = {after - here for one, other in itertools.pairwise(rows) for here, after in zip(one, other, strict=True)}
    return steps.pop() if len(steps) == 1 and steps <= {0, 1} else None
