"""What the tests of pages share."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.web.house import House, a_house
from tests.web.recordings import a_debate


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A server of pages that asks for no key, with a session and a take of it."""
    with a_house(tmp_path) as served:
        served.calls.save([*a_debate(), *a_debate("debate-2", changed=True, first=50)])
        yield served


@pytest.fixture
def http(house: House) -> Iterator[httpx2.Client]:
    """A client of it that follows no redirect."""
    with httpx2.Client(base_url=house.url, trust_env=False) as client:
        yield client
