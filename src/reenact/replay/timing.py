"""Say how long a replay is expected to take: calls as long as when they were recorded, as many at once as may be."""

from collections import Counter

from reenact.domain.replay import Limits, Plan, PlannedCall

_MINUTE_US = 60_000_000


def expected_duration_us(plan: Plan, control: Plan | None, limits: Limits) -> int:
    """Return about how long all takes together take, retries and tool calls left out.

    The longest of: a row of calls that wait for each other, all calls as many at once as may be, and what a provider's rate
    lets through a minute.
    """
    arms = [(plan, plan.takes)] + ([(control, plan.control_takes)] if control is not None else [])
    work_us, asked = 0, Counter[str]()
    for one, takes in arms:
        for call in one.asked:
            work_us += takes * call.expected_duration_us
            asked[call.provider] += 0 if call.is_reused else takes
    longest_us = max((_longest_us(one.calls) for one, _ in arms), default=0)
    return max(longest_us, work_us // limits.concurrency, *(_rated_us(limits, *some) for some in asked.items()), 0)


def _longest_us(calls: tuple[PlannedCall, ...]) -> int:
    """Return how long the longest row of calls takes in which each waits for the one before."""
    ends: dict[int, int] = {}
    for call in calls:
        if call.action == "ask":
            begins_us = max((ends.get(index, 0) for index in (*call.carried_from, *call.maybe_from)), default=0)
            ends[call.index] = begins_us + call.expected_duration_us
    return max(ends.values(), default=0)


def _rated_us(limits: Limits, provider: str, calls: int) -> int:
    rate = limits.rates.get(provider)
    if rate is None or rate.requests_per_minute is None:
        return 0
    return round(max(0, calls - 1) / rate.requests_per_minute * _MINUTE_US)
