"""Cutting a stream of server-sent events at the ends of its events, bytes untouched (surface 1.6, Stream-Force-Format)."""

import re

_END = re.compile(rb"\r\n\r\n|\n\n|\r\r(?!\n)")
"""An empty line (WHATWG HTML 9.2.5)."""


def whole_events(held: bytes, chunk: bytes) -> tuple[list[bytes], bytes]:
    """Return the events that are whole after *chunk*, each with its empty line, and what is held of the next one.

    Args:
        held: what the call before gave back; empty at first.
        chunk: the next bytes of the stream, cut anywhere.
    """
    text = held + chunk
    events: list[bytes] = []
    at = 0
    for end in _END.finditer(text, max(0, len(held) - 3)):
        events.append(text[at : end.end()])
        at = end.end()
    return events, text[at:]
