"""Commands find their server by address, or open a data folder while no server runs."""

import re
from pathlib import Path

import pytest

from reenact.client import Client
from reenact.errors import FolderInUse, ServerUnreachable
from tests.cli.conftest import Run
from tests.fakes.house import House, a_house


def test_a_data_folder_is_read_without_a_server(run: Run, tmp_path: Path) -> None:
    """What a server recorded is there after it ended."""
    with a_house(tmp_path / "data") as house:
        house.say("alone", "hello")

    result = run("sessions", "--data", str(tmp_path / "data"))

    assert re.search(r"^alone +AI Debate ", result.stdout, re.MULTILINE)


def test_a_folder_that_a_server_holds_is_not_opened_twice(run: Run, house: House) -> None:
    """It is told; the server has an address to be called at."""
    with pytest.raises(FolderInUse):
        run("sessions", "--data", str(house.settings.data))


def test_a_folder_that_is_none_is_not_made(run: Run, tmp_path: Path) -> None:
    """A typing error must not look like an empty server."""
    result = run("sessions", "--data", str(tmp_path / "typo"))

    assert (2, False) == (result.exit_code, (tmp_path / "typo").exists())


def test_a_server_that_is_not_there_is_one_error(run: Run, house: House) -> None:
    """The option goes before the environment."""
    with Client(house.url) as client:
        assert client.sessions()

    with pytest.raises(ServerUnreachable):
        run("sessions", "--url", "http://127.0.0.1:9")
