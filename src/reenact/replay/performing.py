"""Walk a plan call by call: which calls may be asked now, and what their outcomes make possible.

The driver is whoever sends: `runner` live, a test with values. Nothing here knows HTTP, time or order of arrival:

    performance = perform(plan, take)
    step = advance(performance)                # the calls that may be asked now
    step = advance(performance, answered)      # once for every call that was yielded, in any order
    ...                                        # until the step is the Take
"""

from collections.abc import Generator

import msgspec

from reenact.domain.replay import Answered, AskCall, AskTool, CallResult, Plan, PlannedCall, Take

Performance = Generator[tuple[AskCall | AskTool, ...], Answered, Take]


def perform(plan: Plan, take: Take) -> Performance:
    """Perform *plan* once, anchored: every call keeps its recorded history, so all may be asked at once.

    Yields:
        The calls that may be asked now; none while others are still awaited.

    Returns:
        *take* with one result for each planned call, in the order of the session. Failed calls are kept among them.
    """
    results = {call.index: skipped(call) for call in plan.calls if call.action != "ask"}
    waiting = {call.index: call for call in plan.asked}
    ready = tuple(_ask(call) for call in plan.asked)
    while waiting:
        answered = yield ready
        results[answered.index] = result(waiting.pop(answered.index), answered)
        ready = ()
    return msgspec.structs.replace(take, results=tuple(results[call.index] for call in plan.calls))


def advance(performance: Performance, answered: Answered | None = None) -> tuple[AskCall | AskTool, ...] | Take:
    """Return what may be asked next, now that *answered* came (None to begin); the Take when all came."""
    try:
        return next(performance) if answered is None else performance.send(answered)
    except StopIteration as over:
        take = over.value
        assert isinstance(take, Take)
        return take


def skipped(call: PlannedCall) -> CallResult:
    """Return the result of a call that the plan leaves out."""
    return CallResult(
        index=call.index, source_call_id=call.call_id, call_id=None, status=None, failure=call.reason, skipped=True
    )


def result(call: PlannedCall, answered: Answered) -> CallResult:
    """Return the result of a call that was asked."""
    return CallResult(
        index=call.index,
        source_call_id=call.call_id,
        call_id=answered.call_id,
        status=answered.status,
        failure=answered.failure,
        attempts=answered.attempts,
        cost_nanodollars=answered.cost_nanodollars,
        is_reused=answered.is_reused,
        round=answered.round,
        lost=call.lost,
    )


def _ask(call: PlannedCall) -> AskCall:
    return AskCall(
        index=call.index,
        source_call_id=call.call_id,
        model=call.model,
        url=call.url,
        body=call.body,
        provider=call.provider,
        dialect=call.dialect,
    )
