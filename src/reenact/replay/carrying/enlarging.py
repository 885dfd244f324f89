"""Put calls on the stage that no recorded one is: rounds that a loop goes on, sub-agents called again, more items of a list."""

from collections.abc import Callable, Sequence

import msgspec

from reenact.domain.divergence import Unknown
from reenact.replay.carrying.answering import RecordedResult
from reenact.replay.carrying.cloning import Swap, cone, copied, copied_message, sure_calls
from reenact.replay.carrying.fabric import needed_by, sure_origins
from reenact.replay.carrying.listing import Resizing, resized
from reenact.replay.carrying.node import Node
from reenact.replay.carrying.stage import Stage
from reenact.replay.carrying.strand import ListPlace, Piece, Strand, Woven
from reenact.replay.carrying.valuing import Place, length_at

USUAL_ROUNDS = 10
"""How many rounds agents go by default at least (OpenAI's agents 10, LangGraph 12, Pydantic AI 50; 2026)."""


def next_round(stage: Stage, node: Node) -> Node:
    """Return the round that follows *node* beyond the record, of the form of the last recorded round; it is not begun."""
    following = Node(
        strand=stage.fabric.round_after(node.strand, stage.new_id(), stage.shelf.forms()),
        form=node.form,
        was_diverged=True,
        extra_rounds=node.extra_rounds + 1,
        begins=node.id if node.begins is None else node.begins,
    )
    rounds = stage.fabric.depths[node.form] + following.extra_rounds
    longest = max(stage.fabric.depths.values())
    if rounds > max(longest, USUAL_ROUNDS):
        detail = f"It is round {rounds} of a loop that went {longest} in the record: agents give up after some number."
        following.doubt(Unknown.ROUNDS, detail)
    stage.put(following)
    return following


def next_words(stage: Stage, node: Node, given: Woven) -> Node:
    """Return the round beyond the record in which *node* is given what it asked for in words; it is not begun."""
    following = next_round(stage, node)
    following.strand = stage.fabric.prose_round_after(node.strand, following.id, given)
    return following


def copy_result(stage: Stage, one: RecordedResult, number: int, asker: Node, then: Callable[[Woven], None]) -> bool:
    """Have the calls that a recorded tool result was made of asked once more, for tool call *number* of *asker*.

    Args:
        stage: the take.
        one: the recorded result.
        number: the new tool call's number.
        asker: whose answer asks for it.
        then: told, once they are through, the message in whose form the result stands, with its copies.

    Returns:
        Whether that can be done.
    """
    assert one.form is not None
    ends = sure_calls(one.form.spans.get(one.part, ()))
    calls = cone(stage.fabric.strands, one.call, ends)
    if not calls:
        return False
    given = _given(stage, one.call, asker)
    swap = Swap(before=one.call, old=Place("tool_use", one.number), after=given, new=Place("tool_use", number))
    names = {call: stage.new_id() for call in calls}
    form = copied_message(one.form, names, swap)
    stage.watch({names[call] for call in ends if call in names}, lambda: then(form))
    copies = [_copied(stage, call, names, swap) for call in calls]
    for copy in copies:
        stage.put(copy)
    for copy in copies:
        stage.enrol(copy)
    return True


def resize_lists(stage: Stage, node: Node, most: int) -> None:
    """Where an answer holds a list of another length, ask more calls or fewer, and bring together what they answer.

    Not for lists with over *most* new items.
    """
    for (call, place), items in stage.fabric.items.items():
        count = length_at(node.answer, place) if node.answer and call == node.id else None
        extra = (count or 0) - len(items.calls)
        if not count or not extra or extra > most or not items.are_alike:
            continue
        copies = tuple({one: stage.new_id() for one in items.calls[-1]} for _ in range(extra))
        resizing = Resizing(listed=(call, place), items=items, count=count, copies=copies)
        made = [
            _copied(stage, one, names, resizing.swap(number))
            for number, names in enumerate(copies, start=len(items.calls))
            for one in items.calls[-1]
        ]
        made_as = {copy.id: copy for copy in made}
        for number, names in enumerate(copies, start=len(items.calls)):
            for one in items.calls[-1]:
                if one in items.growing:
                    _grow(stage.fabric.gathered[one], made_as[names[one]], resizing.before(number))
        for copy in made:
            stage.put(copy)
        for copy in made:
            stage.enrol(copy)
        for one in items.growing:
            stage.nodes[one].gathered -= {resizing.listed}
        for gatherer in items.gatherers:
            _regather(stage, stage.nodes[gatherer], resizing)


def _copied(stage: Stage, call: int, names: dict[int, int], swap: Swap) -> Node:
    fabric = stage.fabric
    return Node(
        strand=copied(fabric.strands[call], names, swap),
        form=call,
        needed=frozenset(swap.after if n == swap.before else names.get(n, n) for n in fabric.needed[call]),
        first_try=names.get(fabric.first_tries.get(call, 0)),
        next_round=names.get(fabric.rounds.get(call, 0)),
        twins=names,
        swap=swap,
        was_diverged=True,
    )


def _given(stage: Stage, call: int, asker: Node) -> int:
    """Return the name of *asker*'s answer as what copies are made of."""
    recorded = msgspec.structs.replace(stage.fabric.strands[call].recorded, index=stage.new_id(), answer=asker.answer)
    node = Node(
        strand=Strand(recorded=recorded, pieces=()),
        form=asker.form,
        answer=asker.answer,
        doubts=asker.doubts,
        is_given=True,
    )
    stage.put(node)
    stage.settle(node)
    return node.id


def _grow(gathered: frozenset[ListPlace], copy: Node, resizing: Resizing) -> None:
    """Let a copy hold what came of all items before its own; it stays in doubt where the record does not show how."""
    pieces = _resized_pieces(copy.strand.pieces, resizing)
    if pieces is None:
        copy.gathered = gathered & {resizing.listed}
        return
    _remake(copy, pieces, copy.strand.sources)


def _regather(stage: Stage, node: Node, resizing: Resizing) -> None:
    """Let a request bring as many items together as there are now; it stays in doubt where the record does not show how."""
    pieces = _resized_pieces(node.strand.pieces, resizing)
    if pieces is None:
        node.gathered |= {resizing.listed}
        return
    recorded = {one for calls in resizing.items.calls for one in calls}
    sources = _remake(node, pieces, node.strand.sources - recorded)
    node.gathered -= {resizing.listed}
    stage.await_more(node, sources)


def _resized_pieces(pieces: Sequence[Piece], resizing: Resizing) -> tuple[Piece, ...] | None:
    found = [resized(piece, resizing) if isinstance(piece, Woven) else piece for piece in pieces]
    return None if None in found else tuple(piece for piece in found if piece is not None)


def _remake(node: Node, pieces: tuple[Piece, ...], kept: frozenset[int]) -> frozenset[int]:
    """Give a request other pieces, and return the calls that these are made of."""
    sources = frozenset(call for piece in pieces if isinstance(piece, Woven) for call, _ in sure_origins(piece))
    node.strand = msgspec.structs.replace(
        node.strand, pieces=pieces, sources=kept | sources, copied_from=kept | sources
    )
    node.needed = frozenset(needed_by(node.strand))
    return sources
