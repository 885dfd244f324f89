"""Where a streamed answer ends before its connection does: the event after which an agent stops listening."""

_HEADS = (
    b"data: [DONE]",
    b"data:[DONE]",
    b"event: message_stop",
    b"event: response.completed",
    b"event: response.incomplete",
    b"event: response.failed",
    b"event: error",
    b'data: {"type":"message_stop"',
    b'data: {"type": "message_stop"',
    b'data: {"type":"response.completed"',
    b'data: {"type":"response.incomplete"',
    b'data: {"type":"response.failed"',
)
"""How the last event begins: OpenAI chat, Anthropic messages, OpenAI responses; some relays leave the `event` line out."""

_NEEDLES = tuple(b"\n" + head for head in _HEADS)
"""At the start of a line only: JSON text holds no line breaks, so that what a model says is never taken for an end."""

_HINTED = tuple(
    (hint, tuple(needle for needle in _NEEDLES if hint in needle))
    for hint in (b"[DONE]", b"message_stop", b"response.", b"event: error")
)
"""The few words of which every needle has one: looking for them first takes a third of the time."""
assert set(_NEEDLES) == {needle for _, needles in _HINTED for needle in needles}

REACH_BYTES = max(len(needle) for needle in _NEEDLES) - 1
"""How much of what came before a chunk may belong to an end in it."""


def ends_stream(before: bytes, chunk: bytes) -> bool:
    """Return whether the last event begins in *chunk*, or in *before* and goes on in it.

    Args:
        before: the last REACH_BYTES bytes before the chunk; a line break at the start of the stream.
        chunk: bytes of a `text/event-stream` body, cut anywhere.
    """
    return _has_end(chunk) or _has_end(before + chunk[:REACH_BYTES])


def _has_end(text: bytes) -> bool:
    for hint, needles in _HINTED:
        if hint in text:
            for needle in needles:
                if needle in text:
                    return True
    return False
