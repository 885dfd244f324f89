"""Bodies cut into parts and put together again: each request of a session repeats almost all of the one before.

A JSON body is cut at the edges of its large values and of the elements of its arrays, without writing any JSON anew, so
that the pieces joined are the very bytes that came, whatever their spacing, escapes or repeated keys.
"""

from collections.abc import Iterator, Sequence

import msgspec

LEAST_PART_BYTES = 64
"""A shorter value stays in the literals: naming it would cost as much as keeping it."""

WHOLE = frozenset({"tools", "functions"})
"""Arrays that a session repeats as they are: one part costs less than one for each element."""

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])


class Split(msgspec.Struct, frozen=True):
    """A body as literals and parts in turn: literal, part, literal, ..., literal."""

    literals: tuple[bytes, ...]
    """One more than there are parts."""
    parts: tuple[bytes, ...]
    """The pieces that are likely to come again in the same session."""


def split(body: bytes) -> Split:
    """Return *body* cut into pieces; what is not a JSON object is one part, or one literal when it is short."""
    literals, parts, at = [], [], 0
    for start, end in _cuts(body):
        literals.append(body[at:start])
        parts.append(body[start:end])
        at = end
    return Split(literals=(*literals, body[at:]), parts=tuple(parts))


def join(literals: Sequence[bytes], parts: Sequence[bytes]) -> bytes:
    """Return the body that was cut into *literals* and *parts*."""
    pieces = [b""] * (len(literals) + len(parts))
    pieces[0::2] = literals
    pieces[1::2] = parts
    return b"".join(pieces)


def _cuts(body: bytes) -> Iterator[tuple[int, int]]:
    """Yield where parts start and end, in order and without overlap."""
    try:
        fields = _object.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # not a JSON object, or nested too deeply
        if len(body) >= LEAST_PART_BYTES:
            yield 0, len(body)
        return
    at = 0
    for name, value in fields.items():
        for piece in _pieces(name, bytes(value)):
            # A repeated key keeps its first place and its last value, so a piece may stand before `at`: then it stays literal.
            start = body.find(piece, at)
            if start >= 0:
                at = start + len(piece)
                yield start, at


def _pieces(name: str, value: bytes) -> list[bytes]:
    """Return the parts of one top-level value: its large elements, or itself."""
    if len(value) < LEAST_PART_BYTES:
        return []
    if value.startswith(b"[") and name not in WHOLE:
        elements = [bytes(element) for element in _array.decode(value) if len(memoryview(element)) >= LEAST_PART_BYTES]
        if elements:
            return elements
    return [value]
