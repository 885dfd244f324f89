"""Chain: what the chained takes of a replay are made of, prepared once for all of them."""

import re
from collections.abc import Mapping, Sequence
from functools import reduce

import msgspec

from reenact.dialects.conversing import named_conversation
from reenact.dialects.registry import dialect_named
from reenact.domain.message import Prompt
from reenact.domain.policy import Policies
from reenact.domain.replay import Plan, PlannedCall, Take
from reenact.errors import InvalidPatch
from reenact.replay.carrying.fabric import Fabric
from reenact.replay.carrying.strand import Strand
from reenact.replay.carrying.tape import Recorded, Tape
from reenact.replay.carrying.weaving import weave
from reenact.replay.chaining import perform_chained
from reenact.replay.editing import edited
from reenact.replay.performing import Performance
from reenact.replay.planning import edits_of, explicit_prompts
from reenact.replay.recording import Recorded as Read
from reenact.replay.recording import Recording, recorded_calls
from reenact.replay.step import Step

_NUMBERS = re.compile(r"\d+")


class Chain:
    """A woven session with the patch and the policies that its takes have in common."""

    def __init__(self, fabric: Fabric, policies: Policies, edits: Mapping[int, tuple[Step, ...]]) -> None:
        """Take the parts; *edits* are those of the patch, by position."""
        self._fabric = fabric
        self._policies = policies
        self._edits = edits

    def perform(self, plan: Plan, take: Take) -> Performance:
        """Return the performance of *take*; one without a patch is the control."""
        edits = {} if plan.patch.is_empty else self._edits

        def edit(index: int, prompt: Prompt) -> Prompt:
            changed = reduce(edited, edits.get(index, ()), prompt)
            if named_conversation(changed.parameters) is not None:
                raise InvalidPatch("It would write into a conversation at the provider.")
            is_in_url = prompt.model is None if changed.dialect == prompt.dialect else changed.dialect == "gemini"
            return msgspec.structs.replace(changed, model=None) if is_in_url else changed

        return perform_chained(plan, take, self._fabric, self._policies, edit)

    def explained(self, plan: Plan) -> Plan:
        """Return *plan* with what will be carried where."""
        return explained(plan, self._fabric.strands, self._policies)


def explained(plan: Plan, strands: Mapping[int, Strand], policies: Policies) -> Plan:
    """Return *plan* with what will be carried where, as *strands* show it."""
    calls = tuple(_explained(call, strands.get(call.index)) for call in plan.calls)
    return msgspec.structs.replace(plan, calls=calls, policies=policies)


def _explained(call: PlannedCall, strand: Strand | None) -> PlannedCall:
    if strand is None:
        return call
    maybe = (strand.sources | strand.steering) - strand.copied_from
    return msgspec.structs.replace(
        call, carried_from=tuple(sorted(strand.copied_from)), maybe_from=tuple(sorted(maybe))
    )


def strands_of(calls: Sequence[Read], plan: Plan) -> Mapping[int, Strand]:
    """Return what each request that *plan*, which was made of *calls*, asks was made of."""
    return weave(tape_of(calls, plan))[0]


def chain_of(calls: Sequence[Read], plan: Plan, policies: Policies, kin: Sequence[Recording] = ()) -> Chain:
    """Return what chained takes of *plan*, which was made of *calls*, are made of; *kin* are other sessions of the agent.

    Raises:
        InvalidPatch: a selector of the plan's patch matches nothing.
    """
    others = [_understood(recorded_calls(one)) for one in kin]
    return Chain(Fabric(tape_of(calls, plan), others), policies, edits_of(calls, plan.patch))


def tape_of(calls: Sequence[Read], plan: Plan) -> Tape:
    """Return the calls that *plan* asks as they were recorded, with the held history where it is to be said in full."""
    asked = {call.index: call for call in plan.asked}
    swapped = {index for index, call in asked.items() if call.dialect != calls[index - 1].call.dialect}
    explicit = explicit_prompts(calls, swapped)
    return tuple(_recorded(one, explicit.get(one.position)) for one in calls if one.position in asked)


def _understood(calls: Sequence[Read]) -> Tape:
    """Return the calls of another session whose formats are known."""
    return tuple(
        _recorded(one, None) for one in calls if dialect_named(one.call.dialect) is not None and one.has_bodies
    )


def _recorded(one: Read, explicit: Prompt | None) -> Recorded:
    """Return a call as carrying reads it; a request that cannot be read says nothing, and is asked as it is."""
    call = one.call
    path = _NUMBERS.sub("#", call.labels.path)
    return Recorded(
        index=one.position,
        prompt=explicit or one.readable() or Prompt(dialect=call.dialect, model=None),
        answer=one.answer,
        started_us=call.created_us,
        ended_us=call.created_us + call.duration_us,
        family=f"{path} {call.labels.prompt_id or ''}".strip(),
    )
