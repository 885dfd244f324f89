"""Calls on a time line: to scale, silences folded, never off the line."""

from hypothesis import given
from hypothesis import strategies as st

from reenact.web.timing import WIDTH, Bar, Silence, Timeline, time_line
from tests.comparison.turns import a_call

START = 1_700_000_000_000_000


def test_bars_to_scale() -> None:
    """Two calls side by side, the second half as long and a stream that began after half of its time."""
    calls = [
        a_call("a", created_us=START, duration_us=1_000_000),
        a_call("b", created_us=START + 500_000, duration_us=500_000, first_token_us=250_000),
    ]

    assert time_line(calls) == Timeline(
        bars={"a": Bar(x=0, width=1000, waiting=0), "b": Bar(x=500, width=500, waiting=250)},
        silences=(),
        duration_us=1_000_000,
    )


def test_a_long_silence_is_folded() -> None:
    """An hour in which nothing ran takes a fiftieth of the line."""
    calls = [
        a_call("a", created_us=START, duration_us=1_000_000),
        a_call("b", created_us=START + 3_601_000_000, duration_us=1_000_000),
    ]

    assert time_line(calls) == Timeline(
        bars={"a": Bar(x=0, width=490, waiting=0), "b": Bar(x=510, width=490, waiting=0)},
        silences=(Silence(x=490, width=20, duration_us=3_600_000_000),),
        duration_us=3_602_000_000,
    )


def test_no_calls() -> None:
    """An empty line."""
    assert time_line([]) == Timeline(bars={}, silences=(), duration_us=0)


@given(st.lists(st.tuples(st.integers(0, 10**10), st.integers(0, 10**9)), min_size=1, max_size=20))
def test_bars_stay_on_the_line(times: list[tuple[int, int]]) -> None:
    """Whatever the times, also none at all."""
    calls = [
        a_call(str(at), created_us=START + since, duration_us=long) for at, (since, long) in enumerate(sorted(times))
    ]
    bars = time_line(calls).bars.values()

    assert all(0 <= bar.x <= WIDTH and 0 < bar.width <= WIDTH + 3 for bar in bars)
