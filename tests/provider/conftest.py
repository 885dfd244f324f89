"""The scripted provider on a real socket."""

from collections.abc import Iterator

import httpx2
import openai
import pytest

from reenact.provider.app import Provider, create_provider
from tests.fakes.serving import serving


@pytest.fixture(scope="module")
def provider() -> Provider:
    """The app, with its own memory of what it received."""
    return create_provider()


@pytest.fixture(scope="module")
def origin(provider: Provider) -> Iterator[str]:
    """Where it answers."""
    with serving(provider) as address:
        yield address


@pytest.fixture
def http(origin: str) -> Iterator[httpx2.Client]:
    """A plain client."""
    with httpx2.Client(base_url=origin, timeout=10) as client:
        yield client


@pytest.fixture
def sdk(origin: str) -> Iterator[openai.OpenAI]:
    """OpenAI's own client, without retries."""
    with openai.OpenAI(base_url=f"{origin}/v1", api_key="sk-none", max_retries=0) as client:
        yield client
