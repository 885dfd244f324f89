"""How long a replay is expected to take: the longest row of calls, the work side by side, or a provider's rate."""

import msgspec
import pytest

from reenact.domain.patch import Patch
from reenact.domain.replay import Limits, Mode, Plan, PlannedCall, Rate
from reenact.replay.timing import expected_duration_us

SECOND_US = 1_000_000


def a_plan(*calls: PlannedCall, takes: int = 1, control_takes: int = 0) -> Plan:
    """Return a plan of these calls."""
    return Plan(
        session_id="s",
        session_name="",
        mode=Mode.CHAINED,
        patch=Patch(),
        takes=takes,
        calls=calls,
        control_takes=control_takes,
    )


def asked(index: int, seconds: int, *after: int, **given: object) -> PlannedCall:
    """Return a call that takes so long and waits for those *after* which it comes."""
    call = PlannedCall(
        index=index, call_id="", path="", prompt_id=None, model="m", provider="openai", action="ask", carried_from=after
    )
    return msgspec.structs.replace(call, expected_duration_us=seconds * SECOND_US, **given)


ROW = (asked(1, 2), asked(2, 3, 1), asked(3, 1), asked(4, 9, action="skip"))


@pytest.mark.parametrize(
    ("plan", "control", "limits", "seconds"),
    [
        (a_plan(*ROW), None, Limits(), 5),
        (a_plan(*ROW), None, Limits(concurrency=1), 6),
        (a_plan(*ROW, takes=4, control_takes=4), a_plan(*ROW), Limits(concurrency=2), 24),
        (a_plan(*ROW), None, Limits(rates={"openai": Rate(requests_per_minute=6)}), 20),
        (a_plan(asked(1, 0, is_reused=True)), None, Limits(rates={"openai": Rate(requests_per_minute=1)}), 0),
        (a_plan(), None, Limits(), 0),
    ],
    ids=["row", "one at a time", "takes", "rate", "reused", "nothing"],
)
def test_the_longest_of_what_must_wait(plan: Plan, control: Plan | None, limits: Limits, seconds: int) -> None:
    """Whichever it is."""
    assert seconds * SECOND_US == expected_duration_us(plan, control, limits)
