"""Say what a replay will do with every call of a session, and what it will cost. Planning sends nothing."""

import re
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from reenact.dialects.translating.stating import without_state
from reenact.domain.message import Json, Prompt
from reenact.domain.patch import Patch, SetModel
from reenact.domain.replay import Budget, FieldChange, Mode, Plan, PlannedCall
from reenact.errors import InvalidInput, InvalidPatch
from reenact.replay.differing import changes
from reenact.replay.editing import edited
from reenact.replay.estimating import Price, expecting
from reenact.replay.expanding import Missing
from reenact.replay.patching import is_unchanged, selects, written
from reenact.replay.recording import Recorded, Recording, recorded_calls
from reenact.replay.swapping import Step, Swap, last_swap, resolved, swapped_url

T = TypeVar("T")

_MODEL_IN_PATH = re.compile(r"(?P<before>/(?:models|deployments)/)(?P<model>[^/:?]+)(?=[:/?]|$)")
"""Gemini and Azure name the model in the path: `/v1beta/models/NAME:generateContent`, `/openai/deployments/NAME/...`."""


class _Step(msgspec.Struct, frozen=True):
    """One edit and its place in the patch."""

    place: str
    edit: Any
    """An Edit as the patch says it, then a Step of `swapping`."""


def plan(recording: Recording, patch: Patch, mode: Mode, takes: int, price: Price, *, reuse: bool = False) -> Plan:
    """Return what replaying *recording* with *patch* will do; with *reuse*, unchanged calls are answered from the record.

    Raises:
        InvalidInput: the mode cannot be replayed by the server.
        InvalidPatch: a selector matches no call that can be asked, or an edit does not fit a call that it selects;
            `field` is the place in the patch, and the message names the call.
    """
    if mode not in {Mode.ANCHORED, Mode.CHAINED}:
        raise InvalidInput(f"The mode {mode.value} is none in which the server makes the calls.", "mode")
    recorded = recorded_calls(recording)
    steps = _selected(patch, [one for one in recorded if not one.hindrance])
    return Plan(
        session_id=recording.session_id,
        session_name=recording.name,
        mode=mode,
        patch=patch,
        takes=takes,
        calls=tuple(_reused(_planned(one, steps.get(one.position, ()), price), one, reuse) for one in recorded),
    )


def edits_of(recording: Recording, patch: Patch) -> dict[int, tuple[Step, ...]]:
    """Return the edits that *patch* makes in each call, by position.

    Raises:
        InvalidPatch: a selector matches no call that can be asked, or a provider cannot be asked.
    """
    steps = _selected(patch, [one for one in recorded_calls(recording) if not one.hindrance])
    return {position: tuple(step.edit for step in found) for position, found in steps.items()}


def with_control(changed: Plan, control: Plan) -> Plan:
    """Return *changed* with as many takes of *control*, the plan without its patch, beside its own."""
    cost = sum(call.expected_cost_nanodollars or 0 for call in control.asked)
    return msgspec.structs.replace(changed, control_takes=changed.takes, control_cost_nanodollars=cost)


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


def _selected(patch: Patch, recorded: Sequence[Recorded]) -> dict[int, list[_Step]]:
    """Return the edits to make in the call at each position, each with its place in the patch."""
    selected: dict[int, list[_Step]] = {}
    for number, change in enumerate(patch.changes):
        try:
            positions = [
                one.position for one in recorded if selects(change.select, one.position, one.call, one.readable)
            ]
        except InvalidPatch as error:
            raise InvalidPatch(error.message, f"changes[{number}].select.{error.field}") from error
        if not positions:
            raise InvalidPatch(
                "The selector matches no call of the session that can be asked.", f"changes[{number}].select"
            )
        steps = [_Step(f"changes[{number}].edits[{place}]", edit) for place, edit in enumerate(change.edits)]
        for position in positions:
            selected.setdefault(position, []).extend(steps)
    return {one.position: _resolved(one, selected[one.position]) for one in recorded if one.position in selected}


def _resolved(one: Recorded, steps: Sequence[_Step]) -> list[_Step]:
    """Return the steps with what setting a model means for the call."""
    found: list[_Step] = []
    for step in steps:
        act = partial(resolved, step.edit, one.call, last_swap([before.edit for before in found]))
        found.append(_Step(step.place, _naming(one, step.place, act)))
    return found


