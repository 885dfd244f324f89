"""Cutting streams at the ends of their events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.gateway.cutting import whole_events


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_events_are_whole_wherever_the_stream_is_cut(end: bytes) -> None:
    """Cut at every byte, the same events come, and together they are the stream."""
    events = [b"data: 1" + end, b"event: x\ndata: 2" + end, b": comment" + end]
    stream = b"".join(events) + b"data: torn"
    for cut in range(len(stream) + 1):
        first, held = whole_events(b"", stream[:cut])
        second, rest = whole_events(held, stream[cut:])

        assert stream == b"".join([*first, *second, rest])
        assert (events, b"data: torn") == ([*first, *second], rest)


@given(st.lists(st.binary(max_size=8) | st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n"])))
def test_no_byte_is_lost(pieces: list[bytes]) -> None:
    """Whatever comes."""
    held, given = b"", b""
    for piece in pieces:
        events, held = whole_events(held, piece)
        given += b"".join(events)

    assert b"".join(pieces) == given + held
