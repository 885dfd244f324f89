"""Who is let in, and what is counted of those who are not and of what could not be understood."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from reenact.provider.app import create_provider
from reenact.server.runner import Ready, running_server
from reenact.settings import Settings
from tests.fakes.serving import serving

CHAT = "/v1/chat/completions"
CALL = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello?"}]}
STRANGE = {"origin": "https://evil.test"}
UNKNOWN = "/sk-helicone-aaaaaaa-bbbbbbb-ccccccc-ddddddd"


@pytest.fixture(name="server")
def _server(tmp_path: Path) -> Iterator[tuple[Ready, httpx2.Client]]:
    """A server that asks nobody on this machine for a key."""
    with (
        serving(create_provider()) as origin,
        running_server(Settings(data=tmp_path / "data", port=0, upstreams={"openai": origin})) as ready,
        httpx2.Client(trust_env=False, timeout=30, base_url=ready.url) as http,
    ):
        yield ready, http


def test_a_strange_page_needs_a_key_that_is_known(server: tuple[Ready, httpx2.Client]) -> None:
    """A page can write any key into a path; what was refused is counted in health, since it is nobody's."""
    ready, http = server
    asked = [
        http.post(prefix + CHAT, json=CALL, headers=headers).status_code
        for prefix, headers in (
            ("", STRANGE),
            (UNKNOWN, STRANGE),
            (UNKNOWN, {"host": "evil.test", "sec-fetch-site": "same-origin"}),
            (UNKNOWN, {}),  # a program that carries another server's key
            (f"/{ready.key}", STRANGE),
        )
    ]
    health = http.get("/healthcheck").json()

    assert [403, 403, 403, 200, 200] == asked
    assert "Calls that were refused for want of a key since the server started: 3." in health["notes"]


def test_headers_that_cannot_be_understood_are_counted_in_health(server: tuple[Ready, httpx2.Client]) -> None:
    """The calls go through."""
    _, http = server
    odd = {"helicone-retry-enabled": "yes", "helicone-ratelimit-policy": "lots"}
    asked = [http.post(CHAT, json=CALL, headers=odd).status_code for _ in range(2)]
    health = http.get("/healthcheck").json()

    assert [200, 200] == asked
    assert "healthy :)" == health["status"]
    assert "Headers that could not be understood since the server started: 4." in health["notes"]
