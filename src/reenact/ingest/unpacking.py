"""Bodies out of their content encodings, never more of them than a bound."""

import zlib
from collections.abc import Callable, Sequence

import zstandard

from reenact.domain.exchange import Header
from reenact.errors import InvalidInput

MOST_BYTES = 64 * 1024 * 1024
"""Of an unpacked body; a small body can be made to grow a thousandfold."""


def unpack(body: bytes, headers: Sequence[Header], most_bytes: int = MOST_BYTES) -> bytes:
    """Return *body* as it was before the `content-encoding` in *headers*; of a body that was cut off, what had come.

    Raises:
        InvalidInput: an encoding that is not read here, damage, or more than *most_bytes*.
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
        except (zlib.error, zstandard.ZstdError) as error:
            raise InvalidInput(f"The body is not what its encoding {name!r} says: {error}") from error
    return body


def _gunzip(body: bytes, most_bytes: int) -> bytes:
    """Return the members of a gzip stream, joined."""
    pieces: list[bytes] = []
    while body:
        piece, body = _inflate(body, zlib.MAX_WBITS | 16, most_bytes - sum(map(len, pieces)))
        pieces.append(piece)
    return b"".join(pieces)


def _undeflate(body: bytes, most_bytes: int) -> bytes:
    """Return a `deflate` body: zlib as the standard says (RFC 9110, 8.4.1.2), or raw as some servers send it."""
    try:
        return _inflate(body, zlib.MAX_WBITS, most_bytes)[0]
    except zlib.error:
        return _inflate(body, -zlib.MAX_WBITS, most_bytes)[0]


def _inflate(body: bytes, window_bits: int, most_bytes: int) -> tuple[bytes, bytes]:
    """Return one inflated stream and what follows it."""
    inflater = zlib.decompressobj(window_bits)
    inflated = inflater.decompress(body, most_bytes + 1)
    return _bounded(inflated, most_bytes), inflater.unused_data


def _unzstd(body: bytes, most_bytes: int) -> bytes:
    """Return the frames of a zstd stream, joined."""
    with zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True) as reader:
        return _bounded(reader.read(most_bytes + 1), most_bytes)


def _bounded(body: bytes, most_bytes: int) -> bytes:
    """Return *body* unless it is too long."""
    if len(body) > most_bytes:
        raise InvalidInput(f"The body is longer than {most_bytes} bytes when unpacked")
    return body


_INFLATERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "zstd": _unzstd,
}
