"""Server-sent events are cut the same wherever the bytes are."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from reenact.dialects.framing import (
    DONE,
    EventCutter,
    ServerEvent,
    Stream,
    cut_events,
    read_events,
    read_stream,
    write_event,
)
from tests.fakes.recorded import recorded

line_ends = st.sampled_from(["\n", "\r", "\r\n"])
lines = st.one_of(
    st.sampled_from(
        ["", "data", "data:", ":comment", "event: delta", "id: 7", "retry: 10", "data: é€😀", "data:  two"]
    ),
    st.text(alphabet="data: \0ex{}\ufeff", max_size=12),
)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Bodies of odd but legal lines with mixed line ends."""
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return (mark + "".join(line + draw(line_ends) for line in draw(st.lists(lines, max_size=12)))).encode()


def cut_in_pieces(pieces: list[bytes]) -> list[ServerEvent]:
    """Return the events of a stream that comes in *pieces*."""
    cutter = EventCutter()
    return [event for piece in pieces for event in cutter.feed(piece)] + cutter.finish()


@given(streams())
def test_a_cut_at_any_byte_makes_no_difference(body: bytes) -> None:
    """Every two-piece cut, and one byte at a time, give what the whole gives."""
    whole = cut_events(body)
    assert all(cut_in_pieces([body[:at], body[at:]]) == whole for at in range(len(body) + 1))
    assert cut_in_pieces([body[at : at + 1] for at in range(len(body))]) == whole


def test_fields_are_read_as_the_standard_says() -> None:
    """Comments and unknown fields fall away, data lines are joined, one leading space goes, events without data are none."""
    body = (
        "\ufeff: hello\nevent: delta\nid: 7\ndata: one\ndata:two\ndata:  three\nretry: 5\nodd\n\n"
        "event: empty\n\ndata\r\rdata: last\r\n\r\n"
    ).encode()
    assert cut_events(body) == [
        ServerEvent("one\ntwo\n three", "delta", "7"),
        ServerEvent("", "", "7"),
        ServerEvent("last", "", "7"),
    ]


def test_an_event_is_there_as_soon_as_its_empty_line_is() -> None:
    """Nothing waits for more bytes than the event needs, whichever line end is used."""
    for end in (b"\n", b"\r", b"\r\n"):
        cutter = EventCutter()
        assert cutter.feed(b"data: 1" + end) == []
        assert cutter.feed(end) == [ServerEvent("1")]
        assert cutter.feed(b"data: 2" + end + end) == [ServerEvent("2")]
        assert cutter.finish() == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.tuples(json_values, st.sampled_from(["", "delta"])), max_size=5))
def test_what_is_written_is_read(values: list[tuple[object, str]]) -> None:
    """Writing events and reading them gives the same JSON, `[DONE]` left out and known as the end."""
    body = b"".join(write_event(msgspec.json.encode(value), name) for value, name in values) + DONE
    assert read_stream(body) == Stream(events=tuple(value for value, _ in values), finished=True, broken=0)


@given(st.integers(0, 200))
def test_a_torn_stream_gives_its_whole_events(at: int) -> None:
    """A cut never gives an event that was not sent, and is told by `finished`."""
    events = [{"choices": [{"delta": {"content": word}}]} for word in ("one", "two", "three", "é")]
    body = b"".join(write_event(msgspec.json.encode(event)) for event in events) + DONE
    stream = read_stream(body[:at])
    assert list(stream.events) == events[: len(stream.events)]
    assert stream.finished == (body[:at].rstrip() == body.rstrip())
    assert stream.broken <= 1


def test_broken_events_are_counted_and_left_out() -> None:
    """A line that is no JSON costs that event alone."""
    body = b'data: {"a":1}\n\ndata: {"b":\n\ndata: {"c":3}\n\n'
    assert read_stream(body) == Stream(events=({"a": 1}, {"c": 3}), finished=False, broken=1)
    assert read_events(body) == [{"a": 1}, {"c": 3}]


def test_the_last_event_needs_no_empty_line() -> None:
    """A body whose recorder trimmed its end has lost nothing."""
    assert read_stream(b'data: {"a":1}\n\ndata: [DONE]') == Stream(events=({"a": 1},), finished=True, broken=0)


def test_formats_without_a_done_mark_are_known_to_be_finished() -> None:
    """Anthropic, Responses and Gemini end with an event of their own."""
    assert read_stream(b'event: message_stop\ndata: {"type":"message_stop"}\n\n').finished
    assert read_stream(b'data: {"type":"response.completed"}\n\n').finished
    assert read_stream(b'data: {"candidates":[{"finishReason":"STOP"}]}\n\n').finished
    assert not read_stream(b'data: {"type":"content_block_delta"}\n\n').finished


def test_gemini_arrays_are_streams_too() -> None:
    """Without `alt=sse` Gemini streams one JSON array; a torn one gives its whole elements."""
    body = b'[{"candidates":[{}]}\r\n,\r\n{"usageMetadata":{"totalTokenCount":3}}\r\n]'
    events: tuple[Any, ...] = ({"candidates": [{}]}, {"usageMetadata": {"totalTokenCount": 3}})
    assert read_stream(body) == Stream(events=events, finished=True, broken=0)
    assert read_stream(body[:-5]) == Stream(events=events[:1], finished=False, broken=1)
    assert read_stream(b"[") == Stream(events=(), finished=False, broken=1)


def test_recorded_streams_are_read_whole() -> None:
    """Every recorded stream gives JSON events alone."""
    streams = [read_stream(one.response_body.encode()) for one in recorded() if one.is_streamed]
    assert len(streams) == 319
    assert [stream for stream in streams if stream.broken or not stream.events] == []


def test_a_long_array_that_is_torn_in_its_middle_is_read_once() -> None:
    """Reading it again from the start for each place where it may have been whole would take hours."""
    body = b"[" + b'{"a":1},' * 500_000 + b"x" + b"{}," * 500_000
    stream = read_stream(body)
    assert (500_000, {"a": 1}, False, 1) == (len(stream.events), stream.events[-1], stream.finished, stream.broken)
