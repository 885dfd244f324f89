"""A replay whose server is killed goes on by itself: no recorded answer is asked for again, and it ends as if undisturbed."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from reenact.client import Batch, Client, append_system, patch
from reenact.domain.exchange import Exchange
from reenact.domain.replay import Mode, Replay, State
from reenact.provider.app import Provider, Receive, Scope, Send, create_provider
from reenact.spool.reader import SpoolReader
from reenact.store.calls import Cursor
from reenact.store.sqlite.store import SqliteStore
from tests.fakes.serving import serving
from tests.journeys.conftest import Running, start, stop

KILLS = 20
FEW_KILLS = 3
CALLS = 200
CONCURRENCY = 8
SEED = 20261123


class CountingProvider:
    """The scripted provider, which remembers every body that it was asked."""

    def __init__(self, provider: Provider) -> None:
        self.asked: list[bytes] = []
        self._provider = provider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the body when the provider has read all of it."""
        pieces: list[bytes] = []

        async def noting() -> object:
            message = await receive()
            if message["type"] == "http.request":
                pieces.append(message.get("body", b""))
                if not message.get("more_body", False):
                    self.asked.append(b"".join(pieces))
            return message

        await self._provider(scope, noting, send)  # type: ignore[arg-type] # the message passes as it is


@pytest.fixture
def provider() -> CountingProvider:
    """A provider that nobody asked yet."""
    return CountingProvider(create_provider())


@pytest.fixture
def origin(provider: CountingProvider) -> Iterator[str]:
    """Where it stands; it outlives the servers."""
    with serving(provider, lifespan="off") as address:
        yield address


def record(url: str) -> None:
    """Record a session of so many calls, each of which takes the provider a moment."""
    headers = {"authorization": "Bearer sk-test", "helicone-session-id": "long", "helicone-session-name": "Long"}

    def call(number: int) -> None:
        said = f"Question {number}? [[fault: delay=20ms]]"
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": said}]}
        answer = http.post(f"{url}/v1/gateway/oai/v1/chat/completions", json=body, headers=headers)
        answer.raise_for_status()

    with httpx2.Client(trust_env=False, timeout=30) as http, ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(CALLS)))


def outcome(client: Client, replay: Replay) -> list[tuple[object, ...]]:
    """Return what became of every call of the only take, without the ids that tell replays apart."""
    rows = {row.request_id: row for row in client.session(replay.takes[0].session_id)}
    return [
        (result.index, result.status, result.failure, result.cost_nanodollars, rows[result.call_id or ""].response_body)
        for result in replay.takes[0].results
    ]


def kill_on_the_way(server: Running, at: int) -> Replay:
    """Start a replay and kill the server when so many of its calls are through."""
    with Client(server.url) as client:
        replay = client.start("long", concurrency=CONCURRENCY, control=False)
        for progress in client.watch(replay.id):
            if progress.answered >= at:
                server.kill()
                break
    stop(server)
    return replay


def recorded(data: Path, session_id: str) -> list[bytes]:
    """Return the bodies of the answered calls of a session that a killed server left, in its store or only in its spool."""
    store = SqliteStore(data / "calls.sqlite3")
    organisations = {exchange.organisation_id for exchange in _spooled(data)}
    bodies = {
        call_id: body.request
        for organisation in organisations
        for call_id, body in store.bodies(organisation, [c.id for c in store.session(organisation, session_id)]).items()
    }
    store.close()
    spooled = {one.id: one.request_body for one in _spooled(data) if one.labels.session_id == session_id}
    return list((bodies | spooled).values())


def _spooled(data: Path) -> Iterator[Exchange]:
    reader, cursor = SpoolReader(data / "spool"), Cursor()
    while not (batch := reader.read(cursor)).is_empty:
        yield from batch.exchanges
        cursor = batch.cursor


