"""Use a version of a prompt in a call: its messages in place of those that an older template made, with the same inputs.

Where the older template's messages are, and what its inputs were, its text tells (`prompts.recognising`): that of the call's
own tags, else that of the version that explains most of the call. What could be meant in two ways is refused.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from reenact.domain.message import Message, Prompt, Role
from reenact.errors import InvalidPatch
from reenact.prompts.recognising import Ambiguous, Found, Located, Template, located
from reenact.prompts.shaping import said_in
from reenact.replay.casting import Casting, Older
from reenact.replay.fitting import fitted
from reenact.replay.step import Recast, Swap
from reenact.replay.swapping import swapped

_Run = tuple[Role, list[int]]


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """What a version takes the place of."""

    older: Older | None = None
    """The template; None where the version takes the place of what no template made."""
    places: tuple[int, ...] = ()
    """Of the messages."""
    found: Found = Found()
    """What they say in place of the template's variables."""
    stays: frozenset[int] = frozenset()
    """Messages of the version that the older template words alike, so that they need not be found: those of the call stay."""


def recast(prompt: Prompt, step: Recast) -> Prompt:
    """Return *prompt* as the version of *step* has it.

    Raises:
        InvalidPatch: no template fits, or one in several ways; an input is not known; or the call's format cannot say what the
            version says. `field` is the part of the edit that can mend it.
    """
    place = _place(prompt, step)
    casting = step.casting
    version = casting.read(place.found, place.stays)
    messages = said_in(version.messages, prompt.dialect)
    if version.messages and not messages:
        raise InvalidPatch(f"The format {prompt.dialect} cannot say the messages of the prompt.", "prompt")
    after = msgspec.structs.replace(prompt, messages=_put(prompt.messages, place.places, messages))
    if casting.edit.messages_only:
        return after
    if isinstance(step.asking, Swap):
        after = swapped(after, step.asking)
    elif step.asking is not None:
        after = msgspec.structs.replace(after, model=step.asking.model)
    return fitted(after, version, place.older.said if place.older else None, step.provider)


def _place(prompt: Prompt, step: Recast) -> _Place:
    """Return what the version takes the place of.

    Raises:
        InvalidPatch: nothing, or there is no telling what.
    """
    casting = step.casting
    if not casting.version.messages:  # it sets fields alone
        return _Place()
    tagged = [] if step.tagged is None else [Older(step.tagged)]
    for older in (*tagged, *casting.older(prompt.dialect)):
        found = located(older.template, prompt.messages, casting.edit.inputs)
        if found is not None:
            return _sure(older, found, prompt, casting)
    if casting.roles == {Role.SYSTEM}:
        return _Place(places=_system_places(prompt.messages))
    tellers = "its tags and the prompt's versions" if tagged else "the prompt's versions"
    raise InvalidPatch(
        f"As far as {tellers} tell, nothing in it was made from the prompt {casting.edit.prompt!r}, so that the "
        "version's messages have no place. Leave the call out, keep what it was made from as a version, or tag the prompt.",
        "prompt",
    )


def _sure(older: Older, found: Located | Ambiguous, prompt: Prompt, casting: Casting) -> _Place:
    """Return where *older* stands, without the messages that are not sure where the version words them alike.

    Raises:
        InvalidPatch: some that the version words otherwise may stand at several places.
    """
    template = older.template
    alike = casting.unchanged(template, prompt.dialect)
    if isinstance(found, Located):
        stays = frozenset(at for at, one in enumerate(found.found) if one.unsure and at in alike)
        places = tuple(place for at, place in enumerate(found.places) if at not in stays)
        return _Place(older=older, places=places, found=found.said, stays=stays)
    stays = found.unsure & alike
    shapes = tuple(shape for at, shape in enumerate(template.shapes) if at not in stays)
    rest = located(Template(shapes=shapes), prompt.messages, casting.edit.inputs) if stays and shapes else None
    if isinstance(rest, Located):
        return _Place(older=older, places=rest.places, found=rest.said, stays=stays)
    if stays and not shapes:
        return _Place(older=older, stays=stays)
    at = min(found.unsure - stays or found.unsure)
    raise InvalidPatch(
        f"Message {at + 1} of the template of {casting.edit.prompt!r} may be its message {found.first[at] + 1} as well as "
        f"{found.last[at] + 1}. Give the values that it had in `inputs`, or tag the prompt.",
        "inputs",
    )


def _system_places(messages: Sequence[Message]) -> tuple[int, ...]:
    """Return where the first system messages that follow one another stand; none where there is none."""
    start = next((place for place, message in enumerate(messages) if message.role is Role.SYSTEM), None)
    if start is None:
        return ()
    end = start
    while end < len(messages) and messages[end].role is Role.SYSTEM:
        end += 1
    return tuple(range(start, end))


def _put(messages: Sequence[Message], places: Sequence[int], new: Sequence[Message]) -> tuple[Message, ...]:
    """Return *messages* with *new* in place of those at *places*; before all where there is no place.

    Raises:
        InvalidPatch: others stand between them, and those of *new* are others than those were.
    """
    if not places or not new:
        return (*new, *messages)
    runs = list(_runs(messages, places))
    new_runs = [(role, list(run)) for role, run in groupby(new, lambda message: message.role)]
    if [role for role, _ in runs] != [role for role, _ in new_runs]:
        if places[-1] - places[0] + 1 != len(places):
            raise InvalidPatch(
                "Other messages stand between those of its template, and the version has messages of other roles, so that "
                "it is not sure where they belong.",
                "prompt",
            )
        runs, new_runs = [(Role.USER, list(places))], [(Role.USER, list(new))]
    found = list(messages)
    for (_, old_places), (_, said) in reversed(list(zip(runs, new_runs, strict=True))):
        first, last = old_places[0], old_places[-1] + 1
        found[first:last] = _kept(found[first:last], said)
    return tuple(found)


def _runs(messages: Sequence[Message], places: Sequence[int]) -> Iterator[_Run]:
    """Yield the places that follow one another and have messages of one role."""
    run: _Run | None = None
    for place in places:
        role = messages[place].role
        if run is not None and run[0] is role and run[1][-1] == place - 1:
            run[1].append(place)
            continue
        if run is not None:
            yield run
        run = (role, [place])
    if run is not None:
        yield run


def _kept(old: Sequence[Message], new: Sequence[Message]) -> list[Message]:
    """Return *new*, each in the shape of the message whose place it takes, where that has the same word for who speaks."""
    if len(old) != len(new):
        return list(new)
    return [_in_shape(before, after) for before, after in zip(old, new, strict=True)]


def _in_shape(before: Message, after: Message) -> Message:
    is_same_word = after.origin is None or (
        isinstance(before.origin, dict) and before.origin.get("role") == after.origin.get("role")
    )
    if before.role is not after.role or not is_same_word:
        return after
    return msgspec.structs.replace(before, parts=after.parts, name=after.name or before.name)
