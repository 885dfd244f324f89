"""The pages of a chained replay with several takes: what they are worth, where they left the source, and what is noise."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from reenact.client import Client, Mode, append_system, patch
from reenact.domain.replay import Replay
from tests.fakes.serving import serving
from tests.fakes.toolbox import Model, run_agent
from tests.journeys.conftest import running
from tests.web.reading import Read

TAKES = 4


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx2.Client, Replay]]:
    """A replay whose changed takes ask a tool for what no record knows."""
    data = tmp_path_factory.mktemp("data")
    with (
        serving(Model(), lifespan="off") as origin,
        running("serve", "--data", str(Path(data)), "--port", "0", "--upstream", f"openai={origin}") as server,
        Client(server.url) as client,
        httpx2.Client(base_url=server.url, trust_env=False, timeout=30) as http,
    ):
        run_agent(server.url, "trip")
        lima = patch(append_system(" Go to Lima."))
        yield http, client.replay("trip", lima, mode=Mode.CHAINED, takes=TAKES)


def page_of(http: httpx2.Client, path: str) -> Read:
    """Return a page as it reads."""
    return Read(http.get(path).raise_for_status().text)


def test_a_take_says_where_it_left_the_source(shown: tuple[httpx2.Client, Replay]) -> None:
    """With both actions, and what the record could not tell."""
    http, replay = shown
    words = page_of(http, f"/replays/{replay.id}").words

    assert TAKES == words.count("1 on tape, 1 dropped")
    assert TAKES == words.count("It leaves the source at call 1: It gives a tool other arguments than the source did.")
    assert "Oslo" in words
    assert 'Call 2: No record says what weather gives back for {"city":"Lima"}.' in words
    assert TAKES == words.count("Every action follows the source.")


def test_several_takes_tell_a_difference_from_noise(shown: tuple[httpx2.Client, Replay]) -> None:
    """And that the changed ones ended early."""
    http, replay = shown
    words = page_of(http, f"/replays/{replay.id}").words

    assert (
        "output tokens 10 5 \u22125 more than noise (p = 0.029)" in words or "output tokens 10 5 -5 more than" in words
    )
    assert "failed calls 0 0 none no difference" in words
    assert "Some takes ended early" in words


def test_the_comparison_says_it_too(shown: tuple[httpx2.Client, Replay]) -> None:
    """Of the take on its right."""
    http, replay = shown
    changed, control = replay.takes[0], replay.takes[TAKES]

    words = page_of(http, f"/compare?left={control.session_id}&right={changed.session_id}").words
    assert "It leaves its source at call 1" in words
    words = page_of(http, f"/compare?left=trip&right={control.session_id}").words
    assert "It leaves its source" not in words


def test_the_form_offers_modes(shown: tuple[httpx2.Client, Replay]) -> None:
    """The one that was chosen goes on with the plan; one that needs an agent is refused."""
    http, _ = shown
    planned = http.post("/replays?session=trip", data={"mode": "chained"})
    refused = http.post("/replays?session=trip", data={"mode": "fork"})

    assert (200, 422) == (planned.status_code, refused.status_code)
    assert 'name="mode" value="chained"' in planned.text
    assert "The mode must be one of anchored, chained" in refused.text
