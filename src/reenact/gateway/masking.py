"""Masking what a server's owner never wants written: every match of their patterns, in texts and inside JSON, byte for byte.

What is masked keeps its length (`*` for text, `1` for digits of a number), so that pieces, frames and lines stay where they are
and JSON stays JSON. In JSON the patterns see what strings mean, whatever is escaped in them; in a stream they see what its
pieces say one after the other. Link ids and signatures are left alone: without them a session could not be read or run again.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

Span = tuple[int, int]
"""Where something begins and ends in a body."""

_STAR, _DIGIT = b"*", b"1"
_TOKEN = re.compile(rb'"((?:[^"\\]++|\\.)*+)"(\s*+:)?|-?\d[\d.eE+-]*+', re.DOTALL)
"""A string, which is a key where a colon follows, or a number, in valid JSON."""
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u....|.)", re.DOTALL)
_PARTED = b"\x00"
"""Stands between texts that are looked through together."""
_IDS = frozenset(
    b"id call_id tool_call_id tool_use_id item_id response_id previous_response_id previous_item_id event_id signature "
    b"thoughtSignature thought_signature encrypted_content".split()
)
"""Keys of what links calls with each other, and of what only the provider can read."""
_SEALED = b"redacted_thinking"
"""The type of an object whose `data` only the provider can read."""
_SPOKEN = frozenset(
    b"arguments content delta input output partial_json reasoning reasoning_content refusal text thinking transcript".split()
)
"""Keys whose texts, in the events of a stream, are pieces of one."""
_PLACES = frozenset(b"index output_index content_index summary_index".split())
"""Keys that tell which of several texts a piece belongs to."""


class Match(Protocol):
    """Where a pattern was found."""

    def span(self) -> Span:
        """Return its beginning and end."""
        ...


class Pattern(Protocol):
    """A regular expression that takes no longer than its text is long, such as RE2's; made for bytes in UTF-8."""

    def finditer(self, text: bytes) -> Iterable[Match]:
        """Yield where *text* matches."""
        ...


class Mask:
    """Applies one pattern, an alternation where there are several."""

    def __init__(self, pattern: Pattern, *, is_anchored: bool = False) -> None:
        """Take the pattern, and whether it asks for the beginning or the end of a text."""
        self._pattern = pattern
        self._is_anchored = is_anchored

    def text(self, content: bytes) -> bytes:
        """Return *content*, which is no JSON, masked."""
        if not (found := self._found(content)):
            return content
        masked = bytearray(content)
        for start, end in found:
            masked[start:end] = _STAR * (end - start)
        return bytes(masked)

    def body(self, body: bytes, events: Sequence[Span] | None = None) -> bytes:
        """Return *body* masked.

        Args:
            body: not compressed.
            events: where the messages of a WebSocket are in it; None where the body tells what it is made of.
        """
        spans = [span for span in events if _is_json(body[slice(*span)])] if events is not None else _documents(body)
        masked = bytearray(body)
        for start, end in _between(spans, len(body)):
            masked[start:end] = self.text(body[start:end])
        self._documents(body, spans, masked)
        return bytes(masked)

    def _documents(self, body: bytes, spans: Sequence[Span], masked: bytearray) -> None:
        """Mask in *masked* what is found in the JSON at *spans* of *body*."""
        texts: list[Span] = []
        numbers: list[Span] = []
        spoken: dict[object, list[Span]] = {}
        for span in spans:
            read = _read(body, span)
            texts += read.texts
            numbers += read.numbers
            if len(spans) == 1:
                texts += [piece for _, piece in read.spoken]
                continue
            for name, piece in read.spoken:
                spoken.setdefault((name, *read.places), []).append(piece)
        for touched in self._touched(body, numbers):
            self._number(body, touched, masked)
        for touched in self._touched(body, texts):
            self._joined(body, [touched], masked)
        for pieces in spoken.values():
            self._joined(body, pieces, masked)

    def _touched(self, body: bytes, texts: Sequence[Span]) -> Iterator[Span]:
        """Yield those of *texts* that may match. All are looked through at once: one by one costs ten times as much."""
        if self._is_anchored:
            yield from texts
            return
        readable = [_meaning(body[start:end]) for start, end in texts]
        found = self._found(_PARTED.join(readable))
        at = number = 0
        for start, end in found:
            while number < len(texts) and at < end:
                if at + len(readable[number]) >= start:
                    yield texts[number]
                at += len(readable[number]) + len(_PARTED)
                number += 1

    def _joined(self, body: bytes, pieces: Sequence[Span], masked: bytearray) -> None:
        """Mask what is found in texts that follow each other."""
        read = [_Text(body, piece) for piece in pieces]
        found = self._found(b"".join(text.meaning for text in read))
        at = number = 0
        for start, end in found:
            while number < len(read):
                text = read[number]
                text.mask(max(0, start - at), end - at, masked)
                if at + len(text.meaning) > end:
                    break
                at += len(text.meaning)
                number += 1

    def _number(self, body: bytes, span: Span, masked: bytearray) -> None:
        """Mask the digits of a number, which stays one."""
        for start, end in self._found(body[slice(*span)]):
            for at in range(span[0] + start, span[0] + end):
                if body[at : at + 1].isdigit():
                    masked[at : at + 1] = _DIGIT

    def _found(self, text: bytes) -> list[Span]:
        return [match.span() for match in self._pattern.finditer(text)]


