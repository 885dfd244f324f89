"""Real exchanges of real SDKs and providers: each is read by its dialect, and comes back from the store as it crossed."""

from pathlib import Path
from urllib.parse import urlsplit

from reenact.domain.exchange import Exchange
from reenact.domain.labels import Labels
from reenact.ingest.decoding import decode
from reenact.store.sqlite.store import SqliteStore
from tests.fakes.recorded import Recorded, recorded
from tests.store.given import given_exchange

PROVIDERS = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "google",
    "api.groq.com": "groq",
    "api.cohere.com": "cohere",
}


def crossed(number: int, one: Recorded) -> Exchange:
    """The exchange that the gateway would have recorded; calls of one cassette are a session."""
    host = urlsplit(one.url).hostname or ""
    return given_exchange(
        id=f"{number:08d}-0000-4000-8000-000000000000",
        labels=Labels(session_id=one.cassette),
        provider=PROVIDERS.get(host, host),
        method=one.method,
        target_url=one.url,
        status=one.status,
        request_body=one.request_body.encode(),
        response_body=one.response_body.encode(),
        # The recorders unpacked the bodies and kept the header.
        response_headers=tuple(
            (name.encode(), str(value).encode())
            for name, value in one.response_headers.items()
            if name.lower() != "content-encoding"
        ),
    )


def test_every_recorded_exchange_is_read() -> None:
    """Each has a dialect and is readable; nearly all answers of providers with prices are priced."""
    calls = [decode(crossed(number, one)).call for number, one in enumerate(recorded())]
    assert [call.unreadable for call in calls if call.unreadable] == []
    assert {call.dialect for call in calls} >= {
        *("openai_chat", "openai_completions", "openai_embeddings", "openai_responses"),
        *("anthropic_messages", "gemini"),
    }
    assert "opaque" not in {call.dialect for call in calls}
    counted = [call for call in calls if call.provider in {"openai", "anthropic"} and call.usage.total_tokens]
    priced = [call for call in counted if call.cost_nanodollars is not None]
    assert len(priced) > 0.9 * len(counted) > 400


def test_every_recorded_exchange_comes_back(tmp_path: Path) -> None:
    """Byte for byte, out of parts that its session shares; and its row as it was read."""
    readings = [decode(crossed(number, one)) for number, one in enumerate(recorded())]
    store = SqliteStore(tmp_path / "calls.sqlite3")
    for start in range(0, len(readings), 64):
        store.save(readings[start : start + 64])
    ids = [reading.call.id for reading in readings]
    assert store.exchanges("one", ids) == [reading.exchange for reading in readings]
    assert store.get("one", ids) == [reading.call for reading in readings]
    bodies = store.bodies("one", ids)
    assert [bodies[call_id].answer for call_id in ids] == [reading.answer for reading in readings]
    store.close()
