"""A replay under way is counted as results come and put together when asked."""

import msgspec
import pytest

from reenact.domain.patch import Patch
from reenact.domain.replay import CallResult, Mode, Replay, Spent, State, Take, WaitingTool
from reenact.replay.governor import Governor
from reenact.replay.planning import plan
from reenact.replay.run import Order, Run
from tests.replay.recordings import a_recording, chat


def answered(index: int, failure: str | None = None) -> CallResult:
    """Return the result of a call."""
    return CallResult(index=index, source_call_id=f"call-{index}", call_id=f"new-{index}", status=200, failure=failure)


@pytest.fixture
async def run() -> Run:
    """Two takes of two calls, before any result."""
    recording = a_recording(chat("one"), chat("two"))
    whole = plan(recording, Patch(), Mode.ANCHORED, 2, lambda *_: None)
    order = Order(organisation_id="org", plan=whole, recording=recording, session_name="R", provider_keys={})
    takes = (Take(number=1, session_id="a"), Take(number=2, session_id="b"))
    replay = Replay(
        id="r", organisation_id="org", created_us=1, plan=whole, session_name="R", state=State.RUNNING, takes=takes
    )
    return Run(replay, order, Governor(order.limits, Spent()))


async def test_results_are_counted_and_ordered(run: Run) -> None:
    """Skipped ones count as nothing; the progress is always that of the replay."""
    skipped = msgspec.structs.replace(answered(3), skipped=True, failure="not asked")
    run.add(run.takes[0], answered(2), skipped)
    run.add(run.takes[0], answered(1, failure="HTTP 500"))
    run.add(run.takes[1], answered(1))

    assert [[1, 2, 3], [1]] == [[result.index for result in take.results] for take in run.replay.takes]
    assert (4, 3, 1) == (run.progress.calls, run.progress.answered, run.progress.failed)
    assert run.replay.progress == run.progress


async def test_a_finished_take_stands_for_all_that_was_known_of_it(run: Run) -> None:
    """Results are not counted twice."""
    run.add(run.takes[0], answered(1), answered(2, failure="HTTP 500"))

    run.finish(msgspec.structs.replace(run.takes[0], results=(answered(1), answered(2))))

    assert (2, 0) == (run.progress.answered, run.progress.failed)
    assert run.replay.progress == run.progress


async def test_watchers_are_woken_soon_by_what_changed_until_then(run: Run) -> None:
    """Not once for every answer: two that come together are told of together."""
    changed = run.changed
    run.add(run.takes[0], answered(1))
    run.add(run.takes[0], answered(2))
    assert not changed.is_set()

    await changed.wait()

    assert (2, False) == (run.progress.answered, run.changed.is_set())


async def test_a_tool_call_that_waits_is_told_of_at_once(run: Run) -> None:
    """The client is to answer it, and the replay stands until then."""
    tool = WaitingTool(id="t", take=1, name="look", arguments="{}")
    changed = run.changed
    run.add(run.takes[0], answered(1))
    run.wait(tool)

    assert changed.is_set()
    assert ((tool,), 1) == (run.progress.tools, run.progress.answered)


async def test_watchers_are_woken_by_the_end_and_nothing_before_it(run: Run) -> None:
    """The replay is the same value as long as nothing changes."""
    changed, before = run.changed, run.replay
    assert before is run.replay
    assert not changed.is_set()

    run.close(run.over(State.DONE, ""))
    assert not changed.is_set()
    run.end()

    assert changed.is_set()
    assert (State.DONE, True) == (run.replay.state, run.progress.is_over)
