import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.gateway.streaming import REACH_BYTES, ends_stream

ENDS = [
    b"data: [DONE]\n\n",
    b"data:[DONE]\n\n",
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    b'event: response.completed\ndata: {"type":"response.completed"}\n\n',
    b"event: response.incomplete\ndata: {}\n\n",
    b"event: response.failed\ndata: {}\n\n",
    b"event: error\ndata: {}\n\n",
    b'data: {"type":"message_stop"}\n\n',
]
BEGINNING = b'event: x\r\ndata: {"text":"say data: [DONE] and event: message_stop"}\r\n\r\n'


def _chunks(stream: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % len(stream) for cut in cuts), len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(edges) if start < end]


@pytest.mark.parametrize("end", ENDS)
@given(cuts=st.lists(st.integers(min_value=0)))
def test_the_last_event_is_seen_however_the_stream_is_cut(end: bytes, cuts: list[int]) -> None:
    """It is noticed in the chunk that brings its beginning to an end, and in none before."""
    before, seen, passed = b"\n", [], b""
    for chunk in _chunks(BEGINNING + end, cuts):
        passed += chunk
        if ends_stream(before, chunk):
            seen.append(passed)
            break
        before = (before + chunk)[-REACH_BYTES:]
    assert len(seen) == 1
    assert len(seen[0]) > len(BEGINNING)


def test_words_of_the_model_are_no_end() -> None:
    """Text inside an event that looks like an end is text."""
    assert not ends_stream(b"\n", BEGINNING * 3)
