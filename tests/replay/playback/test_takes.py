"""Takes over a whole server: what an agent that calls a take's base URL is told, and what the replay then says of it."""

import asyncio
import contextlib
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from reenact.api.keykeeper import KeyKeeper
from reenact.client import Client, append_system, change, patch, set_model
from reenact.domain.patch import Patch, Selector
from reenact.domain.playback import Driver, Fork, Level, Matching, OnMiss, Playback, Server
from reenact.domain.replay import Mode, Replay, State
from reenact.errors import ServerRefused
from reenact.provider.app import create_provider
from reenact.server.runner import Ready, running_server
from reenact.settings import Settings
from reenact.store.control.store import ControlStore
from tests.fakes.serving import serving
from tests.fakes.upstream import Received, Wire, answer, stream_head, upstream

EXACT, NONE = Level.EXACT, Level.NONE
RECORD, LIVE, NOBODY = Server.RECORD, Server.LIVE, Server.NOBODY


class Stand(msgspec.Struct, frozen=True):
    """A server, a client of it, and how often its provider was asked."""

    url: str
    client: Client
    asked: list[bytes]
    """Bodies."""

    def start(self, mode: Mode = Mode.PLAYBACK, edits: Patch | None = None, **playback: Any) -> Replay:
        """Open a replay of the recorded session."""
        return self.client.start("source", edits, mode=mode, playback=Playback(**playback))

    def ask(self, replay: Replay | None, text: str, *, take: int = 1, **said: Any) -> httpx2.Response:
        """Ask one question of a take, or of the provider where there is no replay."""
        base = self.url + (replay.takes[take - 1].base_path if replay else "/v1/gateway")
        headers = {"authorization": "Bearer sk-agent", "helicone-session-path": said.pop("path", "/debate")}
        headers |= said.pop("headers", {})
        if replay is None:
            headers |= {"helicone-session-id": "source", "helicone-session-name": "AI Debate"}
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], **said}
        return httpx2.post(f"{base}/oai/v1/chat/completions", json=body, headers=headers, trust_env=False, timeout=30)


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    """A server with one recorded session of four calls, two of them equal."""
    asked: list[bytes] = []
    provider = create_provider()

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        async def noting() -> Any:
            message = await receive()
            if message["type"] == "http.request":
                asked.append(message["body"])
            return message

        await provider(scope, noting, send)

    with (
        serving(counting, lifespan="off") as origin,
        a_server(tmp_path, origin) as ready,
        Client(ready.url) as client,
    ):
        stand = Stand(ready.url, client, asked)
        for text in ("one", "two", "two", "three"):
            stand.ask(None, text).raise_for_status()
        asked.clear()
        yield stand


@contextmanager
def a_server(folder: Path, openai: str, *, require_key: bool = False) -> Iterator[Ready]:
    """Run a server whose OpenAI is at an address."""
    settings = Settings(
        data=folder / "data", port=0, fresh_within_s=20, upstreams={"openai": openai, "anthropic": openai, "google": openai},
        require_key=require_key,
    )  # fmt: skip
    with running_server(settings) as ready:
        yield ready


def outcomes(replay: Replay) -> list[tuple[Level, Server, int | None]]:
    """Return what became of each request of the first take."""
    return [(call.level, call.served, call.index) for call in replay.takes[0].played]


def test_a_playback_answers_from_the_record_and_asks_nobody(stand: Stand) -> None:
    """Out of order; what was not asked for is listed; the take is a session of its own, linked to its source."""
    source = stand.client.session("source")
    replay = stand.start()
    told = [stand.ask(replay, text) for text in ("two", "one")]
    done = stand.client.finish(replay.id)
    take = stand.client.session(done.takes[0].session_id)

    assert [source[1].body, source[0].body] == [row.body for row in take]
    assert [source[1].response_body, source[0].response_body] == [answer.json() for answer in told]
    assert [(EXACT, RECORD, 2), (EXACT, RECORD, 1)] == outcomes(done)
    assert (State.DONE, (3, 4), []) == (done.state, done.takes[0].unconsumed, stand.asked)
    assert ["exact", "2", source[1].request_id] == [
        told[0].headers[name] for name in ("reenact-match", "reenact-source-call", "reenact-source-id")
    ]


