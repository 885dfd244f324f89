"""Say what a patch makes of each call that it selects: the request, where it goes, what it says less, and why it cannot be."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from reenact.dialects.translating.stating import without_state
from reenact.domain.message import Json, Prompt
from reenact.domain.patch import (
    DropTool,
    Edit,
    Fault,
    Patch,
    PatchJson,
    SetAt,
    SetModel,
    SetTool,
    SetToolResult,
    UsePrompt,
)
from reenact.domain.replay import FieldChange, Operation, PlannedCall
from reenact.errors import InvalidInput, InvalidPatch
from reenact.replay.casting import Casting
from reenact.replay.differing import changes
from reenact.replay.editing import edited
from reenact.replay.expanding import Missing
from reenact.replay.faulting import fault_in
from reenact.replay.patching import is_unchanged, selects, written
from reenact.replay.recording import Recorded
from reenact.replay.step import Recast, Step, Swap, asked, last_swap
from reenact.replay.swapping import resolved, swapped_url
from reenact.replay.vetting import Objection, objections

T = TypeVar("T")

_MODEL_IN_PATH = re.compile(r"(?P<before>/(?:models|deployments)/)(?P<model>[^/:?]+)(?=[:/?]|$)")
"""Gemini and Azure name the model in the path: `/v1beta/models/NAME:generateContent`, `/openai/deployments/NAME/...`."""


class PlacedEdit(msgspec.Struct, frozen=True):
    """One edit and its place in the patch."""

    place: str
    edit: Any
    """An Edit as the patch says it, then a Step of `swapping`."""


def place_of(change: int, edit: int) -> str:
    """Return the place in a patch of an edit of a change, both counted from 0."""
    return f"changes[{change}].edits[{edit}]"


def placed_edits(patch: Patch, calls: Sequence[Recorded]) -> dict[int, list[PlacedEdit]]:
    """Return the edits to make in the call at each position, each with its place in the patch.

    Raises:
        InvalidPatch: a selector matches no call that can be asked, an edit names a tool that none knows, or a provider cannot
            be asked.
    """
    recorded = [one for one in calls if not one.hindrance]
    selected: dict[int, list[PlacedEdit]] = {}
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
        steps = [PlacedEdit(place_of(number, at), edit) for at, edit in enumerate(change.edits)]
        for position in positions:
            selected.setdefault(position, []).extend(steps)
    castings = castings_of(patch)
    found = {
        one.position: _resolved(one, selected[one.position], castings) for one in recorded if one.position in selected
    }
    _check_tools(recorded, found)
    return found


def _check_tools(recorded: Sequence[Recorded], steps: Mapping[int, Sequence[PlacedEdit]]) -> None:
    """Refuse an edit of a tool that no call which it is made in knows.

    Raises:
        InvalidPatch: `field` is the place of the name.
    """
    wanted: dict[str, str] = {}
    known: dict[str, set[str]] = {}
    for one in recorded:
        for step in steps.get(one.position, ()):
            name = step.edit.tool if isinstance(step.edit, SetToolResult) else getattr(step.edit, "name", "")
            if isinstance(step.edit, SetTool | DropTool | SetToolResult):
                place = f"{step.place}.{'tool' if isinstance(step.edit, SetToolResult) else 'name'}"
                wanted[place] = name
                known.setdefault(place, set()).update(_tools_of(one))
    has_wire_edits = any(isinstance(step.edit, PatchJson | SetAt | Recast) for some in steps.values() for step in some)
    for place, name in wanted.items():
        if name not in known[place] and not has_wire_edits:  # those may bring tools that nobody had
            told = ", ".join(sorted(known[place])) or "none"
            raise InvalidPatch(f"No call that it selects knows a tool {name!r}; known there: {told}.", place)


def _tools_of(one: Recorded) -> set[str]:
    prompt = one.readable()
    if prompt is None:
        return set()
    used = {use.name for message in one.whole.messages for use in message.tool_uses}
    return used | {tool.name for tool in prompt.tools}


def castings_of(patch: Patch) -> dict[str, Casting]:
    """Return what each use of a prompt says, by its place in the patch.

    Raises:
        InvalidPatch: its version was not looked up or cannot be read, or it names an input that there is not.
    """
    found: dict[str, Casting] = {}
    for number, change in enumerate(patch.changes):
        for at, edit in enumerate(change.edits):
            if isinstance(edit, UsePrompt):
                place = place_of(number, at)
                try:
                    found[place] = Casting(edit)
                except InvalidPatch as error:
                    raise InvalidPatch(error.message, f"{place}.{error.field}") from error
    return found


def _resolved(one: Recorded, steps: Sequence[PlacedEdit], castings: Mapping[str, Casting]) -> list[PlacedEdit]:
    """Return the steps with what setting a model, or using a prompt, means for the call."""
    found: list[PlacedEdit] = []
    for step in steps:
        before = last_swap([earlier.edit for earlier in found])
        act = partial(_step, one, step.edit, before, castings.get(step.place))
        found.append(PlacedEdit(step.place, _naming(one, step.place, act)))
    return found


def _step(one: Recorded, edit: Edit, before: Swap | None, casting: Casting | None) -> Step:
    if casting is None:
        return resolved(edit, one.call, before)
    asking = None if casting.model is None else resolved(SetModel(casting.model), one.call, before)
    assert asking is None or isinstance(asking, SetModel | Swap)
    last = asking if isinstance(asking, Swap) else before
    kept = one.tagged_template
    return Recast(
        casting=casting,
        tagged=None if kept is None else casting.tagged(one.dialect, kept, one.json),
        asking=asking,
        provider=one.call.provider if last is None else last.provider,
    )


def _naming(one: Recorded, place: str, act: Callable[[], T]) -> T:
    """Return what *act* does; an edit that does not fit is told with its call and its place."""
    try:
        return act()
    except InvalidPatch as error:
        raise InvalidPatch(f"Call {one.position}: {error.message}", f"{place}.{error.field}".rstrip(".")) from error


def changed(planned: PlannedCall, one: Recorded, steps: Sequence[PlacedEdit]) -> PlannedCall:
    """Return *planned* with the edits made; with the recorded bytes when they change nothing and may be sent again.

    Raises:
        InvalidPatch: an edit does not fit, or the request would be refused; names the call, and `field` is the place.
    """
    if not steps and not one.converses:
        return planned
    fault = _fault(one, steps)
    if fault is not None:
        told = FieldChange(path="fault", operation=Operation.ADD, after=msgspec.to_builtins(fault))
        planned = msgspec.structs.replace(planned, fault=fault, changes=(told,))
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
    after = _in_full(one, _edited(one, begun, steps), steps)
    if swap is None and is_unchanged(before, after) and not one.converses:
        return planned
    model = after.model
    url = url_naming(planned.url, before.model, model) if swap is None else swapped_url(planned.url, swap, model or "")
    is_moved = url != planned.url
    if (before.model is None and names_model(url)) if swap is None else swap.dialect == "gemini":
        after = msgspec.structs.replace(after, model=None)
    body = _written(one, after, steps)
    _vet(one, after, body, steps)
    differences = changes(one.json, body)
    moved = (FieldChange(path="url", before=planned.url, after=url),) if is_moved else ()
    return msgspec.structs.replace(
        planned,
        url=url,
        provider=planned.provider if swap is None else swap.provider,
        dialect=after.dialect,
        model=planned.model if model == before.model else model or planned.model,
        body=msgspec.json.encode(body) if differences else one.body,
        changes=planned.changes + moved + differences,
        lost=after.lost,
        is_other_model=is_other,
    )


def _fault(one: Recorded, steps: Sequence[PlacedEdit]) -> Fault | None:
    """Return the last fault among *steps*.

    Raises:
        InvalidPatch: it says nothing, or two things at once, or cuts an answer that was not recorded.
    """
    found = next((step for step in reversed(steps) if isinstance(step.edit, Fault)), None)
    if found is None:
        return None
    why = fault_in(found.edit)
    if not why and found.edit.cut_after is not None and not one.has_answer:
        why = "its answer was not recorded, so that there is nothing to cut"
    if why:
        raise InvalidPatch(f"Call {one.position}: {why}.", found.place)
    assert isinstance(found.edit, Fault)
    return found.edit


def _model_set(steps: Sequence[PlacedEdit]) -> str | None:
    """Return the model that *steps* set in the end; None when they set none."""
    told = asked([step.edit for step in steps])
    return told[-1].model if told else None


def _edited(one: Recorded, prompt: Prompt, steps: Sequence[PlacedEdit]) -> Prompt:
    for step in steps:
        prompt = _naming(one, step.place, partial(edited, prompt, step.edit))
    return prompt


def _in_full(one: Recorded, prompt: Prompt, steps: Sequence[PlacedEdit]) -> Prompt:
    """Return *prompt* so that it writes into no conversation at the provider, whatever the patch made of it."""
    whole = one.in_full(prompt)
    if isinstance(whole, Missing):
        message = f"Call {one.position}: the request would write into a conversation at the provider, and {whole.why}."
        raise InvalidPatch(message, steps[-1].place)
    return whole


def _written(one: Recorded, prompt: Prompt, steps: Sequence[PlacedEdit]) -> Json:
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


def _vet(one: Recorded, prompt: Prompt, body: Json, steps: Sequence[PlacedEdit]) -> None:
    """Refuse a patch after which the provider would refuse the call; what it took when it was recorded stays.

    Raises:
        InvalidPatch: names the call and the field; `field` is the first edit after which it would be refused.
    """
    swap = last_swap([step.edit for step in steps])
    provider = one.call.provider if swap is None else swap.provider
    found = objections(prompt, body, provider)
    if not found:
        return
    taken = objections(one.whole, written(one.whole), one.call.provider)
    if swap is None:
        new = [objection for objection in found if objection not in taken]
    else:  # in another format a broken link stands in another place
        was_broken = any(not objection.path for objection in taken)
        new = [objection for objection in found if objection.path or not was_broken]
    if new:
        place = _blamed(one, new[0], steps, provider)
        raise InvalidPatch(f"Call {one.position}: {new[0]}; {provider} would refuse that.", place)


def _blamed(one: Recorded, objection: Objection, steps: Sequence[PlacedEdit], provider: str) -> str:
    """Return the place of the first edit after which *objection* is made."""
    so_far = one.whole
    for step in steps:
        so_far = edited(so_far, step.edit)
        if _is_writable(so_far) and objection in objections(so_far, written(so_far), provider):
            return step.place
    return steps[-1].place if steps else ""


def names_model(url: str) -> bool:
    """Return whether the path of *url* names the model, so that the body need not."""
    return _MODEL_IN_PATH.search(url) is not None


def url_naming(url: str, before: str | None, after: str | None) -> str:
    """Return *url* with the model that its path names, if it names one, put in place of by *after*."""
    if after is None or after == before:
        return url
    return _MODEL_IN_PATH.sub(lambda found: found["before"] + quote(after, safe="-._~@"), url, count=1)
