"""Say what a replay will do with every call of a session, and what it will cost. Planning sends nothing."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from reenact.dialects.dialect import Dialect
from reenact.dialects.registry import dialect_named
from reenact.dialects.translating.stating import without_state
from reenact.domain.call import Bodies, Call, Kind
from reenact.domain.exchange import Ending
from reenact.domain.message import Json, Prompt, Usage
from reenact.domain.patch import Patch, SetModel
from reenact.domain.replay import Budget, FieldChange, Mode, Plan, PlannedCall
from reenact.errors import InvalidInput, InvalidPatch
from reenact.ingest.unpacking import unpack
from reenact.replay.differing import changes
from reenact.replay.editing import edited
from reenact.replay.estimating import Price, expecting
from reenact.replay.expanding import FIELD, Earlier, expanded
from reenact.replay.patching import decoded, is_unchanged, selects, written
from reenact.replay.swapping import Step, Swap, last_swap, resolved, swapped_url

T = TypeVar("T")

_MODEL_IN_PATH = re.compile(r"(?P<before>/(?:models|deployments)/)(?P<model>[^/:?]+)(?=[:/?]|$)")
"""Gemini and Azure name the model in the path: `/v1beta/models/NAME:generateContent`, `/openai/deployments/NAME/...`."""


_MISSING_IMAGE = b"<helicone-asset-id "
"""What stands in logs of Helicone in place of an image that it keeps elsewhere."""
_UNKNOWN = "it goes on from a response that was not recorded, which another provider does not know"
_HELD = "it goes on in a conversation that the provider holds; asking again would write into it"


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded session as planning needs it."""

    session_id: str
    calls: Sequence[Call]
    """Oldest first; their order gives the positions."""
    bodies: Mapping[str, Bodies]
    """By call id."""
    earlier: Mapping[str, tuple[Call, Bodies]] = {}
    """Calls of other sessions that this one goes on from, by the provider's response id."""

    @property
    def name(self) -> str:
        """The session's name; empty when no call gives one."""
        return next((call.labels.session_name for call in self.calls if call.labels.session_name), "")

    def answered_as(self, response_id: str) -> tuple[Call, Bodies] | None:
        """Return the call that was answered with a response id, of this session or another; None when none was recorded."""
        own = next((call for call in self.calls if call.response_id == response_id and call.id in self.bodies), None)
        return self.earlier.get(response_id) if own is None else (own, self.bodies[own.id])


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
    recorded = _recorded(recording)
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
    steps = _selected(patch, [one for one in _recorded(recording) if not one.hindrance])
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


class _Recorded:
    """One recorded call, read no further than it is asked."""

    def __init__(self, position: int, call: Call, bodies: Bodies | None, earlier: Earlier) -> None:
        self.position = position
        self._earlier = earlier
        self.call = call
        self.body = bodies.request if bodies else b""
        self.headers = bodies.request_headers if bodies else ()
        self._answer = bodies.answer if bodies else None

    @cached_property
    def hindrance(self) -> str:
        """Why the call cannot be asked again; empty when it can."""
        call = self.call
        if call.kind in {Kind.TOOL, Kind.VECTOR, Kind.DATA}:
            return f"a {call.kind.value} event: the server never runs an agent's tools"
        if call.ending is Ending.REFUSED:
            return f"the gateway refused it when it was recorded: {call.detail}"
        if not self.body:
            return "its request body was not recorded"
        if dialect_named(call.dialect) is None:
            return "its format is not known"
        if _MISSING_IMAGE in self.body:
            return "an image of its request was not recorded: the log that told of it holds a reference only"
        if call.unreadable:
            return f"its body could not be read: {call.unreadable}"
        return _HELD if call.dialect == "openai_responses" and self._writes_at_the_provider() else ""

    def _writes_at_the_provider(self) -> bool:
        prompt = self.readable()
        return prompt is not None and prompt.parameters.get("conversation") is not None

    @cached_property
    def dialect(self) -> Dialect:
        """Its wire format."""
        found = dialect_named(self.call.dialect)
        assert found is not None
        return found

    @cached_property
    def usage(self) -> Usage:
        """What its answer took: one out of the cache took nothing, but its provider is asked now."""
        if self.call.handling.cache_reference_id is None:
            return self.call.usage
        try:
            return self.dialect.read_answer(self._answer).usage
        except InvalidInput:
            return Usage()

    @cached_property
    def json(self) -> Json:
        """Its request body, out of its content encoding."""
        return decoded(unpack(self.body, self.headers))

    @cached_property
    def prompt(self) -> Prompt:
        """What it says."""
        return self.dialect.read_prompt(self.json)

    @cached_property
    def explicit(self) -> Prompt | None:
        """What it says with the history that its provider holds for it; None when that was not recorded."""
        return expanded(self.prompt, self._earlier) if self.prompt.parameters.get(FIELD) is not None else self.prompt

    def readable(self) -> Prompt | None:
        """Return what it says, None when that cannot be read: a selector of words then means it not."""
        try:
            return self.prompt
        except InvalidInput:
            return None