def test_a_miss_is_refused_with_what_comes_nearest(stand: Stand) -> None:
    """In the provider's error shape, so that SDKs raise it and do not ask again; and nothing is sent."""
    replay = stand.start()
    told = stand.ask(replay, "tow", temperature=1)
    again = [stand.ask(replay, "one") for _ in range(2)][1]
    done = stand.client.finish(replay.id)

    message = told.json()["error"]["message"]
    assert (409, "replay_miss", "false") == (
        told.status_code,
        told.json()["error"]["code"],
        told.headers["x-should-retry"],
    )
    assert "No recorded call has this request. The nearest is call 2: " in message
    assert '/messages/0/content is "tow", recorded "two"' in message
    assert "/temperature is 1, recorded absent" in message
    missed = done.takes[0].missed
    assert missed[0].nearest is not None
    assert missed[0].nearest.index == 2
    assert ["/messages/0/content", "/temperature"] == [one.path for one in missed[0].nearest.differences]
    assert "This request was recorded once and is asked more often." in again.json()["error"]["message"]
    assert ([], [409, 200, 409]) == (stand.asked, [call.status for call in done.takes[0].played])


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/anthropic/v1/messages", lambda body: body["type"] == "error" and body["error"]["type"] == "replay_miss"),
        ("/google/v1beta/models/gemini-2.5-pro:generateContent", lambda body: body["error"]["code"] == 409),
        ("/oai/v1/responses", lambda body: body["error"]["code"] == "replay_miss"),
    ],
)
def test_a_miss_has_the_shape_of_its_provider(stand: Stand, path: str, shape: Any) -> None:
    """Of Anthropic, Gemini and OpenAI."""
    replay = stand.start()
    url = stand.url + replay.takes[0].base_path + path
    told = httpx2.post(url, json={"model": "m", "messages": []}, trust_env=False)

    assert (409, True) == (told.status_code, shape(told.json()))


def test_a_miss_goes_live_only_when_asked(stand: Stand) -> None:
    """Beside what is still answered from the record."""
    replay = stand.start(on_miss=OnMiss.LIVE)
    told = [stand.ask(replay, text).status_code for text in ("one", "new", "three")]
    done = stand.client.finish(replay.id)

    assert [200, 200, 200] == told
    assert [(EXACT, RECORD, 1), (NONE, LIVE, None), (EXACT, RECORD, 4)] == outcomes(done)
    assert ["new"] == [msgspec.json.decode(body)["messages"][0]["content"] for body in stand.asked]


def test_a_fork_is_recorded_up_to_a_call_and_live_from_it_on(stand: Stand) -> None:
    """The patch is made in what is asked for real, whether the record has it or not, and listed."""
    replay = stand.start(Mode.FORK, patch(append_system("Rhyme.")), fork=Fork(call=3))
    before = stand.ask(replay, "new")
    for text in ("one", "two", "two", "new"):
        stand.ask(replay, text).raise_for_status()
    done = stand.client.finish(replay.id)

    assert 409 == before.status_code  # nothing has been asked for real yet: the agent does not follow the record
    assert [
        (NONE, NOBODY, None),
        (EXACT, RECORD, 1),
        (EXACT, RECORD, 2),
        (EXACT, LIVE, 3),
        (NONE, LIVE, None),
    ] == outcomes(done)
    assert [[("system", "Rhyme."), ("user", text)] for text in ("two", "new")] == [
        [(message["role"], message["content"]) for message in msgspec.json.decode(body)["messages"]]
        for body in stand.asked
    ]
    assert [(), (), (), ("/messages/0",), ("/messages/0",)] == [
        tuple(one.path for one in call.overrides) for call in done.takes[0].played
    ]
    assert ["serve", "serve", "ask", "ask"] == [call.action for call in done.plan.calls]


def test_a_fork_at_the_calls_that_the_patch_changes(stand: Stand) -> None:
    """All others stay on the record."""
    edits = patch(change(set_model("gpt-4o"), select=Selector(calls=(2,))))
    replay = stand.start(Mode.FORK, edits, fork=Fork(changed=True))
    for text in ("one", "two", "two", "three"):
        stand.ask(replay, text).raise_for_status()
    done = stand.client.finish(replay.id)

    assert [(EXACT, RECORD, 1), (EXACT, LIVE, 2), (EXACT, RECORD, 3), (EXACT, RECORD, 4)] == outcomes(done)
    assert ["gpt-4o"] == [msgspec.json.decode(body)["model"] for body in stand.asked]


def test_a_fork_at_the_first_miss(stand: Stand) -> None:
    """From there on everything is real, recorded or not."""
    replay = stand.start(Mode.FORK, fork=Fork(first_miss=True))
    for text in ("one", "new", "two"):
        stand.ask(replay, text).raise_for_status()

    assert [(EXACT, RECORD, 1), (NONE, LIVE, None), (EXACT, LIVE, 2)] == outcomes(stand.client.finish(replay.id))