def _naming(one: Recorded, place: str, act: Callable[[], T]) -> T:
    """Return what *act* does; an edit that does not fit is told with its call and its place."""
    try:
        return act()
    except InvalidPatch as error:
        raise InvalidPatch(f"Call {one.position}: {error.message}", f"{place}.{error.field}".rstrip(".")) from error


def _planned(one: Recorded, steps: Sequence[_Step], price: Price) -> PlannedCall:
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
    changed = _changed(planned, one, steps)
    return expecting(changed, one, price) if changed.action == "ask" else changed


def explicit_prompts(recording: Recording, positions: Collection[int]) -> dict[int, Prompt]:
    """Return what the calls at *positions*, and those of conversations, say with the histories that their provider holds."""
    found = {
        one.position: one.explicit
        for one in recorded_calls(recording)
        if not one.hindrance and (one.position in positions or one.converses)
    }
    return {position: prompt for position, prompt in found.items() if isinstance(prompt, Prompt)}


def _changed(planned: PlannedCall, one: Recorded, steps: Sequence[_Step]) -> PlannedCall:
    """Return *planned* with the edits made; with the recorded bytes when they change nothing and may be sent again."""
    if not steps and not one.converses:
        return planned
    swap = last_swap([step.edit for step in steps])
    try:
        before = one.whole
    except InvalidInput as error:
        raise InvalidPatch(f"Call {one.position} cannot be edited: {error.message}", steps[0].place) from error
    if isinstance(one.explicit, Missing) and swap is not None and swap.dialect != one.call.dialect:
        reason = f"{one.explicit.why}, which another provider does not know"
        return msgspec.structs.replace(planned, action="skip", reason=reason, url="", body=b"")
    model = _model_set(steps)
    is_other = swap is not None or model not in (None, before.model or one.call.model)
    begun = without_state(before, own=()) if is_other else before
    after = _edited(one, begun, steps)
    if swap is None and is_unchanged(before, after) and not one.converses:
        return planned
    model = after.model
    url = url_naming(planned.url, before.model, model) if swap is None else swapped_url(planned.url, swap, model or "")
    in_url = url != planned.url
    if in_url and (before.model is None if swap is None else swap.dialect == "gemini"):
        after = msgspec.structs.replace(after, model=None)
    body = _written(one, after, steps)
    differences = changes(one.json, body)
    moved = (FieldChange(path="url", before=planned.url, after=url),) if in_url else ()
    return msgspec.structs.replace(
        planned,
        url=url,
        provider=planned.provider if swap is None else swap.provider,
        dialect=after.dialect,
        model=planned.model if model == before.model else model or planned.model,
        body=msgspec.json.encode(body) if differences else one.body,
        changes=moved + differences,
        lost=after.lost,
        is_other_model=is_other,
    )


def _model_set(steps: Sequence[_Step]) -> str | None:
    """Return the model that *steps* set in the end; None when they set none."""
    return next((step.edit.model for step in reversed(steps) if isinstance(step.edit, SetModel | Swap)), None)


def _edited(one: Recorded, prompt: Prompt, steps: Sequence[_Step]) -> Prompt:
    for step in steps:
        prompt = _naming(one, step.place, partial(edited, prompt, step.edit))
    return prompt


def _written(one: Recorded, prompt: Prompt, steps: Sequence[_Step]) -> Json:
    """Return the request body; an edit that the format cannot say is found by writing after each."""
    try:
        return written(prompt)
    except InvalidPatch as error:
        so_far = one.whole
        for step in steps:
            so_far = edited(so_far, step.edit)
            if not _is_writable(so_far):
                break
        raise InvalidPatch(f"Call {one.position}: {error.message}", step.place) from error


def _is_writable(prompt: Prompt) -> bool:
    try:
        written(prompt)
    except InvalidPatch:
        return False
    return True


def url_naming(url: str, before: str | None, after: str | None) -> str:
    """Return *url* with the model that its path names, if it names one, put in place of by *after*."""
    if after is None or after == before:
        return url
    return _MODEL_IN_PATH.sub(lambda found: found["before"] + quote(after, safe="-._~@"), url, count=1)


def _reused(planned: PlannedCall, one: Recorded, reuse: bool) -> PlannedCall:
    """Return *planned* as answered from the record, when that is wanted and its request is the recorded one."""
    is_same = planned.action == "ask" and planned.body is one.body and planned.url == one.call.url
    if not (reuse and is_same and one.call.status == 200):
        return planned
    return msgspec.structs.replace(planned, is_reused=True, expected_cost_nanodollars=0, most_cost_nanodollars=0)
