"""The archive: recorded calls as lines of JSON that another data folder, of another version or store, can take in.

The first line is a Head, the last one a Tail; between them stands one line for each call, gap and unreadable record. Bytes are
base64. The exchange is the truth; `call` is what it meant when it was exported, for other programs, and is derived again.
"""

from collections.abc import Iterator, Mapping

import msgspec

from reenact.domain.call import Call
from reenact.domain.exchange import Exchange, Gap, Unreadable
from reenact.domain.filtering import LABEL_KEYS
from reenact.errors import InvalidInput

FORMAT = "reenact-archive"
VERSION = 1


class Head(msgspec.Struct, frozen=True, kw_only=True, tag="head", tag_field="kind"):
    """What the file is."""

    format: str = FORMAT
    version: int = VERSION
    reenact: str
    """The version that wrote it."""


class Annotations(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was said of a call after it was recorded."""

    properties: dict[str, str] = {}
    """Set or changed since; the keys of session headers and of the prompt id among them, when the call was moved."""
    scores: dict[str, float] = {}
    feedback: bool | None = None


NO_ANNOTATIONS = Annotations()


class CallLine(msgspec.Struct, frozen=True, kw_only=True, tag="call", tag_field="kind"):
    """One call."""

    exchange: Exchange
    call: Call
    annotations: Annotations = NO_ANNOTATIONS


class GapLine(msgspec.Struct, frozen=True, kw_only=True, tag="gap", tag_field="kind"):
    """What was lost."""

    gap: Gap


class UnreadableLine(msgspec.Struct, frozen=True, kw_only=True, tag="unreadable", tag_field="kind"):
    """A record that could not be read."""

    unreadable: Unreadable


class Tail(msgspec.Struct, frozen=True, kw_only=True, tag="tail", tag_field="kind"):
    """The end: a file without it was cut off."""

    calls: int


Line = Head | CallLine | GapLine | UnreadableLine | Tail

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Line)


def write_line(line: Line) -> bytes:
    """Return *line* with its line feed."""
    return _encode(line) + b"\n"


def read_line(content: bytes, number: int) -> Line:
    """Return the line that *content* is.

    Raises:
        InvalidInput: it is none; the message names its *number*, counted from 1.
    """
    try:
        line: Line = _decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"Line {number} is none of an archive: {error}.", f"line {number}") from None
    if isinstance(line, Head) and (line.format, line.version) != (FORMAT, VERSION):
        raise InvalidInput(
            f"The archive is of another kind: {line.format} {line.version}; known is {FORMAT} {VERSION}.", "line 1"
        )
    return line


def annotations(exchange: Exchange, call: Call) -> Annotations:
    """Return what *call* says beyond what its *exchange* said."""
    labels, recorded = call.labels, exchange.labels
    moved = {
        key: getattr(labels, name) or ""
        for key, name in LABEL_KEYS.items()
        if getattr(labels, name) != getattr(recorded, name) and not (name == "session_id" and call.session_inferred)
    }
    return Annotations(
        properties={**dict(_changed(recorded.properties, labels.properties)), **moved},
        scores=dict(call.scores),
        feedback=call.feedback,
    )


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the properties that are new or other, whatever the case of their keys."""
    known = {key.lower(): value for key, value in before.items()}
    return ((key, value) for key, value in after.items() if known.get(key.lower()) != value)
