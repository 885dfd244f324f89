"""A server with a recorded session, and the commands run against it."""

from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner, Result

from reenact.cli import build
from tests.fakes.house import House, a_house

Run = Callable[..., Result]


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server with one recorded session of three calls."""
    with a_house(tmp_path_factory.mktemp("house") / "data") as running:
        running.say("debate", "one", "two", "three")
        yield running


@pytest.fixture
def run(house: House) -> Run:
    """Run a command against the server; an error is raised."""

    def invoke(*arguments: str) -> Result:
        environ = {"REENACT_URL": house.url, "COLUMNS": "160", "TERM": "dumb"}
        result = CliRunner().invoke(build(arguments), arguments, env=environ)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke
