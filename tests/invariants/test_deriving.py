"""The exchange is the truth: calls can be derived again, and come out as they were."""

from pathlib import Path

import httpx2

from reenact.ingest.decoding import decode
from reenact.store.control.store import ControlStore
from reenact.store.sqlite.store import SqliteStore
from tests.journeys.conftest import Running, running

CALLS = {
    "/v1/gateway/oai/v1/chat/completions": {"model": "gpt-4o", "messages": [{"role": "user", "content": "Why?"}]},
    "/v1/gateway/oai/v1/responses": {"model": "gpt-4o", "input": "Why not?", "stream": True},
    "/v1/gateway/oai/v1/embeddings": {"model": "text-embedding-3-small", "input": ["one", "two"]},
    "/v1/gateway/anthropic/v1/messages": {
        "model": "claude-sonnet-4-6",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "How?"}],
        "stream": True,
    },
    "/v1/gateway/google/v1beta/models/gemini-2.5-flash:generateContent": {
        "contents": [{"role": "user", "parts": [{"text": "When?"}]}]
    },
    "/v1/gateway/oai/v1/nothing": {"odd": True},
}


def test_calls_derived_again_are_the_same(provider: Running, http: httpx2.Client, tmp_path: Path) -> None:
    """From the exchanges alone, into a new store and into the same one: equal rows; what people added outlives it."""
    upstreams = [
        part for name in ("openai", "anthropic", "google") for part in ("--upstream", f"{name}={provider.url}")
    ]
    with running("serve", "--data", str(tmp_path / "data"), "--port", "0", *upstreams) as server:
        for path, body in CALLS.items():
            headers = {"authorization": "Bearer sk-test", "helicone-session-id": "derived", "helicone-user-id": "me"}
            http.post(server.url + path, json=body, headers=headers)
        rows = http.post(f"{server.url}/v1/request/query", json={"filter": "all", "limit": 100}).json()["data"]
        ids = [row["request_id"] for row in rows]
        assert len(CALLS) == len(ids)
        scored = f"{server.url}/v1/request/{ids[0]}"
        assert http.post(f"{scored}/score", json={"scores": {"good": 1}}).is_success
        assert http.put(f"{scored}/property", json={"key": "Colour", "value": "blue"}).is_success

    control = ControlStore(tmp_path / "data" / "control.sqlite3")
    organisation = control.first_organisation()
    control.close()
    store = SqliteStore(tmp_path / "data" / "calls.sqlite3")
    other = SqliteStore(tmp_path / "other.sqlite3")
    before = store.get(organisation, ids)
    again = [decode(exchange) for exchange in store.exchanges(organisation, ids)]

    other.save(again)
    store.save(again)

    assert before == store.get(organisation, ids)
    assert before[1:] == other.get(organisation, ids)[1:] == [reading.call for reading in again][1:]
    assert {"good": 1.0} == before[0].scores
    assert "blue" == before[0].labels.properties["Colour"]
    store.close()
    other.close()