def test_many_takes_are_played_at_once_and_by_header(stand: Stand) -> None:
    """Each uses up the record for itself."""
    replay = stand.client.start("source", mode=Mode.PLAYBACK, takes=2)
    stand.ask(replay, "one", take=1)
    stand.ask(None, "one", headers={"reenact-take": f"{replay.id}/2"})
    stand.ask(replay, "two", take=1)
    done = stand.client.finish(replay.id)

    assert [[1, 2], [1]] == [[call.index for call in take.played] for take in done.takes]
    assert [[3, 4], [2, 3, 4]] == [list(take.unconsumed) for take in done.takes]
    assert [] == stand.asked


@pytest.mark.parametrize(
    "name", ["", "nonsense", "00000000-0000-4000-8000-000000000000/1", "{id}/2", "{id}/0", "{id}/x"]
)
def test_a_take_that_is_not_open_is_refused_and_nothing_is_sent(stand: Stand, name: str) -> None:
    """Whatever is wrong with its name; an empty header names none, and is a call like any other."""
    replay = stand.start()
    told = stand.ask(None, "one", headers={"reenact-take": name.format(id=replay.id)})

    assert (200 if name == "" else 404, name == "") == (told.status_code, bool(stand.asked))


def test_a_take_is_closed_when_its_replay_is_over(stand: Stand) -> None:
    """Finished or cancelled."""
    replays = [stand.start(), stand.start()]
    assert State.DONE is stand.client.finish(replays[0].id).state
    assert State.CANCELLED is stand.client.cancel(replays[1].id).state

    assert [404, 404] == [stand.ask(replay, "one").status_code for replay in replays]


def test_another_organisation_cannot_use_a_take(tmp_path: Path) -> None:
    """Nor see or end its replay: for it there is none. A key may stand in the path, as before any other."""
    with (
        serving(create_provider(), lifespan="off") as origin,
        a_server(tmp_path, origin, require_key=True) as ready,
        Client(ready.url, ready.key) as client,
    ):
        stranger = another_key(tmp_path / "data")
        stand = Stand(ready.url, client, [])
        headers = [{"helicone-auth": f"Bearer {key}"} for key in (ready.key, stranger)]
        stand.ask(None, "one", headers=headers[0]).raise_for_status()
        replay = stand.start()
        told = [stand.ask(replay, "one", headers=given).status_code for given in ({}, headers[1], headers[0])]
        base = replay.takes[0].base_path
        by_path = [
            httpx2.post(f"{ready.url}/{key}{base}/oai/v1/chat/completions", json={}, trust_env=False).status_code
            for key in (stranger, ready.key)
        ]
        with Client(ready.url, stranger) as strange, pytest.raises(ServerRefused) as refused:
            strange.finish(replay.id)
        played = client.finish(replay.id).takes[0].played

    assert ([401, 404, 200], [404, 409], 404) == (told, by_path, refused.value.status)
    assert [(EXACT, RECORD), (NONE, NOBODY)] == [(call.level, call.served) for call in played]


def another_key(data: Path) -> str:
    """Return the key of a second organisation."""
    with contextlib.closing(sqlite3.connect(data / "control.sqlite3")) as database, database:
        database.execute("INSERT INTO organisations VALUES ('other', 'Other', 0)")
    with contextlib.closing(ControlStore(data / "control.sqlite3")) as control:
        return KeyKeeper(control, lambda: 0).issue("other", "key", "rw")[0]


async def test_what_an_agent_did_not_wait_for_is_given_again(tmp_path: Path) -> None:
    """An SDK that gives up asks once more: the record is not used up by an answer that nobody got."""
    async with recorded_stream(tmp_path, "hello") as stand:
        replay = await asyncio.to_thread(stand.start, pace=100)
        await asyncio.to_thread(give_up, stand, replay)
        done = await asyncio.to_thread(stand.client.finish, replay.id)

    assert [(EXACT, RECORD, 1, (1,))] == [(*one, done.takes[0].unconsumed) for one in outcomes(done)]


def give_up(stand: Stand, replay: Replay) -> None:
    """Ask, and leave before the answer begins."""
    with pytest.raises(httpx2.TimeoutException):
        httpx2.post(
            f"{stand.url}{replay.takes[0].base_path}/oai/v1/chat/completions",
            json={"model": "m", "stream": True, "messages": [{"role": "user", "content": "hello"}]},
            timeout=0.3, trust_env=False,
        )  # fmt: skip


