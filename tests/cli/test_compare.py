"""`reenact compare` sets two sessions side by side."""

import json

import pytest

from reenact.client import Client
from reenact.errors import NotFound, ServerRefused
from tests.cli.conftest import Run
from tests.fakes.house import House


@pytest.fixture(scope="module")
def control(house: House) -> str:
    """The session of a take of the unchanged debate."""
    with Client(house.url) as client:
        return client.replay("debate", session_name="Control").takes[0].session_id


def test_two_sessions_stand_side_by_side(run: Run, control: str) -> None:
    """Pairs, sums and a verdict."""
    result = run("compare", "debate", control)

    assert 0 == result.exit_code
    assert 3 == result.stdout.count("= same answer")
    assert "3 of 3 calls are paired; 0 of them differ." in result.stdout


def test_json_is_the_comparison_alone(run: Run, control: str) -> None:
    """For programs: the answer of the API."""
    comparison = json.loads(run("compare", "debate", control, "--json").stdout)

    assert ("debate", control, 3) == (
        comparison["left_session_id"],
        comparison["right_session_id"],
        len(comparison["pairs"]),
    )


def test_a_session_that_is_not_there_is_told(run: Run) -> None:
    """By its id."""
    with pytest.raises(ServerRefused, match="no-such-session"):
        run("compare", "debate", "no-such-session")


def test_the_newest_take_is_set_beside_it_when_nothing_is_named(run: Run, control: str) -> None:
    """One id is enough after a replay; a session without takes has nothing to be set beside."""
    comparison = json.loads(run("compare", "debate", "--json").stdout)
    assert ("debate", control) == (comparison["left_session_id"], comparison["right_session_id"])

    with pytest.raises(NotFound, match="No replay was made"):
        run("compare", control)
