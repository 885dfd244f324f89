"""What invariants are tested on: the real commands as processes of their own, on free loopback ports."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.journeys.conftest import Running, running


@pytest.fixture(scope="session")
def provider() -> Iterator[Running]:
    """The scripted provider."""
    with running("provider", "--port", "0") as command:
        yield command


@pytest.fixture
def http() -> Iterator[httpx2.Client]:
    """A plain HTTP client."""
    with httpx2.Client(timeout=60, trust_env=False) as client:
        yield client