def test_near_requests_are_answered_where_a_distance_is_allowed(stand: Stand) -> None:
    """And not beyond it; the distance is told."""
    replay = stand.start(matching=Matching(approximate=0.1))
    told = [stand.ask(replay, text).status_code for text in ("three!", "something else altogether, and longer")]
    done = stand.client.finish(replay.id)

    assert [200, 409] == told
    assert [(Level.APPROXIMATE, RECORD, 4), (NONE, NOBODY, None)] == outcomes(done)
    assert 0 < done.takes[0].played[0].distance <= 0.1


def test_a_fan_out_played_in_another_order_gets_its_own_answers(stand: Stand) -> None:
    """Thirty requests with one instruction, times that drift, two of each kind under two paths: all at once, shuffled."""

    def request(item: int, day: int) -> dict[str, Any]:
        path = f"/worker/{item % 2}"
        return {"text": f"Now 2026-11-{day}T10:00:{item:02}Z. Review {item // 2}.", "path": path}

    answers = {item: stand.ask(None, **request(item, 10)).content for item in range(30)}
    replay = stand.start()
    order = random.Random(7).sample(range(30), 30)
    with ThreadPoolExecutor(10) as pool:
        played = dict(
            zip(order, pool.map(lambda item: stand.ask(replay, **request(item, 23)).content, order), strict=True)
        )
    done = stand.client.finish(replay.id)

    assert answers == played
    assert {Level.EQUIVALENT} == {call.level for call in done.takes[0].played}
    assert (1, 2, 3, 4) == done.takes[0].unconsumed


def test_a_replay_that_is_open_when_the_server_stops_is_over(tmp_path: Path) -> None:
    """Its take is not opened again by the next start."""
    with serving(create_provider(), lifespan="off") as origin:
        with a_server(tmp_path, origin) as ready, Client(ready.url) as client:
            stand = Stand(ready.url, client, [])
            stand.ask(None, "one").raise_for_status()
            replay = stand.start()
            stand.ask(replay, "one").raise_for_status()
        with a_server(tmp_path, origin) as ready, Client(ready.url) as client:
            kept = client.get_replay(replay.id)
            told = Stand(ready.url, client, []).ask(replay, "one").status_code

    assert (State.FAILED, "the server stopped", 404) == (kept.state, kept.detail, told)
    assert [(EXACT, RECORD, 1)] == outcomes(kept)


def test_the_plan_says_what_is_served_and_what_is_asked(stand: Stand) -> None:
    """Before anything is opened; what is served costs nothing."""
    playback = stand.client.plan("source", mode=Mode.PLAYBACK)
    fork = stand.client.plan("source", mode=Mode.FORK, playback=Playback(fork=Fork(call=4)))

    assert (["serve"] * 4, 0) == ([call.action for call in playback.calls], playback.expected_cost_nanodollars)
    assert ["serve", "serve", "serve", "ask"] == [call.action for call in fork.calls]
    assert fork.expected_cost_nanodollars > 0


@pytest.mark.parametrize(
    ("mode", "edits", "playback", "field"),
    [
        (Mode.PLAYBACK, patch(set_model("m")), Playback(), "patch"),
        (Mode.PLAYBACK, None, Playback(fork=Fork(call=1)), "playback.fork"),
        (Mode.FORK, None, Playback(), "playback.fork"),
        (Mode.FORK, None, Playback(fork=Fork(call=6)), "playback.fork.call"),
        (Mode.FORK, None, Playback(fork=Fork(changed=True)), "playback.fork.changed"),
        (Mode.FORK, None, Playback(fork=Fork(select=Selector(path="/none"))), "playback.fork"),
        (Mode.FORK, None, Playback(fork=Fork(call=1), driver=Driver.SERVER), "playback.driver"),
        (Mode.PLAYBACK, None, Playback(driver=Driver.SERVER, on_miss=OnMiss.LIVE), "playback.on_miss"),
        (Mode.PLAYBACK, None, Playback(matching=Matching(ignore=("seed",))), "playback.matching.ignore[0]"),
        (Mode.PLAYBACK, None, Playback(matching=Matching(volatile=("(",))), "playback.matching.volatile[0]"),
        (Mode.PLAYBACK, None, Playback(matching=Matching(volatile=("(a+)+",))), "playback.matching.volatile[0]"),
        (Mode.ANCHORED, None, Playback(pace=1), "playback"),
    ],
)
def test_what_does_not_go_together_is_refused(
    stand: Stand, mode: Mode, edits: Patch | None, playback: Playback, field: str
) -> None:
    """When planned, with the field named."""
    with pytest.raises(ServerRefused) as refused:
        stand.client.plan("source", edits, mode=mode, playback=playback)

    assert (422, field) == (refused.value.status, refused.value.field)


