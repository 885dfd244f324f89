"""Ask recorded calls once more for another item: a sub-agent that is called again, a task that the new list has more of.

What is copied is what the record shows for one item: the calls that depend on it and on nothing else that is new.
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from reenact.replay.carrying.strand import Board, Origin, Packed, Piece, Results, Span, Strand, Turn, Woven, flat
from reenact.replay.carrying.valuing import Place

Renaming = Mapping[int, int]
"""The new name for each copied call."""


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """Which item takes the place of which: the values under *old* of call *before* become those under *new* of call *after*."""

    before: int
    old: Place
    after: int
    new: Place

    def applied(self, origin: Origin) -> Origin:
        """Return *origin* with the item swapped, when it is of the item."""
        place = origin.place
        depth = len(self.old.steps)
        is_item = (origin.call, place.kind, place.number) == (self.before, self.old.kind, self.old.number)
        if not is_item or place.steps[:depth] != self.old.steps:
            return origin
        steps = self.new.steps + place.steps[depth:]
        return Origin(self.after, Place(self.new.kind, self.new.number, steps), origin.spelling)


def ancestors(strands: Mapping[int, Strand], calls: Collection[int]) -> set[int]:
    """Return the calls that some calls are made of, themselves included."""
    found: set[int] = set()
    waiting = list(calls)
    while waiting:
        call = waiting.pop()
        if call not in found:
            found.add(call)
            waiting += strands[call].copied_from
    return found


def cone(strands: Mapping[int, Strand], asker: int, ends: Collection[int]) -> tuple[int, ...]:
    """Return the calls between an item of *asker*'s answer and *ends*, in their order; none when *ends* do not come of it."""
    below = ancestors(strands, ends) - ancestors(strands, [asker])
    used = {asker} | ancestors(strands, [asker])
    is_closed = all(strands[call].copied_from <= below | used for call in below)
    return tuple(sorted(below)) if is_closed else ()


def copied(strand: Strand, names: Renaming, swap: Swap) -> Strand:
    """Return *strand* for another item, its sources renamed."""
    return msgspec.structs.replace(
        strand,
        recorded=msgspec.structs.replace(strand.recorded, index=names[strand.index]),
        pieces=tuple(_piece(piece, names, swap) for piece in strand.pieces),
        parent=_renamed(strand.parent, names),
        state_of=_renamed(strand.state_of, names),
        sources=_all_renamed(strand.sources, names, swap),
        copied_from=_all_renamed(strand.copied_from, names, swap),
        steered_by=_all_renamed(strand.steered_by, names, swap),
        steered_at=frozenset((names.get(call, call), place) for call, place in strand.steered_at),
    )


def copied_message(woven: Woven, names: Renaming, swap: Swap) -> Woven:
    """Return a message for another item."""
    return msgspec.structs.replace(
        woven,
        spans={part: tuple(copied_span(span, names, swap) for span in spans) for part, spans in woven.spans.items()},
    )


def sure_calls(spans: Sequence[Span]) -> set[int]:
    """Return the calls of which *spans* surely hold something."""
    return {origin.call for span in flat(spans) if span.is_sure for origin in span.origins}


def _renamed(call: int | None, names: Renaming) -> int | None:
    return None if call is None else names.get(call, call)


def _all_renamed(calls: Collection[int], names: Renaming, swap: Swap) -> frozenset[int]:
    return frozenset(swap.after if call == swap.before else names.get(call, call) for call in calls)


def _piece(piece: Piece, names: Renaming, swap: Swap) -> Piece:
    if isinstance(piece, Turn):
        return msgspec.structs.replace(piece, call=names.get(piece.call, piece.call))
    if isinstance(piece, Results):
        woven = tuple(copied_message(one, names, swap) for one in piece.woven)
        return Results(call=names.get(piece.call, piece.call), woven=woven)
    return copied_message(piece, names, swap) if isinstance(piece, Woven) else piece


def copied_span(span: Span, names: Renaming, swap: Swap) -> Span:
    """Return a copy's place for another item."""
    renamed = tuple(_origin(origin, names, swap) for origin in span.origins)
    changed = tuple(new for new, old in zip(renamed, span.origins, strict=True) if new != old)
    origins = changed or renamed  # a line is a list item, too; only one of the two was swapped
    document = span.document and _packed(span.document, names, swap)
    board = span.board and _board(span.board, names)
    return msgspec.structs.replace(span, origins=origins, document=document, board=board)


def _board(board: Board, names: Renaming) -> Board:
    updates = (msgspec.structs.replace(one, call=names.get(one.call, one.call)) for one in board.updates)
    return msgspec.structs.replace(board, updates=tuple(updates))


def _packed(packed: Packed, names: Renaming, swap: Swap) -> Packed:
    parts = tuple(
        msgspec.structs.replace(
            part,
            spans=tuple(copied_span(span, names, swap) for span in part.spans),
            copy=part.copy and copied_span(part.copy, names, swap),
        )
        for part in packed.parts
    )
    return msgspec.structs.replace(packed, parts=parts)


def _origin(origin: Origin, names: Renaming, swap: Swap) -> Origin:
    if origin.call in names:
        return msgspec.structs.replace(origin, call=names[origin.call])
    return swap.applied(origin)
