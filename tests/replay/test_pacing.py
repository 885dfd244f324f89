"""Waiting times: a rate is kept over any minute, and failures are retried later and later."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.domain.replay import Rate
from reenact.replay.pacing import burst, delay_s, pace


@given(st.floats(1, 100_000), st.integers(1, 300))
def test_no_more_calls_go_than_the_rate_allows(per_minute: float, calls: int) -> None:
    """In the time that so many calls take, no more than the rate times that time and one burst have gone."""
    now_s = 1000.0
    going = pace(Rate(requests_per_minute=per_minute), now_s)
    for _ in range(calls):
        now_s += going.wait_s(now_s)
        going = going.after_call(0, now_s)

    assert calls <= burst(per_minute) + 1 + (now_s - 1000) * per_minute / 60 * (1 + 1e-9)


def test_the_first_calls_of_a_slow_rate_go_one_by_one() -> None:
    """Sixty in a minute are one a second."""
    one = pace(Rate(requests_per_minute=60), 0)
    assert 0 == one.wait_s(0)
    two = one.after_call(0, 0)
    assert (1.0, 0.5, 0.0) == (two.wait_s(0), two.wait_s(0.5), two.wait_s(1))


def test_tokens_are_counted_as_expected_and_then_as_used() -> None:
    """A call that used fewer lets the next one go sooner, one that used more later."""
    going = pace(Rate(tokens_per_minute=600), 0).after_call(100, 0)
    assert pytest.approx(9.1) == going.wait_s(0)
    assert pytest.approx(4.1) == going.corrected(-50, 0).wait_s(0)
    assert pytest.approx(14.1) == going.corrected(50, 0).wait_s(0)


def test_a_provider_that_wants_to_be_left_alone_is() -> None:
    """Until then and no longer; a shorter wish does not undo a longer one."""
    going = pace(Rate(), 0).held(10).held(5)

    assert (10, 1, 0) == (going.wait_s(0), going.wait_s(9), going.wait_s(10))


def test_failures_are_retried_later_and_later_up_to_a_limit() -> None:
    """Half of it by chance; what the provider asks for goes first, unless that is too long."""
    assert [0.25, 0.5, 1.0, 2.0] == [delay_s(failures, None, 0.0) for failures in (1, 2, 3, 4)]
    assert 30 == delay_s(50, None, 1.0)
    assert (7, 0, None) == (delay_s(1, 7, 0.5), delay_s(1, 0, 0.5), delay_s(1, 3600, 0.5))
