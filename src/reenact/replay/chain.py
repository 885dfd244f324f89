"""Chain: what the chained takes of a replay are made of, prepared once for all of them."""

import re
from collections.abc import Mapping
from functools import reduce

import msgspec

from reenact.dialects.conversing import named_conversation
from reenact.dialects.dialect import Dialect
from reenact.dialects.registry import dialect_named
from reenact.domain.call import Bodies, Call
from reenact.domain.exchange import Ending
from reenact.domain.message import Answer, Prompt
from reenact.domain.policy import Policies
from reenact.domain.replay import Plan, PlannedCall, Take
from reenact.errors import InvalidInput, InvalidPatch
from reenact.ingest.unpacking import unpack
from reenact.replay.carrying.fabric import Fabric
from reenact.replay.carrying.strand import Strand
from reenact.replay.carrying.tape import Recorded, Tape
from reenact.replay.carrying.weaving import weave
from reenact.replay.chaining import perform_chained
from reenact.replay.editing import edited
from reenact.replay.patching import decoded
from reenact.replay.performing import Performance
from reenact.replay.planning import edits_of, explicit_prompts
from reenact.replay.recording import Recording
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


def strands_of(recording: Recording, plan: Plan) -> Mapping[int, Strand]:
    """Return what each request that *plan* asks was made of."""
    return weave(tape_of(recording, plan))[0]


def chain_of(recording: Recording, plan: Plan, policies: Policies) -> Chain:
    """Return what chained takes of *plan* are made of.

    Raises:
        InvalidPatch: a selector of the plan's patch matches nothing.
    """
    kin = [_understood(one) for one in recording.kin]
    return Chain(Fabric(tape_of(recording, plan), kin), policies, edits_of(recording, plan.patch))


def tape_of(recording: Recording, plan: Plan) -> Tape:
    """Return the calls that *plan* asks as they were recorded, with the held history where it is to be said in full."""
    asked = {call.index: call for call in plan.asked}
    swapped = {index for index, call in asked.items() if call.dialect != recording.calls[index - 1].dialect}
    explicit = explicit_prompts(recording, swapped)
    return tuple(
        _recorded(index, call, recording.bodies[call.id], explicit.get(index))
        for index, call in enumerate(recording.calls, start=1)
        if index in asked
    )


def _understood(recording: Recording) -> Tape:
    """Return the calls of another session whose formats are known."""
    return tuple(
        _recorded(index, call, recording.bodies[call.id], None)
        for index, call in enumerate(recording.calls, start=1)
        if dialect_named(call.dialect) is not None and call.id in recording.bodies
    )


def _recorded(index: int, call: Call, bodies: Bodies, explicit: Prompt | None) -> Recorded:
    dialect = dialect_named(call.dialect)
    assert dialect is not None, "a call without a dialect is not asked"
    path = _NUMBERS.sub("#", call.labels.path)
    return Recorded(
        index=index,
        prompt=explicit or _prompt(dialect, bodies),
        answer=_answer(dialect, call, bodies),
        started_us=call.created_us,
        ended_us=call.created_us + call.duration_us,
        family=f"{path} {call.labels.prompt_id or ''}".strip(),
    )


def _prompt(dialect: Dialect, bodies: Bodies) -> Prompt:
    """Return what a request says; one that cannot be read says nothing, and is asked as it is."""
    try:
        return dialect.read_prompt(decoded(unpack(bodies.request, bodies.request_headers)))
    except InvalidInput:
        return Prompt(dialect=dialect.name, model=None)


def _answer(dialect: Dialect, call: Call, bodies: Bodies) -> Answer | None:
    """Return what was answered; None for failures and for what broke off."""
    if call.status >= 400 or call.ending is not Ending.ANSWERED or bodies.answer_json is None:
        return None
    try:
        return dialect.read_answer(bodies.answer)
    except InvalidInput:
        return None
