"""Bodies without what is large in them, and whole again: long strings, media in base64 among them, and long bodies themselves.

Each piece that is lifted out leaves one byte in its place, so that what is left of a JSON body is JSON, and equal pieces leave
equal bytes. What is put back is byte for byte what came.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from reenact.domain.digesting import digest
from reenact.store.sniffing import media_type

REQUEST, RESPONSE, ANSWER = range(3)
"""Which body a piece was in."""

_FILLER = b"0"
"""Stands for a piece: a letter in a string, and a value in JSON."""
_TO_THE_END = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
"""Of a JSON string, from anywhere in it."""
_MOST_BACKSLASHES = 64
_NO_BEGINNINGS = b":,]} \t\r\n"
"""What stands behind a string and not at the beginning of a long one: between two strings there is no string."""
_MOST_HEAD_BYTES = 200
"""Of a data URL, before its comma."""


class Lift(msgspec.Struct, frozen=True, array_like=True):
    """One piece that stands elsewhere, as a store keeps it; a later version may only add fields at the end."""

    body: int
    """REQUEST, RESPONSE or ANSWER."""
    at: int
    """Where in what is left of the body its filler stands."""
    name: bytes
    """The digest of its bytes; of the decoded ones when it was base64."""
    piece_bytes: int
    media_type: str = ""
    """Of what was base64; empty for all else."""
    is_whole: bool = False
    """Whether it is all that was left of the body, strings lifted out before."""

    @property
    def is_medium(self) -> bool:
        """Whether it was base64 in a string."""
        return bool(self.media_type)

    @property
    def key(self) -> str:
        """What its object is called among those of its organisation: text is kept compressed."""
        return self.name.hex() + ("" if self.is_medium else ".zst")


class Lifted(msgspec.Struct, frozen=True):
    """A body without some pieces."""

    rest: bytes
    lifts: tuple[Lift, ...] = ()
    contents: tuple[bytes, ...] = ()
    """Of the lifts, in their order."""


def lift_strings(content: bytes, body: int, least_bytes: int) -> Lifted:
    """Return *content* without strings of at least *least_bytes*; content without such costs next to nothing."""
    rest, lifts, contents, at, left = [], [], [], 0, 0
    for start, end, piece, kind in _strings(content, least_bytes):
        rest += [content[at:start], _FILLER]
        left += start - at
        lifts.append(Lift(body, left, digest(piece), len(piece), kind))
        contents.append(piece)
        left += len(_FILLER)
        at = end
    if not lifts:
        return Lifted(content)
    return Lifted(b"".join((*rest, content[at:])), tuple(lifts), tuple(contents))


def lift_whole(before: Lifted, body: int, least_bytes: int) -> Lifted:
    """Return nothing but the filler, and what was lifted *before*, when what is left has at least *least_bytes*."""
    rest = before.rest
    if len(rest) < least_bytes:
        return before
    lift = Lift(body, 0, digest(rest), len(rest), is_whole=True)
    return Lifted(_FILLER, (*before.lifts, lift), (*before.contents, rest))


def put_back(rest: bytes, body: int, lifts: Sequence[Lift], contents: Mapping[str, bytes | None]) -> bytes:
    """Return the body that *rest* was, what was lifted out of it put back.

    *contents* are by the lifts' keys; where one is None, or is not there, a marker stands that names the object.
    """
    for is_whole in (True, False):
        here = [lift for lift in lifts if lift.body == body and lift.is_whole == is_whole]
        if here:
            rest = b"".join(_pieces(rest, here, contents))
    return rest


def marker(key: str) -> str:
    """Return what stands where an object was that cannot be read."""
    return f"reenact: the object {key} cannot be read"


def _pieces(rest: bytes, lifts: Sequence[Lift], contents: Mapping[str, bytes | None]) -> Iterator[bytes]:
    at = 0
    for lift in lifts:
        yield rest[at : lift.at]
        content = contents.get(lift.key)
        if content is None:
            told = marker(lift.key).encode()
            yield b'"' + told + b'"' if lift.is_whole else told
        else:
            yield base64.b64encode(content) if lift.is_medium else content
        at = lift.at + len(_FILLER)
    yield rest[at:]


def _strings(content: bytes, least_bytes: int) -> Iterator[tuple[int, int, bytes, str]]:
    """Yield where long strings start and end, what they say, and its media type when it was base64, in order.

    A long string holds one of the places that are looked at, each half of it from the next.
    """
    stride = max(least_bytes // 2, 64)
    floor, at = 0, stride
    while at + stride <= len(content):
        found = _string_at(content, at, max(floor, at - stride - 1))
        if found is None or found[1] - found[0] < least_bytes:
            at += stride
            continue
        start, end = found
        comma = content.find(b",", start, start + _MOST_HEAD_BYTES) if content.startswith(b"data:", start) else -1
        inner = start if comma < 0 else comma + 1
        decoded = _decoded(content[inner:end]) if end - inner >= least_bytes else None
        if decoded is None:
            yield start, end, content[start:end], ""
        else:
            yield inner, end, decoded, media_type(decoded)
        floor, at = end, end + stride


def _string_at(content: bytes, at: int, floor: int) -> tuple[int, int] | None:
    """Return where the string around *at* starts and ends, when it begins behind *floor*."""
    before = content.rfind(b'"', floor, at)
    while before > floor and _is_escaped(content, before):
        before = content.rfind(b'"', floor, before)
    start = before + 1
    if before < 0 or content[start] in _NO_BEGINNINGS:
        return None
    found = _TO_THE_END.match(content, at + _is_escaped(content, at))
    return None if found is None else (start, found.end() - 1)


def _is_escaped(content: bytes, at: int) -> bool:
    """Return whether the byte at *at* follows an odd number of backslashes."""
    first = at
    while first > max(0, at - _MOST_BACKSLASHES) and content[first - 1] == ord("\\"):
        first -= 1
    return (at - first) % 2 == 1


def _decoded(run: bytes) -> bytes | None:
    """Return what *run* says in base64; None when that would be written otherwise."""
    try:
        content = binascii.a2b_base64(run, strict_mode=True)
    except binascii.Error:
        return None
    return content if binascii.b2a_base64(content, newline=False) == run else None
