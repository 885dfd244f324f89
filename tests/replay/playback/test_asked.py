"""Takes over a whole server: requests are matched by what their agent asked, however it was wrapped and whoever answered."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from reenact.client import Client
from reenact.domain.playback import Level, Server
from reenact.domain.replay import Replay
from tests.fakes.serving import serving
from tests.replay.playback.test_takes import Stand, a_server, outcomes


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    """A server whose provider answers everything with a number of its own."""
    asked: list[bytes] = []

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

    with (
        serving(counting, lifespan="off") as origin,
        a_server(tmp_path, origin) as ready,
        Client(ready.url) as client,
    ):
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
