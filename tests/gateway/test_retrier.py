"""Asking again where that may help."""

import pytest

from reenact.domain.exchange import Header
from reenact.errors import UpstreamFailed
from reenact.gateway.controls import Retries
from reenact.gateway.retrier import Retrier
from reenact.gateway.source import UpstreamRequest
from tests.fakes.sources import ScriptedAnswer

REQUEST = UpstreamRequest(method="POST", origin="https://a.example", target=b"/", headers=(), body=b"")
FAST = Retries(count=3, min_ms=0, max_ms=0)
LOST = UpstreamFailed("lost", "network_error")


class Flaky:
    """A source that gives one outcome after the other."""

    def __init__(self, *outcomes: int | UpstreamFailed) -> None:
        self._outcomes = list(outcomes)
        self.answers: list[ScriptedAnswer] = []
        self.attempts = 0

    async def open(self, request: UpstreamRequest) -> ScriptedAnswer:
        """Give the next one."""
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, UpstreamFailed):
            raise outcome
        headers: list[Header] = []
        self.answers.append(ScriptedAnswer(outcome, headers, []))
        return self.answers[-1]

    def count(self) -> None:
        """Count an attempt."""
        self.attempts += 1


@pytest.mark.parametrize(
    ("outcomes", "status", "attempts"),
    [
        ([200], 200, 1),
        ([429, 500, 200], 200, 3),
        ([LOST, 503, 404], 404, 3),
        ([500, 501, 502, 503], 503, 4),
    ],
)
async def test_the_first_good_answer_or_the_last_one_is_given(
    outcomes: list[int | UpstreamFailed], status: int, attempts: int
) -> None:
    """What came before is let go of."""
    flaky = Flaky(*outcomes)
    answer = await Retrier(flaky).open(REQUEST, FAST, flaky.count)

    assert (status, attempts) == (answer.status, flaky.attempts)
    assert [True] * (len(flaky.answers) - 1) + [False] == [one.is_closed for one in flaky.answers]


async def test_the_last_failure_is_raised() -> None:
    """When nothing ever came."""
    flaky = Flaky(429, LOST, LOST, UpstreamFailed("last", "timeout"))
    with pytest.raises(UpstreamFailed, match="last"):
        await Retrier(flaky).open(REQUEST, FAST, flaky.count)
    assert 4 == flaky.attempts


async def test_nothing_is_asked_again_unless_it_is_wished() -> None:
    """Without the header the first outcome is the only one."""
    flaky = Flaky(500, LOST)
    assert 500 == (await Retrier(flaky).open(REQUEST, None, flaky.count)).status
    with pytest.raises(UpstreamFailed, match="lost"):
        await Retrier(flaky).open(REQUEST, None, flaky.count)
    assert 2 == flaky.attempts


async def test_a_target_that_is_not_allowed_is_not_asked_again() -> None:
    """It will not be allowed the next time."""
    flaky = Flaky(UpstreamFailed("no", "disallowed"))
    with pytest.raises(UpstreamFailed, match="no"):
        await Retrier(flaky).open(REQUEST, FAST, flaky.count)
    assert 1 == flaky.attempts
