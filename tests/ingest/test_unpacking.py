"""Tests of `ingest.unpacking`."""

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from reenact.errors import InvalidInput
from reenact.ingest.unpacking import MOST_VALUES, unpack


def _raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACKERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"gzip": gzip.compress,
    b"X-GZIP": lambda body: gzip.compress(body[:3]) + gzip.compress(body[3:]),
    b"deflate": zlib.compress,
    b"Deflate": _raw_deflate,
    b"zstd": zstandard.compress,
    b"br": brotli.compress,
    b"identity": lambda body: body,
    b"deflate, gzip": lambda body: gzip.compress(zlib.compress(body)),
}


@given(st.binary(), st.sampled_from(sorted(PACKERS)))
def test_packed_bodies_come_back(body: bytes, encoding: bytes) -> None:
    """Every encoding that providers use, alone, in members and one inside another."""
    assert unpack(PACKERS[encoding](body), [(b"Content-Encoding", encoding)]) == body


def test_an_unpacked_body_is_itself() -> None:
    """Without the header nothing is done, whatever the body looks like."""
    assert unpack(gzip.compress(b"x"), []) == gzip.compress(b"x")
    assert unpack(b"", [(b"content-encoding", b"gzip")]) == b""


@pytest.mark.parametrize("encoding", [b"br", b"gzip", b"deflate", b"zstd"])
def test_of_a_cut_body_what_came_is_read(encoding: bytes) -> None:
    """A stream whose reader left is still worth reading."""
    body = bytes(range(256)) * 1000
    packed = PACKERS[encoding](body)
    came = unpack(packed[: len(packed) - 5], [(b"content-encoding", encoding)])
    assert body.startswith(came)


@pytest.mark.parametrize("encoding", [b"br", b"gzip", b"X-GZIP", b"deflate", b"zstd"])
def test_a_bomb_is_not_set_off(encoding: bytes) -> None:
    """What would grow over the bound is refused."""
    packed = PACKERS[encoding](b"0" * 1_000_001)
    with pytest.raises(InvalidInput, match="longer than"):
        unpack(packed, [(b"content-encoding", encoding)], most_bytes=1_000_000)


def test_a_body_of_many_empty_members_takes_no_time() -> None:
    """What follows a member is not copied for each: 4 MB of empty members would be 400 GB to copy."""
    assert b"end" == unpack(gzip.compress(b"") * 200_000 + gzip.compress(b"end"), [(b"content-encoding", b"gzip")])


@pytest.mark.parametrize(
    ("encoding", "why"), [(b"compress", "not read"), (b"br", "not what"), (b"gzip", "not what"), (b"zstd", "not what")]
)
def test_what_cannot_be_unpacked_says_why(encoding: bytes, why: str) -> None:
    """An encoding that is not read here, and bytes that are not what they claim."""
    with pytest.raises(InvalidInput, match=why):
        unpack(b"no such thing", [(b"content-encoding", encoding)])


@pytest.mark.parametrize("beginning", [b" ", b"data: "])
@pytest.mark.parametrize("value", [b"[],", b"{},", b"1,", b'"",'])
def test_a_body_of_a_great_many_values_is_not_read(beginning: bytes, value: bytes) -> None:
    """Each would take twenty times its own length of memory; a picture of the same length is no such thing."""
    body = beginning + b"[" + value * (MOST_VALUES + 1) + b"0]"
    with pytest.raises(InvalidInput, match="lists and objects"):
        unpack(zlib.compress(body, 1), [(b"content-encoding", b"deflate")])
    assert b"\x89PNG" + body == unpack(b"\x89PNG" + body, [])
