"""Perform a plan in chained mode: every request holds the take's own answers where the recorded one held recorded answers.

Calls with nothing between them are asked at once. The driver is that of `performing`; nothing here knows HTTP or time.
Long, since what may become of one call of a take is told in one place; what requests are made of is `carrying`'s.
"""

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from reenact.dialects.registry import dialect_named
from reenact.dialects.translating.stating import signatures, without_state
from reenact.dialects.translating.translation import retold, translated
from reenact.domain.divergence import Unknown
from reenact.domain.message import Answer, Message, Prompt, ToolUse
from reenact.domain.policy import Callback, ErrorResult, Policies, Simulate, Static, UserTurns
from reenact.domain.policy import Recorded as FromRecord
from reenact.domain.replay import Answered, AskCall, AskTool, CallResult, Plan, Take
from reenact.errors import InvalidInput
from reenact.replay.carrying.answering import RecordedResult, action_of
from reenact.replay.carrying.checking import faults
from reenact.replay.carrying.cloning import copied_message, sure_calls
from reenact.replay.carrying.composing import Resolved, carried_text, compose, value_in
from reenact.replay.carrying.departing import departure
from reenact.replay.carrying.enlarging import copy_result, next_round, next_words, resize_lists
from reenact.replay.carrying.fabric import Fabric, sure_origins
from reenact.replay.carrying.node import Node
from reenact.replay.carrying.prosing import prose_action
from reenact.replay.carrying.simulating import simulation
from reenact.replay.carrying.stage import Stage, asked_in_words
from reenact.replay.carrying.strand import Results, Strand, Woven
from reenact.replay.carrying.valuing import MISSING, is_item
from reenact.replay.performing import Performance, skipped

Asks = tuple[AskCall | AskTool, ...]
Edit = Callable[[int, Prompt], Prompt]
"""Applies a plan's patch to the prompt of the call at a position."""


def perform_chained(plan: Plan, take: Take, fabric: Fabric, policies: Policies, edit: Edit) -> Performance:
    """Perform *plan* once, chained.

    Args:
        plan: with the patched bodies; the calls that it asks are those that *fabric* is woven of.
        take: its number and session.
        fabric: the recorded session.
        policies: who answers tools, and what becomes of what no record can tell.
        edit: the plan's patch.

    Yields:
        What may be asked now; nothing while others are still awaited. Is sent one Answered for each, in any order.

    Returns:
        *take* with one result for each planned call, and one for each round beyond the record, in the order of the session.
    """
    performer = _Performer(plan, fabric, policies, edit)
    ready = performer.begin()
    while performer.is_awaiting:
        answered = yield ready
        ready = performer.receive(answered)
    return msgspec.structs.replace(take, results=performer.results())


class _Waiting(msgspec.Struct, kw_only=True):
    """Tool calls whose results are awaited, and what is to be done then."""

    uses: tuple[ToolUse, ...]
    results: dict[int, Resolved]
    open: set[int]
    then: Callable[[Sequence[Resolved]], None]


class _Miss(msgspec.Struct, frozen=True):
    """A tool call that nobody answers."""

    detail: str


