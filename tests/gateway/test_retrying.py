"""Which answers are asked for again, and when."""

import pytest

from reenact.errors import UpstreamFailed
from reenact.gateway.controls import Retries
from reenact.gateway.retrying import asked_s, delay_s, is_retried_failure, is_retried_status

NOW_S = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, False),
        (400, False),
        (404, False),
        (408, False),
        (429, True),
        (499, False),
        (500, True),
        (503, True),
        (529, True),
    ],
)
def test_too_many_requests_and_faults_of_the_provider_are_retried(status: int, expected: bool) -> None:
    """No other status is."""
    assert expected is is_retried_status(status)


def test_failures_of_the_network_are_retried_and_our_own_are_not() -> None:
    """What we refuse to send will be refused again."""
    kinds = ["network_error", "timeout", "dns_error", "connection_refused", "ssl_error", "internal_error", "disallowed"]

    expected = [True, True, True, True, True, False, False]
    assert expected == [is_retried_failure(UpstreamFailed("", kind)) for kind in kinds]


def test_the_wait_grows_to_its_limit() -> None:
    """The least wait times factor^k, never more than max."""
    retries = Retries(min_ms=100, factor=3, max_ms=1000)

    assert [0.1, 0.3, 0.9, 1.0, 1.0] == [
        pytest.approx(delay_s(retries, number, [], NOW_S)) for number in (0, 1, 2, 3, 9999)
    ]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ((b"retry-after", b"7"), 7.0),
        ((b"retry-after", b" 0.5 "), 0.5),
        ((b"retry-after-ms", b"250"), 0.25),
        ((b"retry-after", b"Tue, 14 Nov 2023 22:13:30 GMT"), 10.0),
        ((b"retry-after", b"Tue, 14 Nov 2023 22:13:00 GMT"), 0.0),
        ((b"retry-after", b"soon"), 0.0),
        ((b"retry-after", b"-1"), 0.0),
        ((b"retry-after", b"nan"), 0.0),
        ((b"retry-after", b"Xxx, 99 Foo 2023"), 0.0),
        ((b"x-other", b"7"), 0.0),
    ],
)
def test_what_the_provider_asks_for_is_read(header: tuple[bytes, bytes], expected: float) -> None:
    """Seconds, milliseconds or a date; anything else asks for nothing."""
    assert expected == asked_s([header], NOW_S)


def test_what_the_provider_asks_for_is_waited_up_to_the_limit() -> None:
    """The longer of both waits, capped by what the agent allows."""
    retries = Retries(min_ms=1000, factor=2, max_ms=5000)

    waits = [delay_s(retries, 0, [(b"retry-after", value)], NOW_S) for value in (b"0", b"3", b"60")]
    assert [1.0, 3.0, 5.0] == waits
