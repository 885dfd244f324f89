"""Rate limit policies and their buckets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.domain.labels import Labels
from reenact.gateway.controls import Policy, Unit
from reenact.gateway.limiting import Bucket, bucket_key, draw, fill, read_policy, spend

TWO_A_MINUTE = Policy(quota=2, window_s=60)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10;w=1000", Policy(quota=10, window_s=1000)),
        ("10;w=60;u=request", Policy(quota=10, window_s=60)),
        ("10;W=60;U=Cents;S=User", Policy(quota=10, window_s=60, unit=Unit.CENTS, segment="user")),
        (" 5;w=31536000;s=App_Name-1 ", Policy(quota=5, window_s=31_536_000, segment="app_name-1")),
        ("0;w=60", None),
        ("1;w=59", None),
        ("1;w=31536001", None),
        ("1;w=60;u=tokens", None),
        ("1;w=60;s=", None),
        ("1;w=60;s=user;u=cents", None),
        ("-1;w=60", None),
        ("1.5;w=60", None),
        ("٣;w=60", None),
        ("", None),
    ],
)
def test_policies_are_read_by_their_grammar(text: str, expected: Policy | None) -> None:
    """What does not match is no policy."""
    assert expected == read_policy(text)


@given(
    st.builds(
        Policy,
        quota=st.integers(1, 10**12),
        window_s=st.integers(60, 31_536_000),
        unit=st.sampled_from(Unit),
        segment=st.none() | st.sampled_from(["user", "app"]),
    )
)
def test_the_echoed_text_is_the_policy(policy: Policy) -> None:
    """Reading what is echoed gives the policy again."""
    assert policy == read_policy(policy.text)


def test_the_third_call_of_two_is_over_the_limit() -> None:
    """And what is told of it: how much is left, and in how many seconds the next may go."""
    first, bucket = draw(None, TWO_A_MINUTE, 100.0)
    second, bucket = draw(bucket, TWO_A_MINUTE, 100.0)
    third, bucket = draw(bucket, TWO_A_MINUTE, 110.0)

    assert [True, True, False] == [first.is_allowed, second.is_allowed, third.is_allowed]
    assert (
        (b"helicone-ratelimit-limit", b"2"),
        (b"helicone-ratelimit-remaining", b"1"),
        (b"helicone-ratelimit-policy", b"2;w=60"),
    ) == first.headers
    assert (
        (b"helicone-ratelimit-limit", b"2"),
        (b"helicone-ratelimit-remaining", b"0"),
        (b"helicone-ratelimit-policy", b"2;w=60"),
        (b"helicone-ratelimit-reset", b"20"),
    ) == third.headers


def test_a_call_goes_through_again_at_the_time_that_was_told() -> None:
    """After `reset_s` seconds, and not a second before."""
    _, bucket = draw(None, TWO_A_MINUTE, 0.0)
    _, bucket = draw(bucket, TWO_A_MINUTE, 0.0)
    refused, bucket = draw(bucket, TWO_A_MINUTE, 0.0)

    early, _ = draw(bucket, TWO_A_MINUTE, refused.reset_s - 1.0)
    later, _ = draw(bucket, TWO_A_MINUTE, float(refused.reset_s))
    assert (False, True) == (early.is_allowed, later.is_allowed)


@given(st.lists(st.floats(0, 30), max_size=60))
def test_no_window_lets_more_through_than_its_quota_and_what_flowed_in(pauses: list[float]) -> None:
    """Whatever the times of the calls."""
    bucket: Bucket | None = None
    now, allowed = 0.0, 0
    for pause in pauses:
        now += pause
        verdict, bucket = draw(bucket, TWO_A_MINUTE, now)
        allowed += verdict.is_allowed

    assert allowed <= 2 + now * 2 / 60 + 1e-6


def test_cents_are_taken_when_they_are_known() -> None:
    """A call may overshoot; then nothing goes until enough has flowed in."""
    policy = Policy(quota=10, window_s=100, unit=Unit.CENTS)
    first, bucket = draw(None, policy, 0.0)
    bucket = spend(bucket, policy, 0.0, 15.0)
    second, bucket = draw(bucket, policy, 0.0)
    third, _ = draw(bucket, policy, 51.0)

    assert [True, False, True] == [first.is_allowed, second.is_allowed, third.is_allowed]
    assert 50 == second.reset_s


def test_a_clock_that_goes_back_fills_nothing_and_takes_nothing() -> None:
    """As when several machines' clocks differ."""
    assert Bucket(1.0, 100.0) == fill(Bucket(1.0, 100.0), TWO_A_MINUTE, 50.0)


def test_buckets_are_told_apart_by_whose_they_are() -> None:
    """By organisation, policy, and user or property in any case; a call that does not say is not limited."""
    by_user = Policy(quota=1, window_s=60, segment="user")
    by_app = Policy(quota=1, window_s=60, segment="app")
    ann, bob = Labels(user_id="ann", properties={"App": "x"}), Labels(user_id="bob")

    keys = [
        bucket_key(TWO_A_MINUTE, "o1", ann),
        bucket_key(TWO_A_MINUTE, "o2", ann),
        bucket_key(by_user, "o1", ann),
        bucket_key(by_user, "o1", bob),
        bucket_key(by_app, "o1", ann),
    ]
    assert len(keys) == len(set(keys))
    assert None not in keys
    assert bucket_key(TWO_A_MINUTE, "o1", ann) == bucket_key(TWO_A_MINUTE, "o1", bob)
    assert bucket_key(by_app, "o1", bob) is None
