"""Say what a playback or a fork will do: which recorded calls are served from the record, and which are asked for real."""

from collections.abc import Callable

import msgspec

from reenact.dialects.registry import dialect_named
from reenact.domain.call import Bodies, Call, Kind
from reenact.domain.exchange import Ending
from reenact.domain.message import Prompt
from reenact.domain.patch import Patch
from reenact.domain.playback import Driver, Fork, OnMiss, Playback
from reenact.domain.replay import Mode, Plan, PlannedCall
from reenact.errors import InvalidInput, InvalidPatch
from reenact.ingest.unpacking import unpack
from reenact.replay.estimating import Price
from reenact.replay.expanding import begins_conversation, names
from reenact.replay.matching.normalising import Normaliser
from reenact.replay.patching import decoded, selects
from reenact.replay.planning import plan
from reenact.replay.recording import Recording

_EVENTS = frozenset({Kind.TOOL, Kind.VECTOR, Kind.DATA})


def plan_playback(recording: Recording, patch: Patch, mode: Mode, takes: int, playback: Playback, price: Price) -> Plan:
    """Return what playing *recording* will do.

    Raises:
        InvalidInput: what is asked for does not go together; `field` names it.
        InvalidPatch: a selector matches no call, or an edit does not fit a call that it selects.
    """
    _check(patch, mode, playback, len(recording.calls))
    Normaliser(playback.matching)  # refuses rules that are none
    planned = plan(recording, patch, Mode.ANCHORED, takes, price)
    _refuse_swaps(planned, recording)
    live = _live(recording, planned, playback.fork, price)
    _refuse_writing(recording, live)
    if mode is Mode.FORK and not live and not playback.fork.first_miss and not _begins_after(recording, playback.fork):
        raise InvalidInput("Nothing says where to leave the record: no call is selected or changed.", "playback.fork")
    calls = tuple(
        _live_call(call) if call.index in live else _served_call(call, recording.calls[call.index - 1], recording)
        for call in planned.calls
    )
    return msgspec.structs.replace(planned, mode=mode, calls=calls, playback=playback)


def hindrance(call: Call, bodies: Bodies | None) -> str:
    """Return why a recorded call cannot be served from the record; empty when it can."""
    if call.kind in _EVENTS:
        return f"a {call.kind.value} event: no request went through the gateway"
    if bodies is None or call.handling.omitted_request:
        return "its request body was not recorded"
    if call.handling.omitted_response:
        return "its answer was not recorded"
    if call.ending is Ending.CLIENT_LEFT and not bodies.response_headers:
        return "its agent left before an answer came"
    return ""


def _check(patch: Patch, mode: Mode, playback: Playback, calls: int) -> None:
    fork = playback.fork
    if mode is Mode.PLAYBACK:
        if not patch.is_empty:
            raise InvalidInput("A playback changes nothing: a patch needs mode fork, anchored or chained.", "patch")
        if not fork.is_nowhere:
            raise InvalidInput("A playback does not leave the record: use mode fork.", "playback.fork")
        if playback.driver is Driver.SERVER and playback.on_miss is OnMiss.LIVE:
            raise InvalidInput("Without an agent there is no key to ask a provider with.", "playback.on_miss")
        return
    if playback.driver is Driver.SERVER:
        raise InvalidInput(
            "A fork needs its agent to run: the server alone can replay anchored or chained.", "playback.driver"
        )
    if fork.is_nowhere:
        raise InvalidInput(
            "Say where to leave the record: fork.call, fork.select, fork.changed or fork.first_miss.", "playback.fork"
        )
    if fork.changed and patch.is_empty:
        raise InvalidInput("The patch changes no call, so that there is none to fork at.", "playback.fork.changed")
    if fork.call is not None and fork.call > calls + 1:
        raise InvalidInput(f"There is no call {fork.call}: the session has {calls}.", "playback.fork.call", fork.call)


def _refuse_swaps(planned: Plan, recording: Recording) -> None:
    """Refuse another format or provider: an agent reads answers in the format that it asked in, of whom it asked."""
    for call in planned.calls:
        source = recording.calls[call.index - 1]
        if (call.provider, call.dialect) != (source.provider, source.dialect):
            raise InvalidPatch(
                f"Call {call.index} would be asked of {call.provider} as {call.dialect}, which the agent of a fork cannot "
                "read: use mode anchored or chained, or name the recorded provider with the model.",
                "changes",
            )


def _begins_after(recording: Recording, fork: Fork) -> bool:
    return fork.call == len(recording.calls) + 1


def _refuse_writing(recording: Recording, live: set[int]) -> None:
    """Refuse to leave the record in the middle of a conversation that the provider holds: an agent would write into it."""
    told = [names(call, recording.bodies.get(call.id)).conversation for call in recording.calls]
    for position in sorted(live):
        conversation = told[position - 1]
        if conversation is None:
            continue
        first = told.index(conversation)
        if first + 1 not in live or not begins_conversation(recording.calls[first]):
            raise InvalidInput(
                f"Call {position} would be asked for real in the conversation {conversation}, which the provider holds for "
                "the recorded session. Fork no later than where the agent begins it, or use mode anchored or chained.",
                "playback.fork",
            )


def _live(recording: Recording, planned: Plan, fork: Fork, price: Price) -> set[int]:
    """Return the positions of the calls that are asked for real."""
    live = {call.index for call in planned.calls if fork.call is not None and call.index >= fork.call}
    if fork.changed:
        unchanged = plan(recording, Patch(), Mode.ANCHORED, 1, price).calls
        pairs = zip(planned.calls, unchanged, strict=True)
        live |= {call.index for call, was in pairs if (call.body, call.url, call.fault) != (was.body, was.url, None)}
    select = fork.select
    if select is not None:
        live |= {
            position
            for position, call in enumerate(recording.calls, start=1)
            if call.kind not in _EVENTS and selects(select, position, call, _reader(call, recording))
        }
    return live


def _reader(call: Call, recording: Recording) -> Callable[[], Prompt | None]:
    """Return what reads a call's prompt; None for one that cannot be read."""

    def read() -> Prompt | None:
        bodies, dialect = recording.bodies.get(call.id), dialect_named(call.dialect)
        if bodies is None or dialect is None:
            return None
        try:
            return dialect.read_prompt(decoded(unpack(bodies.request, bodies.request_headers)))
        except InvalidInput:
            return None

    return read


def _live_call(call: PlannedCall) -> PlannedCall:
    """Return *call* as one that is asked for real, whether or not anchored replay could ask it."""
    return call if call.action == "ask" else msgspec.structs.replace(call, action="ask", reason="")


def _served_call(call: PlannedCall, source: Call, recording: Recording) -> PlannedCall:
    why_not = hindrance(source, recording.bodies.get(source.id))
    bodies = recording.bodies.get(source.id)
    return PlannedCall(
        index=call.index,
        call_id=call.call_id,
        path=call.path,
        prompt_id=call.prompt_id,
        model=source.model,
        provider=source.provider,
        action="skip" if why_not else "serve",
        reason=why_not,
        url="" if why_not else source.url,
        body=b"" if why_not or bodies is None else bodies.request,
        expected_cost_nanodollars=None if why_not else 0,
    )