def test_the_server_plays_a_session_by_itself(stand: Stand) -> None:
    """Every recorded request is made again and answered as it was."""
    done = stand.client.replay("source", mode=Mode.PLAYBACK)

    assert (State.DONE, 4, 0, ()) == (
        done.state, done.progress.answered, done.progress.failed, done.takes[0].unconsumed,
    )  # fmt: skip
    assert [] == stand.asked


STREAM = (b'data: {"choices":[{"delta":{"content":"a', b'b"}}]}\n\n', b"data: [DO", b"NE]\n\n")
GAP_S = 0.08


async def slowly(request: Received, wire: Wire) -> None:
    """Answer with a stream cut at odd places, a while between its pieces; an error and a broken answer on demand."""
    if b"fail" in request.body:
        await wire.send(answer(b'{"error":{"message":"busy"}}', b"retry-after: 7", status=b"503 Service Unavailable"))
        return
    await wire.send(stream_head(b"x-odd: 1"))
    for piece in STREAM[: 2 if b"break" in request.body else 4]:
        await asyncio.sleep(GAP_S)
        await wire.send_chunk(piece)
    if b"break" in request.body:
        wire.abort()
        return
    await wire.send_chunk(b"")


@asynccontextmanager
async def recorded_stream(folder: Path, word: str) -> AsyncIterator[Stand]:
    """A server with one recorded call of *slowly*."""
    async with upstream(slowly) as provider:
        serving_ = a_server(folder, provider.origin)
        ready = await asyncio.to_thread(serving_.__enter__)
        try:
            with Client(ready.url) as client:
                stand = Stand(ready.url, client, [])
                await asyncio.to_thread(timed, stand, None, word)
                yield stand
        finally:
            await asyncio.to_thread(serving_.__exit__, None, None, None)


def timed(stand: Stand, replay: Replay | None, word: str) -> tuple[int, list[bytes], float, dict[str, str], bool]:
    """Ask, and return status, pieces, seconds, headers, and whether the answer was whole."""
    base = stand.url + (replay.takes[0].base_path if replay else "/v1/gateway")
    headers = {"authorization": "Bearer sk", **({} if replay else {"helicone-session-id": "source"})}
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": word}]}
    started_s = time.perf_counter()
    pieces: list[bytes] = []
    is_whole = True
    with (
        httpx2.Client(trust_env=False, timeout=30) as http,
        http.stream("POST", f"{base}/oai/v1/chat/completions", json=body, headers=headers) as told,
    ):
        try:
            pieces.extend(told.iter_raw())
        except httpx2.TransportError:
            is_whole = False
    return told.status_code, pieces, time.perf_counter() - started_s, dict(told.headers), is_whole


@pytest.mark.parametrize(("pace", "least_s"), [(0, 0), (1, 0.3), (0.5, 0.15)])
async def test_a_stream_is_played_in_its_pieces_and_at_its_pace(tmp_path: Path, pace: float, least_s: float) -> None:
    """As it was cut, torn events and all; no faster than was asked for."""
    async with recorded_stream(tmp_path, "hello") as stand:
        replay = await asyncio.to_thread(stand.start, pace=pace)
        status, pieces, took_s, headers, is_whole = await asyncio.to_thread(timed, stand, replay, "hello")
        done = await asyncio.to_thread(stand.client.finish, replay.id)

    assert (200, b"".join(STREAM), "1", True) == (status, b"".join(pieces), headers["x-odd"], is_whole)
    assert least_s <= took_s
    assert [(EXACT, RECORD, 1)] == outcomes(done)
    if pace:
        assert list(STREAM) == pieces


async def test_errors_and_broken_answers_are_played_as_they_were(tmp_path: Path) -> None:
    """Status, headers and bytes; an answer that broke off breaks off in the same place."""
    async with recorded_stream(tmp_path, "fail") as stand:
        await asyncio.to_thread(timed, stand, None, "break")
        replay = await asyncio.to_thread(stand.start)
        failed = await asyncio.to_thread(timed, stand, replay, "fail")
        broken = await asyncio.to_thread(timed, stand, replay, "break")
        done = await asyncio.to_thread(stand.client.finish, replay.id)

    assert (503, [b'{"error":{"message":"busy"}}'], "7") == (failed[0], failed[1], failed[3]["retry-after"])
    assert (200, b"".join(STREAM[:2]), False) == (broken[0], b"".join(broken[1]), broken[4])
    assert [(EXACT, RECORD, 1), (EXACT, RECORD, 2)] == outcomes(done)
    assert [None, None] == [call.failure for call in done.takes[0].played]