class _Document(msgspec.Struct, frozen=True):
    """What is looked through in one JSON document."""

    texts: list[Span]
    numbers: list[Span]
    spoken: list[tuple[object, Span]]
    """Texts that may go on in the next document, each under a name of its own."""
    places: tuple[bytes, ...]


def _read(body: bytes, span: Span) -> _Document:
    """Return where the texts and numbers of the document at *span* are."""
    read = _Document([], [], [], ())
    places: list[bytes] = []
    counts: Counter[bytes] = Counter()
    key = kind = b""
    for token in _TOKEN.finditer(body, *span):
        text = token[1]
        if text is None:
            if key in _PLACES:
                places.append(token[0])
            else:
                read.numbers.append(token.span())
        elif token[2] is not None:
            key = text
            read.texts.append(token.span(1))
        elif key in _IDS or (key == b"data" and kind == _SEALED):
            continue
        elif key in _SPOKEN:
            read.spoken.append(((key, counts[key]), token.span(1)))
            counts[key] += 1
        else:
            kind = text if key == b"type" else kind
            read.texts.append(token.span(1))
    return msgspec.structs.replace(read, places=tuple(places))


class _Text:
    """A string as it means and as it is written."""

    def __init__(self, body: bytes, span: Span) -> None:
        self._start = span[0]
        raw = body[slice(*span)]
        self._written: list[Span] | None = None
        """For each byte of the meaning, what writes it; None where they are the same."""
        self.meaning = raw
        if b"\\" in raw:
            self.meaning, self._written = _unescaped(raw)

    def mask(self, start: int, end: int, masked: bytearray) -> None:
        """Mask the bytes of the meaning from *start* to *end*, as far as there are that many."""
        end = min(end, len(self.meaning))
        spans = [(start, end)] if self._written is None else self._written[start:end]
        for first, last in spans:
            if first < last:
                masked[self._start + first : self._start + last] = _STAR * (last - first)


def _unescaped(raw: bytes) -> tuple[bytes, list[Span]]:
    """Return what the inside of a JSON string means, and for each byte of it where it is written."""
    meaning = bytearray()
    written: list[Span] = []
    at = 0
    for escape in _ESCAPE.finditer(raw):
        meaning += raw[at : escape.start()]
        written += [(place, place + 1) for place in range(at, escape.start())]
        letter = _meaning(escape[0])
        meaning += letter
        written += [escape.span()] * len(letter)
        at = escape.end()
    meaning += raw[at:]
    written += [(place, place + 1) for place in range(at, len(raw))]
    return bytes(meaning), written


def _meaning(raw: bytes) -> bytes:
    """Return what the inside of a JSON string means, in UTF-8; half a letter, which has no bytes there, as it is written."""
    if b"\\" not in raw:
        return raw
    try:
        return msgspec.json.decode(b'"' + raw + b'"', type=str).encode()
    except (msgspec.DecodeError, UnicodeError):
        return _ESCAPE.sub(_letter, raw)


def _letter(escape: "re.Match[bytes]") -> bytes:
    try:
        return msgspec.json.decode(b'"' + escape[0] + b'"', type=str).encode()
    except (msgspec.DecodeError, UnicodeError):
        return escape[0]


def _documents(body: bytes) -> list[Span]:
    """Return where JSON is in a body: all of it, the elements of an array, or the data of events and lines."""
    if _is_json(body):
        elements = _elements(body) if body.lstrip()[:1] == b"[" else None
        return elements or [(0, len(body))]
    spans: list[Span] = []
    at = 0
    for line in body.splitlines(keepends=True):
        start = at + 5 if line.startswith(b"data:") else at
        at += len(line)
        if body[start:at].lstrip()[:1] in {b"{", b"["} and _is_json(body[start:at]):
            spans.append((start, at))
    return spans


def _elements(body: bytes) -> list[Span]:
    """Return where the elements of a JSON array are."""
    spans: list[Span] = []
    at = 0
    for element in msgspec.json.decode(body, type=list[msgspec.Raw]):
        start = body.index(bytes(element), at)
        at = start + len(bytes(element))
        spans.append((start, at))
    return spans


def _is_json(content: bytes) -> bool:
    try:
        _skim(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


_skim: Callable[[bytes], object] = msgspec.json.Decoder().decode


def _between(spans: Sequence[Span], length: int) -> Iterator[Span]:
    """Yield what lies before, between and after *spans*."""
    at = 0
    for start, end in spans:
        if at < start:
            yield at, start
        at = end
    if at < length:
        yield at, length
