"""Anchored performing asks everything at once and keeps every outcome, in any order of arrival."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from reenact.domain.patch import Patch
from reenact.domain.replay import Answered, AskCall, CallResult, Mode, Plan, Take
from reenact.replay.performing import advance, perform
from reenact.replay.planning import plan
from tests.replay.recordings import URL, a_recording, chat

TAKE = Take(number=1, session_id="take-1")


def a_plan(asked: int) -> Plan:
    """Return a plan of so many calls and one that is skipped."""
    recording = a_recording(*[chat(f"turn {number}") for number in range(asked)], b"")
    return plan(recording, Patch(), Mode.ANCHORED, 1, lambda *_: None)


def test_all_calls_may_be_asked_at_once() -> None:
    """The first step yields every call that is asked, with its recorded bytes."""
    planned = a_plan(2)

    expected = tuple(
        AskCall(
            index=call.index,
            source_call_id=call.call_id,
            model="gpt-4o-mini",
            url=URL,
            body=call.body,
            provider="openai",
            dialect="openai_chat",
        )
        for call in planned.calls[:2]
    )
    assert expected == advance(perform(planned, TAKE))


def test_a_plan_that_asks_nothing_is_a_take_at_once() -> None:
    """What is skipped is told with its reason."""
    skip = CallResult(
        index=1,
        source_call_id="call-1",
        call_id=None,
        status=None,
        failure="its request body was not recorded",
        skipped=True,
    )

    assert msgspec.structs.replace(TAKE, results=(skip,)) == advance(perform(a_plan(0), TAKE))


@settings(deadline=None)
@given(order=st.permutations(range(1, 6)), failing=st.sets(st.integers(1, 5)))
def test_every_outcome_is_kept_in_the_order_of_the_session(order: list[int], failing: set[int]) -> None:
    """Whatever the order of arrival, and though some fail."""
    planned = a_plan(5)
    performance = perform(planned, TAKE)
    step = advance(performance)
    for index in order:
        assert not isinstance(step, Take)
        failure = "HTTP 500" if index in failing else None
        step = advance(performance, Answered(index=index, call_id=f"new-{index}", status=200, failure=failure))

    assert isinstance(step, Take)
    assert [(call.index, call.call_id) for call in planned.calls] == [
        (one.index, one.source_call_id) for one in step.results
    ]
    assert [f"new-{index}" for index in range(1, 6)] == [one.call_id for one in step.results[:5]]
    assert failing == {one.index for one in step.results[:5] if one.failure}
