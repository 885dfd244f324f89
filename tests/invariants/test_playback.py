"""Playing back a recorded session sends nothing upstream and equals its source byte for byte; and no tool is ever run by it."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import msgspec
import pytest

from reenact.client import Client
from reenact.domain.playback import Level, Server
from reenact.domain.replay import Mode, Replay, State
from reenact.server.runner import running_server
from reenact.settings import Settings
from reenact.store.sqlite.store import SqliteStore
from tests.fakes import tau_bench
from tests.fakes.serving import serving

pytestmark = pytest.mark.skipif(not tau_bench.DATA.exists(), reason=tau_bench.MISSING)


class Tripwire:
    """An upstream, or a tool's server, that nobody may touch."""

    def __init__(self) -> None:
        self.touched: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Note the touch and refuse."""
        self.touched.append(scope["path"])
        await send({"type": "http.response.start", "status": 599, "headers": []})
        await send({"type": "http.response.body", "body": b"tripwire"})


class Played(msgspec.Struct, frozen=True):
    """What all tests look at."""

    sources: dict[str, list[Any]]
    """Exchanges by session."""
    takes: dict[str, list[Any]]
    replays: dict[str, Replay]
    touched: list[str]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """All sessions, recorded from an upstream and played back by the server alone when that has gone."""
    data = tmp_path_factory.mktemp("played") / "data"
    sessions = tau_bench.sessions()
    with serving(tau_bench.upstream(sessions), lifespan="off") as upstream:
        record(sessions, Settings(data=data, port=0, fresh_within_s=20, upstreams={"openai": upstream}))
    tripwire = Tripwire()
    replays: dict[str, Replay] = {}
    lock = threading.Lock()
    with serving(tripwire, lifespan="off") as origin:
        settings = Settings(data=data, port=0, fresh_within_s=20, upstreams={"openai": origin})
        with running_server(settings) as ready, Client(ready.url) as client:

            def play(name: str) -> None:
                replay = client.replay(name, mode=Mode.PLAYBACK)
                with lock:
                    replays[name] = replay

            with ThreadPoolExecutor(4) as pool:
                list(pool.map(play, [session.name for session in sessions]))
            organisation_id = next(iter(replays.values())).organisation_id
    store = SqliteStore(data / "calls.sqlite3")
    try:
        yield Played(
            sources={name: exchanges(store, organisation_id, name) for name in replays},
            takes={
                name: exchanges(store, organisation_id, replay.takes[0].session_id) for name, replay in replays.items()
            },
            replays=replays,
            touched=tripwire.touched,
        )
    finally:
        store.close()


def record(sessions: list[tau_bench.Recorded], settings: Settings) -> None:
    """Send the sessions' requests as their agents did."""

    def send(session: tau_bench.Recorded) -> None:
        headers = {
            "authorization": f"Bearer {session.name}",
            "content-type": "application/json",
            "helicone-session-id": session.name,
            "helicone-session-name": "tau-bench",
            "helicone-session-path": "/airline",
        }
        for turn in session.turns:
            answer = http.post(f"{url}/v1/gateway/oai/v1/chat/completions", content=turn.request, headers=headers)
            assert turn.answer == answer.content

    with running_server(settings) as ready, httpx2.Client(timeout=60, trust_env=False) as http:
        url = ready.url
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(send, sessions))


def exchanges(store: SqliteStore, organisation_id: str, session_id: str) -> list[Any]:
    """Return the exchanges of a session, oldest first."""
    calls = store.session(organisation_id, session_id)
    return store.exchanges(organisation_id, [call.id for call in calls])


def test_every_session_is_played(played: Played) -> None:
    """One hundred sessions, every call of each matched exactly, none left over, none missed, none failed."""
    assert 100 == len(played.replays)
    for name, replay in played.replays.items():
        take = replay.takes[0]
        calls = len(played.sources[name])
        assert (State.DONE, calls, ()) == (replay.state, len(take.played), take.unconsumed)
        assert [(Level.EXACT, Server.RECORD, None)] * calls == [
            (call.level, call.served, call.failure) for call in take.played
        ]
        assert list(range(1, calls + 1)) == [call.index for call in take.played]


def test_nothing_is_sent_upstream(played: Played) -> None:
    """The upstream that stood there was never touched: by no call, and by no tool that the answers ask for."""
    assert [] == played.touched


def test_every_take_equals_its_source(played: Played) -> None:
    """Requests, statuses, headers, bodies and the pieces that they came in, call by call."""
    for name, source in played.sources.items():
        by_source = {exchange.labels.replay.source_call_id: exchange for exchange in played.takes[name]}
        assert len(source) == len(played.takes[name])
        for exchange in source:
            take = by_source[exchange.id]
            assert (exchange.request_body, exchange.status, exchange.response_headers, exchange.response_body) == (
                take.request_body, take.status, take.response_headers, take.response_body,
            )  # fmt: skip
            assert [chunk.body_bytes for chunk in exchange.chunks] == [chunk.body_bytes for chunk in take.chunks]
            assert exchange.id == take.handling.played_from


def test_what_is_played_costs_nothing(played: Played) -> None:
    """The plan says so before, and no call of a take is one that a provider was asked for."""
    assert {0} == {replay.plan.expected_cost_nanodollars for replay in played.replays.values()}
    assert {0} == {take.handling.attempts for takes in played.takes.values() for take in takes}
