"""Make a patch's edits in a request that an agent has just sent and that is asked for real."""

from functools import reduce

import msgspec

from reenact.dialects.conversing import conversation_of
from reenact.dialects.registry import dialect_named, find_dialect
from reenact.domain.call import Call
from reenact.domain.exchange import Tagged
from reenact.domain.message import Json, Prompt
from reenact.domain.patch import Fault, Patch, SetModel
from reenact.domain.playback import Difference
from reenact.errors import InvalidInput, InvalidPatch
from reenact.gateway.ask import Ask
from reenact.ingest.unpacking import unpack
from reenact.replay.changing import PlacedEdit, castings_of, names_model, place_of, url_naming
from reenact.replay.differing import changes
from reenact.replay.editing import edited
from reenact.replay.matching.nearing import shortened
from reenact.replay.patching import decoded, is_unchanged, selects, written
from reenact.replay.step import Recast, Step


class Overridden(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent in place of what the agent sent."""

    body: bytes
    target: bytes
    differences: tuple[Difference, ...]


class Patched:
    """The patch of a fork, understood once for all requests of its agent."""

    def __init__(self, patch: Patch) -> None:
        """Understand *patch*.

        Raises:
            InvalidPatch: a version that it uses was not looked up, or cannot be read.
        """
        self.patch = patch
        self._castings = castings_of(patch)

    def step(self, placed: PlacedEdit, ask: Ask, body: Json, prompt: Prompt, tagged: Tagged | None) -> Step:
        """Return an edit with what using a prompt means for a request."""
        casting, dialect = self._castings.get(placed.place), dialect_named(prompt.dialect)
        if casting is None:
            edit: Step = placed.edit
            return edit
        assert dialect is not None, "a prompt is of a dialect"
        return Recast(
            casting=casting,
            tagged=None if tagged is None else casting.tagged(dialect, tagged.template, body),
            asking=None if casting.model is None else SetModel(casting.model),
            provider=ask.provider,
        )


def override(ask: Ask, edits: Patched, position: int, like: Call, tagged: Tagged | None) -> Overridden | None:
    """Return *ask* with those of *edits* that select it; None when nothing of it changes.

    Args:
        ask: as the agent sent it.
        edits: of the replay.
        position: of the recorded call that it matches; of the request in its take when it matches none.
        like: a recorded call; what selectors look at is taken from the request.
        tagged: what the tags said that were in it.

    Raises:
        InvalidPatch: an edit does not fit the request.
    """
    path = ask.target.partition(b"?")[0].decode("latin-1")
    dialect = find_dialect(ask.provider, ask.method, path)
    if dialect is None or edits.patch.is_empty:
        return None
    try:
        body = decoded(unpack(ask.body, ask.headers))
        before = dialect.read_prompt(body)
    except InvalidInput as error:
        raise InvalidPatch(f"The request cannot be patched: {error.message}") from error
    chosen = _edits(edits.patch, position, _as_recorded(ask, like, before), before)
    after = reduce(edited, [edits.step(one, ask, body, before, tagged) for one in chosen], before)
    if is_unchanged(before, after):
        return None
    url = ask.target.decode("latin-1")
    target = url_naming(url, before.model, after.model)
    if before.model is None and names_model(url):
        after = msgspec.structs.replace(after, model=None)
    new = written(after)
    moved = (Difference(path="address", before=url, after=target),) if target != url else ()
    return Overridden(
        body=msgspec.json.encode(new),
        target=target.encode("latin-1"),
        differences=(*moved, *map(shortened, changes(body, new))),
    )


def fault_of(ask: Ask, patch: Patch, position: int, like: Call) -> Fault | None:
    """Return what *patch* has go wrong with a request; the arguments are those of `override`."""
    if not any(isinstance(edit, Fault) for change in patch.changes for edit in change.edits):
        return None
    path = ask.target.partition(b"?")[0].decode("latin-1")
    dialect = find_dialect(ask.provider, ask.method, path)
    if dialect is None:
        return None
    try:
        prompt = dialect.read_prompt(decoded(unpack(ask.body, ask.headers)))
    except InvalidInput:
        return None  # `override` says so
    edits = _edits(patch, position, _as_recorded(ask, like, prompt), prompt)
    return next((one.edit for one in reversed(edits) if isinstance(one.edit, Fault)), None)


def _as_recorded(ask: Ask, like: Call, prompt: Prompt) -> Call:
    """Return what selectors look at, taken from a request."""
    return msgspec.structs.replace(
        like, labels=ask.labels, provider=ask.provider, dialect=prompt.dialect, model=prompt.model or like.model
    )


def conversation_asked(ask: Ask) -> str | None:
    """Return the conversation at the provider that a request writes into; None for none."""
    if ask.method.upper() == "GET":
        return None
    path = ask.target.partition(b"?")[0].decode("latin-1")
    dialect = find_dialect(ask.provider, ask.method, path)
    try:
        body = decoded(unpack(ask.body, ask.headers))
    except InvalidInput:
        body = None
    return conversation_of(dialect.name if dialect else "", ask.method, path, body, None)


def _edits(patch: Patch, position: int, call: Call, prompt: Prompt) -> list[PlacedEdit]:
    return [
        PlacedEdit(place_of(number, at), edit)
        for number, change in enumerate(patch.changes)
        if selects(change.select, position, call, lambda: prompt)
        for at, edit in enumerate(change.edits)
    ]
