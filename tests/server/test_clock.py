"""The clock of a server's records."""

import itertools
import time

from reenact.server.clock import Clock


def test_it_tells_the_time_and_never_goes_back() -> None:
    """It agrees with the wall clock and every look is at or after the one before."""
    clock = Clock()
    before_us = time.time_ns() // 1000
    looks = [clock() for _ in range(10_000)]
    after_us = time.time_ns() // 1000

    assert all(earlier <= later for earlier, later in itertools.pairwise(looks))
    assert before_us - 1_000_000 <= looks[0] <= looks[-1] <= after_us + 1_000_000
