"""Two servers that share PostgreSQL and ClickHouse: what a killed one leaves the other finishes, and each stops the other's."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from reenact.client import Client
from reenact.domain.replay import State
from reenact.provider.app import create_provider
from tests.fakes.postgres import a_postgres, postgres_programs
from tests.fakes.serving import serving
from tests.invariants.test_replay_kill import CountingProvider
from tests.journeys.conftest import Running, start, stop

pytestmark = pytest.mark.slow  # a lease is thirty seconds, and no test may make it shorter than users have it
CALLS = 60


class Pair:
    """Two servers and what both ask."""

    def __init__(self, provider: CountingProvider, first: Running, second: Running) -> None:
        self.provider, self.first, self.second = provider, first, second


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Two servers with folders of their own, one control database and one store of calls."""
    pytest.importorskip("chdb")
    if (programs := postgres_programs()) is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    from tests.fakes.chdb_http import ChdbHttp  # noqa: PLC0415 - needs chdb

    provider = CountingProvider(create_provider())
    with ExitStack() as running:
        control = running.enter_context(a_postgres(programs))
        clickhouse = running.enter_context(ChdbHttp(str(tmp_path / "engine")))
        origin = running.enter_context(serving(provider, lifespan="off"))
        servers = []
        for name in ("first", "second"):
            server = start(
                "serve", "--data", str(tmp_path / name), "--port", "0", "--control", control, "--store", "clickhouse",
                "--clickhouse-url", f"{clickhouse.url}/calls", "--upstream", f"openai={origin}",
            )  # fmt: skip
            running.callback(stop, server)
            servers.append(server)
        yield Pair(provider, *servers)


def record(url: str, session_id: str, calls: int) -> None:
    """Record a session whose calls take the provider a tenth of a second."""
    headers = {"authorization": "Bearer sk-test", "helicone-session-id": session_id, "helicone-session-name": "Long"}
    with httpx2.Client(trust_env=False, timeout=30, headers=headers) as http:
        for number in range(calls):
            said = f"Question {number} of {session_id}? [[fault: delay=100ms]]"
            body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": said}]}
            http.post(f"{url}/v1/gateway/oai/v1/chat/completions", json=body).raise_for_status()


def test_the_second_finishes_what_the_first_was_killed_at(pair: Pair) -> None:
    """Nothing is asked twice whose answer had come into the store that both read."""
    record(pair.first.url, "long", CALLS)
    pair.provider.asked.clear()
    with Client(pair.second.url) as second:
        with Client(pair.first.url) as first:
            begun = first.start("long", control=False, concurrency=2)
            for progress in first.watch(begun.id):
                if progress.answered >= CALLS // 3:
                    pair.first.kill()
                    break
        before = [row.body for row in second.session(begun.takes[0].session_id) if row.response_status == 200]
        *_, over = second.watch(begun.id)
        rows = second.session(begun.takes[0].session_id)

    times = Counter(pair.provider.asked)
    assert (State.DONE, CALLS, 0) == (over.state, over.answered, over.failed)
    assert CALLS == len(rows)
    assert 0 < len(before) < CALLS
    said = [body["messages"][0]["content"].encode() for body in before]
    assert {1} == {sum(times[body] for body in times if one in body) for one in said}


def test_a_batch_of_the_killed_one_is_finished_too(pair: Pair) -> None:
    """Replays that it had begun go on, those that it had not are begun."""
    names = [f"chat-{number}" for number in range(12)]
    for name in names:
        record(pair.first.url, name, 3)
    with Client(pair.second.url) as second:
        with Client(pair.first.url) as first:
            begun = first.start_batch(names, control=False, concurrency=2)
            for batch in first.watch_batch(begun.id):
                if any(item.state is State.DONE for item in batch.items):
                    pair.first.kill()
                    break
        *_, over = second.watch_batch(begun.id)

    assert (State.DONE, "") == (over.state, over.detail)
    assert {(State.DONE, 3, 0)} == {(item.state, item.answered, item.failed) for item in over.items}


def test_either_stops_what_the_other_performs(pair: Pair) -> None:
    """A replay and a batch, both kept as cancelled."""
    record(pair.first.url, "long", CALLS)
    with Client(pair.first.url) as first, Client(pair.second.url) as second:
        replay = first.start("long", control=False, concurrency=1)
        assert State.CANCELLED is second.cancel(replay.id).state
        batch = first.start_batch(["long"], control=False, concurrency=1)
        assert State.CANCELLED is second.cancel_batch(batch.id).state
        assert State.CANCELLED is first.get_batch(batch.id).state
        assert [State.CANCELLED] == [item.state for item in first.get_batch(batch.id).items]


def test_an_agent_that_is_passed_from_one_to_the_other_has_one_session(pair: Pair) -> None:
    """It names no session; each server finds in the store what the other has recorded."""
    messages: list[dict[str, object]] = [{"role": "user", "content": "Hello? [[fault: delay=300ms]]"}]
    ids = []
    with httpx2.Client(trust_env=False, timeout=60, headers={"authorization": "Bearer sk-test"}) as http:
        other: dict[str, object] = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Somebody else"}]}
        for url in (pair.first.url, pair.second.url):  # each has looked into the store once
            http.post(f"{url}/v1/gateway/oai/v1/chat/completions", json=other).raise_for_status()
            http.post(f"{url}/v1/request/count/query", json={"filter": "all"}).raise_for_status()
        for turn in range(4):
            url = (pair.first.url, pair.second.url)[turn % 2]
            body = {"model": "gpt-4o-mini", "messages": messages}
            answer = http.post(f"{url}/v1/gateway/oai/v1/chat/completions", json=body).raise_for_status()
            ids.append(answer.headers["helicone-id"])
            said: dict[str, object] = {"role": "user", "content": f"And {turn}? [[fault: delay=300ms]]"}
            messages += [answer.json()["choices"][0]["message"], said]
            http.post(f"{url}/v1/request/count/query", json={"filter": "all"}).raise_for_status()  # it is saved now
    with Client(pair.first.url) as client:
        assert ids == [row.request_id for row in client.session(f"inferred-{ids[0]}")]