def test_a_killed_replay_asks_nothing_twice_that_was_answered(
    provider: CountingProvider, origin: str, tmp_path: Path
) -> None:
    """Twenty times, at a random place; each time it ends exactly as the replay that nobody disturbed."""
    chance = random.Random(SEED)
    data = tmp_path / "data"
    arguments = ("serve", "--data", str(data), "--port", "0", "--upstream", f"openai={origin}")
    server = start(*arguments)
    record(server.url)
    with Client(server.url) as client:
        undisturbed = outcome(client, client.replay("long", concurrency=CONCURRENCY, control=False))

    for _ in range(KILLS):
        provider.asked.clear()
        begun = kill_on_the_way(server, chance.randint(1, CALLS // 2))  # told of ten times a second: some 40 calls
        answered = recorded(data, begun.takes[0].session_id)

        server = start(*arguments)
        with Client(server.url) as client:
            last = list(client.watch(begun.id))[-1]
            done = client.get_replay(begun.id)
            assert (State.DONE, CALLS, 0) == (last.state, last.answered, last.failed)
            assert begun.takes[0].session_id == done.takes[0].session_id
            assert CALLS == len(client.session(done.takes[0].session_id))
            assert undisturbed == outcome(client, done)

        times = Counter(provider.asked)
        assert 0 < len(answered) < CALLS
        assert {1} == {times[body] for body in answered}
        assert CALLS <= len(provider.asked) <= CALLS + CONCURRENCY
    stop(server)


# --- chained: later requests are made of earlier answers -------------------------------------------------------------------

BRANCHES, DEPTH = 4, 6


def record_conversations(url: str, session_id: str) -> None:
    """Record conversations side by side, each of whose requests holds all answers before it."""

    def converse(branch: int) -> None:
        said = [{"role": "system", "content": f"You are speaker {branch}. [[fault: delay=60ms]]"}]
        for turn in range(DEPTH):
            said.append({"role": "user", "content": f"Turn {turn} of speaker {branch}."})
            body = {"model": "gpt-4o-mini", "messages": said}
            answer = http.post(f"{url}/v1/gateway/oai/v1/chat/completions", json=body).raise_for_status()
            said.append(answer.json()["choices"][0]["message"])

    headers = {"authorization": "Bearer sk-test", "helicone-session-id": session_id, "helicone-session-name": "Talk"}
    with httpx2.Client(trust_env=False, timeout=30, headers=headers) as http, ThreadPoolExecutor(BRANCHES) as pool:
        list(pool.map(converse, range(BRANCHES)))


@pytest.mark.parametrize("kills", [FEW_KILLS, pytest.param(KILLS, marks=pytest.mark.slow)])
def test_a_killed_chained_replay_sends_what_the_undisturbed_one_sent(
    provider: CountingProvider, origin: str, tmp_path: Path, kills: int
) -> None:
    """The requests that follow are made of answers out of the record; none of those is asked for again."""
    chance = random.Random(SEED)
    data = tmp_path / "data"
    arguments = ("serve", "--data", str(data), "--port", "0", "--upstream", f"openai={origin}")
    louder = patch(append_system(" Speak up."))
    server = start(*arguments)
    record_conversations(server.url, "talk")
    with Client(server.url) as client:
        undisturbed = outcome(client, client.replay("talk", louder, mode=Mode.CHAINED, control=False))
        provider.asked.clear()
        client.replay("talk", louder, mode=Mode.CHAINED, control=False)
        wanted = Counter(provider.asked)

    for _ in range(kills):
        provider.asked.clear()
        with Client(server.url) as client:
            begun = client.start("talk", louder, mode=Mode.CHAINED, control=False)
            at = chance.randint(1, BRANCHES * DEPTH - BRANCHES)
            next(progress for progress in client.watch(begun.id) if progress.answered >= at)
            server.kill()
        stop(server)
        answered = recorded(data, begun.takes[0].session_id)

        server = start(*arguments)
        with Client(server.url) as client:
            *_, last = client.watch(begun.id)
            assert (State.DONE, BRANCHES * DEPTH, 0) == (last.state, last.answered, last.failed)
            assert undisturbed == outcome(client, client.get_replay(begun.id))
        times = Counter(provider.asked)
        assert wanted.keys() == times.keys()
        assert {1} == {times[body] for body in answered}
    stop(server)


@pytest.mark.parametrize("kills", [1, pytest.param(KILLS, marks=pytest.mark.slow)])
def test_a_killed_batch_goes_on(provider: CountingProvider, origin: str, tmp_path: Path, kills: int) -> None:
    """Sessions that were done are left alone, those under way go on, the others are begun."""
    chance = random.Random(SEED)
    arguments = ("serve", "--data", str(tmp_path / "data"), "--port", "0", "--upstream", f"openai={origin}")
    names = [f"talk-{number}" for number in range(10)]
    server = start(*arguments)
    for name in names:
        record_conversations(server.url, name)
    for _ in range(kills):
        with Client(server.url) as client:
            begun = client.start_batch(names, mode=Mode.CHAINED, control=False, concurrency=8)
            done = chance.randint(0, len(names) - 2)
            next(one for one in client.watch_batch(begun.id) if _done(one) >= done)
            server.kill()
        stop(server)
        server = start(*arguments)
        with Client(server.url) as client:
            *_, over = client.watch_batch(begun.id)
            assert (State.DONE, "", len(names)) == (over.state, over.detail, _done(over))
            assert {(BRANCHES * DEPTH, 0)} == {(item.answered, item.failed) for item in over.items}
            for item in over.items:
                [take] = client.get_replay(item.replay_id).takes
                assert BRANCHES * DEPTH == len(client.session(take.session_id))
    stop(server)


def _done(batch: Batch) -> int:
    return sum(item.state is State.DONE for item in batch.items)
