"""Perform a plan in chained mode: every request holds the take's own answers where the recorded one held recorded answers.

Calls with nothing between them are asked at once. The driver is the same as that of `performing`; nothing here knows HTTP or time.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterator, Sequence

import msgspec

from reenact.dialects.registry import dialect_named
from reenact.domain.divergence import Divergence, Doubt, Rewrite, Unknown, Validity
from reenact.domain.message import Answer, Message, Prompt, Role, Text, ToolUse
from reenact.domain.policy import Callback, ErrorResult, Policies, Simulate, Static, UserTurns
from reenact.domain.policy import Recorded as FromRecord
from reenact.domain.replay import Answered, AskCall, AskTool, CallResult, Plan, PlannedCall, Take
from reenact.replay.carrying.answering import RecordedResult, Shelf, action_of
from reenact.replay.carrying.checking import faults
from reenact.replay.carrying.composing import (
    Resolved,
    Standing,
    carried_text,
    compose,
    value_in,
    written_results,
)
from reenact.replay.carrying.departing import departure
from reenact.replay.carrying.echoing import Echo, echo
from reenact.replay.carrying.fabric import Fabric, sure_origins
from reenact.replay.carrying.steering import verdict
from reenact.replay.carrying.strand import Results, Strand, Woven
from reenact.replay.carrying.valuing import MISSING, Place, value_at
from reenact.replay.performing import skipped

Asks = tuple[AskCall | AskTool, ...]
ChainedPerformance = Generator[Asks, Answered, Take]
Edit = Callable[[int, Prompt], Prompt]
"""Applies a plan's patch to the prompt of the call at a position."""


def perform_chained(plan: Plan, take: Take, fabric: Fabric, policies: Policies, edit: Edit) -> ChainedPerformance:
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
    while performer.awaited:
        answered = yield ready
        ready = performer.receive(answered)
    return msgspec.structs.replace(take, results=performer.results())


