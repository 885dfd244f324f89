"""Fabric: a woven session with all that performing it looks up."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec

from reenact.domain.message import Message, Role
from reenact.replay.carrying.answering import Shelf
from reenact.replay.carrying.composing import Manner
from reenact.replay.carrying.echoing import Echo, Echoes, Shape, shape_of
from reenact.replay.carrying.habits import Habits, asks_for_lines
from reenact.replay.carrying.listing import items_of, picked
from reenact.replay.carrying.ordering import ORDERS, Order, in_order
from reenact.replay.carrying.prosing import prose_action
from reenact.replay.carrying.strand import Kept, ListPlace, Piece, Results, Span, Strand, Turn, Woven, flat
from reenact.replay.carrying.tape import Recorded, Tape
from reenact.replay.carrying.templating import foreign_in
from reenact.replay.carrying.tracing import texts_with_copies
from reenact.replay.carrying.valuing import Place, lists_on
from reenact.replay.carrying.weaving import weave


class Fabric:
    """A woven session; made once for all takes of it."""

    def __init__(self, tape: Tape, kin: Sequence[Tape] = ()) -> None:
        """Weave a session; *kin* are others of the same agent, which show its templates."""
        strands, self.habits = weave(tape)
        self.strands: Mapping[int, Strand] = strands
        self.echoes: Echoes = _echoes(self.strands)
        _note_echoes(self.strands, self.habits)
        self.habits.asked_for_lines |= {call.index for call in tape if asks_for_lines(call)}
        self.manner = Manner(echoes=self.echoes, habits=self.habits)
        self.rounds = _rounds(self.strands)
        """The next round of a tool loop for each call that has one."""
        self.depths = _depths(self.strands)
        """Which round of its tool loop each call is, counted from 1."""
        self.first_tries = _first_tries(tape)
        """For a call that repeats one that failed: the one before it."""
        self.needed = {index: frozenset(needed_by(strand)) for index, strand in self.strands.items()}
        """The calls without whose answers a request cannot be made; those in tool results apart, which have policies."""
        self.observed = _observed(self.strands)
        """What was given back for what was asked for in words."""
        refused = frozenset(s.parent for s in self.strands.values() if s.complains and s.parent is not None)
        refusable = {self.strands[call].recorded.family for call in refused}
        self.accepted = frozenset(
            index for index, s in self.strands.items() if index not in refused and s.recorded.family in refusable
        )
        """The calls whose answers the agent took where it refused others of their kind."""
        self.held = frozenset(s.state_of for s in self.strands.values() if s.state_of is not None)
        """The calls after whose answers the provider held the history."""
        self.foreign = foreign_in(self.strands, kin)
        """What requests hold beside copies that is not of their template."""
        self.items = items_of(self.strands)
        """What depends on the items of lists."""
        self.arranged = {index: frozenset(_arranged(strand, self.strands)) for index, strand in self.strands.items()}
        """The calls of one kind whose answers a request holds in another order than they were asked in: something chose it."""
        self.ordered = {index: tuple(_ordered(strand, self.strands)) for index, strand in self.strands.items()}
        """The orders that the answers in a request may have been sorted by."""
        self.picked = picked(self.strands)
        """The lists of which a call holds items that something chose or put in order."""
        self.gathered = _gathered(self.strands)
        """The lists of which a call holds several items, or answers made of several items."""

    def round_after(self, before: Strand, index: int, forms: tuple[Woven, ...]) -> Strand:
        """Return a round beyond the record: the request of *before* with its answer and the results of the tools asked for."""
        prompt = before.recorded.prompt
        results = Results(call=before.index, woven=forms)
        if self.held:
            system = [
                Woven(message=message, place=place)
                for place, message in enumerate(prompt.messages)
                if message.role is Role.SYSTEM
            ]
            pieces: tuple[Piece, ...] = (*system, results)
        else:
            whole = Kept(start=0, stop=len(prompt.messages))
            pieces = (whole, Turn(call=before.index, alternative=0, messages=()), results)
        return Strand(
            recorded=msgspec.structs.replace(before.recorded, index=index, answer=None),
            pieces=pieces,
            parent=before.index,
            is_round=True,
            is_whole=not self.held,
            state_of=before.index if self.held else None,
            sources=frozenset({before.index}),
            copied_from=frozenset({before.index}),
        )

    def prose_round_after(self, before: Strand, index: int, given: Woven) -> Strand:
        """Return a round beyond the record in which what was asked for in words is given back."""
        whole = Kept(start=0, stop=len(before.recorded.prompt.messages))
        return Strand(
            recorded=msgspec.structs.replace(before.recorded, index=index, answer=None),
            pieces=(whole, Turn(call=before.index, alternative=0, messages=()), given),
            parent=before.index,
            is_whole=True,
            is_prose=True,
            sources=frozenset({before.index}),
            copied_from=frozenset({before.index}),
        )

    def shelf(self) -> Shelf:
        """Return the recorded tool results, none of them given out yet."""
        return Shelf(self.strands)


def _echoes(strands: Mapping[int, Strand]) -> Echoes:
    found: dict[Shape, Echo] = {}
    for strand in strands.values():
        for piece in strand.pieces:
            if isinstance(piece, Turn) and (answer := _said(strands[piece.call].recorded, piece.alternative)):
                shape = shape_of(strand.recorded.prompt.dialect, strands[piece.call].recorded.family, answer)
                found.setdefault(shape, Echo(answer, piece.messages))
    return found


def _note_echoes(strands: Mapping[int, Strand], habits: Habits) -> None:
    for strand in strands.values():
        for piece in strand.pieces:
            answer = _said(strands[piece.call].recorded, piece.alternative) if isinstance(piece, Turn) else None
            if isinstance(piece, Turn) and answer is not None and answer.text != answer.text.strip():
                written = "".join(message.text for message in piece.messages)
                habits.trims.setdefault(strands[piece.call].recorded.family, set()).add(written == answer.text.strip())


def _said(call: Recorded, alternative: int) -> Message | None:
    if call.answer is None:
        return None
    return call.answer.alternatives[alternative - 1] if alternative else call.answer.message


def _rounds(strands: Mapping[int, Strand]) -> dict[int, int]:
    rounds: dict[int, int] = {}
    for strand in strands.values():
        if (strand.is_round or strand.is_prose) and strand.parent is not None:
            rounds.setdefault(strand.parent, strand.index)
    return rounds


def _depths(strands: Mapping[int, Strand]) -> dict[int, int]:
    depths: dict[int, int] = {}
    for index, strand in strands.items():
        is_further = (strand.is_round or strand.is_prose) and strand.parent is not None
        depths[index] = 1 + (depths[strand.parent] if is_further and strand.parent is not None else 0)
    return depths


def _observed(strands: Mapping[int, Strand]) -> dict[str, Woven]:
    found: dict[str, Woven] = {}
    for strand in strands.values():
        last = strand.pieces[-1] if strand.pieces else None
        said = strands[strand.parent].recorded.answer if strand.is_prose and strand.parent is not None else None
        action = prose_action(said.message.text) if said and said.message else None
        if action is not None and isinstance(last, Woven):
            found.setdefault(action, last)
    return found


def _first_tries(tape: Tape) -> dict[int, int]:
    """Return the failed call that each repeated call repeats: the same request, asked next."""
    found: dict[int, int] = {}
    failed: dict[int, Recorded] = {}
    for call in tape:
        before = next((one for one in failed.values() if one.prompt == call.prompt), None)
        if before is not None:
            found[call.index] = before.index
            del failed[before.index]
        if call.answer is None:
            failed[call.index] = call
    return found


def needed_by(strand: Strand) -> Iterator[int]:
    """Yield the calls without whose answers a request cannot be made."""
    if strand.parent is not None:
        yield strand.parent
    for piece in strand.pieces:
        if isinstance(piece, Turn | Results):
            yield piece.call
        if isinstance(piece, Woven):
            yield from (call for call, _ in sure_origins(piece))


def sure_origins(woven: Woven) -> Iterator[tuple[int, Place]]:
    """Yield call and place of what surely stands in a message."""
    for spans in woven.spans.values():
        for span in flat(spans):
            if span.is_sure:
                yield from ((origin.call, origin.place) for origin in span.origins[:1])


def _gathered(strands: Mapping[int, Strand]) -> dict[int, frozenset[ListPlace]]:
    """Return the lists of which each call gathers several items, its own or those that its sources are made of."""
    made_of: dict[int, frozenset[ListPlace]] = {}
    gathered: dict[int, frozenset[ListPlace]] = {}
    for index, strand in strands.items():
        counted: dict[ListPlace, set[object]] = defaultdict(set)
        for piece in strand.pieces:
            for woven in piece.woven if isinstance(piece, Results) else [piece] if isinstance(piece, Woven) else []:
                for call, place in sure_origins(woven):
                    answer = strands[call].recorded.answer
                    for one, _ in lists_on(answer, place) if answer else ():
                        counted[call, one].add(place)
        for source in strand.sources:
            for listed in made_of[source]:
                counted[listed].add(source)
        parent = made_of[strand.parent] if strand.parent is not None else frozenset()
        gathered[index] = frozenset(listed for listed, items in counted.items() if len(items) > 1)
        made_of[index] = (frozenset(counted) - gathered[index]) | parent
    return gathered


def _ordered(strand: Strand, strands: Mapping[int, Strand]) -> Iterator[Order]:
    """Yield the orders by which a request's answers of calls asked at once may be sorted, though they stand as asked.

    Only where nothing but the same signs stands between them: numbers and names say which is which. Two stand in any order half
    the time, and three in one of six: of those one order is thought of, of more as many as are no likelier than one in 24.
    """
    for text, spans in texts_with_copies(strand.pieces):
        by_family: dict[str, list[Span]] = defaultdict(list)
        for span in spans:
            if span.document is None and span.is_sure:
                by_family[strands[span.origins[0].call].recorded.family].append(span)
        for found in by_family.values():
            calls = [span.origins[0].call for span in found]
            between = {text[one.stop : other.start] for one, other in pairwise(found)}
            is_plain = len(between) == 1 and not any(sign.isalnum() for sign in between.pop())
            if len(calls) > 2 and calls == sorted(set(calls)) and is_plain and _were_at_once(calls, strands):
                names = list(ORDERS)[: max(1, math.factorial(len(calls)) // 24)]
                texts = [_text_of(strands[call].recorded) for call in calls]
                yield from (Order(calls=tuple(calls), name=name) for name in names if in_order(name, texts))


def _were_at_once(calls: Sequence[int], strands: Mapping[int, Strand]) -> bool:
    asked = [strands[call].recorded for call in calls]
    return max(one.started_us for one in asked) < min(one.ended_us for one in asked)


def _text_of(call: Recorded) -> str:
    return call.answer.message.text if call.answer and call.answer.message else ""


def _side_by_side(strand: Strand, strands: Mapping[int, Strand]) -> Iterator[list[int]]:
    """Yield the calls of one kind, none of which waited for another, whose answers stand in one text, as they stand there."""
    for piece in strand.pieces:
        for spans in piece.spans.values() if isinstance(piece, Woven) else ():
            by_family: dict[str, list[int]] = defaultdict(list)
            for span in flat(spans):
                call = span.origins[0].call if span.is_sure else None
                if call is not None and call not in (found := by_family[strands[call].recorded.family]):
                    found.append(call)
            yield from (
                calls for calls in by_family.values() if not any(strands[one].sources & set(calls) for one in calls)
            )


def _arranged(strand: Strand, strands: Mapping[int, Strand]) -> Iterator[int]:
    """Yield the calls of one kind, none of which waited for another, whose answers stand in an order of their own."""
    for calls in _side_by_side(strand, strands):
        if calls != sorted(calls):
            yield from calls
