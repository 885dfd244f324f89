"""Heads seen before: found again by all their bytes but the digits of the length, and never where anything else differs."""

import pytest

from reenact.gateway.heads import KNOWN, LARGEST_BYTES, LENGTH, Heads, find_head
from reenact.gateway.scope import Scope

HEAD = b"POST /x HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\na: b\r\n\r\n"


def scope(*headers: tuple[bytes, bytes]) -> Scope:
    """Return what the parser made of a head."""
    return {"method": "POST", "raw_path": b"/x", "headers": [*headers], "client": ("127.0.0.1", 1)}


READ = scope((b"host", b"h"), (b"content-length", b"2"), (b"a", b"b"))


def test_a_head_is_known_whatever_the_body_s_length() -> None:
    """The scope of the next request has its own length and client, and a list of headers of its own."""
    heads = Heads()
    first = find_head(HEAD + b"{}")
    assert first is not None
    assert heads.find(first.key) is None
    known = heads.keep(first, READ)
    assert known is not None
    known.reading = "read"

    second = find_head(HEAD.replace(b": 2", b": 1234") + b"{}")
    assert second is not None
    assert (second.digits, second.body_at) == (b"1234", len(HEAD) + 3)
    again = heads.find(second.key)
    assert again is known
    made = again.scope(b"1234", ("127.0.0.1", 2))
    assert made == {
        "method": "POST",
        "raw_path": b"/x",
        "headers": [(b"host", b"h"), (b"content-length", b"1234"), (b"a", b"b")],
        "client": ("127.0.0.1", 2),
        KNOWN: known,
        LENGTH: b"1234",
    }
    made["headers"].clear()
    assert again.scope(b"2", ("127.0.0.1", 1))["headers"] == READ["headers"]


@pytest.mark.parametrize(
    "other",
    [
        HEAD.replace(b"a: b", b"a: c"),
        HEAD.replace(b"a: b", b"A: b"),
        HEAD.replace(b"POST", b"PUT"),
        HEAD.replace(b"host: h", b"host: g"),
        HEAD.replace(b"a: b\r\n", b""),
        HEAD.replace(b"a: b", b"content-length: 3"),
        HEAD.replace(b"a: b", b"transfer-encoding: chunked"),
        HEAD.replace(b"content-length: 2\r\na: b", b"a: b\r\ncontent-length: 2"),
    ],
)
def test_any_other_byte_makes_another_head(other: bytes) -> None:
    """Nothing is taken for a head that the parser has not read."""
    heads = Heads()
    first, found = find_head(HEAD), find_head(other)
    assert first is not None
    assert found is not None
    heads.keep(first, READ)
    assert heads.find(found.key) is None


@pytest.mark.parametrize(
    "data",
    [
        b"GET /x HTTP/1.1\r\nhost: h\r\n\r\n",
        HEAD[:-1],
        HEAD.replace(b": 2", b": +2"),
        HEAD.replace(b": 2", b": 0x2"),
        HEAD.replace(b": 2", b": 2 "),
        HEAD.replace(b": 2", b": 2,2"),
        HEAD.replace(b": 2", b": " + b"1" * 16),
        HEAD.replace(b"\r\ncontent", b"\r\n content"),
        HEAD.replace(b"a: b", b"a: " + b"b" * LARGEST_BYTES),
        b"POST /x HTTP/1.1\r\nhost: h\r\n\r\ncontent-length: 2\r\n\r\n",
    ],
)
def test_what_is_left_to_the_parser(data: bytes) -> None:
    """A head that is torn, long, without a length, or with one that is written in any unusual way."""
    assert find_head(data) is None


@pytest.mark.parametrize(
    "headers",
    [
        ((b"host", b"h"),),
        ((b"content-length", b"2"), (b"content-length", b"2")),
        ((b"content-length", b"2"), (b"transfer-encoding", b"chunked")),
        ((b"content-length", b"2"), (b"expect", b"100-continue")),
        ((b"content-length", b"2"), (b"upgrade", b"websocket")),
    ],
)
def test_heads_that_are_not_kept(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    """Those that say anything of the request's end beside one length."""
    heads, found = Heads(), find_head(HEAD)
    assert found is not None
    assert heads.keep(found, scope(*headers)) is None
    assert heads.find(found.key) is None


def test_only_the_latest_are_kept() -> None:
    """At most twice as many as are allowed, and one that is used stays."""
    heads = Heads(most=2)
    founds = [find_head(HEAD.replace(b"a: b", b"a: %d" % number)) for number in range(20)]
    for found in founds:
        assert found is not None
        heads.keep(found, READ)
        assert founds[0] is not None
        assert heads.find(founds[0].key) is not None
    kept = [found for found in founds if found is not None and heads.find(found.key) is not None]
    assert len(kept) <= 4