class _Outcome(msgspec.Struct, kw_only=True):
    """What became of a recorded call in this take, so far."""

    index: int
    messages: tuple[Message, ...] = ()
    """What was sent, before the patch."""
    answer: Answer | None = None
    is_asked: bool = False
    is_settled: bool = False
    reason: str = ""
    """Why nothing stands for it, when nothing does."""
    stands_in: int | None = None
    """For a round that the take did without: the call with which its loop ended."""
    divergence: Divergence | None = None
    is_diverged: bool = False
    """Whether something that it depends on, or itself, left the source's actions."""
    is_simulated: bool = False
    doubts: tuple[Doubt, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    answered: Answered | None = None
    was_diverged: bool = False
    """Whether something that it depends on did, before it was asked."""
    stop: Doubt | None = None
    """Why its loop could not go on to an end."""
    round: int = 0
    """How many rounds beyond the record its loop went."""
    ending: "_Outcome | None" = None
    """The last of those rounds."""

    @property
    def last(self) -> "_Outcome":
        """The call with which its loop ended."""
        return self.ending or self

    @property
    def uses(self) -> tuple[ToolUse, ...]:
        """The tools that the answer asks for."""
        return self.answer.message.tool_uses if self.answer and self.answer.message else ()


class _Waiting(msgspec.Struct, kw_only=True):
    """Tool calls that are being answered by the user's address or by a model, and what is to be done then."""

    uses: tuple[ToolUse, ...]
    results: dict[int, Resolved]
    open: set[int]
    then: Callable[[Sequence[Resolved]], None]


class _Miss(msgspec.Struct, frozen=True):
    """A tool call that nobody answers."""

    use: ToolUse
    detail: str


class _Performer:
    """The state of one take."""

    def __init__(self, plan: Plan, fabric: Fabric, policies: Policies, edit: Edit) -> None:
        self._plan = plan
        self._planned = {call.index: call for call in plan.calls}
        self._fabric = fabric
        self._policies = policies
        self._edit = edit
        self._shelf = fabric.shelf()
        self._outcomes = {index: _Outcome(index=index) for index in fabric.strands}
        self._unsettled = {index: set(fabric.waits_for(index)) for index in fabric.strands}
        self._followers: dict[int, list[int]] = defaultdict(list)
        for index, needs in self._unsettled.items():
            for need in needs:
                self._followers[need].append(index)
        self._ready: deque[int] = deque(index for index, needs in self._unsettled.items() if not needs)
        self._asks: list[AskCall | AskTool] = []
        self._waiting: dict[tuple[int, int], _Waiting] = {}
        self._extra: list[CallResult] = []
        self.awaited = 0

    # --- the driver's side ---------------------------------------------------------------------------------------------

    def begin(self) -> Asks:
        """Return what may be asked at first."""
        return self._drain()

    def receive(self, answered: Answered) -> Asks:
        """Take one outcome and return what may be asked now."""
        self.awaited -= 1
        if answered.tool is not None:
            self._take_result(answered, answered.tool)
        elif answered.round:
            self._take_extra(answered)
        else:
            self._take_answer(answered)
        return self._drain()

    def results(self) -> tuple[CallResult, ...]:
        """Return what became of every planned call, and of the rounds beyond the record."""
        found = [
            self._result(self._outcomes[call.index], call) if call.index in self._outcomes else skipped(call)
            for call in self._plan.calls
        ]
        return tuple(sorted([*found, *self._extra], key=lambda one: (one.index, one.round)))

    def _drain(self) -> Asks:
        while self._ready:
            self._start(self._ready.popleft())
        asks, self._asks = tuple(self._asks), []
        self.awaited += len(asks)
        return asks

    # --- one call ------------------------------------------------------------------------------------------------------

    def _start(self, index: int) -> None:
        """Begin a call whose sources are all settled: ask it, or say why not."""
        strand = self._fabric.strands[index]
        outcome = self._outcomes[index]
        ended = self._ended_before(strand)
        if ended is not None:
            self._drop(outcome, "The take needed no such call any more.", stands_in=ended)
            return
        reason = self._hindrance(strand)
        if reason:
            self._drop(outcome, reason)
            return
        has_results = any(isinstance(piece, Results) for piece in strand.pieces)
        if not has_results or strand.parent is None:
            self._ask(strand, ())
            return
        parent = self._last(strand.parent)
        self._resolve(parent, strand.parent, index, lambda results: self._ask(strand, results))

    def _ended_before(self, strand: Strand) -> int | None:
        """Return the call that stands for this one because its loop ended earlier, or its first try went well; else None."""
        first = self._fabric.first_tries.get(strand.index)
        if first is not None and self._outcomes[first].answer is not None:
            return first
        if not strand.is_round or strand.parent is None:
            return None
        parent = self._outcomes[strand.parent]
        if parent.stands_in is not None:
            return parent.stands_in
        return strand.parent if parent.answer is not None and self._is_over(parent) else None

    def _is_over(self, outcome: _Outcome) -> bool:
        """Return whether an answer ends its tool loop."""
        endings = self._shelf.ending_tools
        return all(use.name in endings for use in outcome.uses)

    def _hindrance(self, strand: Strand) -> str:
        """Return why a request cannot be made; empty when it can."""
        for need in sorted(self._fabric.needed[strand.index]):
            outcome = self._outcomes[need]
            if outcome.stands_in is not None:
                outcome = self._outcomes[outcome.stands_in]
            if outcome.last.answer is None or outcome.reason:
                return f"It needs call {need}: {outcome.reason or outcome.last.reason}"
        for piece in strand.pieces:
            for call, place in sure_origins(piece) if isinstance(piece, Woven) else ():
                standing = self._standing(call)
                if value_in(standing, place) is MISSING and (
                    place.kind == "tool_use" or any(isinstance(step, int) for step in place.steps)
                ):
                    return f"Call {call} has no {place} now."
        if strand.state_of is not None and self._last(strand.state_of).answer is None:
            return f"The provider's state after call {strand.state_of} is missing."
        if strand.recorded.prompt.parameters.get("conversation") is not None:
            return "It goes on in a conversation that the provider holds; asking again would write into it."
        is_user_turn = strand.parent is not None and not strand.is_round
        if is_user_turn and self._policies.user_turns is UserTurns.STOP and self._is_diverged(strand):
            return "A user turn after the divergence is not said."
        return ""

    def _ask(self, strand: Strand, results: Sequence[Resolved]) -> None:
        composed = compose(strand, self._standing, results, self._fabric.manner)
        outcome = self._outcomes[strand.index]
        outcome.messages = composed.messages
        outcome.rewrites = composed.rewrites
        outcome.doubts += (*composed.doubts, *self._doubts(strand))
        outcome.is_diverged = outcome.was_diverged = self._is_diverged(strand)
        outcome.is_simulated = outcome.is_simulated or any(self._outcomes[s].is_simulated for s in strand.sources)
        if outcome.doubts and self._policies.stop_in_doubt:
            self._drop(outcome, f"Its request is in doubt: {outcome.doubts[0].detail}")
            return
        prompt = self._prompt(strand, composed.messages)
        wrong = faults(prompt, state_held=strand.state_of is not None)
        if wrong and not faults(strand.recorded.prompt, state_held=strand.state_of is not None):
            self._drop(outcome, f"Its request would be refused: {wrong[0]}.")
            return
        planned = self._planned[strand.index]
        outcome.is_asked = True
        self._asks.append(
            AskCall(
                index=strand.index,
                source_call_id=planned.call_id,
                model=planned.model,
                url=planned.url,
                body=planned.body if prompt == strand.recorded.prompt else self._body(strand.index, prompt),
            )
        )

    def _prompt(self, strand: Strand, messages: tuple[Message, ...]) -> Prompt:
        prompt = msgspec.structs.replace(strand.recorded.prompt, messages=messages)
        if strand.state_of is None:
            return prompt
        answer = self._last(strand.state_of).answer
        state = {"previous_response_id": answer.response_id if answer else None}
        return msgspec.structs.replace(prompt, parameters=prompt.parameters | state)

    def _body(self, index: int, prompt: Prompt) -> bytes:
        dialect = dialect_named(prompt.dialect)
        assert dialect is not None, "a call without a dialect is in no fabric"
        return msgspec.json.encode(dialect.write_prompt(self._edit(index, prompt)))

    def _take_answer(self, answered: Answered) -> None:
        outcome = self._outcomes[answered.index]
        recorded = self._fabric.strands[answered.index].recorded
        outcome.answered = answered
        outcome.answer = answered.answer if answered.failure is None else None
        outcome.divergence = departure(recorded.answer, outcome.answer)
        outcome.is_diverged = outcome.is_diverged or outcome.divergence is not None
        if outcome.answer is None:
            outcome.reason = f"it failed: {answered.failure}"
        if self._goes_on(outcome, recorded.answer):
            self._next_round(outcome, outcome)
        else:
            self._settle(outcome)

    def _goes_on(self, outcome: _Outcome, recorded: Answer | None) -> bool:
        """Return whether the take has to go on beyond the record: it asks for tools, and the record has no round that answers."""
        if not outcome.uses or outcome.index in self._fabric.rounds or self._is_over(outcome):
            return False
        was = {use.name for use in recorded.message.tool_uses} if recorded and recorded.message else set()
        return not any(use.name in was for use in outcome.uses)

    # --- rounds beyond the record --------------------------------------------------------------------------------------

    def _next_round(self, first: _Outcome, latest: _Outcome) -> None:
        """Answer the tools that *latest* asks for and ask again, in the form of *first*, the last recorded round."""
        if first.round >= self._policies.extra_rounds:
            self._stop(first, Unknown.ROUNDS, f"It went {first.round} rounds beyond the record, the limit.")
            return
        self._resolve(latest, None, first.index, lambda results: self._ask_extra(first, latest, results))

    def _ask_extra(self, first: _Outcome, latest: _Outcome, results: Sequence[Resolved]) -> None:
        strand = self._fabric.strands[first.index]
        prompt = strand.recorded.prompt
        said = latest.answer.message if latest.answer else None
        assert said is not None
        results_said = tuple(written_results(prompt.dialect, results, self._shelf.forms()))
        if self._fabric.held:
            assert latest.answer is not None
            state = {"previous_response_id": latest.answer.response_id}
            prompt = msgspec.structs.replace(prompt, parameters=prompt.parameters | state)
            system = tuple(message for message in prompt.messages if message.role is Role.SYSTEM)
            messages = (*system, *results_said)
        else:
            form = self._fabric.echoes.get((prompt.dialect, bool(said.text.strip()), True)) or next(
                iter(self._fabric.echoes.values()), Echo(said, (said,))
            )
            messages = (*latest.messages, *echo(prompt.dialect, form, said, self._fabric.echoes), *results_said)
        first.round += 1
        planned = self._planned[first.index]
        first.ending = _Outcome(
            index=first.index,
            messages=messages,
            is_asked=True,
            is_diverged=True,
            was_diverged=True,
            is_simulated=latest.is_simulated,
            doubts=latest.doubts,
        )
        self._asks.append(
            AskCall(
                index=first.index,
                source_call_id=planned.call_id,
                model=planned.model,
                url=planned.url,
                body=self._body(first.index, msgspec.structs.replace(prompt, messages=messages)),
                round=first.round,
            )
        )

    def _take_extra(self, answered: Answered) -> None:
        first = self._outcomes[answered.index]
        latest = first.last
        latest.answer = answered.answer if answered.failure is None else None
        latest.answered = answered
        if latest.answer is None:
            latest.reason = first.reason = f"it failed: {answered.failure}"
        planned = self._planned[first.index]
        self._extra.append(msgspec.structs.replace(self._result(latest, planned), round=answered.round))
        if latest.uses and not self._is_over(latest):
            self._next_round(first, latest)
        else:
            self._settle(first)

    # --- tools ---------------------------------------------------------------------------------------------------------

    def _resolve(
        self, asker: _Outcome, call: int | None, for_index: int, then: Callable[[Sequence[Resolved]], None]
    ) -> None:
        """Answer the tools that *asker* asks for, by policy, and go on with their results.

        Args:
            asker: whose answer asks for them.
            call: the recorded call that it stands for; None in rounds beyond the record.
            for_index: the call whose request the results go into.
            then: what to do with them.
        """
        target = self._outcomes[for_index]
        assigned = self._shelf.assign(call, asker.uses) if call is not None else {}
        results: dict[int, Resolved] = {}
        pending: set[int] = set()
        for number, use in enumerate(asker.uses):
            found = self._answer_tool(use, number, assigned.get(number), target, asker)
            if isinstance(found, _Miss):
                self._stop(target, Unknown.TOOL_RESULT, found.detail)
                return
            if found is None:
                pending.add(number)
            else:
                results[number] = found
        if not pending:
            then([results[number] for number in sorted(results)])
        else:
            self._waiting[for_index, target.round] = _Waiting(uses=asker.uses, results=results, open=pending, then=then)

    def _answer_tool(
        self, use: ToolUse, number: int, assigned: RecordedResult | None, target: _Outcome, asker: _Outcome
    ) -> Resolved | _Miss | None:
        """Return the result of one tool call; None when somebody has been asked for it."""
        for policy in self._policies.of(use.name):
            if isinstance(policy, FromRecord):
                found = self._from_record(use, assigned, target)
                if found is not None:
                    return found
            elif isinstance(policy, Static):
                text = policy.result if isinstance(policy.result, str) else msgspec.json.encode(policy.result).decode()
                target.is_simulated = True
                return Resolved(use=use, text=text, form=assigned.form if assigned else None)
            elif isinstance(policy, ErrorResult):
                target.is_simulated = True
                return Resolved(use=use, text=policy.text, is_error=True, form=assigned.form if assigned else None)
            elif isinstance(policy, Callback | Simulate):
                self._asks.append(self._ask_tool(policy, use, number, target, asker))
                target.is_simulated = target.is_simulated or isinstance(policy, Simulate)
                return None
            else:
                break
        return _Miss(use, f"No record says what {use.name} gives back for {use.arguments}.")

    def _from_record(self, use: ToolUse, assigned: RecordedResult | None, target: _Outcome) -> Resolved | None:
        same = assigned is not None and (assigned.is_made or (assigned.name, assigned.arguments) == action_of(use))
        one = assigned if same else self._shelf.find(use)
        if one is None or one.form is None or one.result is None:
            return None
        self._shelf.give(one)
        text, rewrites, doubts = carried_text(one.form, one.part, self._standing, self._fabric.manner)
        if any(doubt.unknown is Unknown.MISSING_VALUE for doubt in doubts):
            return None
        target.doubts += doubts
        target.rewrites += rewrites
        return Resolved(use=use, text=text, is_error=one.result.is_error, form=one.form, is_recorded=bool(same))

    def _ask_tool(
        self, policy: Callback | Simulate, use: ToolUse, number: int, target: _Outcome, asker: _Outcome
    ) -> AskCall | AskTool:
        planned = self._planned[target.index]
        if isinstance(policy, Callback):
            return AskTool(
                index=target.index,
                source_call_id=planned.call_id,
                tool=number,
                url=policy.url,
                name=use.name,
                arguments=use.arguments,
                round=target.round,
            )
        recorded = self._fabric.strands[target.index].recorded.prompt
        prompt = simulation(recorded, asker.messages, use, policy)
        dialect = dialect_named(prompt.dialect)
        assert dialect is not None, "a call without a dialect is in no fabric"
        return AskCall(
            index=target.index,
            source_call_id=planned.call_id,
            model=prompt.model or planned.model,
            url=planned.url,
            body=msgspec.json.encode(dialect.write_prompt(prompt)),
            round=target.round,
            tool=number,
        )

    def _take_result(self, answered: Answered, number: int) -> None:
        """Take what the user's address or a model gave back for a tool call."""
        key = (answered.index, answered.round)
        waiting = self._waiting.get(key)
        if waiting is None:  # the branch has stopped meanwhile
            return
        said = answered.answer.message.text if answered.answer and answered.answer.message else None
        text = answered.result if answered.result is not None else said
        if text is None or answered.failure is not None:
            del self._waiting[key]
            detail = f"The tool could not be asked: {answered.failure}"
            self._stop(self._outcomes[answered.index], Unknown.TOOL_RESULT, detail)
            return
        waiting.open.discard(number)
        waiting.results[number] = Resolved(use=waiting.uses[number], text=text)
        if not waiting.open:
            del self._waiting[key]
            waiting.then([waiting.results[place] for place in sorted(waiting.results)])

    # --- what became of it ---------------------------------------------------------------------------------------------

    def _stop(self, outcome: _Outcome, unknown: Unknown, detail: str) -> None:
        """End a branch here: the call itself is left out, or its loop has no end."""
        doubt = Doubt(unknown=unknown, detail=detail, source=outcome.index)
        if outcome.is_asked:
            outcome.stop = doubt
            outcome.reason = detail
            self._settle(outcome)
        else:
            outcome.doubts += (doubt,)
            self._drop(outcome, detail)

    def _drop(self, outcome: _Outcome, reason: str, stands_in: int | None = None) -> None:
        """Leave a call out."""
        outcome.reason = reason
        outcome.stands_in = stands_in
        self._settle(outcome)

    def _settle(self, outcome: _Outcome) -> None:
        """Say that a call is through; those that waited for it alone may begin."""
        outcome.is_settled = True
        for follower in self._followers[outcome.index]:
            self._unsettled[follower].discard(outcome.index)
            if not self._unsettled[follower]:
                self._ready.append(follower)

    def _last(self, call: int) -> _Outcome:
        """Return the outcome that stands for a call: its own, or that of the call with which its tool loop ended."""
        outcome = self._outcomes[call]
        while outcome.stands_in is not None:
            outcome = self._outcomes[outcome.stands_in]
        return outcome.last

    def _standing(self, call: int) -> Standing:
        recorded = self._fabric.strands[call].recorded
        outcome = self._outcomes[call]
        last = self._last(call)
        was_final = not (recorded.answer and recorded.answer.message and recorded.answer.message.tool_uses)
        assigned = self._shelf.assign(call, outcome.uses) if outcome.stands_in is None else {}
        return Standing(
            recorded=recorded.answer,
            answer=last.answer,
            history=last.messages,
            uses={one.number: number for number, one in assigned.items()},
            family=recorded.family,
            length=len(recorded.prompt.messages),
            is_itself=last is outcome or was_final,
        )

    def _is_diverged(self, strand: Strand) -> bool:
        return any(self._outcomes[source].is_diverged or self._last(source).is_diverged for source in strand.sources)

    def _doubts(self, strand: Strand) -> Iterator[Doubt]:
        """Yield what makes the request of a call doubtful, beside what stands in it."""
        for source in sorted(strand.sources):
            if self._last(source).doubts:
                yield Doubt(
                    unknown=Unknown.UPSTREAM, detail=f"It depends on call {source}, which is in doubt.", source=source
                )
        for steer in sorted(strand.steered_by):
            standing = self._standing(steer)
            if verdict(standing.answer) != verdict(standing.recorded) or self._last(steer).doubts:
                yield Doubt(
                    unknown=Unknown.DECISION,
                    detail=f"The answer of call {steer} changed, and what it decides is in no record.",
                    source=steer,
                )
        for call, place in sorted(self._fabric.gathered[strand.index]):
            standing = self._standing(call)
            if _length(standing.answer, place) != _length(standing.recorded, place):
                yield Doubt(unknown=Unknown.COUNT, detail=f"{place} of call {call} has another length.", source=call)

    def _result(self, outcome: _Outcome, planned: PlannedCall) -> CallResult:
        answered = outcome.answered
        return CallResult(
            index=planned.index,
            source_call_id=planned.call_id,
            call_id=answered.call_id if answered else None,
            status=answered.status if answered else None,
            failure=answered.failure if answered else outcome.reason,
            skipped=answered is None,
            validity=_validity(outcome),
            divergence=outcome.divergence,
            doubts=outcome.doubts if outcome.stop is None else (*outcome.doubts, outcome.stop),
            rewrites=outcome.rewrites,
        )


def simulation(recorded: Prompt, history: Sequence[Message], use: ToolUse, policy: Simulate) -> Prompt:
    """Return the prompt that asks a model to play a tool."""
    tool = next((one for one in recorded.tools if one.name == use.name), None)
    about = f"\n\nWhat the tool does: {tool.description}" if tool and tool.description else ""
    instruction = f"\n\n{policy.instruction}" if policy.instruction else ""
    task = (
        f"You play the tool {use.name!r} of an agent. Answer with nothing but what the tool would give back."
        f"{about}{instruction}\n\nThe arguments of the call, as JSON: {use.arguments}"
    )
    context = [message for message in history if message.role is Role.USER][-1:]
    said = "".join(f"\n\nThe agent's user said: {message.text}" for message in context if message.text)
    return Prompt(
        dialect=recorded.dialect,
        model=policy.model or recorded.model,
        messages=(Message(role=Role.USER, parts=(Text(task + said),)),),
    )


def _length(answer: Answer | None, place: Place) -> int | None:
    value = value_at(answer, place) if answer else MISSING
    return len(value) if isinstance(value, list) else None


def _validity(outcome: _Outcome) -> Validity:
    if outcome.answered is None:
        return Validity.DROPPED
    if outcome.is_simulated:
        return Validity.SIMULATED
    return Validity.AFTER_DIVERGENCE if outcome.was_diverged or outcome.doubts else Validity.ON_TAPE
