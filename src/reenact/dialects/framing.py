"""Server-sent events: cutting a byte stream into events at any boundary, reading their JSON, writing them.

After the WHATWG HTML standard, section 9.2 (read 2026-11): lines end in CR, LF or CRLF, an event ends at an empty line, a line
that starts with a colon is a comment, a leading byte order mark is ignored.
"""

import json
import re
from collections.abc import Iterable

import msgspec

from reenact.dialects.wire import items, text
from reenact.domain.message import Json

DONE = b"data: [DONE]\n\n"
"""How OpenAI's streams end; not JSON."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LAST_TYPES = frozenset(
    {"message_stop", "error", "response.completed", "response.failed", "response.incomplete", "response.cancelled"}
)


def _refuse(constant: str) -> Json:
    """Refuse what Python would read and JSON does not have: NaN and the infinities."""
    message = f"{constant} is no JSON"
    raise ValueError(message)


_ELEMENT = json.JSONDecoder(parse_constant=_refuse)
_PARTING = re.compile(r"[\s,]*")


class ServerEvent(msgspec.Struct, frozen=True):
    """One event."""

    data: str
    """The `data` lines joined by line feeds; bytes that are not UTF-8 are replaced."""
    name: str = ""
    """Of the `event` field; empty when there was none, which means `message`."""
    id: str = ""


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A whole stream as it was recorded."""

    events: tuple[Json, ...]
    """The JSON of each event in order, without the `[DONE]` mark."""
    finished: bool
    """Whether the provider said that it was done; False for a stream that was cut off."""
    broken: int
    """How many events were no JSON, a torn last one among them."""


class EventCutter:
    """Cuts bytes into events as they come; where the pieces are cut makes no difference."""

    def __init__(self) -> None:
        self._rest = b""
        self._at_start = True
        self._after_return = False
        self._data: list[str] = []
        self._name = ""
        self._id = ""

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """Take the next bytes and return the events that they complete."""
        if self._after_return and piece:
            piece = piece.removeprefix(b"\n")
            self._after_return = False
        *lines, self._rest = _LINE_END.split(self._rest + piece)
        self._after_return = self._after_return or piece.endswith(b"\r")
        return [event for line in lines for event in self._take(line)]

    def finish(self) -> list[ServerEvent]:
        """Take the end of the stream and return what stands unfinished, which the standard throws away: at most one event."""
        rest, self._rest = self._rest, b""
        return [*(self._take(rest) if rest else ()), *self._take(b"")]

    def _take(self, line: bytes) -> Iterable[ServerEvent]:
        """Take one line; an empty one yields the event that it ends."""
        if self._at_start:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._at_start = False
        if not line:
            if self._data:
                yield ServerEvent("\n".join(self._data), self._name, self._id)
            self._data, self._name = [], ""
            return
        field, _, value = line.partition(b":")
        decoded = value.removeprefix(b" ").decode("utf-8", "replace")
        if field == b"data":
            self._data.append(decoded)
        elif field == b"event":
            self._name = decoded
        elif field == b"id" and "\0" not in decoded:
            self._id = decoded


def cut_events(body: bytes) -> list[ServerEvent]:
    """Return the events of a whole stream, an unfinished last one included."""
    cutter = EventCutter()
    return [*cutter.feed(body), *cutter.finish()]


def read_events(body: bytes) -> list[Json]:
    """Return the JSON of each event; `[DONE]` and events that are no JSON (a torn last one) are left out."""
    return list(read_stream(body).events)


def read_stream(body: bytes) -> Stream:
    """Return a recorded stream: server-sent events, or the JSON array that Gemini streams without `alt=sse`."""
    if body.lstrip()[:1] == b"[":
        return _read_array(body)
    events: list[Json] = []
    done, broken = False, 0
    for event in cut_events(body):
        if event.data.strip() == "[DONE]":
            done = True
            continue
        try:
            events.append(msgspec.json.decode(event.data))
        except msgspec.DecodeError:
            broken += 1
    return Stream(events=tuple(events), finished=done or _ends(events), broken=broken)


def _read_array(body: bytes) -> Stream:
    """Read a JSON array of events; of a torn one, the elements that came whole (Gemini parts them by `,` CRLF)."""
    try:
        events = msgspec.json.decode(body)
    except msgspec.DecodeError:
        events = _whole_elements(body)
        return Stream(events=tuple(events), finished=False, broken=1)
    return Stream(events=tuple(events), finished=True, broken=0)


def _whole_elements(body: bytes) -> list[Json]:
    """Return the elements before the tear. Each is read once: a tear may stand anywhere in a body of any length."""
    text = body.decode("utf-8", "replace")
    events: list[Json] = []
    at = text.index("[") + 1
    while (parting := _PARTING.match(text, at)) and parting.end() < len(text):
        try:
            event, at = _ELEMENT.raw_decode(text, parting.end())
        except (ValueError, RecursionError):
            break
        events.append(event)
    return events


def _ends(events: list[Json]) -> bool:
    """Return whether the last event is one that a format without `[DONE]` ends with."""
    last = events[-1] if events else None
    return text(last, "type") in _LAST_TYPES or any(text(one, "finishReason") for one in items(last, "candidates"))


def write_event(data: bytes, name: str = "") -> bytes:
    """Return one event whose *data*, JSON without line ends, is on one line."""
    head = b"event: " + name.encode() + b"\n" if name else b""
    return head + b"data: " + data + b"\n\n"
