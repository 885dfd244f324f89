"""The scripted provider's WebSocket, by a real client."""

import json
from collections.abc import Iterator

import pytest
import websockets.sync.client
from websockets.exceptions import InvalidStatus

from reenact.provider.app import create_provider
from tests.fakes.serving import serving


@pytest.fixture(name="url", scope="module")
def _url() -> Iterator[str]:
    with serving(create_provider()) as origin:
        yield origin.replace("http", "ws")


def test_what_it_does_not_know_is_an_error_and_no_end(url: str) -> None:
    """No JSON, an unknown event, nothing spoken to be heard, input of no known shape."""
    odd = ["{", '{"type":"nonsense"}', '{"type":"input_audio_buffer.commit"}']
    with websockets.sync.client.connect(f"{url}/v1/realtime?model=gpt-realtime") as socket:
        told = [json.loads(socket.recv(timeout=20))]
        for message in odd:
            socket.send(message)
            told.append(json.loads(socket.recv(timeout=20)))
        socket.send('{"type":"response.create"}')
        told.append(json.loads(socket.recv(timeout=20)))

    expected = ["session.created", "error", "error", "error", "response.created"]
    assert expected == [event["type"] for event in told]


def test_other_paths_are_refused(url: str) -> None:
    """Before the connection is one."""
    with pytest.raises(InvalidStatus) as refused, websockets.sync.client.connect(f"{url}/v1/chat"):
        pass

    assert 403 == refused.value.response.status_code
