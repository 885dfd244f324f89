"""Who is let in, and what is counted of those who are not and of what could not be understood."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
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
        running_server(
            Settings(data=tmp_path / "data", port=0, fresh_within_s=20, upstreams={"openai": origin})
        ) as ready,
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


def test_what_is_never_to_be_written_is_in_no_file(tmp_path: Path) -> None:
    """Neither in the journal, nor in what is read out of it, nor in kept answers; agents and providers get it."""
    provider, secret = create_provider(), "tok_12345678"
    settings = Settings(data=tmp_path / "data", port=0, redact_patterns=(r"tok_\w{8}",))
    call = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"Say: {secret} {secret}"}]}
    with serving(provider) as origin:
        settings = msgspec.structs.replace(settings, upstreams={"openai": origin})
        with running_server(settings) as ready, httpx2.Client(trust_env=False, timeout=30, base_url=ready.url) as http:
            for streamed in (False, True):
                body = {**call, "stream": streamed}
                http.post(CHAT, json=body, headers={"helicone-cache-enabled": "true"}).raise_for_status()
            http.post("/v1/trace/custom/v1/log", json=log(secret)).raise_for_status()
            rows = http.post("/v1/request/query", json={"filter": "all"}).json()["data"]
            files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
            written = b"".join(path.read_bytes() for path in files)

    assert [secret in seen.body for seen in provider.seen] == [True, True]
    assert 3 == len(rows)
    assert all("Say: ************" in json.dumps(row["request_body"]) for row in rows)
    assert secret not in json.dumps(rows)
    assert secret.encode() not in written


def log(secret: str) -> dict[str, Any]:
    """Return a call that is told afterwards."""
    time = {"seconds": 1, "milliseconds": 0}
    return {
        "providerRequest": {"url": "custom-model-nopath", "json": {"prompt": f"Say: {secret}"}, "meta": {}},
        "providerResponse": {"headers": {}, "status": 200, "json": {"said": secret}},
        "timing": {"startTime": time, "endTime": time},
    }


def test_headers_that_cannot_be_understood_are_counted_in_health(server: tuple[Ready, httpx2.Client]) -> None:
    """The calls go through."""
    _, http = server
    odd = {"helicone-retry-enabled": "yes", "helicone-ratelimit-policy": "lots"}
    asked = [http.post(CHAT, json=CALL, headers=odd).status_code for _ in range(2)]
    health = http.get("/healthcheck").json()

    assert [200, 200] == asked
    assert "healthy :)" == health["status"]
    assert "Headers that could not be understood since the server started: 4." in health["notes"]
