"""Stage: the calls of one take, who waits for whom, and what stands for what. Knows nothing of asking."""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterator

from reenact.domain.divergence import Doubt, Unknown
from reenact.domain.message import Answer
from reenact.replay.carrying.composing import Standing
from reenact.replay.carrying.fabric import Fabric
from reenact.replay.carrying.listing import headings, names_in
from reenact.replay.carrying.node import Node
from reenact.replay.carrying.ordering import in_order
from reenact.replay.carrying.prosing import prose_action
from reenact.replay.carrying.steering import verdict
from reenact.replay.carrying.strand import Strand
from reenact.replay.carrying.valuing import MISSING, Place, length_at, value_at
from reenact.replay.differing import same

_SHOWN = 60
"""Letters of a text that a doubt names."""


class Stage:
    """The state of one take."""

    def __init__(self, fabric: Fabric) -> None:
        """Begin with the recorded calls; those that wait for nothing are ready."""
        self.fabric = fabric
        self.shelf = fabric.shelf()
        self.nodes: dict[int, Node] = {}
        self.ready: deque[Node] = deque()
        """The calls that may begin, in their order."""
        self._unsettled: dict[int, set[int]] = {}
        self._settled: set[int] = set()
        self._followers: dict[int, list[int]] = defaultdict(list)
        self._watchers: list[tuple[set[int], Callable[[], None]]] = []
        self._next_id = max(fabric.strands, default=0)
        for index, strand in fabric.strands.items():
            self.nodes[index] = Node(
                strand=strand,
                form=index,
                needed=fabric.needed[index],
                gathered=fabric.gathered[index],
                first_try=fabric.first_tries.get(index),
                next_round=fabric.rounds.get(index),
            )
        for node in list(self.nodes.values()):
            self.enrol(node)

    # --- who waits for whom --------------------------------------------------------------------------------------------

    def new_id(self) -> int:
        """Return a name for a call that no recorded one is."""
        self._next_id += 1
        return self._next_id

    def enrol(self, node: Node) -> None:
        """Take a call up: it begins when all that it is made of is settled."""
        self.nodes[node.id] = node
        tries = {node.first_try} if node.first_try is not None else set()
        self._unsettled[node.id] = set()
        self.await_more(node, {*node.strand.sources, *node.strand.steering, *tries})
        if not self._unsettled[node.id]:
            self.ready.append(node)

    def await_more(self, node: Node, sources: Collection[int]) -> None:
        """Let a call that has not begun wait for these, too."""
        for source in set(sources) - self._settled - self._unsettled[node.id]:
            self._unsettled[node.id].add(source)
            self._followers[source].append(node.id)

    def put(self, node: Node) -> None:
        """Take a call up that waits for nothing and begins by other means."""
        self.nodes[node.id] = node

    def settle(self, node: Node) -> None:
        """Say that a call is through; those that waited for it alone may begin."""
        self._settled.add(node.id)
        for follower in self._followers[node.id]:
            self._unsettled[follower].discard(node.id)
            if not self._unsettled[follower]:
                self.ready.append(self.nodes[follower])
        over = [one for one in self._watchers if one[0] <= self._settled]
        self._watchers = [one for one in self._watchers if not one[0] <= self._settled]
        for _, then in over:
            then()

    def watch(self, calls: set[int], then: Callable[[], None]) -> None:
        """Do something once these calls are settled."""
        self._watchers.append((calls, then))

    def drop(self, node: Node, reason: str, stands_in: int | None = None) -> None:
        """Leave a call out."""
        node.reason = reason
        node.stands_in = stands_in
        self.settle(node)

    def stop(self, node: Node, unknown: Unknown, detail: str) -> None:
        """End a branch before *node* is asked; a loop beyond the record has no end then."""
        if node.begins is None:
            node.doubt(unknown, detail)
            self.drop(node, detail)
            return
        first = self.nodes[node.begins]
        first.stop = Doubt(unknown=unknown, detail=detail, source=first.form)
        self.settle(first)

    def end_loop(self, node: Node) -> None:
        """Say that *node*, a round beyond the record, is the last of its loop."""
        assert node.begins is not None
        first = self.nodes[node.begins]
        first.stands_in = node.id
        self._settled.add(node.id)
        self.settle(first)

    # --- what stands for what ------------------------------------------------------------------------------------------

    def last(self, call: int) -> Node:
        """Return the call that stands for one: itself, or that with which its tool loop ended."""
        node = self.nodes[call]
        while node.stands_in is not None:
            node = self.nodes[node.stands_in]
        return node

    def standing(self, call: int) -> Standing:
        """Return what stands for a call."""
        node, last = self.nodes[call], self.last(call)
        recorded = node.strand.recorded
        was_final = not (recorded.answer and recorded.answer.message and recorded.answer.message.tool_uses)
        if node.is_given:
            uses = {number: number for number in range(len(node.uses))}
        else:
            uses = {one.number: number for number, one in self.shelf.assign(node.form, node.uses).items()}
        return Standing(
            recorded=recorded.answer,
            answer=last.answer,
            history=last.messages,
            uses=uses,
            family=recorded.family,
            length=len(recorded.prompt.messages),
            is_itself=last is node or was_final,
        )

    def is_over(self, node: Node) -> bool:
        """Return whether an answer ends its tool loop."""
        return all(use.name in self.shelf.ending_tools for use in node.uses)

    def is_diverged(self, strand: Strand) -> bool:
        """Return whether something that a request is made of left the source's actions."""
        return any(self.nodes[source].is_diverged or self.last(source).is_diverged for source in strand.sources)

    def ended_before(self, node: Node) -> int | None:
        """Return the call that stands for one because its loop ended earlier, or its first try went well; else None."""
        if node.first_try is not None and self.nodes[node.first_try].answer is not None:
            return node.first_try
        if not (node.strand.is_round or node.strand.is_prose) or node.strand.parent is None:
            return None
        parent = self.nodes[node.strand.parent]
        if parent.stands_in is not None:
            return parent.stands_in
        if node.strand.is_prose:
            return parent.id if parent.answer is not None and asked_in_words(parent) is None else None
        return parent.id if parent.answer is not None and self.is_over(parent) else None

    def doubts(self, node: Node) -> Iterator[Doubt]:
        """Yield what makes the request of a call doubtful, beside what stands in it."""
        parent = node.strand.parent
        if parent is not None:
            yield from self._doubts_of_parent(node, parent)
        for source in sorted(node.strand.sources):
            last = self.last(source)
            if last.doubts:
                yield Doubt(
                    unknown=Unknown.UPSTREAM,
                    detail=f"It depends on call {last.form}, which is in doubt.",
                    source=self.nodes[source].form,
                )
        yield from self._doubts_of_accepted(node)
        for steer in sorted(node.strand.steered_by):
            standing, last = self.standing(steer), self.last(steer)
            if verdict(standing.answer) != verdict(standing.recorded) or last.doubts:
                yield Doubt(
                    unknown=Unknown.DECISION,
                    detail=f"The answer of call {last.form} changed, and what it decides is in no record.",
                    source=last.form,
                )
        for call, place in sorted(node.strand.steered_at):
            standing = self.standing(call)
            if not _is_same(standing.answer, standing.recorded, place):
                detail = f"{place} of call {call} changed, and what it decides is in no record."
                yield Doubt(unknown=Unknown.DECISION, detail=detail, source=call)
        yield from self._doubts_of_foreign(node)
        yield from self._doubts_of_order(node)
        yield from self._doubts_of_groups(node)
        for call, place in sorted(node.gathered):
            standing = self.standing(call)
            if _length(standing.answer, place) != _length(standing.recorded, place):
                yield Doubt(unknown=Unknown.COUNT, detail=f"{place} of call {call} has another length.", source=call)

    def _doubts_of_accepted(self, node: Node) -> Iterator[Doubt]:
        """Yield a doubt where something goes on with a new answer that the agent may refuse as it refused others."""
        for source in sorted(node.strand.sources & self.fabric.accepted):
            standing = self.standing(source)
            if verdict(standing.answer) != verdict(standing.recorded):
                detail = f"The agent refused answers like that of call {source}; whether it takes the new one is in no record."
                yield Doubt(unknown=Unknown.DECISION, detail=detail, source=source)

    def _doubts_of_groups(self, node: Node) -> Iterator[Doubt]:
        """Yield a doubt where an item is named as another one of its list now, and none was: both may be brought together."""
        for call, place in sorted(headings(node.strand)):
            standing = self.standing(call)
            if standing.answer is None or standing.recorded is None:
                continue
            before, now = names_in(standing.recorded, place), names_in(standing.answer, place)
            if len(set(before)) == len(before) and now.count(value_at(standing.answer, place)) > 1:
                detail = f"Another item has the {place} of call {call} now: whether both come together is in no record."
                yield Doubt(unknown=Unknown.DECISION, detail=detail, source=call)

    def _doubts_of_order(self, node: Node) -> Iterator[Doubt]:
        """Yield what is unknown of how answers, or items of a list, were chosen and put in order."""
        for call in sorted(self.fabric.arranged.get(node.id, ())):
            standing = self.standing(call)
            if _text(standing.answer) != _text(standing.recorded):
                detail = f"The answers stand in an order of their own, and that of call {call} changed."
                yield Doubt(unknown=Unknown.DECISION, detail=detail, source=call)
                break
        for order in self.fabric.ordered.get(node.id, ()):
            answers = [self.standing(call).answer for call in order.calls]
            if not in_order(order.name, [_text(one) or "" for one in answers if one is not None]):
                detail = (
                    f"The answers of calls {', '.join(map(str, order.calls))} stood {order.name}, and would not now."
                )
                yield Doubt(unknown=Unknown.DECISION, detail=detail, source=order.calls[0])
                break
        for call, place in sorted(self.fabric.picked.get(node.id, ())):
            standing = self.standing(call)
            if not _is_same(standing.answer, standing.recorded, place):
                detail = f"Something chose items of {place} of call {call}, or put them in order, and they changed."
                yield Doubt(unknown=Unknown.PICK, detail=detail, source=call)

    def _doubts_of_foreign(self, node: Node) -> Iterator[Doubt]:
        """Yield a doubt where words that are not of the template may follow from an answer that is another one now."""
        for stretch in self.fabric.foreign.get(node.id, ()):
            for source in sorted(node.strand.copied_from):
                recorded, standing = self.nodes[source].strand.recorded, self.standing(source)
                if recorded.ended_us <= stretch.sent_us and _text(standing.answer) != _text(standing.recorded):
                    words = stretch.text if len(stretch.text) <= _SHOWN else f"{stretch.text[:_SHOWN]}..."
                    detail = f"{words!r} is not of the template and may follow from the answer of call {source}, which changed."
                    yield Doubt(unknown=Unknown.DERIVED, detail=detail, source=source)
                    return

    def _doubts_of_parent(self, node: Node, parent: int) -> Iterator[Doubt]:
        last, recorded = self.last(parent), self.nodes[parent].strand
        if node.strand.complains and verdict(last.answer) != verdict(recorded.recorded.answer):
            detail = f"Call {last.form} says something else, and whether the agent still refuses it is in no record."
            yield Doubt(unknown=Unknown.DECISION, detail=detail, source=last.form)


def asked_in_words(node: Node) -> str | None:
    """Return what an answer asks for in words; None when it asks for nothing so."""
    return prose_action(node.answer.message.text) if node.answer and node.answer.message else None


def _text(answer: Answer | None) -> str | None:
    return answer.message.text if answer and answer.message else None


def _is_same(answer: Answer | None, recorded: Answer | None, place: Place) -> bool:
    values = [MISSING if one is None else value_at(one, place) for one in (answer, recorded)]
    return MISSING not in values and same(*values)


def _length(answer: Answer | None, place: Place) -> int | None:
    return length_at(answer, place) if answer else None
