"""Bodies out of their content encodings, never more of them than a bound."""

import zlib
from collections.abc import Callable, Sequence
from typing import TypeVar

import brotli
import zstandard

from reenact.domain.exchange import Header
from reenact.errors import InvalidInput

MOST_BYTES = 64 * 1024 * 1024
"""Of an unpacked body; a small body can be made to grow a thousandfold."""
MOST_CONTAINERS = 1_000_000
MOST_VALUES = 8_000_000
"""Of JSON in one body: two bytes of text, `[]`, make sixty of memory, a value fifty. The largest answers that are known,
batches of embeddings, have six million numbers in a few thousand lists."""
_JSON_BEGINNINGS = (b"{", b"[", b"d", b"e", b"i", b"r", b":")
"""Of a document, or of an event stream's first field."""
_FEW_BYTES = 2 * MOST_CONTAINERS
"""A shorter body cannot have too many."""

Inflated = TypeVar("Inflated", bytes, bytearray)
_GZIP = zlib.MAX_WBITS | 16
_WINDOW_BYTES = 4096


def unpack(body: bytes, headers: Sequence[Header], most_bytes: int = MOST_BYTES) -> bytes:
    """Return *body* as it was before the `content-encoding` in *headers*; of a body that was cut off, what had come.

    Raises:
        InvalidInput: an encoding that is not read here, damage, more than *most_bytes*, or more values than memory should hold.
    """
    named = b",".join(value for name, value in headers if name.lower() == b"content-encoding").decode("latin-1")
    for name in reversed([token.strip().lower() for token in named.split(",")]):
        if name in {"", "identity"} or not body:
            continue
        inflate = _INFLATERS.get(name)
        if inflate is None:
            raise InvalidInput(f"The body is encoded as {name[:40]!r}, which is not read")
        try:
            body = inflate(body, most_bytes)
        except (brotli.error, zlib.error, zstandard.ZstdError) as error:
            raise InvalidInput(f"The body is not what its encoding {name!r} says: {error}") from error
    if len(body) > _FEW_BYTES and _is_crowded(body):
        raise InvalidInput(f"The body has more than {MOST_CONTAINERS} lists and objects, or {MOST_VALUES} values")
    return body


def _is_crowded(body: bytes) -> bool:
    """Return whether JSON in *body* could fill the memory; marks within its texts count too, which errs on the safe side."""
    if body.lstrip()[:1] not in _JSON_BEGINNINGS:
        return False
    return body.count(b"[") + body.count(b"{") > MOST_CONTAINERS or body.count(b",") > MOST_VALUES


def _gunzip(body: bytes, most_bytes: int) -> bytes:
    """Return the members of a gzip stream, joined.

    It is read through a small window: what follows a member is copied, and a body can be made of millions of empty ones.
    """
    rest = memoryview(body)
    inflated = bytearray()
    inflater = zlib.decompressobj(_GZIP)
    while rest:
        window = rest[:_WINDOW_BYTES]
        inflated += inflater.decompress(window, most_bytes + 1 - len(inflated))
        _bounded(inflated, most_bytes)
        rest = rest[len(window) - len(inflater.unused_data) :]
        if inflater.eof:
            inflater = zlib.decompressobj(_GZIP)
    return bytes(inflated)


def _undeflate(body: bytes, most_bytes: int) -> bytes:
    """Return a `deflate` body: zlib as the standard says (RFC 9110, 8.4.1.2), or raw as some servers send it."""
    try:
        return _inflate(body, zlib.MAX_WBITS, most_bytes)
    except zlib.error:
        return _inflate(body, -zlib.MAX_WBITS, most_bytes)


def _inflate(body: bytes, window_bits: int, most_bytes: int) -> bytes:
    """Return one inflated stream."""
    return _bounded(zlib.decompressobj(window_bits).decompress(body, most_bytes + 1), most_bytes)


def _unbrotli(body: bytes, most_bytes: int) -> bytes:
    """Return a brotli stream's content."""
    inflated: bytes = brotli.Decompressor().process(body, output_buffer_limit=most_bytes + 1)
    return _bounded(inflated, most_bytes)


def _unzstd(body: bytes, most_bytes: int) -> bytes:
    """Return the frames of a zstd stream, joined."""
    with zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True) as reader:
        return _bounded(reader.read(most_bytes + 1), most_bytes)


def _bounded(body: Inflated, most_bytes: int) -> Inflated:
    """Return *body* unless it is too long."""
    if len(body) > most_bytes:
        raise InvalidInput(f"The body is longer than {most_bytes} bytes when unpacked")
    return body


_INFLATERS: dict[str, Callable[[bytes, int], bytes]] = {
    "br": _unbrotli,
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "zstd": _unzstd,
}
