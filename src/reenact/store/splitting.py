"""Bodies cut into parts and put together again: each request of a session repeats almost all of the one before.

A JSON body is cut at the edges of its large values and of the elements of its arrays, without writing any JSON anew, so
that the pieces joined are the very bytes that came, whatever their spacing, escapes or repeated keys.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

LEAST_PART_BYTES = 64
"""A shorter value stays in the literals: naming it would cost as much as keeping it."""

WHOLE = frozenset({"tools", "functions"})
"""Arrays that a session repeats as they are: one part costs less than one for each element."""

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])
_ODD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_OPENINGS = (b'{"":[0', b'{"":0')
"""What makes JSON again of the rest of a body behind a part: an element of an array, or a value of the body itself."""


class Split(msgspec.Struct, frozen=True):
    """A body as literals and parts in turn: literal, part, literal, ..., literal."""

    literals: tuple[bytes, ...]
    """One more than there are parts."""
    parts: tuple[bytes, ...]
    """The pieces that are likely to come again in the same session."""


_NOTHING = Split(literals=(), parts=())


def split(body: bytes) -> Split:
    """Return *body* cut into pieces; what is not a JSON object is one part, or one literal when it is short."""
    try:
        fields = _object.decode(body)
    except _ODD:  # not a JSON object, or nested too deeply
        return _cut(body, _NOTHING, [(0, len(body))] if len(body) >= LEAST_PART_BYTES else [])
    return _cut(body, _NOTHING, _cuts(body, fields, 0))


def split_like(body: bytes, before: bytes, cut: Split) -> tuple[Split, int]:
    """Return *body* cut into pieces, and how many first ones are the first parts of *cut*, which *before* was cut into.

    Where *body* begins as *before* does, only what follows is read.
    """
    shared, at = _shared(body, before, cut)
    begun = Split(literals=cut.literals[:shared], parts=cut.parts[:shared])
    for opening in _OPENINGS if shared else ():
        try:
            fields = _object.decode(opening + body[at:])
        except _ODD:
            continue
        return _cut(body, begun, _cuts(body, fields, at), at), shared
    return split(body), 0


def join(literals: Sequence[bytes], parts: Sequence[bytes]) -> bytes:
    """Return the body that was cut into *literals* and *parts*."""
    pieces = [b""] * (len(literals) + len(parts))
    pieces[0::2] = literals
    pieces[1::2] = parts
    return b"".join(pieces)


def _shared(body: bytes, before: bytes, cut: Split) -> tuple[int, int]:
    """Return how many first parts *body* begins with just as *before* does, and where the last of them ends."""
    at = len(before) - len(cut.literals[-1])
    if body.startswith(before[:at]):  # as most do: a session goes on where it was
        return len(cut.parts), at
    lengths = (len(literal) + len(part) for literal, part in zip(cut.literals, cut.parts, strict=False))
    ends = list(itertools.accumulate(lengths))
    shared, at, most = 0, 0, len(ends)
    while shared < most:
        middle = (shared + most + 1) // 2
        if body.startswith(before[at : ends[middle - 1]], at):
            shared, at = middle, ends[middle - 1]
        else:
            most = middle - 1
    return shared, at


def _cut(body: bytes, begun: Split, cuts: Iterable[tuple[int, int]], at: int = 0) -> Split:
    """Return *body* cut at *cuts*; what stands before *at* has *begun* it, and lacks its last literal."""
    literals, parts = [], []
    for start, end in cuts:
        literals.append(body[at:start])
        parts.append(body[start:end])
        at = end
    return Split(literals=(*begun.literals, *literals, body[at:]), parts=(*begun.parts, *parts))


def _cuts(body: bytes, fields: Mapping[str, msgspec.Raw], at: int) -> Iterator[tuple[int, int]]:
    """Yield where parts of *body* start and end that stand after *at*, in order and without overlap."""
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
