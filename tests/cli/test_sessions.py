"""`reenact sessions` lists what was recorded."""

import json

from reenact.cli.sessions import sessions_table
from tests.cli.conftest import Run
from tests.cli.screen import shown


def test_sessions_are_listed_with_their_sums(run: Run) -> None:
    """Id, name, calls, model."""
    lines = run("sessions", "--search", "debate").stdout.splitlines()

    assert ["session", "name", "created", "calls", "failed", "tokens", "cost", "models"] == lines[0].split()
    (row,) = [line.split() for line in lines if line.startswith("debate ")]
    assert (["debate", "AI", "Debate"], ["3", "0"], "gpt-4o-mini") == (row[:3], row[5:7], row[-1])


def test_takes_say_what_they_are_a_replay_of(run: Run) -> None:
    """The source's id stands beside the name."""
    run("replay", "debate", "--name", "Once more")

    assert "Once more (of debate)" in run("sessions").stdout


def test_json_is_the_list_alone(run: Run) -> None:
    """For programs."""
    listed = json.loads(run("sessions", "--json", "--limit", "1000").stdout)

    assert "debate" in {session["session_id"] for session in listed}


def test_none_is_said(run: Run) -> None:
    """Rather than an empty table."""
    assert "No sessions.\n" == run("sessions", "--search", "no-such-name").stdout
    assert "No sessions." == shown(sessions_table([]))
