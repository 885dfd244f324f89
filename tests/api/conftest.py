"""A whole server on a real socket before the scripted provider; tests keep apart by their session ids."""

import uuid
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


class House(msgspec.Struct, frozen=True):
    """A running server, and a client that speaks to it without a key."""

    ready: Ready
    http: httpx2.Client
    upstream: str

    def chat(self, session_id: str, *questions: str, **headers: str) -> list[str]:
        """Ask the questions one after the other in a session; return the ids of the calls."""
        return [self.ask(session_id, {"messages": [{"role": "user", "content": text}]}, headers) for text in questions]

    def ask(self, session_id: str, body: dict[str, Any], headers: dict[str, str]) -> str:
        """Make one call and return its id."""
        labels = {
            "authorization": "Bearer sk-provider",
            "helicone-session-id": session_id,
            "helicone-session-name": "Talk",
            "helicone-session-path": "/talk",
            "helicone-prompt-id": "answer",
        }
        answer = self.http.post(
            "/v1/gateway/oai/v1/chat/completions",
            json={"model": "gpt-4o-mini", **body},
            headers=labels | {name.lower().replace("_", "-"): value for name, value in headers.items()},
        )
        return str(answer.headers["helicone-id"])

    def rows(self, session_id: str, **query: Any) -> list[dict[str, Any]]:
        """Return the rows of a session, oldest first."""
        given = {"filter": of(session_id), "sort": {"created_at": "asc"}, **query}
        answer = self.http.post("/v1/request/query-clickhouse", json=given)
        assert 200 == answer.status_code, answer.text
        rows: list[dict[str, Any]] = answer.json()["data"]
        return rows


def of(session_id: str) -> dict[str, Any]:
    """Return the guide's filter for a session."""
    return {"properties": {"Helicone-Session-Id": {"equals": session_id}}}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server that asks for no key."""
    yield from _house(tmp_path_factory.mktemp("house") / "data", {})


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server that asks for a key."""
    yield from _house(tmp_path_factory.mktemp("locked") / "data", {"require_key": True})


@pytest.fixture
def session_id() -> str:
    """A session nobody else has."""
    return str(uuid.uuid4())


def _house(data: Path, further: dict[str, Any]) -> Iterator[House]:
    with serving(create_provider()) as upstream:
        settings = Settings(data=data, port=0, fresh_within_s=20, upstreams={"openai": upstream}, **further)
        with running_server(settings) as ready, httpx2.Client(base_url=ready.url, trust_env=False, timeout=30) as http:
            yield House(ready, http, upstream)