def _recorded(recording: Recording) -> "list[_Recorded]":
    return [
        _Recorded(position, call, recording.bodies.get(call.id), recording.answered_as)
        for position, call in enumerate(recording.calls, start=1)
    ]


def _selected(patch: Patch, recorded: Sequence[_Recorded]) -> dict[int, list[_Step]]:
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


def _resolved(one: "_Recorded", steps: Sequence[_Step]) -> list[_Step]:
    """Return the steps with what setting a model means for the call."""
    found: list[_Step] = []
    for step in steps:
        act = partial(resolved, step.edit, one.call, last_swap([before.edit for before in found]))
        found.append(_Step(step.place, _naming(one, step.place, act)))
    return found


def _naming(one: "_Recorded", place: str, act: Callable[[], T]) -> T:
    """Return what *act* does; an edit that does not fit is told with its call and its place."""
    try:
        return act()
    except InvalidPatch as error:
        raise InvalidPatch(f"Call {one.position}: {error.message}", f"{place}.{error.field}".rstrip(".")) from error


def _planned(one: _Recorded, steps: Sequence[_Step], price: Price) -> PlannedCall:
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
    """Return what the calls at *positions* say with the histories that their provider holds."""
    found = {one.position: one.explicit for one in _recorded(recording) if one.position in positions}
    return {position: prompt for position, prompt in found.items() if prompt is not None}


def _changed(planned: PlannedCall, one: _Recorded, steps: Sequence[_Step]) -> PlannedCall:
    """Return *planned* with the edits made; with the recorded bytes when they change nothing."""
    if not steps:
        return planned
    swap = last_swap([step.edit for step in steps])
    try:
        before = one.explicit or one.prompt
    except InvalidInput as error:
        raise InvalidPatch(f"Call {one.position} cannot be edited: {error.message}", steps[0].place) from error
    if one.explicit is None and swap is not None and swap.dialect != one.call.dialect:
        return msgspec.structs.replace(planned, action="skip", reason=_UNKNOWN, url="", body=b"")
    model = _model_set(steps)
    is_other = swap is not None or model not in (None, before.model or one.call.model)
    begun = without_state(before, own=()) if is_other else before
    after = _edited(one, begun, steps)
    if swap is None and is_unchanged(before, after):
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


def _edited(one: _Recorded, prompt: Prompt, steps: Sequence[_Step]) -> Prompt:
    for step in steps:
        prompt = _naming(one, step.place, partial(edited, prompt, step.edit))
    return prompt


def _written(one: _Recorded, prompt: Prompt, steps: Sequence[_Step]) -> Json:
    """Return the request body; an edit that the format cannot say is found by writing after each."""
    try:
        return written(prompt)
    except InvalidPatch as error:
        so_far = one.explicit or one.prompt
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


def _reused(planned: PlannedCall, one: "_Recorded", reuse: bool) -> PlannedCall:
    """Return *planned* as answered from the record, when that is wanted and its request is the recorded one."""
    is_same = planned.action == "ask" and planned.body is one.body and planned.url == one.call.url
    if not (reuse and is_same and one.call.status == 200):
        return planned
    return msgspec.structs.replace(planned, is_reused=True, expected_cost_nanodollars=0, most_cost_nanodollars=0)
