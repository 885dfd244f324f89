"""Takes over a whole server: requests are matched by what their agent asked, however it was wrapped and whoever answered."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from reenact.client import Client
from reenact.domain.playback import Level, Server
from reenact.domain.replay import Mode, Replay
from reenact.server.runner import running_server
from reenact.settings import Settings
from tests.fakes.serving import serving
from tests.replay.playback.test_takes import Stand, outcomes


@pytest.fixture
def asked() -> list[bytes]:
    """The bodies that the provider was given."""
    return []


@pytest.fixture
def origin(asked: list[bytes]) -> Iterator[str]:
    """Where a provider answers everything with a number of its own."""

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message.get("more_body"):
                break
        asked.append(body)
        said = b'{"text": "answer %d"}' % len(asked)
        status = 503 if b"refuse-me" in body else 200
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(said))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": said})

    with serving(counting, lifespan="off") as at:
        yield at


@pytest.fixture
def stand(tmp_path: Path, origin: str, asked: list[bytes]) -> Iterator[Stand]:
    """A server with keys for two providers, both of them at the origin."""
    with contextlib.ExitStack() as open_:
        settings = Settings(
            data=tmp_path / "data",
            port=0,
            fresh_within_s=20,
            upstreams={"openai": origin, "anthropic": origin},
            provider_keys={"openai": "sk-openai", "anthropic": "sk-anthropic"},
        )
        ready = open_.enter_context(running_server(settings))
        client = open_.enter_context(Client(ready.url))
        yield Stand(ready.url, client, asked)


def transcribed(stand: Stand, replay: Replay | None, audio: bytes) -> httpx2.Response:
    """Send a file, as SDKs do: with a boundary of its own each time."""
    base = stand.url + (replay.takes[0].base_path if replay else "/v1/gateway")
    headers = {"authorization": "Bearer sk-agent"} | ({} if replay else {"helicone-session-id": "source"})
    with contextlib.closing(httpx2.Client(trust_env=False, timeout=30)) as http:
        return http.post(
            f"{base}/oai/v1/audio/transcriptions",
            data={"model": "whisper-1"},
            files={"file": ("a.wav", audio, "audio/wav")},
            headers=headers,
        )


def test_a_file_is_matched_whatever_boundary_parts_its_form(stand: Stand) -> None:
    """By names and contents: each recording gets its own text, and another one is a miss that names the file."""
    recorded = [transcribed(stand, None, audio).json() for audio in (b"\0\xffone", b"\0\xfftwo")]
    replay = stand.start()
    told = [transcribed(stand, replay, audio) for audio in (b"\0\xfftwo", b"\0\xffone", b"\0\xffred")]
    done = stand.client.finish(replay.id)

    assert [recorded[1], recorded[0]] == [one.json() for one in told[:2]]
    assert [(Level.EQUIVALENT, Server.RECORD, 2), (Level.EQUIVALENT, Server.RECORD, 1), (Level.NONE, Server.NOBODY, None)] == (
        outcomes(done)
    )  # fmt: skip
    nearest = done.takes[0].missed[0].nearest
    assert nearest is not None
    assert ["/file/digest"] == [one.path for one in nearest.differences]
    assert 2 == len(stand.asked)


ELECTED = "refuse-me/openai, claude-3-5-haiku/anthropic"


def chosen(stand: Stand, replay: Replay | None, text: str, model: str = ELECTED) -> httpx2.Response:
    """Leave the provider to the gateway, whose first choice refuses."""
    base = stand.url + (replay.takes[0].base_path if replay else "/v1/gateway")
    headers = {"helicone-session-id": "source"} if replay is None else {}
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    return httpx2.post(f"{base}/ai/chat/completions", json=body, headers=headers, trust_env=False, timeout=30)


def fallen_back(stand: Stand, origin: str, replay: Replay | None, text: str) -> httpx2.Response:
    """Name two targets, the second with a model of its own, and have the first one refuse."""
    base = stand.url + (replay.takes[0].base_path if replay else "/v1/gateway")
    second = {"model": "second"}
    targets = [
        {"target-url": origin, "headers": {"authorization": "Bearer sk-1"}, "onCodes": [503]},
        {
            "target-url": origin,
            "headers": {"authorization": "Bearer sk-2"},
            "onCodes": [503],
            "bodyKeyOverride": second,
        },
    ]
    headers = {"helicone-fallbacks": msgspec.json.encode(targets).decode(), "helicone-session-id": "source"}
    body = {"model": "refuse-me", "messages": [{"role": "user", "content": text}]}
    return httpx2.post(f"{base}/oai/v1/chat/completions", json=body, headers=headers, trust_env=False, timeout=30)


def test_a_call_is_known_by_what_was_asked_whoever_was_elected(stand: Stand) -> None:
    """Nobody is asked again; the take's call reads as the recorded one; another wish is a miss that names the model."""
    recorded = [chosen(stand, None, text) for text in ("one", "two")]
    asked = len(stand.asked)
    replay = stand.start()
    told = [chosen(stand, replay, text) for text in ("two", "one")]
    missed = chosen(stand, replay, "two", "gpt-4o/openai")
    done = stand.client.finish(replay.id)
    source, take = stand.client.session("source"), stand.client.session(done.takes[0].session_id)

    assert ([200, 200], 4) == ([one.status_code for one in recorded], asked)
    assert [recorded[1].json(), recorded[0].json()] == [one.json() for one in told]
    assert [(Level.EXACT, Server.RECORD, 2), (Level.EXACT, Server.RECORD, 1), (Level.NONE, Server.NOBODY, None)] == (
        outcomes(done)
    )  # fmt: skip
    assert [(source[1].body, "ANTHROPIC"), (source[0].body, "ANTHROPIC")] == [
        (row.body, row.provider) for row in take[:2]
    ]
    assert (409, 4) == (missed.status_code, len(stand.asked))
    assert f'/model is "gpt-4o/openai", recorded "{ELECTED}"' in missed.json()["error"]["message"]


def test_the_server_plays_elected_calls_by_itself(stand: Stand) -> None:
    """As their agent asked, so that each finds itself."""
    chosen(stand, None, "one").raise_for_status()
    asked = len(stand.asked)
    done = stand.client.replay("source", mode=Mode.PLAYBACK)

    assert [(Level.EXACT, Server.RECORD, 1)] == outcomes(done)
    assert [None] == [call.failure for call in done.takes[0].played]
    assert asked == len(stand.asked)


def test_a_call_is_known_by_what_was_asked_wherever_it_fell(stand: Stand, origin: str) -> None:
    """The second target changed its model; what the take keeps is what was sent."""
    recorded = fallen_back(stand, origin, None, "one")
    asked = len(stand.asked)
    replay = stand.start()
    told = fallen_back(stand, origin, replay, "one")
    done = stand.client.finish(replay.id)
    source, take = stand.client.session("source"), stand.client.session(done.takes[0].session_id)

    assert (200, 200, recorded.json()) == (recorded.status_code, told.status_code, told.json())
    assert [(Level.EXACT, Server.RECORD, 1)] == outcomes(done)
    assert (2, asked) == (asked, len(stand.asked))
    assert "second" == source[0].body["model"]
    assert [row.body for row in source] == [row.body for row in take]