class _Performer:
    """Asks the calls of one take as the stage lets them begin."""

    def __init__(self, plan: Plan, fabric: Fabric, policies: Policies, edit: Edit) -> None:
        self._plan = plan
        self._planned = {call.index: call for call in plan.calls}
        self._policies = policies
        self._edit = edit
        self._stage = Stage(fabric)
        self._asks: list[AskCall | AskTool] = []
        self._awaiting: dict[tuple[int, int, int | None], Callable[[Answered], None]] = {}
        self._waiting: dict[int, _Waiting] = {}
        self._rounds: Counter[int] = Counter()

    # --- the driver's side ---------------------------------------------------------------------------------------------

    @property
    def is_awaiting(self) -> bool:
        """Whether anything is asked and not answered yet."""
        return bool(self._awaiting)

    def begin(self) -> Asks:
        """Return what may be asked at first."""
        return self._drain()

    def receive(self, answered: Answered) -> Asks:
        """Take one outcome and return what may be asked now."""
        self._awaiting.pop((answered.index, answered.round, answered.tool))(answered)
        return self._drain()

    def results(self) -> tuple[CallResult, ...]:
        """Return what became of every planned call, and of those beyond the record."""
        nodes = self._stage.nodes
        found = [
            nodes[call.index].result(call) if call.index in self._stage.fabric.strands else skipped(call)
            for call in self._plan.calls
        ]
        beyond = [node for node in nodes.values() if node.is_beyond and node.answered is not None]
        found += [node.result(self._planned[node.form]) for node in beyond]
        return tuple(sorted(found, key=lambda one: (one.index, one.round)))

    def _drain(self) -> Asks:
        while self._stage.ready:
            self._start(self._stage.ready.popleft())
        asks, self._asks = tuple(self._asks), []
        return asks

    # --- one call ------------------------------------------------------------------------------------------------------

    def _start(self, node: Node) -> None:
        """Begin a call whose sources are all settled: ask it, or say why not."""
        ended = self._stage.ended_before(node)
        if ended is not None:
            self._stage.drop(node, "The take needed no such call any more.", stands_in=ended)
            return
        reason = self._hindrance(node)
        if reason:
            self._stage.drop(node, reason)
            return
        if node.strand.is_prose and not self._give_in_words(node):
            return
        if node.strand.parent is None or not any(isinstance(piece, Results) for piece in node.strand.pieces):
            self._ask(node, ())
        else:
            self._resolve(self._stage.last(node.strand.parent), node, lambda results: self._ask(node, results))

    def _hindrance(self, node: Node) -> str:
        """Return why a request cannot be made; empty when it can."""
        strand = node.strand
        for need in sorted(node.needed):
            source, last = self._stage.nodes[need], self._stage.last(need)
            if last.answer is None or source.stop or last.stop:
                why = source.stop.detail if source.stop else last.reason
                return f"It needs call {source.form}: {why}"
        for piece in strand.pieces:
            for call, place in sure_origins(piece) if isinstance(piece, Woven) and strand.parent is None else ():
                is_one_of = place.kind == "tool_use" or is_item(place)
                if is_one_of and value_in(self._stage.standing(call), place) is MISSING:
                    return f"Call {self._stage.nodes[call].form} has no {place} now."
        is_user_turn = strand.parent is not None and not strand.is_round
        if is_user_turn and self._policies.user_turns is UserTurns.STOP and self._stage.is_diverged(strand):
            return "A user turn after the divergence is not said."
        return ""

    def _ask(self, node: Node, results: Sequence[Resolved]) -> None:
        strand = node.strand
        composed = compose(strand, self._stage.standing, results, self._stage.fabric.manner)
        node.messages = composed.messages
        node.rewrites += composed.rewrites
        node.doubts += (*composed.doubts, *self._stage.doubts(node))
        node.was_diverged = node.was_diverged or self._stage.is_diverged(strand)
        node.is_simulated = node.is_simulated or any(
            self._stage.nodes[source].is_simulated for source in strand.sources
        )
        if node.doubts and self._policies.stop_in_doubt:
            self._stage.drop(node, f"Its request is in doubt: {node.doubts[0].detail}")
            return
        prompt = self._without_foreign_state(node, self._prompt(node, composed.messages))
        is_held = strand.state_of is not None
        wrong = faults(prompt, state_held=is_held)
        if wrong and not faults(strand.recorded.prompt, state_held=is_held):
            self._stage.drop(node, f"Its request would be refused: {wrong[0]}.")
            return
        planned = self._planned[node.form]
        is_as_planned = strand.state_of is None or not planned.changes  # a changed plan says the held history in full
        if not node.is_beyond and prompt == strand.recorded.prompt and is_as_planned:
            node.lost = planned.lost
            self._send(node, planned.body)
            return
        try:
            edited = self._edit(node.form, prompt)
            body = _body(edited)
        except InvalidInput as error:
            self._stage.drop(node, f"The patch does not fit the request that the take has come to: {error.message}")
        else:
            node.lost = edited.lost
            self._send(node, body)

    def _send(self, node: Node, body: bytes) -> None:
        if node.is_beyond:
            self._rounds[node.form] += 1
            node.round = self._rounds[node.form]
        planned = self._planned[node.form]
        self._awaiting[node.form, node.round, None] = lambda answered: self._take(node, answered)
        self._asks.append(
            AskCall(
                index=node.form,
                source_call_id=planned.call_id,
                model=planned.model,
                url=planned.url,
                body=body,
                provider=planned.provider,
                dialect=planned.dialect,
                round=node.round,
            )
        )

    def _without_foreign_state(self, node: Node, prompt: Prompt) -> Prompt:
        """Return *prompt* without what only other models accept than the one asked now: their signed thoughts."""
        if not any(map(signatures, prompt.messages)):
            return prompt
        own: set[str] = set()
        foreign: set[str] = set()
        for one in self._stage.nodes.values():
            if one.answered is not None and one.answer and one.answer.message:
                known = own if self._asked_as(one) == self._asked_as(node) else foreign
                known |= signatures(one.answer.message)
        is_other = self._planned[node.form].is_other_model
        kept = without_state(prompt, own=own if is_other else None, foreign=foreign - own)
        if kept is not prompt:
            node.doubt(
                Unknown.STATE, "What another model thought is left out: its signature is good for that model only."
            )
        return kept

    def _asked_as(self, node: Node) -> tuple[str, str]:
        planned = self._planned[node.form]
        return planned.provider, planned.model

    def _prompt(self, node: Node, messages: tuple[Message, ...]) -> Prompt:
        strand = node.strand
        prompt = msgspec.structs.replace(strand.recorded.prompt, messages=messages)
        node.setting = self._setting(node)
        if node.setting is not None:
            there = node.setting.recorded.prompt
            prompt = msgspec.structs.replace(prompt, tools=there.tools, parameters=there.parameters)
        if strand.state_of is None:
            return prompt
        answer = self._stage.last(strand.state_of).answer
        state = {"previous_response_id": answer.response_id if answer else None}
        return msgspec.structs.replace(prompt, parameters=prompt.parameters | state)

    def _setting(self, node: Node) -> Strand | None:
        """Return the call whose instructions and tools are still in force where the take never came to those of *node*.

        An agent that hands a conversation over when a tool is called does not where it is not called.
        """
        strand = node.strand
        if strand.parent is None or not strand.is_whole:
            return None
        before, last = self._stage.nodes[strand.parent], self._stage.last(strand.parent)
        if (last is before and last.setting is None) or before.strand.frame != strand.frame:
            return None
        there = last.setting or last.strand
        return there if there.frame != strand.frame else None

    def _take(self, node: Node, answered: Answered) -> None:
        """Take the answer to a call: go on beyond the record, or let those begin that waited for it."""
        node.answered = answered
        node.answer = self._understood(node, answered)
        if node.answer is None:
            node.reason = f"it failed: {answered.failure}"
        recorded = node.strand.recorded.answer
        if not node.is_beyond:
            node.divergence = departure(recorded, node.answer)
        if self._goes_on(node, recorded):
            self._next_round(node)
        elif node.begins is not None:
            self._stage.end_loop(node)
        else:
            resize_lists(self._stage, node, self._policies.extra_rounds)
            self._stage.settle(node)

    def _understood(self, node: Node, answered: Answered) -> Answer | None:
        """Return an answer in the words of the recorded format; None for a failure."""
        dialect = node.strand.recorded.prompt.dialect
        if answered.failure is not None or answered.answer is None:
            return None
        is_same = self._planned[node.form].dialect in ("", dialect)
        return answered.answer if is_same else retold(answered.answer, dialect)

    def _give_in_words(self, node: Node) -> bool:
        """Put what was recorded for the thing asked for in words into the request; return False when nothing was recorded."""
        parent = node.strand.parent
        assert parent is not None
        recorded = self._stage.nodes[parent].strand.recorded.answer
        asked = asked_in_words(self._stage.last(parent))
        was = prose_action(recorded.message.text) if recorded and recorded.message else None
        if asked is None or asked == was:
            return True
        given = self._stage.fabric.observed.get(asked)
        if given is None:
            self._stage.stop(node, Unknown.TOOL_RESULT, f"No record says what came back for {asked!r}.")
            return False
        node.strand = msgspec.structs.replace(node.strand, pieces=(*node.strand.pieces[:-1], given))
        return True

    def _goes_on(self, node: Node, recorded: Answer | None) -> bool:
        """Return whether an answer asks for tools and the record has no round that gives their results back."""
        if node.next_round is not None:
            return False
        said = recorded.message.text if recorded and recorded.message else ""
        if not node.uses:
            is_new = bool(self._stage.fabric.observed) and prose_action(said) is None
            return is_new and asked_in_words(node) is not None
        if self._stage.is_over(node):
            return False
        was = {use.name for use in recorded.message.tool_uses} if recorded and recorded.message else set()
        return not any(use.name in was for use in node.uses)

    # --- beyond the record ---------------------------------------------------------------------------------------------

    def _next_round(self, node: Node) -> None:
        """Answer the tools that *node* asks for, and ask again as the last recorded round was asked."""
        if not node.uses:
            self._next_words(node)
            return
        following = next_round(self._stage, node)
        if following.extra_rounds > self._policies.extra_rounds:
            detail = f"It went {node.extra_rounds} rounds beyond the record, the limit."
            self._stage.stop(following, Unknown.ROUNDS, detail)
        else:
            self._resolve(node, following, lambda results: self._ask(following, results))

    def _next_words(self, node: Node) -> None:
        """Give *node* what it asks for in words, and ask again."""
        asked = asked_in_words(node)
        given = self._stage.fabric.observed.get(asked or "")
        if given is None or node.extra_rounds >= self._policies.extra_rounds:
            following = next_round(self._stage, node)
            self._stage.stop(following, Unknown.TOOL_RESULT, f"No record says what came back for {asked!r}.")
        else:
            self._ask(next_words(self._stage, node, given), ())

    def _copy(self, one: RecordedResult, number: int, asker: Node, target: Node) -> bool:
        """Have a sub-agent called again, for the tool call *number* of *asker*; return whether that can be done."""
        return target.extra_rounds < self._policies.extra_rounds and copy_result(
            self._stage, one, number, asker, lambda form: self._take_copy(one, form, number, asker, target)
        )

    def _take_copy(self, one: RecordedResult, form: Woven, number: int, asker: Node, target: Node) -> None:
        """Take what the copied calls came to as the result of a tool call."""
        if target.id not in self._waiting:  # the branch has stopped meanwhile
            return
        stage = self._stage
        text, rewrites, doubts = carried_text(form, one.part, stage.standing, stage.fabric.manner)
        if any(doubt.unknown is Unknown.MISSING_VALUE for doubt in doubts):
            del self._waiting[target.id]
            stage.stop(target, Unknown.TOOL_RESULT, f"The calls behind {asker.uses[number].name} did not end well.")
            return
        target.doubts += doubts
        target.rewrites += rewrites
        for call in sorted(sure_calls(form.spans.get(one.part, ()))):
            if stage.last(call).doubts:
                target.doubt(Unknown.UPSTREAM, f"It depends on call {stage.last(call).form}, which is in doubt.")
        self._resolved(target, number, Resolved(use=asker.uses[number], text=text, form=one.form, is_recorded=False))

    # --- tools ---------------------------------------------------------------------------------------------------------

    def _resolve(self, asker: Node, target: Node, then: Callable[[Sequence[Resolved]], None]) -> None:
        """Answer the tools that *asker* asks for, by policy, and go on with their results, which go into *target*."""
        is_loop = asker.begins is not None
        assigned = {} if is_loop else self._stage.shelf.assign(asker.form, asker.uses)
        self._waiting[target.id] = waiting = _Waiting(
            uses=asker.uses, results={}, open=set(range(len(asker.uses))), then=then
        )
        misses: list[_Miss] = []
        for number, use in enumerate(asker.uses):
            found = self._answer_tool(use, number, assigned.get(number), target, asker)
            if isinstance(found, _Miss):
                misses.append(found)
            elif found is not None:
                waiting.results[number] = found
                waiting.open.discard(number)
        if misses:
            del self._waiting[target.id]
            self._stage.stop(target, Unknown.TOOL_RESULT, misses[0].detail)
        elif not waiting.open:
            self._go_on(target)

    def _resolved(self, target: Node, number: int, found: Resolved) -> None:
        waiting = self._waiting[target.id]
        waiting.results[number] = found
        waiting.open.discard(number)
        if not waiting.open:
            self._go_on(target)

    def _go_on(self, target: Node) -> None:
        waiting = self._waiting.pop(target.id)
        waiting.then([waiting.results[number] for number in sorted(waiting.results)])

    def _answer_tool(
        self, use: ToolUse, number: int, assigned: RecordedResult | None, target: Node, asker: Node
    ) -> Resolved | _Miss | None:
        """Return the result of one tool call; None when somebody has been asked for it."""
        form = assigned.form if assigned else None
        for policy in self._policies.of(use.name):
            if isinstance(policy, FromRecord):
                found = self._from_record(use, assigned, target, asker)
                if found is not None:
                    return found
                is_new = assigned is None or not assigned.is_made
                if is_new and any(self._copy(one, number, asker, target) for one in self._stage.shelf.made(use.name)):
                    return None
            elif isinstance(policy, Static):
                target.is_simulated = True
                text = policy.result if isinstance(policy.result, str) else msgspec.json.encode(policy.result).decode()
                return Resolved(use=use, text=text, form=form)
            elif isinstance(policy, ErrorResult):
                target.is_simulated = True
                return Resolved(use=use, text=policy.text, is_error=True, form=form)
            elif isinstance(policy, Callback | Simulate):
                target.is_simulated = target.is_simulated or isinstance(policy, Simulate)
                self._ask_tool(policy, use, number, target, asker)
                return None
            else:
                break
        return _Miss(f"No record says what {use.name} gives back for {use.arguments}.")

    def _from_record(self, use: ToolUse, assigned: RecordedResult | None, target: Node, asker: Node) -> Resolved | None:
        same = assigned is not None and (assigned.is_made or (assigned.name, assigned.arguments) == action_of(use))
        one = assigned if same else self._stage.shelf.find(use)
        if one is None or one.form is None or one.result is None:
            return None
        self._stage.shelf.give(one)
        is_copy = asker.swap is not None and bool(same)
        form = copied_message(one.form, asker.twins, asker.swap) if is_copy and asker.swap else one.form
        text, rewrites, doubts = carried_text(form, one.part, self._stage.standing, self._stage.fabric.manner)
        if any(doubt.unknown is Unknown.MISSING_VALUE for doubt in doubts):
            return None
        target.doubts += doubts
        target.rewrites += rewrites
        return Resolved(use=use, text=text, is_error=one.result.is_error, form=one.form, is_recorded=bool(same))

    def _ask_tool(self, policy: Callback | Simulate, use: ToolUse, number: int, target: Node, asker: Node) -> None:
        """Ask the user's address, or a model that plays the tool."""
        planned = self._planned[target.form]
        if target.is_beyond and not target.round:
            self._rounds[target.form] += 1
            target.round = self._rounds[target.form]
        self._awaiting[target.form, target.round, number] = lambda answered: self._take_result(
            target, number, use, answered
        )
        if isinstance(policy, Callback):
            self._asks.append(
                AskTool(
                    index=target.form,
                    source_call_id=planned.call_id,
                    tool=number,
                    url=policy.url,
                    name=use.name,
                    arguments=use.arguments,
                    timeout_s=policy.timeout_s,
                    is_keyed=policy.is_keyed,
                    round=target.round,
                )
            )
            return
        prompt = simulation(target.strand.recorded.prompt, asker.messages, use, policy)
        if planned.dialect not in ("", prompt.dialect):
            model = policy.model or planned.model
            prompt = translated(prompt, planned.dialect, model, provider=planned.provider)
        self._asks.append(
            AskCall(
                index=target.form,
                source_call_id=planned.call_id,
                model=prompt.model or planned.model,
                url=planned.url,
                body=_body(prompt),
                provider=planned.provider,
                dialect=planned.dialect,
                round=target.round,
                tool=number,
            )
        )

    def _take_result(self, target: Node, number: int, use: ToolUse, answered: Answered) -> None:
        """Take what the user's address or a model gave back for a tool call."""
        if target.id not in self._waiting:  # the branch has stopped meanwhile
            return
        said = answered.answer.message.text if answered.answer and answered.answer.message else None
        text = answered.result if answered.result is not None else said
        if text is None or answered.failure is not None:
            del self._waiting[target.id]
            self._stage.stop(target, Unknown.TOOL_RESULT, f"{use.name} could not be asked: {answered.failure}")
            return
        self._resolved(target, number, Resolved(use=use, text=text))


def _body(prompt: Prompt) -> bytes:
    dialect = dialect_named(prompt.dialect)
    assert dialect is not None, "a call without a dialect is in no fabric"
    return msgspec.json.encode(dialect.write_prompt(prompt))
