"""Say what a replay will do with every call of a session, and what it will cost. Planning sends nothing."""

from collections.abc import Collection, Sequence

import msgspec

from reenact.domain.message import Prompt
from reenact.domain.patch import Patch
from reenact.domain.replay import Budget, Mode, Plan, PlannedCall
from reenact.errors import InvalidInput
from reenact.replay.changing import PlacedEdit, changed, placed_edits
from reenact.replay.estimating import Price, expecting
from reenact.replay.recording import Recorded, Recording, recorded_calls
from reenact.replay.step import Step


def plan(
    recording: Recording,
    patch: Patch,
    mode: Mode,
    takes: int,
    price: Price,
    *,
    reuse: bool = False,
    calls: Sequence[Recorded] | None = None,
) -> Plan:
    """Return what replaying *recording* with *patch* will do.

    Args:
        recording: the session.
        patch: what is changed.
        mode: anchored or chained.
        takes: how many.
        price: what a call would cost.
        reuse: whether unchanged calls are answered from the record.
        calls: those of *recording*, where somebody has begun to read them.

    Raises:
        InvalidInput: the mode cannot be replayed by the server.
        InvalidPatch: a selector matches no call that can be asked, or an edit does not fit a call that it selects;
            `field` is the place in the patch, and the message names the call.
    """
    if mode not in {Mode.ANCHORED, Mode.CHAINED}:
        raise InvalidInput(f"The mode {mode.value} is none in which the server makes the calls.", "mode")
    recorded = recorded_calls(recording) if calls is None else calls
    steps = placed_edits(patch, recorded)
    return Plan(
        session_id=recording.session_id,
        session_name=recording.name,
        mode=mode,
        patch=patch,
        takes=takes,
        calls=tuple(_reused(_planned(one, steps.get(one.position, ()), price), one, reuse) for one in recorded),
    )


def edits_of(calls: Sequence[Recorded], patch: Patch) -> dict[int, tuple[Step, ...]]:
    """Return the edits that *patch* makes in each of *calls*, by position.

    Raises:
        InvalidPatch: a selector matches no call that can be asked, or a provider cannot be asked.
    """
    steps = placed_edits(patch, calls)
    return {position: tuple(step.edit for step in found) for position, found in steps.items()}


def with_control(plan: Plan, control: Plan) -> Plan:
    """Return *plan* with as many takes of *control*, the plan without its patch, beside its own."""
    cost = sum(call.expected_cost_nanodollars or 0 for call in control.asked)
    return msgspec.structs.replace(plan, control_takes=plan.takes, control_cost_nanodollars=cost)


def check_budget(budget: Budget, plans: Sequence[Plan]) -> None:
    """Make sure that a budget in money can be held.

    Raises:
        InvalidInput: the price of a call is not known, and nothing was said of such calls.
    """
    if budget.cost_nanodollars is None or budget.allow_unpriced:
        return
    for call in (call for one in plans for call in one.asked):
        if call.most_cost_nanodollars is None:
            raise InvalidInput(
                f"What call {call.index} ({call.model} of {call.provider}) may cost is not known, so a budget in money cannot "
                "be held. Leave the budget away, limit the calls, or allow unpriced calls, which then count as free.",
                "budget.cost_nanodollars",
            )


def without_bodies(whole: Plan) -> Plan:
    """Return the plan as it is kept and shown: its bodies can be made again from the recording and the patch."""
    return msgspec.structs.replace(whole, calls=tuple(msgspec.structs.replace(call, body=b"") for call in whole.calls))


def _planned(one: Recorded, steps: Sequence[PlacedEdit], price: Price) -> PlannedCall:
    call = one.call
    planned = PlannedCall(
        index=one.position,
        call_id=call.id,
        path=call.labels.path,
        prompt_id=call.labels.prompt_id,
        model=call.model,
        provider=call.provider,
        dialect=call.dialect,
        action="skip" if one.hindrance else "ask",
        reason=one.hindrance,
    )
    if one.hindrance:
        return planned
    planned = msgspec.structs.replace(planned, url=call.url, body=one.body)
    asked = changed(planned, one, steps)
    return expecting(asked, one, price) if asked.action == "ask" else asked


def explicit_prompts(calls: Sequence[Recorded], positions: Collection[int]) -> dict[int, Prompt]:
    """Return what the calls at *positions*, and those of conversations, say with the histories that their provider holds."""
    found = {
        one.position: one.explicit
        for one in calls
        if not one.hindrance and (one.position in positions or one.converses)
    }
    return {position: prompt for position, prompt in found.items() if isinstance(prompt, Prompt)}


def _reused(planned: PlannedCall, one: Recorded, reuse: bool) -> PlannedCall:
    """Return *planned* as answered from the record, when that is wanted and its request is the recorded one."""
    is_same = planned.action == "ask" and planned.body is one.body and planned.url == one.call.url and not planned.fault
    if not (reuse and is_same and one.call.status == 200):
        return planned
    return msgspec.structs.replace(
        planned, is_reused=True, expected_duration_us=0, expected_cost_nanodollars=0, most_cost_nanodollars=0
    )
